"""Whatever is entered, in whatever order: a unit's spells join without overlap, and every day of its life has one name."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from liangzhu.beams.people.directory import actions
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.directory.models import Unit
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Invalid, StepNotAllowed

START = date(2020, 1, 1)
days = st.integers(-40, 400).map(lambda n: START + timedelta(days=n))
steps = st.one_of(
    st.tuples(st.just("rename"), days, st.sampled_from(["甲局", "乙局", "丙局"])),
    st.tuples(st.just("move"), days, st.sampled_from(["", "101", "102"])),
    st.tuples(st.just("close"), days, st.just("")),
    st.tuples(st.just("reopen"), days, st.just("")),
)


def take(unit: Unit, step: tuple) -> None:
    kind, day, word = step
    try:
        if kind == "rename":
            actions.rename_unit(SYSTEM, unit_id=unit.pk, name=word, on=day, source="测试")
        elif kind == "move":
            actions.move_unit(SYSTEM, unit_id=unit.pk, parent_id=None, code=word, on=day, source="测试")
        elif kind == "close":
            actions.close_unit(SYSTEM, unit_id=unit.pk, on=day, reason="测试", source="测试")
        else:
            actions.reopen_unit(SYSTEM, unit_id=unit.pk, reason="测试")
    except (Invalid, StepNotAllowed):
        pass


class SpellsJoin(TestCase):
    @settings(max_examples=40, deadline=None)
    @given(st.lists(steps, max_size=12))
    def test_spells_join_and_every_day_has_one_name(self, taken):
        unit = actions.open_unit(
            SYSTEM, kind="government_department", name="甲局", on=START, source="测试", code="101"
        )
        for step in taken:
            take(unit, step)
        spells = list(unit.spells.order_by("valid_from"))
        assert spells[0].valid_from == START
        for earlier, later in zip(spells, spells[1:], strict=False):
            assert earlier.valid_to == later.valid_from
        assert all(spell.valid_to is None or spell.valid_from < spell.valid_to for spell in spells)
        for day in (START + timedelta(days=n) for n in range(-3, 410, 7)):
            holding = [s for s in spells if s.valid_from <= day and (s.valid_to is None or day < s.valid_to)]
            view = directory.units(day).get(unit.pk)
            assert len(holding) == (1 if view else 0)
            if view:
                assert (view.name, view.code) == (holding[0].name, holding[0].code)
            assert bool(view) == (day >= START and (spells[-1].valid_to is None or day < spells[-1].valid_to))

    @settings(max_examples=40, deadline=None)
    @given(days, days, st.sampled_from(["甲局", "乙局"]))
    def test_a_rename_holds_from_its_day_on_and_changes_nothing_before(self, first, second, word):
        unit = actions.open_unit(SYSTEM, kind="government_department", name="甲局", on=START, source="测试")
        take(unit, ("move", first, "102"))
        before = {n: directory.unit_name(unit.pk, START + timedelta(days=n)) for n in range(0, 410, 10)}
        take(unit, ("rename", second, word))
        changed = unit.spells.filter(name=word).exists()
        for n, name in before.items():
            day = START + timedelta(days=n)
            expected = word if changed and second >= START and day >= second else name
            assert directory.unit_name(unit.pk, day) == expected
