"""What the tests of the command line and of serving share."""

import pytest

from liangzhu.beams.work.matters import api as matters


@pytest.fixture
def district_processes(db):
    """The processes of the program, in force."""
    matters.load_processes()
