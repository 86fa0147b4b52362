"""All addresses. Each app owns its own; here they are put together."""

from django.urls import include, path

from liangzhu.site import api, installed, views

handler403 = "liangzhu.kernel.web.permission_denied"
handler404 = "liangzhu.kernel.web.page_not_found"
handler500 = "liangzhu.kernel.web.server_error"

site_patterns = (
    [
        path("", views.home, name="home"),
        path("mode/", views.set_mode, name="mode"),
        path("manifest.webmanifest", installed.manifest, name="manifest"),
        path("service-worker.js", installed.service_worker, name="service_worker"),
        path("offline/", installed.offline, name="offline"),
        path("start/", views.start, name="start"),
        path("developers/", api.docs, name="api_docs"),
        path("styleguide/", views.styleguide, name="styleguide"),
    ],
    "site",
)

urlpatterns = [
    path("api/v1/openapi.json", api.openapi, name="openapi"),
    path("api/v1/", include(api.patterns)),
    path("", include(site_patterns)),
    path("", include("liangzhu.kernel.pages.urls")),
    path("account/", include("liangzhu.beams.people.access.pages.allauth_urls")),
    path("access/", include("liangzhu.beams.people.access.pages.urls")),
    path("directory/", include("liangzhu.beams.people.directory.pages.urls")),
    path("registers/", include("liangzhu.beams.people.registers.pages.urls")),
    path("my/matters/", include("liangzhu.beams.work.matters.pages.own_urls")),
    path("my/", include("liangzhu.beams.people.residents.pages.urls")),
    path("", include("liangzhu.beams.people.applications.pages.urls")),
    path("", include("liangzhu.beams.people.codes.pages.urls")),
    path("files/", include("liangzhu.beams.work.files.pages.urls")),
    path("forms/", include("liangzhu.beams.work.forms.pages.urls")),
    path("rules/", include("liangzhu.beams.work.decisions.pages.urls")),
    path("work/", include("liangzhu.beams.work.matters.pages.urls")),
    path("", include("liangzhu.beams.trust.certificates.pages.urls")),
    path("", include("liangzhu.beams.trust.sources.pages.urls")),
    path("indicators/", include("liangzhu.beams.data.indicators.pages.urls")),
    path("", include("liangzhu.pillars.services.pages.urls")),
    path("", include("liangzhu.pillars.programme.pages.urls")),
]
