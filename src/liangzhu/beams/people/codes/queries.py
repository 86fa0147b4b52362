"""Every read of this app, scoped to who asks."""

import json
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count

from liangzhu.beams.people.codes import actions, outlets, policies
from liangzhu.beams.people.codes.checking import Presented, desk_of, presented
from liangzhu.beams.people.codes.models import Desk, Scan
from liangzhu.beams.people.residents import api as residents
from liangzhu.kernel import masking, reads
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.now import SHANGHAI, today
from liangzhu.kernel.pack import pack
from liangzhu.kernel.refs import Ref, describe, register_ref

RECENT = 10


def desk(actor: Actor) -> Desk | None:
    """Where one scans."""
    policies.scan.require(actor)
    return desk_of(actor)


@dataclass(frozen=True)
class ScanView:
    """A scan as the member of staff who made it sees it, masked. ``shown`` is empty when the content was destroyed."""

    row: Scan
    outlet: str
    province: str
    case: tuple[str, str]
    items: list[str]
    missing: list[str]
    consented: list[str]
    shown: dict[str, Any] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether one may go on with it."""
        return self.row.result in (Scan.ACCEPTED, Scan.DOCUMENT)

    @property
    def light(self) -> str:
        """Its light."""
        return "ok" if self.good else "over"

    @property
    def gone(self) -> bool:
        """Whether its content was destroyed by rule."""
        return self.good and not self.row.sealed_key


def _own(actor: Actor, scan_id: int) -> Scan:
    row = Scan.objects.filter(pk=scan_id).first()
    if row is None or not policies.read_scan(actor, row):
        raise NotThere("没有找到这次扫码，或者不是您扫的。")
    return row


def scan(actor: Actor, scan_id: int) -> ScanView:
    """One of one's own scans. Raises NotThere."""
    return _view(actor, [_own(actor, scan_id)])[0]


def good_scan(actor: Actor, case: Ref) -> ScanView | None:
    """The newest of one's own scans for a case that came to something, or None."""
    policies.scan.require(actor)
    good = (Scan.ACCEPTED, Scan.DOCUMENT)
    row = (
        Scan.objects.filter(case=str(case), operator=str(actor.ref), result__in=good).order_by("-id").first()
    )
    return _view(actor, [row])[0] if row else None


def recent(actor: Actor) -> list[ScanView]:
    """One's own scans of today, the newest first."""
    policies.scan.require(actor)
    since = datetime.combine(today(), time(), SHANGHAI)
    rows = Scan.objects.filter(operator=str(actor.ref), at__gte=since).order_by("-id")[:RECENT]
    return _view(actor, list(rows))


def _view(actor: Actor, rows: list[Scan]) -> list[ScanView]:
    titles = {key: one.title for key, one in outlets.licence_kinds().items()}
    provinces = {one["key"]: one["title"] for one in pack().toml("codes.toml")["province"]}
    cases = describe({Ref.parse(row.case) for row in rows}, actor)
    found = []
    for row in rows:
        consented = [
            titles.get(name, name)
            for part in row.consented.split()
            if part.startswith(f"{actions.SOURCE}:")
            for name in part.partition(":")[2].split(",")
        ]
        came = row.licences.split()
        missing = [titles.get(one, one) for one in row.items.split() if one not in came]
        shown = str(row.shown) if row.sealed_key else ""
        found.append(
            ScanView(
                row,
                outlets.outlet_title(row.outlet),
                provinces.get(row.province, ""),
                cases[Ref.parse(row.case)],
                [titles.get(one, one) for one in row.items.split()],
                missing,
                consented,
                json.loads(shown) if shown.startswith("{") else {},
            )
        )
    return found


def contents(actor: Actor, scan_id: int, *, reason: str) -> Presented:
    """An accepted scan of one's own with its licences in full, for the case that it was made for; one leaf, one line of the trail.

    Raises NotThere, also when the content was destroyed.
    """
    row = _own(actor, scan_id)
    if row.result not in (Scan.ACCEPTED, Scan.DOCUMENT) or not row.sealed_key:
        raise NotThere("这次扫码没有内容，或者内容已到期删除。", todo="请对方再出示一次，重新扫码。")
    text = masking.reveal(actor, row, "content", reason=reason, case=row.case, channel="code")
    return presented(row, actions.licences_of(str(text)), own=bool(json.loads(str(row.shown)).get("bearer")))


@dataclass(frozen=True)
class Coverage:
    """How many outlets scan (M07): ``used`` of all outlets of the pack had an accepted scan; scans by outlet and device."""

    outlets: int
    used: int
    scans: dict[str, int]
    devices: dict[tuple[str, str], int]
    by_document: int

    @property
    def share(self) -> float | None:
        """The share of outlets that scan; None without outlets."""
        return self.used / self.outlets if self.outlets else None


def coverage(actor: Actor, since: date, until: date) -> Coverage:
    """Counted from scans of the days from ``since`` up to ``until``, which does not count."""
    policies.count.require(actor)
    first, last = (datetime.combine(day, time(), SHANGHAI) for day in (since, until))
    rows = Scan.objects.filter(at__gte=first, at__lt=last).order_by()
    counted = rows.filter(result=Scan.ACCEPTED).values_list("outlet", "device").annotate(n=Count("id"))
    devices = {(outlet, device): n for outlet, device, n in counted}
    known = outlets.outlets()
    scans = {key: sum(n for (outlet, _), n in devices.items() if outlet == key) for key in known}
    return Coverage(
        len(known),
        sum(n > 0 for n in scans.values()),
        scans,
        devices,
        rows.filter(result=Scan.DOCUMENT).count(),
    )


def month(actor: Actor) -> Coverage:
    """The last thirty days."""
    return coverage(actor, today() - timedelta(days=29), today() + timedelta(days=1))


@reads.belongs("code_scan")
def _whose_scan(ref: Ref) -> list[Ref]:
    row = Scan.objects.filter(pk=ref.id).first()
    return [one for one in (row.holder, row.shown_by) if one] if row else []


@reads.belongs("counter_desk")
def _whose_desk(ref: Ref) -> list[Ref]:
    """Of staff: nobody of the registers."""
    return []


def _scan_refs(ids, actor) -> dict[str, tuple[str, str]]:
    return {one: (f"扫码记录 {one}", "") for one in ids}


def _desk_refs(ids, actor) -> dict[str, tuple[str, str]]:
    return {one: (f"窗口 {one}", "") for one in ids}


def _visit_refs(ids, actor) -> dict[str, tuple[str, str]]:
    return {one: (f"到窗办理 {one}", "") for one in ids}


def _source_name(key: str) -> residents.SourceName | None:
    if key != actions.SOURCE:
        return None
    return residents.SourceName(
        "随服务码出示的证照", {name: one.title for name, one in outlets.licence_kinds().items()}
    )


register_ref("code_scan", "扫码记录", _scan_refs)
register_ref("counter_desk", "窗口", _desk_refs)
register_ref("counter_visit", "到窗办理", _visit_refs)
residents.name_sources("codes", _source_name)
