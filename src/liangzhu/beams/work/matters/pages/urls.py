"""The addresses of this app."""

from django.urls import path

from liangzhu.beams.work.matters.pages import desk, editor, operate, views

app_name = "matters"
urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("open/", views.openings, name="openings"),
    path("open/<slug:kind>/", views.open_new, name="open"),
    path("<int:matter_id>/", views.matter, name="matter"),
    path("<int:matter_id>/clock/", views.clock, name="clock"),
    path("<int:matter_id>/comment/", views.comment, name="comment"),
    path("<int:matter_id>/assign/", views.assign, name="assign"),
    path("<int:matter_id>/step/<slug:transition>/", views.step, name="step"),
    path("<int:matter_id>/part/<int:part_id>/assign/", views.assign, name="assign_part"),
    path("<int:matter_id>/part/<int:part_id>/<slug:transition>/", views.step, name="part_step"),
    path("notices/", views.notices, name="notices"),
    path("notices/read/", views.read_all, name="read_all"),
    path("notices/<int:notice_id>/", views.notice, name="notice"),
    path("notices/rules/", desk.notice_rules, name="notice_rules"),
    path("search/", views.search, name="search"),
    path("done/", views.done, name="done"),
    path("many/", desk.many, name="many"),
    path("views/", desk.views, name="views"),
    path("views/save/", desk.save_view, name="save_view"),
    path("views/open/", desk.open_with, name="open_with"),
    path("views/<int:view_id>/drop/", desk.drop_view, name="drop_view"),
    path("subscription/", desk.subscription, name="subscription"),
    path("subscription/renew/", desk.renew_feed, name="renew_feed"),
    path("subscription/withdraw/", desk.withdraw_feed, name="withdraw_feed"),
    path("subscription/<str:token>.ics", desk.calendar_feed, name="feed"),
    path("timers/", operate.timers, name="timers"),
    path("timers/<int:timer_id>/retry/", operate.retry, name="retry_timer"),
    path("calendar/", views.calendar, name="calendar"),
    path("calendar/restore/", views.restore_day, name="restore_day"),
    path("processes/", views.processes, name="processes"),
    path("processes/<slug:key>/", views.process, name="process"),
    path("processes/<slug:key>/edit/", editor.edit, name="edit_process"),
    path("processes/<slug:key>/<int:number>/", views.process, name="release"),
    path("processes/<slug:key>/<int:number>/svg/", editor.download, {"form": "svg"}, name="process_svg"),
    path("processes/<slug:key>/<int:number>/bpmn/", editor.download, {"form": "bpmn"}, name="process_bpmn"),
    path("processes/<slug:key>/<int:number>/toml/", editor.download, {"form": "toml"}, name="process_toml"),
]
