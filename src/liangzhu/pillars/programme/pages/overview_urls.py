"""The addresses of the overview, of its papers, of the wall and of the public pages."""

from django.urls import path, register_converter

from liangzhu.pillars.programme.pages import overview


class PaperFormat:
    """docx or pdf."""

    regex = "docx|pdf"

    def to_python(self, value: str) -> str:
        """As it is."""
        return value

    to_url = to_python


register_converter(PaperFormat, "paper_format")

urlpatterns = [
    path("programme/truth/", overview.truth, name="truth"),
    path("programme/truth/clauses/", overview.clauses, name="clauses"),
    path("programme/truth/clauses.xlsx", overview.export_clauses, name="export_clauses"),
    path("programme/ledger.xlsx", overview.export_ledger, name="export_ledger"),
    path("programme/truth/report/", overview.report, name="report"),
    path(
        "programme/letters/<int:letter_id>/<paper_format:format>/", overview.letter_file, name="letter_file"
    ),
    path("wall/", overview.wall, name="wall"),
    path("plan/", overview.public, name="public"),
    path("plan/changes.atom", overview.public_feed, name="public_feed"),
    path("plan/<int:task_id>/", overview.public_task, name="public_task"),
]
