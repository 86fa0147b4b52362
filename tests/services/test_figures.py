"""The leader's figures: formulas by example, every number opens to as many rows, each sees what is theirs."""

import csv
import io
import json
import re
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from liangzhu.beams.data.indicators import api as indicators
from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Denied, NotThere
from liangzhu.kernel.now import at
from liangzhu.kernel.pack import pack
from liangzhu.pillars.services import figures
from liangzhu.pillars.services.actions import cases as actions
from liangzhu.pillars.services.actions import ratings as rating
from liangzhu.pillars.services.figures import COUNTS, FIGURES, Span
from liangzhu.pillars.services.models import Application, Case, Material, Rating
from liangzhu.pillars.services.queries import figures as queries

from .applying import CLINIC, ready, send, step

OCTOBER = Span(date(2022, 10, 1), date(2022, 10, 31))
BUDGETS = Path(__file__).with_name("query_budgets_figures.json")


# Formulas -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "counts", "value"),
    [
        ("whole_online", {"items_whole": 965, "items": 1135}, "85.0"),
        ("online_done", {"received_online": 694, "received": 1000}, "69.4"),
        # The example of domain: a legal limit of 20 working days promised in 5, and one done at once.
        ("compression", {"legal_days": 40, "promised_days": 5}, "87.5"),
        ("visits", {"visits": 3, "items_visits": 8}, "0.38"),
        ("spared", {"spared": 7, "materials": 9}, "77.8"),
        ("in_promise", {"in_promise": 199, "under_promise": 200}, "99.5"),
        # 系统默认 is in neither: 3 of 4 valid ones are good, whatever number of defaults there is.
        ("good", {"good": 3, "valid": 4, "default": 96}, "75.0"),
        ("followed", {"bad_ended": 2, "bad_all": 3}, "66.7"),
    ],
)
def test_a_figure_is_what_its_formula_says_and_nothing_to_count_is_no_figure(key, counts, value):
    assert FIGURES[key].of(counts) == Decimal(value)
    assert FIGURES[key].of({}) is None


def test_a_period_is_compared_with_the_one_before_of_the_same_kind():
    day = date(2022, 10, 20)
    assert figures.month(day) == OCTOBER
    assert OCTOBER.before() == Span(date(2022, 9, 1), date(2022, 9, 30))
    assert figures.quarter(date(2022, 2, 3)).before() == Span(date(2021, 10, 1), date(2021, 12, 31))
    assert figures.year(day).before() == figures.year(date(2021, 5, 1))
    assert Span(date(2022, 10, 11), day).before() == Span(date(2022, 10, 1), date(2022, 10, 10))


# From cases -----------------------------------------------------------------------------------------------------------

FILING = {**CLINIC, "kind": "clinic", "xray": False, "sewage": False}


@pytest.fixture
def leader(put):
    """A leader of the district has no unit of the cases."""
    return put("lingdao", "shenpiju", "programme.leader")


@pytest.fixture
def month(clinic, as_resident, put):
    """October: a filing done on its day and rated badly, one done late, one at a window and open; an outpatient department
    with its parallel cases. The bad rating was followed to its end and given again, as good.
    """
    lin, officer = as_resident("林晓禾"), put("ban", "weijianwei", "matters.officer", "matters.head")
    sent = []
    for day in ("2022-10-20 09:00", "2022-10-20 10:00", "2022-10-21 09:00"):
        with at(day):
            sent.append(send(lin, ready(lin, answers=FILING)))
    with at("2022-10-21 10:00"):
        sent.append(send(lin, ready(lin)))
    Case.objects.filter(application=sent[2]).update(channel=Application.COUNTER)
    for row, day in zip(sent, ("2022-10-20 16:00", "2022-10-28 16:00"), strict=False):
        with at(day):
            for one in row.materials.filter(state=Material.TO_VERIFY):
                actions.verify(officer.actor, material_id=one.pk, good=True, note="电话核实")
            step(officer.actor, row.cases.get().matter, "file")
    with at("2022-10-24 09:00"):
        row = Rating.objects.get(rated=str(sent[0].ref))
        rating.give(lin.actor, rating_id=row.pk, level=1, comment="等了三个小时")
        row.refresh_from_db()
        officer = put("hui", directory.units().get(row.unit_id).key, "matters.officer", "matters.head")
        step(officer.actor, row.matter, "contacted", finding="属实")
        step(officer.actor, row.matter, "mended", result="增开窗口")
        rating.give(lin.actor, rating_id=row.pk, level=4)
    with at("2022-10-31 12:00"):
        yield sent


def total(found):
    """The counts of all units and items together."""
    return sum(found.values(), Counter())


def test_october_in_numbers(month):
    found = total(queries.counted(OCTOBER))
    parallel = month[3].cases.count()
    assert parallel > 1
    wanted = {
        "received": 3 + parallel,
        "received_online": 2 + parallel,
        "decided": 2,
        "same_day": 1,
        "in_promise": 1,
        "beyond_promise": 1,
        "asked": 2,
        "bad": 1,
        "waiting": 1,
        "bad_all": 1,
        "bad_ended": 1,
        "again_good": 1,
    }
    assert {name: found[name] for name in wanted} == wanted
    assert found["materials"] > found["spared"] > 0
    assert found["late"] > 0 and found["bad_open"] == found["bad_late"] == 0


