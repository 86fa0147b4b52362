"""The addresses of this app, all under /my/."""

from django.urls import path

from liangzhu.beams.people.residents.pages import views

app_name = "residents"
urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-in/back/<slug:provider>/", views.back, name="back"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("acting/", views.acting, name="acting"),
    path("mandates/", views.mandates, name="mandates"),
    path("mandates/give/", views.give_mandate, name="give_mandate"),
    path("mandates/<int:mandate_id>/confirm/", views.confirm_mandate, name="confirm_mandate"),
    path("mandates/<int:mandate_id>/end/", views.end_mandate, name="end_mandate"),
    path("sessions/", views.own_sessions, name="sessions"),
    path("sessions/<int:session_id>/end/", views.end_session, name="end_session"),
    path("sessions/end-others/", views.end_sessions, name="end_sessions"),
    path("consents/", views.consents, name="consents"),
    path("consents/<int:consent_id>/end/", views.end_consent, name="end_consent"),
    path("messages/", views.own_messages, name="messages"),
    path("messages/<int:message_id>/", views.message, name="message"),
    path("messages/read/", views.read_messages, name="read_messages"),
]
