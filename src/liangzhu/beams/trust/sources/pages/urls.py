"""The addresses of this app, from the root: the person's stand under ``my/``."""

from django.urls import path

from liangzhu.beams.trust.sources.pages import views

app_name = "sources"
urlpatterns = [
    path("sources/", views.listing, name="list"),
    path("sources/<str:key>/", views.one, name="one"),
]
