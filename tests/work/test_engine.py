"""The engine moves matters by their process, for whoever the process names, and leaves a history."""

import pytest

from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters.models import Clock, Entry, Matter, Part
from liangzhu.kernel.errors import AlreadyDone, Conflict, Denied, Invalid, NotThere, StepNotAllowed


@pytest.fixture
def li(district):
    return district.officer("甲局", "李四")


@pytest.fixture
def zhou(district):
    return district.officer("督办室", "周五")


def test_a_matter_opens_in_the_first_state_with_number_history_and_running_clock(district, simple, li):
    matter = simple(li)
    assert matter.state == "received" and matter.version == 1 and matter.number == "S-2022-0001"
    entry = Entry.objects.get(matter=matter)
    assert (entry.transition, entry.to_state, entry.actor_label) == ("open", "received", "李四 · 科长")
    assert Clock.objects.get(matter=matter).name == "accept"
    assert matters.light(matter).text == "还剩 2 个工作日"
    assert simple(li).number == "S-2022-0002"


def test_a_step_moves_the_state_and_the_clocks_and_adds_one_line(district, simple, li, advance):
    matter = advance(li, simple(li), "accept", version=1)
    assert (matter.state, matter.version) == ("working", 2)
    assert set(Clock.objects.filter(matter=matter, stopped_at=None).values_list("name", flat=True)) == {"term", "law"}
    assert [line.to_state for line in Entry.objects.filter(matter=matter)] == ["received", "working"]
    assert matter.promised_at < matter.legal_at == Clock.objects.get(matter=matter, name="law").due_at


def test_only_whom_the_process_names_may_do_a_step(district, simple, li, zhou, advance):
    matter = simple(li)
    with pytest.raises(Denied, match="办理这一步"):
        advance(zhou, matter, "accept")
    with pytest.raises(NotThere):
        advance(district.officer("乙局", "外人"), matter, "accept")


def test_the_turn_hands_the_matter_to_the_party_and_back(district, simple, li, zhou, advance):
    matter = advance(li, simple(li, assignee_id=li.post_id), "accept")
    matter = advance(li, matter, "report", result="完成")
    assert matter.holding_unit_id == district.units["督办室"] and matter.assignee_id is None
    matter = advance(zhou, matter, "send_back", reason="缺材料")
    assert matter.holding_unit_id == district.units["甲局"]
