"""The addresses of the documents."""

from django.urls import path

from liangzhu.pillars.programme.pages import documents

urlpatterns = [
    path("programme/documents/", documents.documents, name="documents"),
    path("programme/documents/upload/", documents.upload, name="upload"),
    path("programme/documents/<int:document_id>/issue/", documents.issue, name="issue"),
    path("programme/documents/revisions/<int:revision_id>/", documents.review, name="review"),
    path("programme/documents/revisions/<int:revision_id>/add/", documents.add_finding, name="add_finding"),
    path(
        "programme/documents/revisions/<int:revision_id>/article/", documents.add_article, name="add_article"
    ),
    path(
        "programme/documents/revisions/<int:revision_id>/confirm/",
        documents.confirm_sure,
        name="confirm_sure",
    ),
    path(
        "programme/documents/revisions/<int:revision_id>/difference/", documents.difference, name="difference"
    ),
    path(
        "programme/documents/revisions/<int:revision_id>/withdraw/",
        documents.withdraw,
        name="withdraw_revision",
    ),
    path(
        "programme/documents/revisions/<int:revision_id>/ledger/", documents.open_ledger, name="open_ledger"
    ),
    path("programme/documents/findings/<int:finding_id>/", documents.finding, name="finding"),
]
