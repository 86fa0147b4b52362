"""The addresses under /my/matters/: for residents, not for staff, so outside of this app's namespace below /work/."""

from django.urls import path

from liangzhu.beams.work.matters.pages import own

urlpatterns = [
    path("", own.matters, name="own_matters"),
    path("<int:matter_id>/", own.matter, name="own_matter"),
]
