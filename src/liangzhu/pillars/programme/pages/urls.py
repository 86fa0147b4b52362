"""The addresses of this app, by area."""

from liangzhu.pillars.programme.pages import ledger_urls as ledger

app_name = "programme"
urlpatterns = [*ledger.urlpatterns]
