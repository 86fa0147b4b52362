"""The addresses of the kernel."""

from django.urls import path

from liangzhu.kernel.pages import views

app_name = "kernel"
urlpatterns = [
    path("deliveries/", views.deliveries, name="deliveries"),
    path("deliveries/replay/", views.replay_handler, name="replay_handler"),
    path("deliveries/<int:delivery_id>/replay/", views.replay, name="replay"),
    path("deliveries/<int:delivery_id>/skip/", views.skip, name="skip"),
]
