"""Forms as data: a sound one is read, an unsound one is refused with its line; what is shown, required and kept."""

import copy
import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liangzhu.beams.work.decisions import checking
from liangzhu.beams.work.forms import grammar, registry, state, values
from liangzhu.beams.work.forms.grammar import Field
from liangzhu.kernel.located import DataFileError
from liangzhu.kernel.now import at

from . import form_sources  # noqa: F401 - registers the sources that the form names

BODY = (Path(__file__).parent / "forms" / "clinic_filing.json").read_text(encoding="utf-8")
FILE = "some/forms/clinic_filing.json"


@pytest.fixture(scope="module")
def form():
    return grammar.parse(BODY, FILE)


PLANTED = [
    # (name, what is replaced, by what, what the line holds, a word of the message)
    ("broken JSON", '"title": "诊所备案信息表",', '"title": "诊所备案信息表"', '"intro"', "JSON"),
    ("unknown key", '"title": "申请人",', '"title": "申请人", "colour": 1,', "colour", "colour"),
    ("unknown type", '"type": "money"', '"type": "mony"', '"capital"', "mony"),
    ("limit on a choice", '"type": "yesno", "label": "是否合伙开办"', '"type": "yesno", "least": 1, "label": "是否合伙开办"', '"partnership"', "least"),
    ("least above most", '"least": 1, "most": 100', '"least": 101, "most": 100', '"share"', "大于"),
    ("impossible day", '"least": "today"', '"least": "2022-02-30"', '"opens"', "日期"),
    ("choices without options", ', "options": {"general": "全科", "internal": "内科", "dental": "口腔科", "skin": "皮肤科"}', "", '"subjects"', "options"),
    ("name twice", '"name": "uscc"', '"name": "phone"', '"统一社会信用代码"', "重名"),
    ("two steps of one name", '"name": "radiation",\n', '"name": "clinic",\n', '"steps"', "重名"),
    ("condition on nothing", '"show_if": {"field": "partnership", "is": true}', '"show_if": {"field": "partner", "is": true}', '"share"', "partner"),
    ("condition on itself", '"show_if": {"field": "partnership", "is": true}', '"show_if": {"field": "share", "filled": true}', '"share"', "往前看"),
    ("parts that wait for each other", '"label": "是否合伙开办", "required": true}', '"label": "是否合伙开办", "required": true, "show_if": {"field": "share", "filled": true}}', '"partnership"', "互相等待"),
    ("condition on a later step", '"label": "是否合伙开办", "required": true}', '"label": "是否合伙开办", "show_if": {"field": "xray", "is": true}}', '"partnership"', "往前看"),
    ("step that waits for itself", '"show_if": {"field": "xray", "is": true},', '"show_if": {"field": "device", "filled": true},', '"show_if"', "往前看"),
    ("condition on another table's column", '"label": "其他说明"', '"label": "其他说明", "show_if": {"field": "staff_kind", "is": "doctor"}', '"remark"', "往前看"),
    ("unknown operator", '"has": "dental"', '"holds": "dental"', '"xray"', "holds"),
    ("operator of another type", '"has": "dental"', '"is": "dental"', '"xray"', "不能用 is"),
    ("option that does not exist", '"has": "dental"', '"has": "teeth"', '"xray"', "teeth"),
    ("unknown source", '"source": "test.police"', '"source": "test.polis"', '"identity"', "test.polis"),
    ("part that the source does not give", '"part": "identity"', '"part": "id"', '"identity"', "没有 'id'"),
    ("part of another type", '"part": "identity"', '"part": "born"', '"identity"', "不能填进"),
    ("unknown check", '"name": "in_order"', '"name": "in_ordr"', "in_ordr", "in_ordr"),
    ("check over unknown field", '"lease_from", "lease_to"]', '"lease_from", "lease_till"]', "lease_till", "lease_till"),
    ("check of another type", '["lease_from", "lease_to"]', '["lease_from", "remark"]', "remark", "不核对"),
    ("check on an unknown column", '"column": "staff_number"', '"column": "number"', "column_differs", "没有 'number'"),
    ("personal value called harmless", '"type": "phone", "label"', '"type": "phone", "grade": 1, "label"', '"phone"', "个人信息"),
    ("table in a table", '{"name": "staff_name", "type": "text"', '{"name": "staff_name", "type": "table"', '"staff_name"', "table"),
    ("unknown kind of file", '"kinds": ["pdf"', '"kinds": ["exe"', '"papers"', "exe"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "where", "word"), [row[1:] for row in PLANTED], ids=[row[0] for row in PLANTED]
)
def test_a_planted_fault_is_refused_with_its_line(old, new, where, word):
    assert old in BODY
    broken = BODY.replace(old, new, 1)
    with pytest.raises(DataFileError) as caught:
        grammar.parse(broken, FILE)
    hits = [message for message in caught.value.detail.splitlines() if word in message]
    assert hits, caught.value.detail
    lines = broken.splitlines()
    assert any(where in lines[int(message.split(":")[1]) - 1] for message in hits), hits


