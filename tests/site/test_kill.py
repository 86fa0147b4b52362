"""The product is killed 25 times while staff work: nothing that was accepted is lost, and nothing is done twice."""

import os
from urllib.parse import urlsplit

import killing
import pytest

KILLS = 25
SEED = 20221020


@pytest.fixture
def database(tmp_path):
    """The address of an empty database: a SQLite file of the installation, or a new one on the test's PostgreSQL."""
    address = os.environ.get("LIANGZHU_TEST_ADDRESS", "")
    if not address:
        yield ""
        return
    import psycopg

    name = f"killed_{os.getpid()}"
    with psycopg.connect(address, autocommit=True) as link:
        link.execute(f"CREATE DATABASE {name}")
    yield urlsplit(address)._replace(path=f"/{name}").geturl()
    with psycopg.connect(address, autocommit=True) as link:
        link.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_nothing_is_lost_and_nothing_done_twice_when_server_and_workers_are_killed(tmp_path, database):
    house = killing.House(tmp_path / "home", database)
    tally, counts = killing.run(house, kills=KILLS, seed=SEED, label="kill-test-once")
    assert sum(counts.values()) == KILLS
    assert counts.keys() == {*killing.SHARES, "worker beside"}
    assert len(tally.accepted) > KILLS and not tally.unsure
    assert house.look(tally) == []
    # The judge is judged: what was never made, and what nobody was told of, are found.
    lost, told = "kill-test-once-never-made", next(iter(tally.accepted))
    tally.accepted[lost] = tally.accepted.pop(told)
    found = house.look(tally)
    assert f"accepted, but lost: {lost}" in found and f"done, but nobody asked: {told}" in found
