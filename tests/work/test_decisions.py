"""Decision tables: what a sound one answers and why, and that an unsound one is refused with file and line."""

import json
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from liangzhu.beams.work.decisions import actions, checking, queries, rules
from liangzhu.beams.work.decisions.deciding import NoRow, decide_by
from liangzhu.beams.work.decisions.table import Column, read_table
from liangzhu.kernel import located, releases
from liangzhu.kernel.errors import Denied, Invalid
from liangzhu.kernel.located import DataFileError

HERE = Path(__file__).parent / "rules"
FILE = "some/rules/clinic_route.json"


def text(name: str) -> str:
    return (HERE / f"{name}.json").read_text(encoding="utf-8")


CLINIC = text("clinic_route")


@pytest.fixture(autouse=True)
def no_cached_tables():
    rules.forget()
    yield
    rules.forget()


@pytest.fixture
def seeded(db):
    for path in HERE.glob("*.json"):
        releases.seed(rules.RELEASE_KIND, path.stem, path.read_text(encoding="utf-8"), path.name)


class TestTheRealTables:
    """Three rules of the field, as `tests/work/rules` writes them."""

    @pytest.mark.parametrize(
        ("kind", "on", "route", "days"),
        [
            ("clinic", "2022-04-30", "permit", 45),
            ("clinic", "2022-05-01", "filing", 0),
            ("outpatient", "2022-05-01", "permit", 45),
        ],
    )
    def test_a_clinic_is_filed_since_may_2022_and_an_outpatient_department_still_needs_a_permit(
        self, seeded, kind, on, route, days
    ):
        found = rules.decide("clinic_route", {"kind": kind, "xray": False}, on=date.fromisoformat(on))
        assert found.outputs == {"route": route, "days": Decimal(days), "radiation": False}
        assert "第" in found.basis[0]

    def test_a_request_for_data_is_answered_in_one_or_ten_working_days_and_has_no_legal_limit_before(
        self, seeded
    ):
        ask = lambda share, on, more=False: rules.decide(  # noqa: E731
            "data_request_clock", {"share": share, "extended": more}, on=date.fromisoformat(on)
        )
        assert ask("open", "2025-08-01").outputs["days"] == 1
        assert ask("conditional", "2025-08-01").outputs["days"] == 10
        assert ask("conditional", "2025-08-01", True).outputs["days"] == 20
        with pytest.raises(NoRow, match="2025-08-01 起"):
            ask("open", "2025-07-31")

    def test_of_several_reasons_the_most_urgent_decides(self, seeded):
        ask = lambda *signs: rules.decide("hotline_not_accepted", {"signs": list(signs)})  # noqa: E731
        found = ask("unlawful", "emergency", "repeated")
        assert found.outputs == {"way": "transfer"}
        assert [one.name for one in found.trace if one.hit] == ["emergency", "repeated", "unlawful"]
        assert ask().by_otherwise and ask().outputs == {"way": "accept"}


def test_the_trace_says_which_row_and_what_the_others_lacked(seeded):
    found = rules.decide("clinic_route", {"kind": "clinic", "xray": False}, on=date(2022, 6, 1))
    assert found.rows == ("clinic_since",)
    missed = {one.name: (one.near, one.missed) for one in found.trace if not one.hit}
    assert missed["clinic_before"] == (True, "当日不在有效期（至 2022-04-30）")
    assert missed["outpatient"] == (True, "机构类别：要求门诊部，现为诊所")
    assert missed["outpatient_xray"][0] is False
    assert found.as_json()["fingerprint"] == releases.in_force("rule", "clinic_route").fingerprint
    assert json.loads(json.dumps(found.as_json()))["outputs"]["days"] == "0"


def test_inputs_that_are_missing_unknown_or_wrong_are_named_at_once(seeded):
    with pytest.raises(Invalid) as caught:
        rules.decide("clinic_route", {"kind": "hospital", "beds": 3})
    assert set(caught.value.fields) == {"kind", "beds", "xray"}


NUMBERS = """{
 "key": "fee", "title": "收费", "hit": "unique",
 "inputs": [{"name": "area", "title": "面积", "type": "number", "least": 0}],
 "outputs": [{"name": "fee", "title": "费用", "type": "number"}],
 "rows": [
  {"name": "small", "when": {"area": {"less_than": 100}}, "then": {"fee": 10}, "basis": "甲"},
  {"name": "large", "when": {"area": {"at_least": 100}}, "then": {"fee": 20.50}, "basis": "乙"}
 ],
 "examples": [
  {"given": {"area": 99.9}, "gives": {"fee": 10}},
  {"given": {"area": 100}, "gives": {"fee": 20.5}}
 ]
}"""

