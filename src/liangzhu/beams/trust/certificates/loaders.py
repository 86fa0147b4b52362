"""Checking the pack's certificate types, and, in a demonstration, the seals to try them with."""

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.trust.certificates import actions, kinds
from liangzhu.beams.trust.certificates.models import Seal
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.pack import Pack, PackError


def load_certificates(district: Pack, *, demo: bool) -> None:
    """Check types, issuers and series; ``demo``: also put the pack's demonstration seals into use. Idempotent.

    Raises PackError naming the entry.
    """
    catalogue = kinds.load(district)
    tree = directory.units()
    named = {*catalogue.issuers, *(unit for kind in catalogue.kinds.values() for unit in kind.issuers)}
    if missing := sorted(key for key in named if tree.by_key(key) is None):
        raise PackError(f"{kinds.FILE} 写了没有的单位：{'、'.join(missing)}。")
    if demo:
        _load_seals(district)


def _load_seals(district: Pack) -> None:
    tree = directory.units()
    known = set(Seal.objects.values_list("number", flat=True))
    for row in district.toml(kinds.FILE).get("seal", ()):
        if row["number"] in known or not row.get("demo"):
            continue
        unit = tree.by_key(row["unit"])
        seal = actions.propose_seal(
            SYSTEM, unit_id=unit.id, use=row["use"], number=row["number"], reason="演示用印章"
        )
        actions.decide_seal(SYSTEM, seal_id=seal.pk, accept=True)