def test_every_number_opens_to_exactly_as_many_rows_whole_by_unit_and_by_item(month, leader):
    found = queries.counted(OCTOBER)
    whole = total(found)
    plain = [name for name, count in COUNTS.items() if not count.rows]
    assert {name: queries.rows(leader.actor, name, OCTOBER)[1].count() for name in plain} == {
        name: whole[name] for name in plain
    }
    (unit, item), counts = max(found.items(), key=lambda pair: pair[1]["received"])
    for name in plain:
        assert queries.rows(leader.actor, name, OCTOBER, unit, item)[1].count() == counts[name], name
    text = leader.client.get(reverse("services:figures"), {"table": "items", "by": "item"}).content.decode()
    assert text.count('<th scope="row">') >= len({item for _, item in found})
    links = re.findall(r'class="num" href="([^"]+)" aria-label="[^"]*? (\d+) [件项份次]，看明细"', text)
    assert len(links) > 20
    for address, number in links[::3]:
        page = leader.client.get(address.replace("&amp;", "&")).content.decode()
        assert f"<span data-total>{number}</span>" in page and page.count("<li data-row>") == min(
            int(number), 50
        )


def test_a_head_sees_his_unit_a_leader_the_district_and_others_nothing(month, leader, put):
    head = put("tou", "weijianwei", "matters.head")
    own = head.actor.unit_id
    seen = queries.board(head.actor, OCTOBER)
    assert {one.key for one in seen.units} == {str(own)}
    assert seen.counts["received"] == Case.objects.filter(unit_id=own, received_on__isnull=False).count()
    assert len(queries.board(leader.actor, OCTOBER).units) > 1
    other = directory.units().by_key("zhujianju").id
    address = reverse("services:figure_rows", args=["received"])
    assert queries.rows(leader.actor, "received", OCTOBER, other)[1].exists()
    with pytest.raises(NotThere):
        queries.rows(head.actor, "received", OCTOBER, other)
    assert str(other) not in dict(queries.units(head.actor))
    assert "<span data-total>0</span>" not in head.client.get(address, {"unit": other}).content.decode()
    clerk = put("yuan", "weijianwei", "matters.officer")
    with pytest.raises(Denied):
        queries.board(clerk.actor, OCTOBER)
    assert clerk.client.get(address).status_code == 403


def test_what_cannot_be_computed_is_said_and_is_no_nought(clinic, leader):
    text = leader.client.get(reverse("services:figures")).content.decode()
    assert "还算不出" in text and "收到的办件为 0，没有可算的。" in text
    wrong = leader.client.get(reverse("services:figures"), {"first": "2022-10-09", "last": "2022-10-01"})
    assert "结束日不能早于开始日" in wrong.content.decode()
    assert leader.client.get(reverse("services:figure_rows", args=["nothing"])).status_code == 404


def test_both_files_say_what_the_page_says(month, leader):
    address = {"first": "2022-10-01", "last": "2022-10-31"}
    text = leader.client.get(reverse("services:figures_file", args=["csv"]), address).content.decode(
        "utf-8-sig"
    )
    lines = list(csv.DictReader(io.StringIO(text)))
    line = next(one for one in lines if one["指标"] == "按时办结率（承诺）")
    assert (line["数值"], line["分子"], line["分母"], line["上期数值"]) == ("50.0", "1", "2", "")
    body = leader.client.get(reverse("services:figures_file", args=["xlsx"]), address).content
    sheet = load_workbook(io.BytesIO(body)).active
    assert sheet.max_row == len(lines) + 1


def test_the_indicators_are_measured_from_the_same_rows_and_the_plan_reads_them(month):
    indicators.load_indicators(pack())
    with at("2022-11-02 08:00"):
        for key in queries.INDICATORS.values():
            indicators.measure(SYSTEM, key=key)
        whole = total(queries.counted(OCTOBER))
        promise = indicators.latest("services.in_promise")
        assert (promise.text, promise.numerator, promise.denominator, promise.row_count) == ("50.0%", 1, 2, 1)
        online = indicators.latest("services.online_done")
        assert (online.numerator, online.denominator) == (whole["received_online"], whole["received"])
        items = indicators.latest("services.whole_online")
        assert items.value == FIGURES["whole_online"].of(whole) and items.row_count == whole["items_whole"]
        assert indicators.latest("services.compression").value == FIGURES["compression"].of(whole)
    check = next(
        target
        for article in pack().toml("plan.toml")["article"]
        for target in article.get("target", ())
        if target["name"] == "一网通办率"
    )
    assert check["indicator"] == queries.INDICATORS["whole_online"]
    assert (
        indicators.evaluate(
            indicators.Check(check["indicator"], check["op"], Decimal(check["value"])), date(2022, 11, 2)
        ).value
        == items.value
    )


def test_the_public_sees_online_rate_and_what_it_need_not_bring(month, client):
    text = client.get(reverse("services:once_only")).content.decode()
    for line in queries.public().lines:
        assert line.value is not None and f"{line.value}" in text and line.figure.title in text


def test_the_pages_ask_no_more_than_their_budget_however_many_cases_there_are(month, leader):
    budgets = json.loads(BUDGETS.read_text())
    pages = {
        "figures": reverse("services:figures"),
        "trend_of_items": reverse("services:figures") + "?trend=compression",
        "rows": reverse("services:figure_rows", args=["received"]),
    }
    found = {}
    for name, address in pages.items():
        leader.client.get(address)
        with CaptureQueriesContext(connection) as seen:
            assert leader.client.get(address).status_code == 200
        found[name] = len(seen)
    assert {name: n for name, n in found.items() if n > budgets[name]} == {}, found
