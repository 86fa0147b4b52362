"""The people of the tests: the district's pack on the demonstration day, and a small district made on the spot."""

from datetime import date

import pytest
from tests.office import Someone

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import actions as directory_actions
from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel import limits
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.pack import pack

FIRST_DAY = date(2020, 1, 1)
PASSWORD = "a-long-enough-secret"


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """The real hasher is slow on purpose; what it hashes is not the question here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def no_rates_of_other_tests():
    """The limit of sign-ins a minute counts per address, and all tests come from one."""
    limits.forget()


@pytest.fixture
def demo_day(settings):
    """The program stands on the demonstration day."""
    settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)


@pytest.fixture
def district(db, demo_day):
    """The pack, loaded: units, sets, persons, posts, accounts."""
    directory.load_units(pack())
    directory.load_people(pack())
    access.load_accounts(pack())


def open_unit(name: str, parent=None, on: date = FIRST_DAY, **more):
    """A unit set up by the system."""
    more.setdefault("kind", "government_department")
    return directory_actions.open_unit(
        SYSTEM, name=name, on=on, source="测试", parent_id=parent and parent.pk, **more
    )


def put_in_office(name: str, username: str, unit, roles=(), title: str = "科长", **more) -> Someone:
    """A person in a new post with an account, whose password is PASSWORD."""
    person = directory_actions.open_person(SYSTEM, name=name)
    post = directory_actions.open_post(SYSTEM, unit_id=unit.pk, title=title, roles=roles, **more)
    directory_actions.hold_post(SYSTEM, post_id=post.pk, person_id=person.pk, valid_from=FIRST_DAY)
    account = access.open_account(SYSTEM, person_id=person.pk, username=username).account
    account.set_password(PASSWORD)
    account.must_change_password = False
    account.save()
    return Someone(account, person=person, post=post)


@pytest.fixture
def make_unit(db):
    """make_unit(name, parent, on, …)."""
    return open_unit


@pytest.fixture
def put(db):
    """put(name, username, unit, roles, title): a person in office with an account."""
    return put_in_office


@pytest.fixture
def government(db):
    """A government with one bureau below it."""
    return open_unit("某区人民政府", kind="government", short_name="区政府")


@pytest.fixture
def bureau(government):
    """A bureau below the government."""
    return open_unit("某区教育局", government, short_name="区教育局", code="100001")


@pytest.fixture
def officer(bureau):
    """Somebody who does the bureau's work."""
    return put_in_office("李四", "lisi", bureau, roles=["matters.officer"])


@pytest.fixture
def admin(government):
    """The system administrator."""
    return put_in_office("顾一", "gu", government, roles=["access.admin"], title="系统管理员")


@pytest.fixture
def auditor(government):
    """The security auditor."""
    return put_in_office("沈二", "shen", government, roles=["kernel.auditor"], title="安全审计员")
