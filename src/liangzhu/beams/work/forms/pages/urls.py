"""The addresses of this app."""

from django.urls import path

from liangzhu.beams.work.forms.pages import views

app_name = "forms"
urlpatterns = [
    path("", views.home, name="home"),
    path("start/<slug:key>/", views.start, name="start"),
    path("draft/<int:draft_id>/", views.resume, name="resume"),
    path("draft/<int:draft_id>/save/<slug:step>/", views.autosave, name="autosave"),
    path("draft/<int:draft_id>/step/<slug:step>/", views.step, name="step"),
    path("draft/<int:draft_id>/check/", views.check, name="check"),
    path("draft/<int:draft_id>/cosign/<slug:place>/", views.ask, name="ask"),
    path("draft/<int:draft_id>/carry/", views.carry, name="carry"),
    path("draft/<int:draft_id>/drop/", views.drop, name="drop"),
    path("sign/", views.own, name="own"),
    path("sign/code/", views.code, name="code"),
    path("sign/<int:signature_id>/", views.sign, name="sign"),
    path("sign/<int:signature_id>/file/<int:file_id>/", views.file_to_sign, name="file_to_sign"),
    path("signed/<int:signer_id>/", views.signed, name="signed"),
    path("signed/<int:signer_id>/proof.json", views.signed_proof, name="signed_proof"),
    path("sent/<int:snapshot_id>/", views.sent, name="sent"),
    path("kinds/", views.kinds, name="kinds"),
    path("kinds/<slug:key>/", views.kind, name="kind"),
    path("kinds/<slug:key>/<int:number>/", views.kind, name="release"),
]
