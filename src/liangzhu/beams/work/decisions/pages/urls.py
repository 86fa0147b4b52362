"""The addresses of this app."""

from django.urls import path

from liangzhu.beams.work.decisions.pages import views

app_name = "decisions"
urlpatterns = [
    path("", views.tables, name="tables"),
    path("<slug:key>/", views.table, name="table"),
    path("<slug:key>/<int:number>/", views.table, name="release"),
    path("<slug:key>/<int:number>/dmn/", views.dmn, name="dmn"),
]