def test_what_is_personal_is_graded_without_being_told(form):
    assert {one.name: one.grade for _, one in form.all_fields()}["identity"] == 3
    assert form.field("phone").grade == form.field("place").grade == form.field("applicant").grade == 3
    assert form.field("capital").grade == 1


def test_the_examples_of_the_guide_are_sound(root):
    text = (root / "docs" / "guides" / "forms-and-rules.md").read_text(encoding="utf-8")
    form, table = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert grammar.parse(form, "guide").key == "example_clinic"
    assert checking.parse(table, "guide").key == "example_clock"
    for kind, read, shown in (("form", grammar.parse, form), ("rule", checking.parse, table)):
        file = root / "docs" / "guides" / f"example-{kind}.json"
        assert read(file.read_text(encoding="utf-8"), file.name).title == read(shown, "guide").title


# What is shown and what counts ----------------------------------------------------------------------------


def test_a_part_appears_with_its_condition_and_takes_its_values_away_with_it(form):
    answers = {"subjects": ["dental"], "xray": True, "device": "XR-1"}
    assert {"xray", "device"} <= state.view(form, answers).fields and "radiation" in state.view(
        form, answers
    ).steps
    answers["subjects"] = ["skin"]
    seen = state.view(form, answers)
    assert not {"xray", "device"} & seen.fields and "radiation" not in seen.steps
    assert "device" not in state.counted(form, answers) and "device" not in state.faults(form, answers)


def test_each_row_of_a_table_has_conditions_of_its_own(form):
    rows = [{"staff_kind": "doctor", "staff_years": "7"}, {"staff_kind": "nurse", "staff_years": "9"}, {}]
    seen = state.view(form, {"staff": rows}).rows["staff"]
    assert ["staff_years" in row for row in seen] == [True, False, False]
    assert state.counted(form, {"staff": rows})["staff"][1] == {"staff_kind": "nurse"}


def test_what_could_not_be_read_is_kept_and_named_and_opens_nothing(form):
    answers = {"opens": values.raw("2022-13-45"), "capital": "-1.00"}
    wrong = state.faults(form, answers, form.step("clinic"))
    assert "不存在" in wrong["opens"] or "写成" in wrong["opens"]
    assert "opens" not in state.counted(form, answers)


