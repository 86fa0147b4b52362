"""The pages: who sees what, what a step does over HTTP, and how many queries each page may cost."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters import process
from liangzhu.beams.work.matters.models import NEVER, Entry, Matter, Notice, Part, Party
from liangzhu.kernel import releases
from liangzhu.kernel.models import Release
from liangzhu.kernel.now import now

from .conftest import SIMPLE

BUDGETS = Path(__file__).with_name("query_budgets.json")
SLACK = 8
"""Queries that sign-in, session and shell may come to save without a change here."""


@pytest.fixture
def desk(sign_in):
    """A browser and the actor of an officer of the leading unit."""
    return sign_in("甲局", "李四")


@pytest.fixture
def demonstration(settings):
    """In a demonstration administrators work without a second factor."""
    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)


def url(name: str, *args) -> str:
    return reverse(f"matters:{name}", args=args)


# Who sees what --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["matter", "clock", "step", "assign", "comment", "part_step", "assign_part"])
def test_another_unit_does_not_find_a_matter_nor_anything_of_it(
    district, simple, advance, sign_in, desk, name
):
    _, li = desk
    matter = advance(li, simple(li), "accept")
    advance(li, matter, "ask_help", helpers=[district.units["督办室"]])
    part = Part.objects.get(matter=matter)
    args = {
        "step": (matter.pk, "hold"),
        "part_step": (matter.pk, part.pk, "answer"),
        "assign_part": (matter.pk, part.pk),
    }
    outsider, _ = sign_in("乙局", "外人")
    address = url(name, *args.get(name, (matter.pk,)))
    answer = outsider.post(address, {"text": "x"}) if name == "comment" else outsider.get(address)
    assert answer.status_code == 404
    assert matter.title not in answer.content.decode()


def test_search_and_inbox_show_only_what_may_be_seen(simple, sign_in, desk):
    client, li = desk
    matter = simple(li, title="涉密程度一般的事项")
    outsider, _ = sign_in("乙局", "外人")
    for browser, there in ((client, True), (outsider, False)):
        for address in (
            f"{url('search')}?q=涉密",
            f"{url('inbox')}?scope=all&q=涉密",
            f"{url('search')}?q={matter.number}",
        ):
            assert ("程度一般的事项" in browser.get(address).content.decode()) is there


def test_a_kind_may_open_its_rows_to_others(district, simple, sign_in, desk, seed_process):
    _, li = desk
    matter = simple(li)
    outsider, actor = sign_in("乙局", "外人")
    assert outsider.get(url("matter", matter.pk)).status_code == 404
    seed_process(SIMPLE, visible=lambda actor: True)
    assert outsider.get(url("matter", matter.pk)).status_code == 200
    assert list(matters.visible(actor)) == [matter]


def test_who_is_not_signed_in_signs_in_first(simple, desk, client):
    _, li = desk
    answer = client.get(url("matter", simple(li).pk))
    assert answer.status_code == 302 and "login" in answer["Location"]


# Steps over HTTP ------------------------------------------------------------------------------------------


def test_a_step_without_fields_is_done_from_the_page(simple, desk):
    client, li = desk
    matter = simple(li)
    page = client.get(url("matter", matter.pk)).content.decode()
    assert "受理并开始计时：10 个工作日" in page
    answer = client.post(url("step", matter.pk, "accept"), {"version": 1, "once": "0123456789abcdef"})
    assert answer.status_code == 302
    matter.refresh_from_db()
    assert matter.state == "working"
    again = client.post(
        url("step", matter.pk, "accept"), {"version": 1, "once": "0123456789abcdef"}, follow=True
    )
    assert "没有重复办理" in again.content.decode() and Entry.objects.filter(matter=matter).count() == 2


def test_a_stale_form_keeps_what_was_typed_and_says_who_was_first(simple, desk, sign_in, advance):
    client, li = desk
    matter = advance(li, simple(li), "accept")
    _, wang = sign_in("甲局", "王五")
    advance(wang, matter, "note_progress", progress="先到")
    answer = client.post(url("step", matter.pk, "note_progress"), {"version": 2, "progress": "我写了很久"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "我写了很久" in page and "王五 · 科长已于 2022-10-20 09:00 办理“报进展”" in page
    # Whoever has read it may send again: the form now carries the present version.
    assert 'name="version" value="3"' in page


def test_the_step_page_tells_what_will_happen_and_a_closed_step_why_it_is_closed(simple, desk, advance):
    client, li = desk
    matter = simple(li)
    page = client.get(url("step", matter.pk, "accept")).content.decode()
    assert "办理时限开始计时：10 个工作日，11月3日（周四）到期" in page and "受理时限结束计时" in page
    page = client.get(url("step", matter.pk, "report")).content.decode()
    assert "现在是“待受理”，不能“报送办结”" in page and "<textarea" not in page


def test_errors_stand_beside_the_field_and_units_are_taken_by_name(district, simple, desk, advance):
    client, li = desk
    matter = advance(li, simple(li), "accept")
    answer = client.post(url("step", matter.pk, "ask_help"), {"version": 2, "helpers": "丙局"})
    assert answer.status_code == 422 and "丙局" in answer.content.decode()
    answer = client.post(url("step", matter.pk, "ask_help"), {"version": 2, "helpers": "乙局\n督办室"})
    assert answer.status_code == 302
    assert Part.objects.filter(matter=matter).count() == 2


def test_a_page_of_a_matter_shows_parts_history_and_the_reason_of_a_blocked_step(
    district, simple, desk, advance
):
    client, li = desk
    matter = advance(li, simple(li), "accept")
    advance(li, matter, "ask_help", helpers=[district.units["乙局"]])
    page = client.get(url("matter", matter.pk)).content.decode()
    assert "示例区乙局还没有办完" in page and "配合意见" in page and "还剩" in page
    assert page.count("data-row") == 1  # the list stays beside it


def test_assigning_over_http_takes_the_matter_or_gives_it(district, simple, desk):
    client, li = desk
    matter = simple(li)
    assert client.post(url("assign", matter.pk), {"version": 1, "post_id": "me"}).status_code == 302
    matter.refresh_from_db()
    assert matter.assignee_id == li.post_id
    stale = client.post(url("assign", matter.pk), {"version": 1, "post_id": ""})
    assert stale.status_code == 409
    assert client.post(url("assign", matter.pk), {"version": 2, "post_id": ""}).status_code == 302


def test_a_remark_over_http_and_an_empty_one(simple, desk):
    client, li = desk
    matter = simple(li)
    assert client.post(url("comment", matter.pk), {"text": ""}).status_code == 422
    client.post(url("comment", matter.pk), {"text": "请注意 <script>alert(1)</script>"})
    page = client.get(url("matter", matter.pk)).content.decode()
    assert "请注意" in page and "<script>alert(1)" not in page


# Notices --------------------------------------------------------------------------------------------------


def test_opening_a_notice_reads_it_and_leads_to_its_matter(simple, desk, sign_in):
    client, li = desk
    matter = simple(li)
    matters.notify([li.post_id], key="k", title="请看", matter=matter)
    row = Notice.objects.get()
    assert "请看" in client.get(url("notices")).content.decode()
    answer = client.get(url("notice", row.pk))
    row.refresh_from_db()
    assert answer["Location"] == url("matter", matter.pk) and row.read_at
    assert "请看" not in client.get(url("notices")).content.decode()
    other, _ = sign_in("甲局", "王五")
    assert other.get(url("notice", row.pk)).status_code == 404


def test_all_notices_are_read_at_once_and_no_one_elses(district, desk, sign_in):
    client, li = desk
    _, wang = sign_in("甲局", "王五")
    for n in range(3):
        matters.notify([li.post_id, wang.post_id], key=f"k{n}", title="通知")
    client.post(url("read_all"))
    assert Notice.objects.filter(read_at=None).count() == 3


def test_a_notice_never_leads_out_of_the_house(desk):
    client, li = desk
    matters.notify([li.post_id], key="k", title="外", url="https://example.com/")
    assert client.get(url("notice", Notice.objects.get().pk))["Location"] == url("notices")


# Processes ------------------------------------------------------------------------------------------------


def test_a_draft_is_shown_with_its_difference_and_released_by_a_second_person(
    simple, sign_in, desk, demonstration
):
    _, li = desk
    simple(li)
    draft = releases.seed(
        process.RELEASE_KIND, "simple", SIMPLE.replace("受理并开始", "正式受理并开始"), "simple.toml"
    )
    admin, _ = sign_in("督办室", "管理员", "access.admin")
    page = admin.get(url("release", "simple", draft.number)).content.decode()
    assert "+ effect_text = &quot;正式受理并开始计时" in page and "通过检查" in page
    reader, _ = sign_in("乙局", "读者")
    assert reader.post(url("release", "simple", draft.number), {}).status_code == 403
    assert admin.post(url("release", "simple", draft.number), {}).status_code == 302
    draft.refresh_from_db()
    assert draft.state == Release.IN_FORCE


def test_a_draft_that_fails_the_checks_cannot_be_released(simple, sign_in, desk, demonstration):
    _, li = desk
    simple(li)
    draft = releases.seed(
        process.RELEASE_KIND, "simple", SIMPLE.replace("parts_finished", "gone"), "simple.toml"
    )
    admin, _ = sign_in("督办室", "管理员", "access.admin")
    page = admin.get(url("release", "simple", draft.number)).content.decode()
    assert "没有通过检查" in page and "simple.toml:" in page
    assert admin.post(url("release", "simple", draft.number), {}).status_code == 422
    draft.refresh_from_db()
    assert draft.state == Release.DRAFT


# Flat lists, and budgets ----------------------------------------------------------------------------------


def flood(district, release, count: int, prefix: str = "F", unit: str = "甲局", **columns) -> None:
    """Many matters at once, as a district has them."""
    moment = now()
    rows = [
        Matter(
            number=f"{prefix}-{n:07d}",
            kind="simple",
            release=release,
            state="working",
            title=f"批量事项 {n}",
            holding_unit_id=district.units[unit],
            opened_at=moment,
            due_at=moment + timedelta(hours=n) if n % 5 else NEVER,
            promised_at=moment + timedelta(hours=n) if n % 5 else None,
            warn_at=moment + timedelta(hours=n - 40) if n % 5 else None,
            timed_from=moment - timedelta(days=3) if n % 5 else None,
            **columns,
        )
        for n in range(count)
    ]
    Matter.objects.bulk_create(rows, batch_size=500)
    Party.objects.bulk_create(
        [Party(matter=row, name="lead", unit_id=row.holding_unit_id) for row in rows], batch_size=500
    )
    matters.keep_many(rows)


def queries_of(client, address: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        answer = client.get(address)
    assert answer.status_code == 200, address
    return len(caught)


def test_the_inbox_costs_as_many_queries_with_two_thousand_matters_as_with_twenty(district, simple, desk):
    client, li = desk
    release = simple(li).release
    address = f"{url('inbox')}?scope=unit"
    client.get(address)
    flood(district, release, 20)
    few = queries_of(client, address)
    flood(district, release, 2000, prefix="G")
    assert queries_of(client, address) == few
    assert "本单位 99+" in client.get(address).content.decode()


def test_every_matter_is_met_once_when_one_pages_through(district, simple, desk):
    client, li = desk
    flood(district, simple(li).release, 130)
    seen, address = [], f"{url('inbox')}?scope=unit"
    while address:
        listing = client.get(address).context["listing"]
        seen += [row.matter.pk for row in listing.page]
        address = url("inbox") + listing.page.next if listing.page.next else ""
    assert len(seen) == len(set(seen)) == 131
    order = list(Matter.objects.order_by("due_at", "id").values_list("pk", flat=True))
    assert seen == order


def test_pages_keep_their_query_budgets(district, simple, sign_in, desk, advance, upload):
    """Budgets are committed. A page that needs more has to say why; one that needs far fewer lowers its
    figure.
    """
    client, li = desk
    matter = advance(li, simple(li, assignee_id=li.post_id), "accept")
    advance(li, matter, "ask_help", helpers=[district.units["乙局"], district.units["督办室"]])
    matters.comment(li, matter_id=matter.pk, text="一条批注")
    flood(district, matter.release, 60)
    matter.refresh_from_db()
    addresses = {
        "inbox": url("inbox"),
        "inbox, unit, filtered": f"{url('inbox')}?scope=unit&light=ok&q=批量",
        "matter": url("matter", matter.pk),
        "clock": url("clock", matter.pk),
        "step": url("step", matter.pk, "note_progress"),
        "assign": url("assign", matter.pk),
        "notices": url("notices"),
        "search": f"{url('search')}?q=批量",
        "batch": f"{url('many')}?all=1&scope=unit&do=hold",
        "done": url("done"),
        "views": url("views"),
        "processes": url("processes"),
        "process": url("process", "simple"),
    }
    for address in addresses.values():
        client.get(address)
    found = {name: queries_of(client, address) for name, address in addresses.items()}
    with CaptureQueriesContext(connection) as caught:
        client.post(url("step", matter.pk, "note_progress"), {"version": matter.version, "progress": "进展"})
    assert Entry.objects.filter(transition="note_progress").exists()
    found["step, sent"] = len(caught)
    budgets = json.loads(BUDGETS.read_text())
    assert found.keys() == budgets.keys()
    assert {name: n for name, n in found.items() if not budgets[name] - SLACK <= n <= budgets[name]} == {}, (
        found
    )


def test_the_bell_counts_no_further_than_it_shows(desk):
    client, li = desk
    for n in range(120):
        matters.notify([li.post_id], key=f"k{n}", title="通知")
    page = client.get(url("notices")).content.decode()
    assert "99+" in page
