"""The addresses of this app. A key holds a dot, so that no key can be taken for ``new``."""

from django.urls import path

from liangzhu.beams.data.indicators.pages import views

app_name = "indicators"
urlpatterns = [
    path("", views.listing, name="list"),
    path("new/", views.define, name="new"),
    path("snapshots/<int:snapshot_id>/", views.rows, name="rows"),
    path("snapshots/<int:snapshot_id>/decide/", views.decide, name="decide"),
    path("<str:key>/", views.indicator, name="indicator"),
    path("<str:key>/report/", views.report, name="report"),
    path("<str:key>/measure/", views.measure, name="measure"),
    path("<str:key>/define/", views.define, name="define"),
]