PLANTED = [
    # (name, text, what is replaced, by what, what the line holds, a word of the message)
    ("broken JSON", CLINIC, '"hit": "unique",', '"hit": "unique"', '"inputs"', "JSON"),
    ("a name twice", CLINIC, '"hit": "unique",', '"hit": "unique", "hit": "any",', '"hit"', "写了两次"),
    ("unknown key", CLINIC, '"hit": "unique",', '"hit": "unique", "colour": 1,', "colour", "colour"),
    ("unknown hit policy", CLINIC, '"unique"', '"uniqe"', "uniqe", "uniqe"),
    ("unknown type", CLINIC, '"yesno"', '"bool"', '"bool"', "bool"),
    ("unknown input", CLINIC, '"when": {"kind": "clinic", "xray": false}', '"when": {"knd": "clinic", "xray": false}', '"knd"', "knd"),
    ("option that does not exist", CLINIC, '"kind": "outpatient", "xray": false}', '"kind": "hospital", "xray": false}', "hospital", "hospital"),
    ("output missing", CLINIC, '"route": "filing", "days": 0, "radiation": false}, "basis"', '"route": "filing", "days": 0}, "basis"', '"clinic_since"', "radiation"),
    ("no basis", CLINIC, '"basis": "医疗机构管理条例第十九条；国卫医发〔2018〕19号"', '"basis": ""', '"outpatient"', "文字"),
    ("impossible day", CLINIC, '"2022-05-01", "when": {"kind": "clinic", "xray": false}', '"2022-02-30", "when": {"kind": "clinic", "xray": false}', "2022-02-30", "日期"),
    ("end before start", CLINIC, '"from": "2022-05-01", "when": {"kind": "clinic", "xray": false}', '"from": "2022-05-01", "to": "2022-04-01", "when": {"kind": "clinic", "xray": false}', "2022-04-01", "早于"),
    ("two rows on one day", CLINIC, '"to": "2022-04-30", "when": {"kind": "clinic", "xray": false}', '"to": "2022-05-01", "when": {"kind": "clinic", "xray": false}', '"clinic_since"', "clinic_before）和第 3 行（clinic_since）会同时命中"),
    ("a day between two rows", CLINIC, '"to": "2022-04-30", "when": {"kind": "clinic", "xray": false}', '"to": "2022-04-29", "when": {"kind": "clinic", "xray": false}', '"rows"', "2022-04-30 至 2022-04-30"),
    ("a case without a row", CLINIC, '"options": {"clinic": "诊所", "outpatient": "门诊部"}', '"options": {"clinic": "诊所", "outpatient": "门诊部", "hospital": "医院"}', '"rows"', "机构类别 为医院"),
    ("an example that fails", CLINIC, '"gives": {"route": "filing", "days": 0, "radiation": false}, "row"', '"gives": {"route": "filing", "days": 1, "radiation": false}, "row"', '"clinic_since"}', "应为 1，算出 0"),
    ("an example by the wrong row", CLINIC, '"row": "clinic_since"', '"row": "outpatient"', '"row": "outpatient"', "应命中 outpatient"),
    ("an example without a day", CLINIC, '{"on": "2024-01-01", "given"', '{"given"', '{"given": {"kind": "outpatient", "xray": false}', "哪一天"),
    ("overlap in one point", NUMBERS, '"less_than": 100', '"at_most": 100', '"large"', "面积 为 100"),
    ("gap of one point", NUMBERS, '"at_least": 100', '"more_than": 100', '"rows"', "面积 为 100"),
    ("condition nothing meets", NUMBERS, '"less_than": 100', '"less_than": 0', '"small"', "没有任何面积"),
    ("range on a text", NUMBERS, '"type": "number", "least": 0', '"type": "text"', '"small"', "不能用 less_than"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "old", "new", "where", "word"),
    [row[1:] for row in PLANTED],
    ids=[row[0] for row in PLANTED],
)
def test_a_planted_fault_is_refused_with_its_line(body, old, new, where, word):
    assert body.count(old) >= 1
    broken = body.replace(old, new, 1)
    with pytest.raises(DataFileError) as caught:
        checking.parse(broken, FILE)
    lines = broken.splitlines()
    hits = [message for message in caught.value.detail.splitlines() if word in message]
    assert hits, caught.value.detail
    assert any(where in lines[int(message.split(":")[1]) - 1] for message in hits), hits


