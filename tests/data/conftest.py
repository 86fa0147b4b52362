"""Two units and their people, as little as indicators need."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest

from liangzhu.beams.data.indicators import api as indicators
from liangzhu.beams.data.indicators.models import Indicator
from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.directory.loaders import load_units
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.now import at
from liangzhu.kernel.pack import Pack
from liangzhu.kernel.refs import Ref

UNITS = """
source = "test"
[[unit]]
key = "approval"
kind = "government_department"
[[unit.spell]]
name = "甲区审批局"
valid_from = 2020-01-01
[[unit]]
key = "health"
kind = "government_department"
[[unit.spell]]
name = "甲区卫健委"
valid_from = 2020-01-01
"""

HALF = indicators.Measured(Decimal("50.0"), 1, 2, [Ref("thing", "1")], [Ref("thing", "2")])
_outcome = [HALF]


@indicators.named_query("toy.rate", version=3)
def toy_rate(day):
    """What the test said that the next measuring finds."""
    return _outcome[0]


@pytest.fixture
def finds():
    """Say what the toy query finds from now on: ``finds(Measured(…))``. At first one of two."""

    def run(measured):
        _outcome[0] = measured

    run(HALF)
    yield run
    run(HALF)


@dataclass
class People:
    """Who acts in these tests."""

    officer: directory.Staff
    head: directory.Staff
    head_as_officer: directory.Staff
    stranger: directory.Staff
    office: directory.Staff


def staff(number, unit, *roles, person=None):
    return directory.Staff(
        ref=Ref("account", str(number)),
        label=f"第{number}人",
        roles=frozenset(roles),
        on_behalf=Ref("unit", str(unit.id)),
        person_id=person or number,
        post_id=number,
        unit_id=unit.id,
    )


@pytest.fixture(autouse=True)
def _day():
    with at("2022-10-20 09:00"):
        yield


@pytest.fixture
def units(db, tmp_path):
    (tmp_path / "units.toml").write_text(UNITS)
    (tmp_path / "unit_sets.toml").write_text('source = "test"\n')
    load_units(Pack(tmp_path))
    return directory.units()


@pytest.fixture
def people(units):
    indicators.let_oversee("toy.office")
    approval, health = units.by_key("approval"), units.by_key("health")
    return People(
        officer=staff(1, approval, "matters.officer"),
        head=staff(2, approval, "matters.head"),
        # The head also stands in for the officer: another post, another account post, the same person.
        head_as_officer=staff(2, approval, "matters.officer"),
        stranger=staff(3, health, "matters.officer", "matters.head"),
        office=staff(4, health, "toy.office"),
    )


@pytest.fixture
def define(units):
    def run(key, kind="reported", **given):
        given = {
            "name": "一网通办率",
            "kind": kind,
            "caliber": "全程网办的事项所占比例",
            "formula": "全程网办事项数 ÷ 事项总数 × 100",
            "measure_unit": "%",
            "owner_unit_id": units.by_key("approval").id,
            "frequency": "month",
            "source": "test",
            "query": "toy.rate" if kind == "computed" else "",
        } | given
        known = Indicator.objects.filter(key=key).first()
        given.setdefault("version", known.version if known else None)
        return indicators.define(SYSTEM, key=key, **given)

    return run


@pytest.fixture
def reported(define):
    return define("services.online_rate")


@pytest.fixture
def computed(define, finds):
    return define("services.done_rate", "computed", frequency="day", name="办结率")


ACCOUNTS = """
source = "test"
demo = true
demo_password = "toy-password-2022"
""" + "".join(
    f"""
[[person]]
username = "{username}"
name = "{username}"
demo = true
[[person.post]]
key = "{username}"
unit = "{unit}"
title = "岗位"
roles = ["{role}"]
valid_from = 2022-01-01
"""
    for username, unit, role in (
        ("officer", "approval", "matters.officer"),
        ("head", "approval", "matters.head"),
        ("stranger", "health", "matters.officer"),
        ("office", "health", "programme.office"),
    )
)


@pytest.fixture
def signed_in(units, tmp_path, settings, client):
    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
    (tmp_path / "accounts.toml").write_text(ACCOUNTS)
    directory.load_people(Pack(tmp_path))
    access.load_accounts(Pack(tmp_path))

    def run(username):
        client.force_login(
            access.Account.objects.get(username=username), settings.AUTHENTICATION_BACKENDS[-1]
        )
        return client

    return run
