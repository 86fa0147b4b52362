"""The rule files of all apps and of the pack, their releases, and asking the one in force."""

from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from liangzhu.beams.work.decisions import checking
from liangzhu.beams.work.decisions.deciding import Decision, decide_by
from liangzhu.beams.work.decisions.table import Table
from liangzhu.kernel import releases
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.located import DataFileError
from liangzhu.kernel.models import Release
from liangzhu.kernel.now import today
from liangzhu.kernel.pack import shelf

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


def in_force(key: str) -> Table:
    """The table in force. Raises NotThere."""
    return of_release(releases.in_force(RELEASE_KIND, key))


def of_release(release: Release) -> Table:
    """The table of a release. Releases never change, so it is read once."""
    return _of_release(release.pk, release.fingerprint)


def by_release_id(release_id: int) -> Table:
    """The table of a release that is known by its id only. Raises NotThere."""
    row = Release.objects.filter(pk=release_id, kind=RELEASE_KIND).only("pk", "fingerprint").first()
    if row is None:
        raise NotThere("没有这个版本的决策表。")
    return of_release(row)


@lru_cache(maxsize=256)
def _of_release(pk: int, fingerprint: str) -> Table:
    release = Release.objects.get(pk=pk)
    table = checking.parse(release.body, release.origin or release.key)
    return replace(table, release=release.number, fingerprint=release.fingerprint)


def forget() -> None:
    """Empty the cache. For tests, where ids are given out again."""
    _of_release.cache_clear()


def rule_files() -> list[Path]:
    """The rule files of all apps and of the pack, in the order of their keys."""
    return shelf("rules", "*.json")


def read_rule(file: Path | str) -> Table:
    """Read and check a rule file. Raises DataFileError naming file and line."""
    path = Path(file)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataFileError(str(path), [(1, f"文件读不出来：{error}")]) from None
    return checking.parse(text, str(path))


def load_rules() -> list[Release]:
    """Check every rule file and make it known: release 1 in force, a changed file as a draft for the second person.

    Raises DataFileError.
    """
    root = Path(__file__).resolve().parents[4]
    seeded = []
    for path in rule_files():
        origin = str(path.relative_to(root)) if path.is_relative_to(root) else path.name
        text = path.read_text(encoding="utf-8")
        table = checking.parse(text, origin)
        if table.key != path.stem:
            raise DataFileError(origin, [(1, f"文件名应与 key 相同：{table.key}.json")])
        seeded.append(releases.seed(RELEASE_KIND, table.key, text, origin))
    return seeded