def test_every_row_must_be_shown_by_an_example():
    data = json.loads(CLINIC)
    data["examples"].pop()
    with pytest.raises(DataFileError, match="outpatient_xray）没有例子"):
        checking.parse(json.dumps(data, ensure_ascii=False), FILE)


def test_a_row_that_can_never_answer_is_named():
    data = json.loads(NUMBERS) | {"hit": "first"}
    data["rows"].append(
        {"name": "late", "when": {"area": {"at_least": 50}}, "then": {"fee": 1}, "basis": "丙"}
    )
    with pytest.raises(DataFileError, match="late）永远轮不到"):
        checking.parse(json.dumps(data), FILE)


def toy(hit: str, rows: list[dict], **more) -> str:
    """A table over one number whose examples are left to the test."""
    return json.dumps(
        {
            "key": "toy",
            "title": "示例",
            "hit": hit,
            "inputs": [{"name": "n", "title": "数", "type": "number", "whole": True}],
            "outputs": [{"name": "o", "title": "得", "type": "number"}],
            "rows": [{"name": f"r{place}", "basis": "据", **row} for place, row in enumerate(rows)],
            "examples": [{"given": {"n": 0}, "gives": None}],
            **more,
        }
    )


@pytest.mark.parametrize(
    ("aggregate", "got", "none"),
    [
        ("list", [Decimal(3), Decimal(1)], []),
        ("sum", 4, None),
        ("min", 1, None),
        ("max", 3, None),
        ("count", 2, 0),
    ],
)
def test_a_collecting_table_gathers_as_it_says(aggregate, got, none):
    body = toy(
        "collect",
        [
            {"when": {"n": {"at_least": 1}}, "then": {"o": 3}},
            {"when": {"n": {"at_least": 2}}, "then": {"o": 1}},
        ],
        aggregate=aggregate,
    )
    table = read_table(located.read(body))
    assert decide_by(table, {"n": 5}, date(2022, 1, 1)).outputs == {"o": got}
    assert decide_by(table, {"n": 0}, date(2022, 1, 1)).outputs == {"o": none}


# Against naive references ------------------------------------------------------------------------------------

LOW, HIGH = -3, 6
points = st.integers(LOW + 1, HIGH - 1)
conditions = st.one_of(
    st.just(None),
    points,
    st.builds(lambda a: {"at_least": a}, points),
    st.builds(lambda a: {"less_than": a}, points),
    st.builds(lambda a, b: {"more_than": min(a, b), "at_most": max(a, b) + 1}, points, points),
    st.builds(lambda values: {"in": values}, st.lists(points, min_size=1, max_size=3)),
    st.builds(lambda values: {"not_in": values}, st.lists(points, min_size=1, max_size=3)),
)
START = date(2022, 1, 1)


@st.composite
def tables(draw, hit: str):
    rows = []
    for _ in range(draw(st.integers(1, 4))):
        when = {name: value for name in ("a", "b") if (value := draw(conditions)) is not None}
        row = {"when": when, "then": {"o": draw(st.sampled_from(["x", "y"]))}}
        if draw(st.booleans()):
            first = draw(st.integers(0, 4))
            row["from"] = (START + timedelta(days=first)).isoformat()
            row["to"] = (START + timedelta(days=first + draw(st.integers(0, 3)))).isoformat()
        rows.append(row)
    data = json.loads(toy(hit, rows))
    data["inputs"] = [{"name": n, "title": n, "type": "number", "whole": True} for n in ("a", "b")]
    data["outputs"] = [{"name": "o", "title": "得", "type": "choice", "options": {"x": "X", "y": "Y"}}]
    data["examples"] = [{"given": {"a": 0, "b": 0}, "gives": None, "on": "2022-01-01"}]
    return data


def naive_meets(condition, value: int) -> bool:
    if condition is None:
        return True
    if isinstance(condition, int):
        return value == condition
    ways = {
        "at_least": lambda bound: value >= bound,
        "less_than": lambda bound: value < bound,
        "more_than": lambda bound: value > bound,
        "at_most": lambda bound: value <= bound,
        "in": lambda values: value in values,
        "not_in": lambda values: value not in values,
    }
    return all(ways[op](bound) for op, bound in condition.items())


def naive_hits(data: dict, a: int, b: int, day: date) -> list[int]:
    return [
        place
        for place, row in enumerate(data["rows"])
        if row.get("from", "0") <= day.isoformat() <= row.get("to", "9")
        and naive_meets(row["when"].get("a"), a)
        and naive_meets(row["when"].get("b"), b)
    ]


