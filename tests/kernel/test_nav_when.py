"""What the rail shows: nothing that the person may not open, and nothing that would open on an empty tool."""

from dataclasses import replace

import pytest
from django.test import RequestFactory

from liangzhu.kernel.actors import Actor
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.ui import nav

STAFF = Actor(ref=Ref("account", 1), label="甲")


@pytest.fixture
def entry(monkeypatch):
    """``entry(**changes)``: the labels of the rail when one entry, changed, is all there is."""
    known = nav.entries("workbench")[0]

    def make(*changes: dict) -> list[str]:
        made = [replace(known, label=f"第{n}", **change) for n, change in enumerate(changes)]
        monkeypatch.setattr(nav, "entries", lambda face=None: made)
        groups = nav.items("workbench", STAFF, RequestFactory().get("/"))
        return [item.label for group in groups for item in group.items]

    return make


def test_an_entry_that_leads_to_nothing_is_not_shown_and_the_question_is_asked_once(entry):
    asked = []

    def never(actor):
        asked.append(actor)
        return False

    plain = {"policy": None, "count": None}
    assert entry(
        {**plain, "when": never}, {**plain, "when": never}, {**plain, "when": lambda actor: True}
    ) == ["第2"]
    assert asked == [STAFF]


def test_nothing_is_asked_for_an_entry_that_the_policy_keeps_shut(entry):
    def fail(actor):
        raise AssertionError("asked")

    assert entry({"policy": "forms.sweep", "count": None, "when": fail}) == []
