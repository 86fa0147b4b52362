"""The addresses of this app."""

from django.urls import path
from django.views.generic import RedirectView

from liangzhu.beams.people.access.pages import log, tokens, views

app_name = "access"
urlpatterns = [
    path("login/", RedirectView.as_view(pattern_name="account_login", query_string=True), name="login"),
    path("logout/", views.sign_out, name="logout"),
    path("switch-post/", views.switch_post, name="switch_post"),
    path("security/", views.security, name="security"),
    path("sessions/<int:session_id>/end/", views.end_session, name="end_session"),
    path("sessions/end-others/", views.end_other_sessions, name="end_other_sessions"),
    path("accounts/", views.accounts, name="accounts"),
    path("accounts/open/", views.choose_person, name="choose_person"),
    path("accounts/open/<int:person_id>/", views.open_account, name="open_account"),
    path("accounts/of/<int:person_id>/", views.account_of_person, name="account_of_person"),
    path("accounts/<int:account_id>/", views.account, name="account"),
    path("accounts/<int:account_id>/close/", views.close_account, name="close_account"),
    path("accounts/<int:account_id>/reopen/", views.reopen_account, name="reopen_account"),
    path("accounts/<int:account_id>/reset/", views.reset_password, name="reset_password"),
    path("accounts/<int:account_id>/unlock/", views.unlock_account, name="unlock_account"),
    path("accounts/<int:account_id>/end-sessions/", views.end_all_sessions, name="end_all_sessions"),
    path("accounts/<int:account_id>/drop-factors/", views.drop_second_factors, name="drop_second_factors"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/new/", tokens.make_token, name="make_token"),
    path("tokens/all/", tokens.all_tokens, name="all_tokens"),
    path("tokens/<int:token_id>/", tokens.token, name="token"),
    path("tokens/<int:token_id>/revoke/", tokens.revoke_token, name="revoke_token"),
    path("applications/", tokens.applications, name="applications"),
    path("applications/open/", tokens.open_application, name="open_application"),
    path("applications/<int:application_id>/close/", tokens.close_application, name="close_application"),
    path(
        "applications/<int:application_id>/token/",
        tokens.make_application_token,
        name="make_application_token",
    ),
    path("log/", log.leaves, name="log"),
]
