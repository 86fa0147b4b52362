"""Checking the pack's certificate types, and, in a demonstration, seals and certificates to try them with."""

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.trust.certificates import actions, issuing, kinds, policies
from liangzhu.beams.trust.certificates.models import Certificate, Seal
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.pack import Pack, PackError


def load_certificates(district: Pack, *, demo: bool) -> None:
    """Check types, issuers and series; ``demo``: also put the pack's made-up seals into use. Idempotent.

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


def load_samples(district: Pack) -> None:
    """For a demonstration: made-up certificates of the made-up residents whom the province's simulator knows.

    After the history was played, so that nothing is told on a day of it. Idempotent. Raises PackError.
    """
    samples = [row for row in district.toml(kinds.FILE).get("sample", ()) if row.get("demo")]
    if not samples:
        return
    told = district.toml("residents.toml")
    people = {row["key"]: row for row in told.get("person", ())}
    firms = {row["uscc"]: row for row in told.get("enterprise", ())}
    for row in samples:
        firm = firms.get(row["holder"])
        person = people.get(firm["legal"] if firm else row["holder"])
        if person is None:
            raise PackError(f"{kinds.FILE} 的演示证照写了 residents.toml 里没有的持证主体 {row['holder']}。")
        unit = directory.units().by_key(row["unit"])
        load_sample(
            SYSTEM, kind=row["kind"], unit_id=unit.id, fields=dict(row["fields"]), person=person, firm=firm
        )


@action("certificates.load_sample")
def load_sample(
    act: Act, *, kind: str, unit_id: int, fields: dict[str, str], person: dict, firm: dict | None
) -> Certificate:
    """Register a made-up resident, or his made-up enterprise, and issue a certificate, unless one is held already."""
    act.check(policies.keep_time)
    holder = registers.register_from_identity(
        act, document_kind="citizen_id", document_number=person["number"], name=person["name"]
    )
    if firm is not None:
        holder, _ = registers.register_organisation_from_identity(
            act, person=holder, uscc=firm["uscc"], name=firm["name"], grant=None
        )
    act.log(holder.ref, sample=kind)
    held = Certificate.objects.filter(kind=kind, holder=str(holder.ref)).first()
    return held or issuing.issue(
        act,
        kind=kind,
        holder=holder.ref,
        holder_name=(firm or person)["name"],
        fields=fields,
        unit_id=unit_id,
    )
