"""Addresses of halls: the portal, appointments, machine and screen of a hall, the counter."""

from django.urls import path

from liangzhu.pillars.services.pages import counter, halls

urlpatterns = [
    path("services/halls/", halls.home, name="halls"),
    path("services/halls/<slug:key>/", halls.hall, name="hall"),
    path("services/halls/<slug:key>/screen/", halls.screen, name="hall_screen"),
    path("services/halls/<slug:key>/book/<slug:business>/", halls.book, name="hall_book"),
    path("services/halls/<slug:key>/kiosk/<str:code>/", halls.kiosk, name="hall_kiosk"),
    path("services/halls/<slug:key>/number/<str:number>/<str:slip>/", halls.number, name="hall_number"),
    path("my/appointments/", halls.mine, name="my_appointments"),
    path("my/appointments/<int:appointment_id>/cancel/", halls.cancel, name="cancel_appointment"),
    path("counter/", counter.counter, name="counter"),
    path("counter/arrivals/", counter.arrivals, name="arrivals"),
    path("counter/halls/", counter.figures, name="hall_figures"),
    path("counter/<slug:step>/", counter.step, name="counter_step"),
]
