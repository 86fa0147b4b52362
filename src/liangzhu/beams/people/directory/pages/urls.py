"""The addresses of this app."""

from django.urls import path

from liangzhu.beams.people.directory.pages import views

app_name = "directory"
urlpatterns = [
    path("units/", views.unit_list, name="units"),
    path("units/open/", views.open_unit, name="open_unit"),
    path("units/<int:unit_id>/", views.unit, name="unit"),
    path("units/<int:unit_id>/rename/", views.rename_unit, name="rename_unit"),
    path("units/<int:unit_id>/move/", views.move_unit, name="move_unit"),
    path("units/<int:unit_id>/confirm/", views.confirm_unit, name="confirm_unit"),
    path("units/<int:unit_id>/close/", views.close_unit, name="close_unit"),
    path("units/<int:unit_id>/reopen/", views.reopen_unit, name="reopen_unit"),
    path("units/<int:unit_id>/succeed/", views.succeed_unit, name="succeed_unit"),
    path("units/<int:unit_id>/aliases/", views.aliases, name="aliases"),
    path("units/<int:unit_id>/posts/open/", views.open_post, name="open_post"),
    path("successions/<int:succession_id>/confirm/", views.confirm_succession, name="confirm_succession"),
    path("sets/", views.sets, name="sets"),
    path("sets/open/", views.open_set, name="open_set"),
    path("sets/<int:set_id>/", views.unit_set, name="set"),
    path("sets/<int:set_id>/change/", views.change_set, name="change_set"),
    path("persons/", views.persons, name="persons"),
    path("persons/open/", views.open_person, name="open_person"),
    path("persons/<int:person_id>/", views.person, name="person"),
    path("persons/<int:person_id>/rename/", views.rename_person, name="rename_person"),
    path("posts/<int:post_id>/", views.post, name="post"),
    path("posts/<int:post_id>/change/", views.change_post, name="change_post"),
    path("posts/<int:post_id>/close/", views.close_post, name="close_post"),
    path("posts/<int:post_id>/roles/give/", views.give_role, name="give_role"),
    path("posts/<int:post_id>/roles/take/", views.take_role, name="take_role"),
    path("posts/<int:post_id>/hold/", views.hold_post, name="hold_post"),
    path("posts/<int:post_id>/deputies/appoint/", views.appoint_deputy, name="appoint_deputy"),
    path("holdings/<int:holding_id>/end/", views.end_holding, name="end_holding"),
    path("deputies/", views.deputies, name="deputies"),
    path("deputies/<int:deputy_id>/end/", views.end_deputy, name="end_deputy"),
]
