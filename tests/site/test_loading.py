"""Demonstration or real installation: the two never mix."""

from datetime import date

import pytest

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.pack import pack
from liangzhu.site import cli, loading

DEMO_DAY = date(2022, 10, 20)


@pytest.fixture
def empty(db, settings):
    settings.LIANGZHU_DEMO_DATE = None
    return settings


@pytest.fixture
def real(empty):
    directory.load_units(pack())
    return empty


@pytest.fixture
def demo(empty):
    empty.LIANGZHU_DEMO_DATE = DEMO_DAY
    directory.load_units(pack())
    directory.load_people(pack())
    access.load_accounts(pack())
    empty.LIANGZHU_DEMO_DATE = None
    return empty


def test_an_empty_database_becomes_a_demonstration_on_the_packs_day(empty):
    assert loading.kind_of_database() is None
    assert loading.settle_kind(None) is True
    assert empty.LIANGZHU_DEMO_DATE == DEMO_DAY


def test_an_empty_database_becomes_real_when_asked(empty):
    assert loading.settle_kind(False) is False
    assert empty.LIANGZHU_DEMO_DATE is None


def test_a_real_installation_stays_real_before_it_has_any_account(real):
    assert loading.settle_kind(None) is False
    with pytest.raises(loading.WrongKind, match="正式安装"):
        loading.settle_kind(True)


def test_a_demonstration_stays_one(demo):
    assert loading.settle_kind(None) is True
    with pytest.raises(loading.WrongKind, match="演示账号"):
        loading.settle_kind(False)


def test_a_real_installation_does_not_stand_still(real):
    real.LIANGZHU_DEMO_DATE = DEMO_DAY
    with pytest.raises(loading.WrongKind, match="2022-10-20"):
        loading.settle_kind(False)


def test_single_commands_stand_on_the_day_of_the_demonstration(demo):
    loading.stand_on_demo_day()
    assert demo.LIANGZHU_DEMO_DATE == DEMO_DAY


def test_single_commands_leave_a_real_installation_on_today(real):
    loading.stand_on_demo_day()
    assert real.LIANGZHU_DEMO_DATE is None


def test_the_start_shows_one_account_for_each_role(demo):
    shown = loading.demo_accounts()
    roles = [role for account in shown for role in account.roles.split("、")]
    assert sorted(roles) == sorted(role["name"] for role in pack().toml("roles.toml")["role"])
    assert len({account.username for account in shown}) == len(shown)
    for account in shown:
        assert access.Account.objects.get(username=account.username).check_password(
            access.demo_password(pack())
        )


def test_the_first_administrator_gets_a_password_for_once(real):
    unit = pack().toml("units.toml")["unit"][0]
    password = loading.add_admin(username="first.admin", name="某人", unit=unit["spell"][-1]["name"])
    account = access.Account.objects.get(username="first.admin")
    assert account.check_password(password)
    assert account.must_change_password
    assert access.actor_of("first.admin").has("access.admin")


def test_the_command_prints_that_password_and_refuses_a_second_administrator(real, capsys):
    words = ["user", "add-admin", "first.admin", "--name", "某人", "--unit", "shenpiju"]
    said = []
    for status in (0, 1):
        with pytest.raises(SystemExit) as ended:
            cli.main.main(args=words, prog_name="liangzhu")
        said.append(capsys.readouterr())
        assert ended.value.code == status
    account = access.Account.objects.get(username="first.admin")
    assert account.check_password(said[0].out.strip().rpartition("：")[2])
    assert "已有系统管理员" in said[1].err


def test_a_demonstration_needs_no_first_administrator(demo):
    with pytest.raises(loading.WrongKind):
        loading.add_admin(username="first.admin", name="某人", unit="shenpiju")
