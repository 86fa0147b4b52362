"""The addresses of this app, from the root: the person's stand under ``my/``."""

from django.urls import path

from liangzhu.beams.trust.sources.pages import own, views

app_name = "sources"
urlpatterns = [
    path("my/trail/", own.trail, name="trail"),
    path("my/trail/<int:read_id>/", own.read, name="own_read"),
    path("my/receipts/<slug:receipt>/", own.receipt, name="receipt"),
    path("my/receipts/<slug:receipt>/receipt.json", own.receipt_file, name="receipt_file"),
    path("sources/", views.listing, name="list"),
    path("sources/<str:key>/", views.one, name="one"),
]