def test_checks_across_fields_wait_until_the_fields_themselves_are_right(form):
    step = form.step("clinic")
    lease = {"lease_from": "2023-05-01", "lease_to": "2023-04-01"}
    assert state.faults(form, lease, step)["lease_to"] == "租期止不能早于租期起。"
    lease["lease_to"] = values.raw("明年")
    assert "租期止" not in state.faults(form, lease, step)["lease_to"]
    twins = {"staff": [{"staff_kind": "nurse", "staff_name": "甲", "staff_number": "1"}] * 2}
    assert "相同" in state.faults(form, twins, form.step("people"))["staff"]


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("number", "１,２００．５０", "1200.5"),
        ("money", "¥1,200.5 元", "1200.50"),
        ("date", "2022年10月20日", "2022-10-20"),
        ("person", "11010519491231002x", "11010519491231002X"),
        ("uscc", "91350100m000100y43", "91350100M000100Y43"),
        ("phone", "+86 138 0013 8000", "13800138000"),
        ("phone", "0518－85800000", "0518-85800000"),
        ("yesno", "no", False),
        ("text", "  甲\n乙 ", "甲 乙"),
        ("longtext", "甲\r\n乙\x00", "甲\n乙"),
        ("text", "   ", None),
    ],
)
def test_usual_ways_of_writing_are_read(kind, typed, kept):
    with at("2022-10-20"):
        assert values.read(Field("f", kind, "项"), typed) == kept


@pytest.mark.parametrize(
    ("kind", "typed", "word"),
    [
        ("number", "十二", "数字"),
        ("number", "1e5", "数字"),
        ("money", "1.005", "两位小数"),
        ("date", "2022-02-30", "不存在"),
        ("person", "110105194912310021", "校验位"),
        ("uscc", "91350100M000100Y44", "校验位"),
        ("phone", "12345678901", "手机号"),
        ("address", "路", "门牌"),
        ("yesno", "maybe", "是或否"),
    ],
)
def test_what_is_wrong_is_said_in_words(kind, typed, word):
    with at("2022-10-20"), pytest.raises(ValueError, match=word):
        values.read(Field("f", kind, "项"), typed)


def test_a_masked_value_shows_no_more_than_allowed():
    person = Field("f", "person", "证", grade=3)
    assert values.words(person, "11010519491231002X", masked=True) == "110105********002X"
    assert values.words(Field("f", "phone", "电话", grade=3), "13800138000", masked=True) == "138****8000"
    assert "示例" not in values.words(Field("f", "text", "名", grade=3), "王示例", masked=True)


# Properties -----------------------------------------------------------------------------------------------

FORM = grammar.parse(BODY, FILE)
cells = st.fixed_dictionaries(
    {},
    optional={
        "staff_name": st.text("甲乙丙", min_size=1, max_size=3),
        "staff_kind": st.sampled_from(["doctor", "nurse"]),
        "staff_number": st.sampled_from(["1", "2"]),
        "staff_years": st.one_of(st.integers(-5, 70).map(str), st.just(values.raw("七"))),
    },
)
fillings = st.fixed_dictionaries(
    {},
    optional={
        "partnership": st.booleans(),
        "share": st.integers(-5, 120).map(str),
        "subjects": st.lists(st.sampled_from(["dental", "skin"]), unique=True, min_size=1),
        "xray": st.booleans(),
        "device": st.text("XR1", min_size=1, max_size=4),
        "capital": st.decimals(0, 9999, places=2).map(lambda value: f"{value:.2f}"),
        "opens": st.one_of(
            st.dates(date(2022, 1, 1), date(2024, 1, 1)).map(str), st.just(values.raw("明年"))
        ),
        "staff": st.lists(cells, min_size=1, max_size=4),
    },
)


@given(fillings)
def test_what_is_shown_does_not_depend_on_what_is_hidden(answers):
    """Taking the hidden and the unreadable away changes nothing more: what is shown is a fixed point."""
    with at("2022-10-20"):
        counted = state.counted(FORM, answers)
        again = state.view(FORM, counted)
        assert again.steps == state.view(FORM, answers).steps
        assert again.fields == state.view(FORM, answers).fields
        assert state.counted(FORM, counted) == counted


def naive_view(answers: dict) -> set[str]:
    """The conditions of the form, written out by hand."""
    subjects = answers.get("subjects") or []
    shown = {"share"} if answers.get("partnership") is True else set()
    if "dental" in subjects:
        shown.add("xray")
        if answers.get("xray") is True:
            shown.add("device")
    return shown


