"""The addresses of this app, by area."""

from liangzhu.pillars.services.pages import (
    cases_urls,
    figures_urls,
    halls_urls,
    incentives_urls,
    items_urls,
    ratings_urls,
)

app_name = "services"
urlpatterns = [
    *cases_urls.urlpatterns,
    *figures_urls.urlpatterns,
    *halls_urls.urlpatterns,
    *incentives_urls.urlpatterns,
    *items_urls.urlpatterns,
    *ratings_urls.urlpatterns,
]
