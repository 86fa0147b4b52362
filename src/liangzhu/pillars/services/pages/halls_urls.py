"""Addresses of halls: the portal, appointments, machine and screen of a hall, the counter."""

from django.urls import path

from liangzhu.pillars.services.pages import counter, counter_cases, halls

urlpatterns = [
    path("services/halls/", halls.home, name="halls"),
    path("services/halls/<slug:key>/", halls.hall, name="hall"),
    path("services/halls/<slug:key>/screen/", halls.screen, name="hall_screen"),
    path("services/halls/<slug:key>/window/<str:code>/", halls.window_screen, name="hall_window"),
    path("services/halls/<slug:key>/book/<slug:business>/", halls.book, name="hall_book"),
    path("services/halls/<slug:key>/kiosk/<str:code>/", halls.kiosk, name="hall_kiosk"),
    path("services/halls/<slug:key>/number/<str:number>/<str:slip>/", halls.number, name="hall_number"),
    path("my/appointments/", halls.mine, name="my_appointments"),
    path("my/appointments/<int:appointment_id>/cancel/", halls.cancel, name="cancel_appointment"),
    path("counter/", counter.counter, name="counter"),
    path("counter/arrivals/", counter.arrivals, name="arrivals"),
    path("counter/halls/", counter.figures, name="hall_figures"),
    path("counter/find/", counter_cases.find, name="counter_find"),
    path("counter/apply/<str:key>/", counter_cases.begin, name="counter_begin"),
    path("counter/applications/<int:pk>/", counter_cases.application, name="counter_application"),
    path("counter/applications/<int:pk>/renew/", counter_cases.renew, name="counter_renew"),
    path("counter/applications/<int:pk>/drop/", counter_cases.drop, name="counter_drop"),
    path("counter/applications/<int:pk>/fetch/", counter_cases.fetch, name="counter_fetch"),
    path("counter/applications/<int:pk>/delivery/", counter_cases.delivery, name="counter_delivery"),
    path("counter/applications/<int:pk>/slip/", counter_cases.slip, name="counter_slip"),
    path("counter/applications/<int:pk>/hand-over/", counter_cases.hand_over, name="counter_hand_over"),
    path(
        "counter/applications/<int:pk>/materials/<int:material_id>/",
        counter_cases.material,
        name="counter_material",
    ),
    path(
        "counter/applications/<int:pk>/materials/<int:material_id>/files/<int:file_id>/remove/",
        counter_cases.take_back,
        name="counter_take_back",
    ),
    path(
        "counter/applications/<int:pk>/materials/<int:material_id>/<slug:step>/",
        counter_cases.material_step,
        name="counter_material_step",
    ),
    path(
        "counter/applications/<int:pk>/cases/<int:case_id>/accept/",
        counter_cases.accept,
        name="counter_accept",
    ),
    path(
        "counter/applications/<int:pk>/cases/<int:case_id>/papers/<int:paper_id>/",
        counter_cases.paper,
        name="counter_paper",
    ),
    path("counter/results/", counter_cases.results, name="counter_results"),
    path("counter/<slug:step>/", counter.step, name="counter_step"),
]
