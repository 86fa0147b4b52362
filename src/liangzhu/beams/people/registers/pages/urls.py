"""The addresses of this app. No address carries a name or a number of a document: addresses are written into logs."""

from django.urls import path

from liangzhu.beams.people.registers.pages import views

app_name = "registers"
urlpatterns = [
    path("", views.home, name="home"),
    path("persons/new/", views.new_person, name="new_person"),
    path("persons/<int:person_id>/", views.person, name="person"),
    path("persons/<int:person_id>/read/", views.read_person, name="read_person"),
    path("persons/<int:person_id>/change/", views.change_person, name="change_person"),
    path("persons/<int:person_id>/merge/", views.merge_person, name="merge_person"),
    path("persons/<int:person_id>/forget/", views.forget_person, name="forget_person"),
    path("persons/<int:person_id>/authorise/", views.authorise_for_person, name="authorise_for_person"),
    path("organisations/new/", views.new_organisation, name="new_organisation"),
    path("organisations/<int:organisation_id>/", views.organisation, name="organisation"),
    path(
        "organisations/<int:organisation_id>/change/", views.change_organisation, name="change_organisation"
    ),
    path(
        "organisations/<int:organisation_id>/authorise/",
        views.authorise_for_organisation,
        name="authorise_for_organisation",
    ),
    path("mandates/<int:mandate_id>/", views.mandate, name="mandate"),
    path("mandates/<int:mandate_id>/confirm/", views.confirm_mandate, name="confirm_mandate"),
    path("mandates/<int:mandate_id>/extend/", views.extend_mandate, name="extend_mandate"),
    path("mandates/<int:mandate_id>/end/", views.end_mandate, name="end_mandate"),
    path("proposals/", views.proposals, name="proposals"),
    path("proposals/<int:proposal_id>/", views.proposal, name="proposal"),
    path("proposals/<int:proposal_id>/read/", views.read_proposal, name="read_proposal"),
    path("proposals/<int:proposal_id>/withdraw/", views.withdraw, name="withdraw"),
]
