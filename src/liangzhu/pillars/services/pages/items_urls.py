"""Addresses of items: what the public reads, and the desk where they are kept."""

from django.urls import path

from liangzhu.pillars.services.pages import item_desk as desk
from liangzhu.pillars.services.pages import items

urlpatterns = [
    path("services/", items.home, name="home"),
    path("services/browse/", items.browse, name="browse"),
    path("services/once-only/", items.once_only, name="once_only"),
    path("services/catalogue.<str:form>", items.catalogue, name="catalogue"),
    path("services/items/<slug:key>/", items.guide, name="guide"),
    path("services/items/<slug:key>/<int:version_id>/", items.guide, name="guide_version"),
    path("services/items/<slug:key>/item.<str:form>", items.one_item, name="item_file"),
    path("services/desk/", desk.item_list, name="desk"),
    path("services/desk/new/", desk.new_item, name="new_item"),
    path("services/desk/checks/", desk.checks_page, name="checks"),
    path("services/desk/exemptions/", desk.exemptions, name="exemptions"),
    path("services/desk/exemptions/<int:exemption_id>/", desk.exemption, name="exemption"),
    path("services/desk/upwards/", desk.upwards, name="upwards"),
    path("services/desk/upwards/<int:upward_id>/", desk.upward, name="upward"),
    path("services/desk/imports/", desk.imports, name="imports"),
    path("services/desk/imports/<int:batch_id>/", desk.imported, name="imported"),
    path("services/desk/items/<slug:key>/", desk.item, name="item"),
    path("services/desk/items/<slug:key>/draft/", desk.begin, name="begin_draft"),
    path("services/desk/items/<slug:key>/upward/", desk.raise_upward, name="raise_upward"),
    path("services/desk/items/<slug:key>/exemption/", desk.propose_exemption, name="propose_exemption"),
    path("services/desk/versions/<int:version_id>/changes/", desk.changes, name="changes"),
    path("services/desk/versions/<int:version_id>/submit/", desk.submit, name="submit"),
    path("services/desk/versions/<int:version_id>/decide/", desk.decide, name="decide"),
    path("services/desk/versions/<int:version_id>/withdraw/", desk.withdraw, name="withdraw"),
    path("services/desk/versions/<int:version_id>/<slug:section>/", desk.section, name="section"),
    path("services/desk/versions/<int:version_id>/<slug:kind>/new/", desk.row, name="new_row"),
    path("services/desk/versions/<int:version_id>/<slug:kind>/<int:row_id>/", desk.row, name="row"),
    path(
        "services/desk/versions/<int:version_id>/<slug:kind>/<int:row_id>/remove/",
        desk.remove_row,
        name="remove_row",
    ),
]
