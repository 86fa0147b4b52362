"""The addresses of this app, by area."""

from liangzhu.pillars.services.pages import items_urls

app_name = "services"
urlpatterns = [*items_urls.urlpatterns]
