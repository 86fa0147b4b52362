"""The inbox: each list is a walk through an index, on both databases; words go through the search index."""

import pytest
from django.db import connection
from django.db.models import Q
from django.urls import reverse

from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters import queries, sights
from liangzhu.beams.work.matters.lights import LAW, NEAR, OK, OVER, RUNNING, light_q
from liangzhu.beams.work.matters.models import NEVER, Matter, Sight
from liangzhu.kernel import paging, search
from liangzhu.kernel.now import now
from liangzhu.kernel.paging import _beyond, bounded_each

from .conftest import SIMPLE
from .test_pages import flood, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(sign_in):
    """A browser and the actor of an officer of the leading unit."""
    return sign_in("甲局", "李四")


# Plans ------------------------------------------------------------------------------------------------------

INDEXES = {
    ("mine", False): {"matter_own_inbox", "matter_unit_free"},
    ("unit", False): {"matter_unit_inbox"},
    ("helping", False): {"sight_helping"},
    ("all", False): {"sight_open", "matter_kind_open"},
    ("unit", True): {"matter_unit_closed"},
    ("all", True): {"sight_closed", "matter_kind_closed"},
}


@pytest.fixture
def crowd(district, simple, desk, seed_process):
    """Matters of several units and states of light, some of them closed, some helped with; statistics are known."""
    _, li = desk
    release = simple(li).release
    seed_process(SIMPLE.replace('"simple"', '"opened"'), visible=lambda actor: True)
    flood(district, release, 2000, unit="乙局")
    flood(district, release, 500, prefix="H", assignee_id=li.post_id)
    flood(district, release, 500, prefix="I")
    flood(district, release, 800, prefix="C", closed_at=now())
    # In two steps: a join of two tables that nobody has counted yet may take PostgreSQL hours.
    some = list(Matter.objects.filter(number__contains="7").values_list("pk", flat=True))
    Sight.objects.filter(unit=district.units["甲局"], matter__in=some).update(helping=True)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return li


def test_every_list_is_a_walk_through_an_index_in_its_order(crowd):
    for scope, closed in INDEXES:
        check_plans(crowd, scope, closed)


def check_plans(crowd, scope: str, closed: bool) -> None:
    """Neither the first page of a list nor a later one is sorted, and each source uses its index."""
    order = queries.CLOSED_ORDER if closed else queries.ORDER
    rows = queries.inbox(crowd, scope, closed=closed)
    first = (rows.order_by(*order)[:1] or Matter.objects.all()[:1])[0]
    signed = [(name.lstrip("-"), name.startswith("-")) for name in order]
    further = _beyond([getattr(first, name) for name, _ in signed], signed, empty_last=True)
    for page in (rows, rows.filter(further)):
        used = set()
        for branch in page.branches:
            names = [f"-{branch.name(n[1:])}" if n[0] == "-" else branch.name(n) for n in order]
            plan = branch.rows.order_by(*names)[:51].explain()
            assert "TEMP B-TREE" not in plan and "Sort" not in plan, plan
            used |= {name for name in INDEXES[scope, closed] if name in plan}
        assert used == INDEXES[scope, closed]


def test_a_merged_list_pages_to_and_fro_and_meets_each_matter_once(district, crowd, desk):
    client, _ = desk
    seen, address = [], f"{url('inbox')}?scope=mine"
    while address:
        listing = client.get(address).context["listing"]
        seen.append([row.matter.pk for row in listing.page])
        address, back = url("inbox") + listing.page.next if listing.page.next else "", listing.page.previous
    flat = [one for page in seen for one in page]
    assert len(flat) == len(set(flat)) == 1001
    assert flat == [row.pk for row in queries.inbox(crowd, "mine").order_by(*queries.ORDER)]
    page = client.get(url("inbox") + back).context["listing"].page
    assert [row.matter.pk for row in page] == seen[-2]


def test_lights_count_alike_whether_a_list_is_told_apart_or_asked_part_by_part(
    district, simple, desk, monkeypatch
):
    _, li = desk
    release = simple(li).release
    flood(district, release, 30, assignee_id=li.post_id)
    flood(district, release, 60, prefix="U")
    overdue = dict(due_at=now(), promised_at=now(), warn_at=now())
    for given in (overdue, overdue | {"legal_at": now()}):
        some = Matter.objects.filter(number__startswith="U", due_at__gt=now(), due_at__lt=NEVER)[:7]
        Matter.objects.filter(pk__in=[row.pk for row in some]).update(**given)
    rows = queries.inbox(li, "mine")
    plain = {name: rows.filter(light_q(name)).count() for name in RUNNING}
    assert plain[LAW] == 7 and plain[OVER] == 7 and plain[NEAR] > 20 and plain[OK] > 2
    assert queries.sizes_by_light(li, "mine", RUNNING) == plain
    asked = []
    monkeypatch.setattr(
        paging, "bounded_each", lambda lists, limit: asked.append(1) or bounded_each(lists, limit)
    )
    monkeypatch.setattr(paging, "SHORT", 3)
    assert queries.sizes_by_light(li, "mine", RUNNING) == plain and asked


