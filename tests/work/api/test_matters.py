"""Matters over the API: what a program reads and does, and what it is told when it cannot."""

import pytest

from liangzhu.beams.work.matters.models import Entry


@pytest.fixture
def li(program):
    """A program of an officer of the leading unit."""
    return program("甲局", "李四", "matters.officer")


def test_a_program_reads_its_list_and_does_a_step(li, simple):
    matter = simple(li.actor)
    rows = li.get("matters", {"scope": "unit"}).json()
    assert [(row["id"], row["state_title"], row["version"]) for row in rows] == [(matter.pk, "待受理", 1)]
    offered = li.get(f"matters/{matter.pk}/steps").json()
    assert [step["name"] for step in offered] == ["accept"]
    answer = li.post(f"matters/{matter.pk}/steps/accept", {"version": 1})
    assert answer.status_code == 200, answer.content.decode()
    assert answer.json()["state"] == "working" and answer.headers["ETag"] == '"2"'
    line = li.get(f"matters/{matter.pk}/history").json()[-1]
    assert line["title"] == "受理" and line["actor"] == "李四 · 科长（接口）"
    assert line["at"] == "2022-10-20T09:00:00+08:00"
    assert Entry.objects.filter(matter=matter).count() == 2