@given(tables("first"), st.integers(LOW, HIGH), st.integers(LOW, HIGH), st.integers(-1, 9))
def test_deciding_agrees_with_reading_the_rows_one_by_one(data, a, b, after):
    table = read_table(located.read(json.dumps(data)))
    day = START + timedelta(days=after)
    hits = naive_hits(data, a, b, day)
    if not hits:
        with pytest.raises(NoRow):
            decide_by(table, {"a": a, "b": b}, day)
        return
    found = decide_by(table, {"a": a, "b": b}, day)
    assert found.rows == (f"r{hits[0]}",)
    assert [one.number - 1 for one in found.trace if one.hit] == hits
    assert all(bool(one.missed) == (not one.used) for one in found.trace)


@given(tables("unique"))
def test_overlaps_and_gaps_are_found_exactly_where_trying_everything_finds_them(data):
    source = located.read(json.dumps(data))
    if not _possible(data):
        return
    checking.check(source, read_table(source))
    said = [message for _, message in source.faults]
    everything = [
        naive_hits(data, a, b, START + timedelta(days=day))
        for a, b, day in product(range(LOW - 1, HIGH + 2), range(LOW - 1, HIGH + 2), range(-1, 10))
    ]
    assert any("会同时命中" in message for message in said) == any(len(hits) > 1 for hits in everything)
    held = [
        day
        for day in range(-1, 10)
        if any(
            row.get("from", "0") <= (START + timedelta(days=day)).isoformat() <= row.get("to", "9")
            for row in data["rows"]
        )
    ]
    gaps = any(
        not naive_hits(data, a, b, START + timedelta(days=day))
        for day in range(min(held), max(held) + 1)
        for a, b in product(range(LOW - 1, HIGH + 2), repeat=2)
    )
    assert any("没有一行说到" in message for message in said) == gaps


def _possible(data: dict) -> bool:
    """Whether every row can be met at all; one that cannot is refused before anything else is looked at."""
    return all(
        any(naive_meets(row["when"].get(name), value) for value in range(LOW - 1, HIGH + 2))
        for row in data["rows"]
        for name in ("a", "b")
    )


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-9999, max_value=9999))
def test_a_number_reads_the_same_from_text_and_from_json(value):
    column = Column("n", "数", "number")
    assert column.read(str(value)) == column.read(value) == value


# Releases and pages ------------------------------------------------------------------------------------------


@pytest.fixture
def admin(sign_in):
    return sign_in("督办室", "赵六", "access.admin")


def test_a_draft_says_what_changes_and_needs_another_person(seeded, admin, sign_in):
    client, actor = admin
    changed = CLINIC.replace('"days": 45', '"days": 30')
    draft = releases.draft(actor, kind="rule", key="clinic_route", body=changed)
    shown = queries.shown(actor, "clinic_route", draft.number)
    assert any("法定时限由“45 日”改为“30 日”" in change for change in shown.changes)
    with pytest.raises(Denied):
        actions.release_rule(actor, release_id=draft.pk, accept=True)
    _, other = sign_in("甲局", "钱七", "access.admin")
    actions.release_rule(other, release_id=draft.pk, accept=True)
    assert rules.decide("clinic_route", {"kind": "outpatient", "xray": False}).outputs["days"] == 30


def test_an_unsound_draft_cannot_come_into_force(seeded, admin, sign_in):
    _, actor = admin
    draft = releases.draft(
        actor, kind="rule", key="clinic_route", body=CLINIC.replace('"to": "2022-04-30", ', "")
    )
    _, other = sign_in("甲局", "钱七", "access.admin")
    with pytest.raises(DataFileError, match="会同时命中"):
        actions.release_rule(other, release_id=draft.pk, accept=True)


def test_staff_read_a_table_try_it_and_see_why(seeded, sign_in):
    client, _ = sign_in("甲局", "李四")
    assert "开办门诊部、诊所走哪条路" in client.get("/rules/").content.decode()
    page = client.get(
        "/rules/clinic_route/", {"ask": 1, "in-kind": "clinic", "in-xray": "no", "in-On": "2022-06-01"}
    )
    text = page.content.decode()
    assert "办理方式：备案" in text and "当日不在有效期（至 2022-04-30）" in text
    assert "请选择机构类别" in client.get("/rules/clinic_route/", {"ask": 1}).content.decode()
    assert client.get("/rules/nothing/").status_code == 404
    assert b"<decisionTable" in client.get("/rules/clinic_route/1/dmn/").content


def test_the_public_does_not_see_the_workbench_of_rules(seeded):
    assert Client().get("/rules/clinic_route/").status_code == 302
