"""How items change: drafts, locked elements, two people, days in force, the once-only veto, questions upwards."""

from datetime import date

import pytest

from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Conflict, Denied, Invalid, NotThere, StepNotAllowed
from liangzhu.kernel.now import at
from liangzhu.kernel.pack import pack
from liangzhu.pillars.services import actions, catalogue, checks, handlers, offers
from liangzhu.pillars.services.actions.items import NotReady
from liangzhu.pillars.services.models import Exemption, Item, ItemVersion, Upward
from liangzhu.pillars.services.queries import items

DAY = "2022-10-20 09:00"


@pytest.fixture(autouse=True)
def day(items_loaded):
    with at(DAY):
        yield


@pytest.fixture
def draft(editor):
    return actions.begin_draft(editor.actor, item_id=Item.objects.get(key="zhensuo_beian").pk)


def promise(editor, draft, **values):
    return actions.edit_section(editor.actor, version_id=draft.pk, section="handling", values=values)


def add(editor, draft, name, **values):
    return actions.put_row(
        editor.actor, version_id=draft.pk, kind="materials", values={"name": name, "key": "extra", **values}
    )


def test_a_change_comes_into_force_by_two_people_and_whoever_pinned_the_old_version_keeps_it(
    editor, reviewer, draft
):
    pinned = items.in_force("zhensuo_beian")
    promise(editor, draft, promised_note="材料齐全的")
    sent = actions.submit(editor.actor, version_id=draft.pk, note="写明当场办结的前提")
    assert items.in_force("zhensuo_beian").pk == pinned.pk
    actions.decide(reviewer.actor, version_id=sent.pk, accept=True)
    now = items.in_force("zhensuo_beian")
    assert (now.pk, now.number, now.promised_note) == (draft.pk, 2, "材料齐全的")
    assert items.version(pinned.pk).promised_note == ""
    _, changes = items.changes(reviewer.actor, now)
    assert [(one.title, one.before, one.after) for one in changes] == [("承诺时限说明", "", "材料齐全的")]
    with pytest.raises(StepNotAllowed):
        promise(editor, draft, promised_note="再改")


def test_who_drafted_does_not_release_and_a_refusal_says_why(reviewer):
    version = actions.begin_draft(reviewer.actor, item_id=Item.objects.get(key="qiye_sheli").pk)
    actions.submit(reviewer.actor, version_id=version.pk, note="试")
    with pytest.raises(Denied, match="起草人"):
        actions.decide(reviewer.actor, version_id=version.pk, accept=True)


def test_a_version_waits_for_its_day_and_begins_without_anybody(editor, reviewer, draft):
    actions.submit(editor.actor, version_id=draft.pk, note="下月起", in_force_from=date(2022, 11, 1))
    actions.decide(reviewer.actor, version_id=draft.pk, accept=True)
    handlers.turn_the_day()
    assert items.in_force("zhensuo_beian").number == 1
    assert items.in_force("zhensuo_beian", on=date(2022, 11, 1)).number == 2
    with at("2022-11-01 00:20"):
        # The day counts, whether the worker came by or not.
        assert items.in_force("zhensuo_beian").number == 2
        handlers.turn_the_day()
        assert {row.number: row.state for row in ItemVersion.objects.filter(item=draft.item)} == {
            1: ItemVersion.SUPERSEDED,
            2: ItemVersion.IN_FORCE,
        }


def test_only_the_own_unit_edits_and_two_editors_do_not_overwrite_each_other(editor, put, draft):
    stranger = put("wai", "minzhengju", "services.editor")
    with pytest.raises(Denied):
        promise(stranger, draft, promised_note="别单位")
    promise(editor, draft, promised_note="先保存")
    with pytest.raises(Conflict):
        actions.edit_section(
            editor.actor, version_id=draft.pk, section="handling", values={"promised_note": "后"}, version=1
        )
    with pytest.raises(StepNotAllowed, match="起草"):
        actions.begin_draft(editor.actor, item_id=draft.item_id)


def test_what_the_upper_level_set_is_not_edited_here(editor, draft):
    with pytest.raises(Invalid, match="上级统一"):
        actions.edit_section(
            editor.actor, version_id=draft.pk, section="basics", values={"name": "小诊所备案"}
        )
    upper = draft.materials.first()
    with pytest.raises(Invalid):
        actions.remove_row(editor.actor, version_id=draft.pk, kind="materials", row_id=upper.pk)
    with pytest.raises(Invalid, match="上级统一"):
        actions.put_row(
            editor.actor, version_id=draft.pk, kind="materials", row_id=upper.pk, values={"necessity": "may"}
        )
    # How it is had without the applicant is the district's own business.
    actions.put_row(
        editor.actor, version_id=draft.pk, kind="materials", row_id=upper.pk, values={"free": "verify"}
    )
    assert draft.materials.get(pk=upper.pk).free == "verify"


def test_errors_keep_a_draft_from_being_handed_over_and_say_what_to_mend(editor, draft):
    actions.edit_section(
        editor.actor, version_id=draft.pk, section="channels", values={"complaints": "85400000"}
    )
    with pytest.raises(NotReady, match="区号") as stopped:
        actions.submit(editor.actor, version_id=draft.pk, note="试")
    assert [one.element for one in stopped.value.findings] == ["complaints"]


# Once only ----------------------------------------------------------------------------------------------------------