@given(fillings)
def test_conditions_agree_with_the_form_written_out_by_hand(answers):
    assert state.view(FORM, answers).fields & {"share", "xray", "device"} == naive_view(answers)


@given(fillings)
def test_nothing_hidden_is_ever_wrong_and_nothing_shown_and_required_is_forgotten(answers):
    with at("2022-10-20"):
        seen, wrong = state.view(FORM, answers), state.faults(FORM, answers)
        assert {name.split("-")[0] for name in wrong} <= seen.fields
        for _, one in FORM.all_fields():
            if one.required and one.name in seen.fields and answers.get(one.name) in (None, []):
                assert one.name in wrong


@given(fillings, fillings)
def test_differences_name_exactly_the_fields_that_differ(before, after):
    old, new = state.counted(FORM, before), state.counted(FORM, after)
    named = {one.name for one, _, _ in state.differences(FORM, old, new)}
    assert named == {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


@given(fillings)
def test_carrying_over_to_the_same_form_loses_and_changes_nothing(answers):
    kept, said, lost = state.fitting(FORM, FORM, answers)
    assert (kept, said, lost) == (answers, [], [])


@given(
    st.one_of(st.text(), st.integers(), st.booleans(), st.none(), st.lists(st.text(max_size=5), max_size=3))
)
def test_reading_takes_anything_and_says_what_is_wrong_in_chinese(given_value):
    with at("2022-10-20"):
        for kind in ("text", "number", "money", "date", "person", "uscc", "phone", "address", "choices"):
            try:
                values.read(Field("f", kind, "项", options=(("a", "甲"),)), given_value)
            except ValueError as error:
                assert any("\u4e00" <= character <= "\u9fff" for character in str(error)), error


def test_carrying_over_names_what_changed_and_what_does_not_fit():
    data = json.loads(BODY)
    clinic = data["steps"][1]["fields"]
    clinic[:] = [one for one in clinic if one["name"] != "superior"]
    next(one for one in clinic if one["name"] == "subjects")["options"].pop("skin")
    next(one for one in clinic if one["name"] == "capital")["label"] = "注册资金"
    clinic.append({"name": "beds", "type": "number", "label": "观察床", "required": True})
    new = grammar.parse(json.dumps(data, ensure_ascii=False), FILE)
    answers = {"subjects": ["skin"], "capital": "5.00", "superior": 3, "name": "示例诊所"}
    kept, said, lost = state.fitting(FORM, new, copy.deepcopy(answers))
    assert kept == {"capital": "5.00", "name": "示例诊所"}
    assert "新增“观察床”（必填）" in said and "不再填写“备案机关”" in said
    assert any("注册资金" in one and "开办资金" in one for one in said)
    assert {one.name for one, _ in lost} == {"subjects", "superior"}


def test_checks_that_every_form_may_use():
    run = lambda name, found, **params: registry.checks[name].run(found, params)  # noqa: E731
    assert run("one_of", [None, "x"]) and not run("one_of", [None, ""])
    assert run("all_or_none", [None, None]) and not run("all_or_none", [None, 1])
    assert run("different", ["a", None, "b"]) and not run("different", ["a", "a"])
    rows = [{"n": Decimal(1)}, {"n": Decimal(2)}]
    kinds = [{"k": "coach"}, {"k": "rescuer"}]
    assert run("column_has", [kinds], column="k", values=["coach", "rescuer"]) and run(
        "column_has", [None], column="k", values=["coach"]
    )
    assert not run("column_has", [kinds[:1]], column="k", values=["coach", "rescuer"])
    assert run("shaped", ["2210-01"], shape="9999-99") and run("shaped", [None], shape="9")
    for wrong in ("2210-0", "2210-0a", "2210x01", "221０-01"):
        assert not run("shaped", [wrong], shape="9999-99"), wrong
    assert run("column_total", [rows, Decimal(3)], column="n") and not run(
        "column_total", [rows, Decimal(4)], column="n"
    )