def test_what_two_sources_have_in_common_stands_once(district, simple, desk, seed_process):
    _, li = desk
    matter = simple(li)
    seed_process(SIMPLE, visible=lambda actor: True)
    rows = queries.inbox(li, "all")
    assert [row.pk for row in rows.order_by(*queries.ORDER)] == [matter.pk]
    assert rows.bounded(100) == rows.count() == 1 and rows.exists() and rows.first() == matter


def test_a_kind_may_open_some_of_its_rows(district, simple, sign_in, desk, seed_process):
    _, li = desk
    simple(li, title="甲事项", urgency=1)
    simple(li, title="乙事项")
    _, outsider = sign_in("乙局", "外人")
    assert queries.inbox(outsider, "all").count() == 0
    seed_process(SIMPLE, visible=lambda actor: Q(urgency=1))
    assert [row.title for row in queries.inbox(outsider, "all")] == ["甲事项"]
    assert [row.title for row in queries.search(outsider, "事项").matters] == ["甲事项"]


# Words ------------------------------------------------------------------------------------------------------


def test_a_matter_is_found_by_number_title_place_unit_note_and_remark(district, simple, advance, desk):
    _, li = desk
    matter = simple(li, title="夜间施工噪声扰民", place="中山路12号", note="来信反映")
    advance(li, matter, "accept")
    matters.step(
        li, matter_id=matter.pk, transition="note_progress", data={"progress": "x"}, note="约谈施工方"
    )
    matters.comment(li, matter_id=matter.pk, text="请与城管联合检查")
    other = simple(li, title="别的事项")
    for words in (matter.number, "噪声扰民", "中山路", "来信反映", "约谈", "城管 噪声", "督办室 夜间"):
        assert [row.pk for row in queries.search(li, words).matters] == [matter.pk], words
    assert [row.pk for row in queries.search(li, "事项").matters] == [other.pk]
    before = [queries.search(li, words).matters for words in ("约谈", "城管 噪声", "督办室")]
    assert matters.rebuild_search() == 2
    assert [queries.search(li, words).matters for words in ("约谈", "城管 噪声", "督办室")] == before


def test_search_pages_by_age_and_shows_only_what_may_be_seen(district, simple, desk, sign_in):
    client, li = desk
    release = simple(li).release
    for prefix, unit in (("A", "甲局"), ("B", "乙局"), ("C", "甲局")):
        flood(district, release, 40, prefix=prefix, unit=unit)
    address, seen = f"{url('search')}?q=批量", []
    while address:
        context = client.get(address).context
        seen.append([row.matter.pk for row in context["page"]])
        address, back = (
            url("search") + context["page"].next if context["page"].next else "",
            context["page"].previous,
        )
    flat = [one for page in seen for one in page]
    mine = Matter.objects.filter(holding_unit=li.unit_id).order_by("-id")
    assert flat == [row.pk for row in mine if row.title.startswith("批量")] and [
        len(page) for page in seen
    ] == [30, 30, 20]
    assert [row.matter.pk for row in client.get(url("search") + back).context["page"]] == seen[1]


def test_the_index_narrows_and_the_rows_decide(district, simple, desk, sign_in):
    """A mark that is wrong shows nothing that may not be seen."""
    _, li = desk
    matter = simple(li, title="涉密程度一般")
    _, outsider = sign_in("乙局", "外人")
    search.rescope("matter", matter.pk, [sights.seen_by(outsider.unit_id), sights.OPEN])
    assert queries.search(outsider, "涉密").matters == []
    assert queries.inbox(outsider, "all", text="涉密").count() == 0


def test_words_narrow_a_list_without_leaving_its_order(district, simple, desk):
    client, li = desk
    flood(district, simple(li).release, 300)
    page = client.get(f"{url('inbox')}?scope=unit&q=批量 29").context["listing"].page
    assert [row.matter.title for row in page] == ["批量事项 29"]
    for scope in ("mine", "unit", "all"):
        rows = queries.inbox(li, scope, text="批量").order_by(*queries.ORDER)[:60]
        assert rows == queries.inbox(li, scope).filter(number__startswith="F").order_by(*queries.ORDER)[:60]
    assert queries.inbox(li, "helping", text="批量").count() == 0


def test_what_is_missing_from_the_index_is_added(district, simple, desk):
    _, li = desk
    simple(li, title="先前的事项")
    Sight.objects.all().delete()
    search.clear("matter")
    assert queries.search(li, "先前").matters == [] and queries.inbox(li, "all").count() == 0
    assert matters.rebuild_search(only_missing=True) == 1
    assert len(queries.search(li, "先前").matters) == queries.inbox(li, "all").count() == 1
    assert matters.rebuild_search(only_missing=True) == 0


def test_an_address_of_the_search_page_that_makes_no_sense_shows_the_first_page(simple, desk):
    client, li = desk
    simple(li)
    for bad in ("x", "-1", "9" * 30, "１２"):
        assert client.get(f"{reverse('matters:search')}?q=示例&before={bad}").status_code == 200