def test_a_local_demand_for_what_government_issues_cannot_be_released(editor, draft):
    add(editor, draft, "营业执照复印件（加盖公章）")
    with pytest.raises(NotReady, match="市场监督管理部门核发的《营业执照》"):
        actions.submit(editor.actor, version_id=draft.pk, note="试")


def test_an_exemption_needs_a_second_person_lets_the_item_out_and_ends_by_itself(editor, reviewer, draft):
    add(editor, draft, "户口簿")
    ask = {
        "item_id": draft.item_id,
        "material": "extra",
        "reason": "省户籍接口十二月才开通，期间由窗口核对原件",
    }
    with pytest.raises(Invalid, match="最长一年"):
        actions.propose_exemption(editor.actor, **ask, until=date(2024, 1, 1))
    asked = actions.propose_exemption(editor.actor, **ask, until=date(2022, 12, 1))
    with pytest.raises(NotReady):
        actions.submit(editor.actor, version_id=draft.pk, note="试")
    actions.sign_exemption(reviewer.actor, exemption_id=asked.pk, accept=True)
    actions.submit(editor.actor, version_id=draft.pk, note="接口开通以前核对原件")
    actions.decide(reviewer.actor, version_id=draft.pk, accept=True)
    assert [one.row.key for one in items.guide("zhensuo_beian").needed if one.exemption] == ["extra"]
    figures = items.once_only()
    assert figures.exempt_items == 1 and [one.material_name for one in figures.exemptions] == ["户口簿"]
    demanded = {one.key: one.held_by for one in offers.offer("zhensuo_beian").materials}
    assert demanded["extra"] == ""
    with at("2022-12-01 00:01"):
        # From its end on nobody asks for it, though no worker has come by and the version is the same.
        assert "extra" in {one.row.key for one in items.guide("zhensuo_beian").spared}
        assert {one.key: one.held_by for one in offers.offer("zhensuo_beian").materials}[
            "extra"
        ] == "公安机关"
        assert items.once_only().exempt_items == 0
        found = items.detail(reviewer.actor, "zhensuo_beian").findings
        assert [one.rule for one in found if one.blocks] == ["V01"]
        handlers.turn_the_day()
        assert Exemption.objects.get().state == Exemption.ENDED


def test_who_asked_for_an_exemption_does_not_sign_it(reviewer):
    item = Item.objects.get(key="qiye_sheli")
    row = actions.propose_exemption(
        reviewer.actor,
        item_id=item.pk,
        material="id_card",
        reason="测试用的理由，要够长才行",
        until=date(2022, 12, 1),
    )
    with pytest.raises(Denied, match="申请人"):
        actions.sign_exemption(reviewer.actor, exemption_id=row.pk, accept=True)


def test_a_question_is_raised_upwards_and_followed_to_its_end(editor, draft):
    row = actions.raise_upward(
        editor.actor,
        item_id=draft.item_id,
        element="materials",
        text="上级清单要申请人交的材料政府已有，建议删去",
        to="上级部门",
    )
    actions.record_answer(editor.actor, upward_id=row.pk, answer="已列入下批调整")
    assert Upward.objects.get().state == Upward.ANSWERED
    actions.record_answer(editor.actor, upward_id=row.pk, answer="已删去", outcome="第 3 版起不再要求")
    assert Upward.objects.get().state == Upward.SETTLED
    with pytest.raises(StepNotAllowed):
        actions.record_answer(editor.actor, upward_id=row.pk, answer="再答")


def test_a_changed_entry_of_the_pack_waits_for_a_second_person_and_for_whoever_is_drafting(
    editor, reviewer, draft
):
    entry = next(one for one in catalogue.read(pack()) if one.key == "qiye_sheli")
    other = next(one for one in catalogue.read(pack()) if one.key == "zhensuo_beian")
    for one in (entry, other):
        one.body["promised_note"] = "新的说明"
    actions.take_in(SYSTEM, entries=[(one.key, 0, one.body) for one in (entry, other)])
    assert items.in_force("qiye_sheli").number == 1
    waiting = ItemVersion.objects.get(item__key="qiye_sheli", number=2)
    actions.decide(reviewer.actor, version_id=waiting.pk, accept=True)
    assert items.in_force("qiye_sheli").promised_note == "新的说明"
    assert not ItemVersion.objects.filter(item=draft.item_id, promised_note="新的说明").exists()


def test_a_draft_is_nothing_that_readers_can_pin(draft):
    with pytest.raises(NotThere):
        items.version(draft.pk)


@pytest.mark.parametrize(
    ("code", "kind", "level", "says"),
    [
        ("11370800MB285591843370117002011", "01", "3", None),
        ("11370800MB285591843370117002011", "10", "3", "编码里的事项类型是 01"),
        ("11370800MB285591843370117002011", "01", "4", "编码里的行使层级是市级"),
        ("11370800MB285591853370117002011", "01", "3", "实施"),
        ("11370800MB28559184337011700201", "01", "3", "30 位"),
    ],
)
def test_a_real_code_passes_and_each_slip_is_named(draft, code, kind, level, says):
    draft.task_type, draft.level, draft.catalog_code, draft.task_code = kind, level, "", code
    found = [one.message for one in checks.check(items.sheet(draft)) if one.rule == "C01"]
    assert bool(found) == bool(says) and (not says or says in found[0])
