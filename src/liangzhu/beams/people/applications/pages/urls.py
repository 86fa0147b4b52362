"""The addresses of this app. Those of the provider stand in `provider.PATHS` as well, for ever: programs keep them."""

from django.urls import path

from liangzhu.beams.people.applications.pages import keeping, opening, protocol

app_name = "applications"
urlpatterns = [
    path(".well-known/openid-configuration", protocol.configuration, name="configuration"),
    path(".well-known/oauth-authorization-server", protocol.configuration, name="server_metadata"),
    path("oidc/jwks.json", protocol.jwks, name="jwks"),
    path("oidc/authorize/", protocol.authorize, name="authorize"),
    path("oidc/back/", protocol.back, name="back"),
    path("oidc/consent/", protocol.consent, name="consent"),
    path("oidc/token/", protocol.token, name="token"),
    path("oidc/userinfo/", protocol.userinfo, name="userinfo"),
    path("oidc/revoke/", protocol.revoke, name="revoke"),
    path("oidc/logout/", protocol.logout, name="logout"),
    path("oidc/leave/", protocol.leave, name="leave"),
    path("apps/", opening.tiles, name="tiles"),
    path("my/apps/", opening.own, name="own"),
    path("my/apps/<int:application_id>/end/", opening.end_own, name="end_own"),
    path("apps/register/", keeping.register, name="register"),
    path("apps/register/new/", keeping.new, name="new"),
    path("apps/register/<int:application_id>/", keeping.application, name="application"),
    path("apps/register/<int:application_id>/change/", keeping.change, name="change"),
    path("apps/register/<int:application_id>/secret/", keeping.secret, name="secret"),
    path("apps/register/<int:application_id>/withdraw/", keeping.withdraw, name="withdraw"),
    path("apps/register/<int:application_id>/back/", keeping.take_back, name="take_back"),
]
