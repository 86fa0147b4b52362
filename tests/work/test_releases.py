"""A matter ends under the edition it began with: text, guards and forms; others begin with the new one."""

from decimal import Decimal
from pathlib import Path

import pytest

from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters import process, processes, registry
from liangzhu.beams.work.matters.actions import release_process
from liangzhu.beams.work.matters.models import Entry, Pin
from liangzhu.beams.work.matters.process import ProcessError
from liangzhu.kernel import releases
from liangzhu.kernel.actors import SYSTEM, Actor
from liangzhu.kernel.errors import StepNotAllowed
from liangzhu.kernel.now import at
from liangzhu.kernel.refs import Ref

from .eight import FILES, KINDS

FIRST = {
    "licence": ("organ", "accept", {}),
    "bundle": ("window", "dispatch", {}),
    "hotline": ("centre", "dispatch", {"unit": "甲局"}),
    "grid_event": ("centre", "file", {}),
    "data_request": ("provider.head", "agree", {}),
    "joint_review": ("lead", "ask", {}),
    "document": ("drafter", "submit", {"text": "正文"}),
    "plan_task": ("lead", "sign", {}),
}
"""The first step of each kind."""

SECOND = Actor(ref=Ref("system", "second"), label="第二人")


def put_in_force(key: str, text: str):
    """Another edition, by two."""
    draft = releases.draft(SYSTEM, kind=process.RELEASE_KIND, key=key, body=text, origin=f"{key}.toml")
    return release_process(SECOND, release_id=draft.pk, accept=True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_matter_under_way_ends_under_its_own_edition(town, kind):
    who, step, data = FIRST[kind]
    data = {name: town.district.units.get(value, value) for name, value in data.items()}
    old = town.open(kind)
    text = FILES[kind].read_text(encoding="utf-8")
    # The new edition calls the first step otherwise, wherever it is named.
    new = text.replace(f'"{step}"', f'"{step}_anew"')
    release = put_in_force(kind, new)
    young = town.open(kind)
    assert (old.matter.release.number, young.matter.release.number) == (1, release.number) == (1, 2)
    with pytest.raises(StepNotAllowed, match="没有名为"):
        young.do("2022-10-20 12:00", who, step, **data)
    young.do("2022-10-20 12:00", who, f"{step}_anew", **data)
    old.do("2022-10-20 12:00", who, step, **data)
    assert old.state == young.state
    assert [e.transition for e in Entry.objects.filter(matter=old.matter, part=None)][1] == step


def test_a_changed_clock_does_not_move_what_runs(town):
    old = town.open("licence")
    text = FILES["licence"].read_text(encoding="utf-8")
    put_in_force("licence", text.replace("amount = 20", "amount = 15"))
    young = town.open("licence")
    for case in (old, young):
        case.do("2022-10-21 10:00", "organ", "accept")
    assert (old.last_day("law"), young.last_day("law")) == ("2022-11-18", "2022-11-11")


@pytest.fixture
def stricter(monkeypatch):
    """A second version of a guard: once means never."""

    def add():
        def never(act, matter, params, data, transition):
            raise StepNotAllowed("新的条件：一次也不行。")

        rule = registry.Rule("at_most", never, (), ("times", "step", "since"), True, True, 2)
        monkeypatch.setitem(registry.guards.versions, ("at_most", 2), rule)
        monkeypatch.setitem(registry.guards, "at_most", rule)

    return add


def test_a_release_goes_on_with_the_version_of_a_guard_it_was_released_with(town, stricter):
    old = town.open("licence")
    stricter()
    process.forget()
    put_in_force("licence", FILES["licence"].read_text(encoding="utf-8") + "\n# 第二版\n")
    young = town.open("licence")
    old.do("2022-10-21 10:00", "organ", "ask_correction", missing="一份")
    assert old.state == "correcting"
    with pytest.raises(StepNotAllowed, match="一次也不行"):
        young.do("2022-10-21 10:00", "organ", "ask_correction", missing="一份")
    marks = dict(Pin.objects.filter(name="at_most").values_list("release__number", "mark"))
    assert marks == {1: "1", 2: "2"}


def test_a_guard_that_an_open_matter_pins_cannot_be_taken_away(town, stricter, monkeypatch):
    town.open("licence")
    stricter()
    monkeypatch.delitem(registry.guards.versions, ("at_most", 1))
    process.forget()
    monkeypatch.setattr(processes, "process_files", lambda: [FILES["plan_task"]])
    monkeypatch.setattr(processes, "all_kinds", lambda: {})
    with pytest.raises(ProcessError, match="第 1 版已不在程序里"):
        matters.load_processes()


def test_the_hash_of_an_edition_covers_text_and_versions(town, stricter):
    first = Pin.objects.get(release__key="licence", kind=Pin.EDITION).mark
    stricter()
    process.forget()
    text = FILES["licence"].read_text(encoding="utf-8")
    again = put_in_force("licence", text + "\n")
    second = Pin.objects.get(release=again, kind=Pin.EDITION).mark
    assert first != second and len(first) == len(second) == 64
    assert process.pin(again) == second


def test_lengths_may_come_from_a_rule_of_the_app(town, monkeypatch):
    @registry.measure("tests.by_size")
    def by_size(matter, data, params):
        return ("workday", 3 if Decimal(str(data["size"])) < params["large"] else 8)

    try:
        text = FILES["data_request"].read_text(encoding="utf-8")
        text = text.replace(
            'amount = { field = "sharing", by = { open = 1, conditional = 10 } }',
            'amount = { rule = "tests.by_size", large = 100 }',
        ).replace(
            "fields = [\n",
            'fields = [\n  { name = "size", label = "数量", type = "number", required = true },\n',
            1,
        )
        put_in_force("data_request", text)
        assert town.open("data_request", size=5).last_day("answer") == "2022-10-25"
        assert town.open("data_request", size=500).last_day("answer") == "2022-11-01"
    finally:
        del registry.measures["tests.by_size"]


def test_a_step_may_name_a_form_that_another_app_keeps(town, monkeypatch):
    class Source:
        marks = {"grant": "v1"}
        seen: list = []

        def fingerprint(self, key):
            return self.marks.get(key)

        def clean(self, key, fingerprint, data, actor, matter, part=None):
            self.seen.append((key, fingerprint, data))
            return {"words": data["words"].strip()}

    monkeypatch.setattr(registry, "form_source", Source())
    text = FILES["licence"].read_text(encoding="utf-8")
    put_in_force("licence", text.replace('announce = "licence.granted"', 'form = "grant"'))
    case = town.open("licence").do("2022-10-21 10:00", "organ", "accept")
    # The form changes; the matter goes on with the one that its edition was released with.
    Source.marks["grant"] = "v2"
    case.do("2022-10-24 10:00", "organ.head", "grant", words=" 准予 ")
    assert Source.seen == [("grant", "v1", {"words": " 准予 "})]
    assert '"words":"准予"' in case.entry("grant").answer.body.replace(" ", "")


def test_what_was_released_before_pins_existed_is_pinned_when_loaded(town, monkeypatch):
    Pin.objects.all().delete()
    process.forget()
    with at("2022-10-20 09:00"):
        monkeypatch.setattr(processes, "process_files", lambda: [FILES["plan_task"]])
        monkeypatch.setattr(processes, "all_kinds", lambda: {})
        matters.load_processes()
    assert set(Pin.objects.filter(kind=Pin.EDITION).values_list("name", flat=True)) == set(FILES)


RULES = Path(__file__).parent / "rules"


def test_a_clock_is_as_long_as_a_decision_table_says_and_the_edition_keeps_the_table(town):
    table = (RULES / "data_request_clock.json").read_text(encoding="utf-8")
    releases.seed("rule", "data_request_clock", table)
    text = FILES["data_request"].read_text(encoding="utf-8")
    text = text.replace(
        'amount = { field = "sharing", by = { open = 1, conditional = 10 } }',
        'amount = { rule = "decision", table = "data_request_clock", output = "days", inputs = { extended = false } }',
    ).replace('name = "sharing"', 'name = "share"')
    with pytest.raises(ProcessError, match="没有名为 'other' 的决策表"):
        process.parse(text.replace('"data_request_clock"', '"other"'))
    with pytest.raises(ProcessError, match="没有名为 'weeks' 的输出"):
        process.parse(text.replace('output = "days"', 'output = "weeks"'))
    with at("2025-09-10 08:00"):
        first = put_in_force("data_request", text)
    old = town.open("data_request", when="2025-09-10 09:00", sharing=None, share="conditional")
    assert old.last_day("answer") == "2025-09-24"
    assert "按“数据需求几个工作日答复”：10 个工作日（政务数据共享条例" in old.entry("open").note
    assert Pin.objects.get(release=first, kind="rule").name == "data_request_clock"
    # The table changes: what runs under this edition keeps the old one.
    with at("2025-09-11 08:00"):
        draft = releases.draft(
            SYSTEM, kind="rule", key="data_request_clock", body=table.replace('"days": 10,', '"days": 5,')
        )
        releases.release(SECOND, release_id=draft.pk, accept=True)
    again = town.open("data_request", when="2025-09-12 09:00", sharing=None, share="conditional")
    assert again.last_day("answer") == "2025-09-26"
    with at("2025-09-12 10:00"):
        put_in_force("data_request", text + "\n")
    young = town.open("data_request", when="2025-09-12 11:00", sharing=None, share="conditional")
    assert young.last_day("answer") == "2025-09-19"


def test_a_step_may_hang_on_a_decision_table(town):
    table = (RULES / "data_request_clock.json").read_text(encoding="utf-8")
    releases.seed("rule", "data_request_clock", table)
    text = FILES["data_request"].read_text(encoding="utf-8").replace('name = "sharing"', 'name = "share"')
    text = text.replace('field = "sharing"', 'field = "share"').replace(
        'announce = "data.share_agreed"',
        'guards = [{ name = "decision", table = "data_request_clock", output = "end", value = "同意", inputs = { extended = false } }]',
    )
    with at("2025-09-10 08:00"):
        put_in_force("data_request", text)
    good = town.open("data_request", when="2025-09-10 09:00", sharing=None, share="open")
    good.do("2025-09-10 10:00", "provider.head", "agree")
    bad = town.open("data_request", when="2025-09-10 09:00", sharing=None, share="conditional")
    with pytest.raises(StepNotAllowed, match="第二十一条.*说明理由后不同意.*不能“同意共享”"):
        bad.do("2025-09-10 10:00", "provider.head", "agree")
