"""The rule files of all apps and of the pack, their releases, and asking the one in force."""

from dataclasses import replace
from datetime import date
from typing import Any

from liangzhu.beams.work.decisions import checking
from liangzhu.beams.work.decisions.deciding import Decision, decide_by
from liangzhu.kernel.definitions import Definitions
from liangzhu.kernel.now import today

RELEASE_KIND = "rule"


def decide(
    key: str, inputs: dict[str, Any], *, on: date | None = None, release_id: int | None = None
) -> Decision:
    """Ask the table in force, or that of a release; ``on`` is the day whose rows hold (today if absent).

        decide("clinic_route", {"kind": "clinic", "xray": False}, on=date(2022, 6, 1)).outputs["route"]

    Raises NotThere, Invalid (inputs, each named), NoRow.
    """
    table = by_release_id(release_id) if release_id is not None else in_force(key)
    return decide_by(table, inputs, on or today())


tables = Definitions(
    RELEASE_KIND,
    "决策表",
    shelf="rules",
    pattern="*.json",
    parse=checking.parse,
    mark=lambda table, release: replace(table, release=release.number, fingerprint=release.fingerprint),
)
in_force, of_release, by_release_id = tables.in_force, tables.of_release, tables.by_release_id
rule_files, read_rule, load_rules, forget = tables.files, tables.read, tables.load, tables.forget
