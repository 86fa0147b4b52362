"""The four yearly lists of division codes against the district's pack, each on its own date."""

import csv
from datetime import date

import pytest

from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.pack import pack

LISTS = {2020: date(2020, 6, 30), 2021: date(2021, 10, 31), 2022: date(2022, 10, 31), 2023: date(2023, 6, 30)}
"""Year of the list, and the day it describes."""


@pytest.fixture
def units(db):
    directory.load_units(pack())


def listed(shared, year: int) -> dict[str, str]:
    path = shared / "data" / "divisions" / f"haizhou_streets_{year}.csv"
    if not path.exists():
        pytest.skip(f"{path.name} is not here")
    with path.open(encoding="utf-8-sig") as file:
        return {row[0]: row[1] for row in csv.reader(file) if row and row[0].isdecimal()}


@pytest.mark.parametrize("year", LISTS)
def test_every_code_of_the_list_resolves_on_its_day(units, shared, year):
    tree = directory.units(LISTS[year])
    found = {code: tree.by_code(code) for code in listed(shared, year)}
    assert [code for code, view in found.items() if view is None] == []
    wrong = {
        code: (name, found[code].name)
        for code, name in listed(shared, year).items()
        if name not in (found[code].name, found[code].short)
        and not found[code].name.startswith(name.removesuffix("街道").removesuffix("镇"))
    }
    assert wrong == {}


@pytest.mark.parametrize("year", LISTS)
def test_no_code_of_a_town_or_street_is_valid_that_the_list_does_not_have(units, shared, year):
    codes = set(listed(shared, year))
    below = {code[:6] for code in codes}
    ours = {
        view.code
        for view in directory.units(LISTS[year]).all()
        if view.kind in ("town", "street", "farm_or_park") and view.code[:6] in below
    }
    assert ours <= codes


def test_a_street_whose_code_moved_keeps_its_history(units):
    before, after = directory.units(LISTS[2020]), directory.units(LISTS[2021])
    street = directory.resolve_unit("花果山街道")
    assert before.get(street.id).code == "320772001"
    assert after.get(street.id).code == "320706020"
    assert before.by_code("320706020") is None and after.by_code("320772001") is None
    assert before.by_code("320772001").id == after.by_code("320706020").id == street.id
