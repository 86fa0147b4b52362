"""The people of the tests: the district's pack on the demonstration day, and persons with posts made on the spot."""

from datetime import date

import pytest

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.pack import pack


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
