"""What the public reads about items: search, browse, the guide, the once-only figures, the catalogue as files."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.pack import pack
from liangzhu.kernel.paging import page
from liangzhu.kernel.web import guarded
from liangzhu.pillars.services import bundles, cpsv, finding, national, queries
from liangzhu.pillars.services.models import ItemVersion

_apply: Callable[[ItemVersion], str] | None = None


def apply_by(address: Callable[[ItemVersion], str]) -> None:
    """Say where one applies for an item online: the address, or "" where one does not. The guide's button leads there."""
    global _apply
    _apply = address


@guarded("kernel.public")
def home(request: HttpRequest) -> HttpResponse:
    """One question, then what fits; journeys and shelves below."""
    asked = request.GET.get("q", "").strip()[:100]
    found = finding.find(asked) if asked else []
    said = {one.version_id: one.phrase for one in found}
    rows = finding.rows(found)
    context = {
        "asked": asked,
        "rows": [(row, queries.items.unit_name(row), said[row.pk]) for row in rows],
        "together": bundles.found(asked, [row.item.key for row in rows[:2]]) if asked else [],
        "journeys": [] if asked else queries.items.journeys(),
        "shelves": queries.items.shelves(),
    }
    return render(request, "services/items/home.html", context)


@guarded("kernel.public")
def browse(request: HttpRequest) -> HttpResponse:
    """What is published under a topic, a unit, a kind."""
    given = {name: request.GET.get(name, "")[:60] for name in ("topic", "unit", "kind", "served")}
    found = page(queries.items.on_shelf(**given), request, ("name", "id"))
    return render(
        request,
        "services/items/browse.html",
        {
            "page": found,
            "rows": [(row, queries.items.unit_name(row)) for row in found.rows],
            "shelf": queries.items.shelf_title(**given),
            "shelves": queries.items.shelves(),
        },
    )


@guarded("kernel.public")
def guide(request: HttpRequest, key: str, version_id: int | None = None) -> HttpResponse:
    """The guide of an item: can I, what do I need and what not, how long, where, cost; then how one applies."""
    found = queries.items.guide(key, version_id=version_id)
    link = _apply(found.version) if _apply and found.newest else ""
    return render(request, "services/items/guide.html", {"guide": found, "one": found.version, "apply": link})


@guarded("kernel.public")
def once_only(request: HttpRequest) -> HttpResponse:
    """How far government keeps its word not to ask for what it issues, with every exemption."""
    return render(
        request,
        "services/items/once_only.html",
        {"figures": queries.items.once_only(), "rates": queries.figures.public()},
    )


@guarded("kernel.public")
def catalogue(request: HttpRequest, form: str) -> HttpResponse:
    """Everything published: ``json``, ``csv``, ``xlsx`` in the national shape, ``jsonld`` as CPSV-AP."""
    return _file(request, queries.items.published_sheets(), form, "catalogue")


@guarded("kernel.public")
def one_item(request: HttpRequest, key: str, form: str) -> HttpResponse:
    """One item in the same forms."""
    row = queries.items.in_force(key)
    return _file(request, [queries.items.sheet(row)], form, key)


def _file(request: HttpRequest, sheets: list, form: str, name: str) -> HttpResponse:
    if form == "jsonld":
        base = request.build_absolute_uri("/")
        return JsonResponse(
            cpsv.document(sheets, base, pack().district["name"]),
            content_type="application/ld+json",
            json_dumps_params={"ensure_ascii": False},
        )
    if form not in national.WRITERS:
        raise NotThere("没有这种格式。", todo="可以用 json、csv、xlsx 或 jsonld。")
    media, write = national.WRITERS[form]
    answer = HttpResponse(write(sheets), content_type=media)
    if form != "json":
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return answer
