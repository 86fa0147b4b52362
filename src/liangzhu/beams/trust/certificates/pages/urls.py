"""The addresses of this app."""

from django.urls import path

from liangzhu.beams.trust.certificates.pages import holder, staff, verify

app_name = "certificates"
urlpatterns = [
    path("verify/", verify.verify, name="verify"),
    path("verify/file/", verify.verify_file, name="verify_file"),
    path("verify/seals.json", verify.seal_keys, name="seal_keys"),
    path("verify/platform.pem", verify.platform, name="platform"),
    path("verify/s/", verify.share_by_code, name="share_by_code"),
    path("verify/s/<str:token>/", verify.shared, name="shared"),
    path("verify/<str:ident>/", verify.verified, name="verified"),
    path("my/certificates/", holder.mine, name="mine"),
    path("my/certificates/<int:certificate_id>/", holder.own, name="own"),
    path("my/certificates/<int:certificate_id>/file.pdf", holder.own_pdf, name="own_pdf"),
    path("my/certificates/<int:certificate_id>/file.json", holder.own_json, name="own_json"),
    path("my/certificates/<int:certificate_id>/show/", holder.show, name="show"),
    path("certificates/", staff.certificate_list, name="list"),
    path("certificates/issue/", staff.choose, name="choose"),
    path("certificates/issue/<slug:kind>/", staff.issue, name="issue"),
    path("certificates/seals/", staff.seals, name="seals"),
    path("certificates/seals/new/", staff.new_seal, name="new_seal"),
    path("certificates/seals/<int:seal_id>/", staff.seal, name="seal"),
    path("certificates/seals/<int:seal_id>/end/", staff.end_seal, name="end_seal"),
    path("certificates/<int:certificate_id>/", staff.certificate, name="certificate"),
    path("certificates/<int:certificate_id>/read/", staff.read, name="read"),
    path("certificates/<int:certificate_id>/file/", staff.pdf, name="pdf"),
    path("certificates/<int:certificate_id>/state/", staff.change, name="change"),
]
