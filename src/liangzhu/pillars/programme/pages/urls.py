"""The addresses of this app, by area."""

from liangzhu.pillars.programme.pages import documents_urls as documents
from liangzhu.pillars.programme.pages import ledger_urls as ledger
from liangzhu.pillars.programme.pages import overview_urls as overview

app_name = "programme"
urlpatterns = [*documents.urlpatterns, *ledger.urlpatterns, *overview.urlpatterns]
