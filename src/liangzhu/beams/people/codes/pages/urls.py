"""The addresses of this app."""

from django.urls import path

from liangzhu.beams.people.codes.pages import counter, mine

app_name = "codes"
urlpatterns = [
    path("my/code/", mine.show, name="show"),
    path("counter/scan/", counter.scan, name="scan"),
    path("counter/scan/desk/", counter.desk, name="desk"),
    path("counter/scan/document/", counter.document, name="document"),
    path("counter/scan/<int:scan_id>/", counter.result, name="result"),
]
