"""Addresses of ratings."""

from django.urls import path

from liangzhu.pillars.services.pages import ratings as pages

urlpatterns = [
    path("services/rate/", pages.rate, name="rate"),
    path("my/ratings/", pages.mine, name="my_ratings"),
    path("my/ratings/<int:rating_id>/", pages.my_rating, name="my_rating"),
    path("services/desk/ratings/", pages.desk, name="ratings"),
]
