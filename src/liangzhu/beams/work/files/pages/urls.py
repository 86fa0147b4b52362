"""The addresses of this app."""

from django.urls import path

from liangzhu.beams.work.files.pages import views

app_name = "files"
urlpatterns = [path("<int:attachment_id>/", views.download, name="download")]
