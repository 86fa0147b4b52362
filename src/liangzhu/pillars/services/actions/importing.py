"""Importing items: every row of a source is kept, taken in as a draft, or refused with its reason; nothing is lost."""

import json
from collections.abc import Mapping
from typing import Any

from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.log import sm3
from liangzhu.kernel.now import now
from liangzhu.pillars.services import national, policies, sheets
from liangzhu.pillars.services.actions.items import create_version
from liangzhu.pillars.services.models import Batch, Item, ItemVersion, SourceRecord

CODES = ("handle_code", "task_code", "local_code")


@action("services.import_items")
def import_items(
    act: Act, *, title: str, data: bytes, name: str, units: Mapping[str, str] | None = None, rest: str = ""
) -> Batch:
    """Take in a file (json, csv, xlsx) in the national shape or as a flat list, as drafts.

    ``units`` maps names of implementing bodies to keys of units; others are looked up by name in the directory; ``rest`` is
    the unit for those that are not found there. An item is known again by its key, or its code. What is the same as the last
    version changes nothing. Raises BadFile, TooLarge, UnknownUnit.
    """
    act.check(policies.keep_items)
    lines = national.lines(national.read_tables(data, name))
    batch = Batch.objects.create(
        title=title[:200], fingerprint=sm3(data), at=now(), by=str(act.actor.ref), by_label=act.actor.label
    )
    run = _Run(act, batch, dict(units or {}), rest)
    records = [run.take(place, line) for place, line in enumerate(lines, 2)]
    SourceRecord.objects.bulk_create(records, batch_size=500)
    batch.taken, batch.unchanged, batch.refused = run.taken, run.unchanged, run.refused
    batch.save(update_fields=["taken", "unchanged", "refused"])
    act.log(
        batch.ref,
        fingerprint=batch.fingerprint,
        taken=run.taken,
        unchanged=run.unchanged,
        refused=run.refused,
    )
    return batch


class _Run:
    def __init__(self, act: Act, batch: Batch, units: dict[str, str], rest: str):
        self.act, self.batch = act, batch
        tree = directory.units()
        self.units = {name: _unit(tree, key) for name, key in units.items()}
        self.rest = _unit(tree, rest) if rest else None
        self.taken = self.unchanged = self.refused = 0
        self.seen: dict[str, int] = {}
        self.items = {item.key: item for item in Item.objects.all()}
        self.by_code: dict[str, int] = {}
        self.last: dict[int, int] = {}
        rows = ItemVersion.objects.exclude(state__in=[ItemVersion.REFUSED, ItemVersion.WITHDRAWN])
        for pk, item_id, *codes in rows.order_by("number").values_list("pk", "item_id", *CODES):
            self.last[item_id] = pk
            for code in codes:
                if code:
                    self.by_code[code] = item_id

    def take(self, place: int, line: dict[str, Any]) -> SourceRecord:
        record = SourceRecord(
            batch=self.batch, place=place, body=json.dumps(line, ensure_ascii=False, separators=(",", ":"))
        )
        try:
            body, unmapped = national.body_of(line)
            record.unmapped = " ".join(unmapped)
            record.version = self._take(place, line, body)
        except national.Unreadable as error:
            record.refused = str(error)[:300]
            self.refused += 1
        return record

    def _take(self, place: int, line: dict[str, Any], body: dict[str, Any]) -> ItemVersion | None:
        item, key = self._item(line, body)
        if (before := self.seen.get(key)) is not None:
            raise national.Unreadable(f"与第 {before} 行是同一个事项（编码相同）")
        self.seen[key] = place
        last = None
        if item is not None and item.pk in self.last:
            last = ItemVersion.objects.get(pk=self.last[item.pk])
        if last is not None:
            old = sheets.Sheet.of(last).body()
            body["locked"] = old["locked"]
            if old == body:
                self.unchanged += 1
                return last
            if last.state in ItemVersion.OPEN:
                raise national.Unreadable(
                    f"第 {last.number} 版{last.get_state_display()}，由 {last.drafted_label or '系统'} 起草，先办完它"
                )
        if item is None:
            unit = self._unit_of(body["body_name"])
            item = self.items[key] = Item.objects.create(key=key, unit_id=unit, created_at=now())
        version = create_version(
            self.act,
            item,
            body,
            change_note=f"导入：{self.batch.title}"[:300],
            fingerprint=sheets.fingerprint(body),
        )
        self.taken += 1
        return version

    def _item(self, line: dict[str, Any], body: dict[str, Any]) -> tuple[Item | None, str]:
        """The item that a line speaks of, None when it is new, and its key."""
        guid = str(line.get("row_guid", ""))
        if guid in self.items:
            return self.items[guid], guid
        codes = [body[name] for name in CODES if body[name]]
        for code in codes:
            if code in self.by_code:
                ident = self.by_code[code]
                item = next(one for one in self.items.values() if one.pk == ident)
                return item, item.key
        key = "i_" + sm3("|".join(codes[:1] or [body["body_name"], body["name"]]).encode())[:16]
        return self.items.get(key), key

    def _unit_of(self, name: str) -> int:
        if name in self.units:
            return self.units[name]
        try:
            return directory.resolve_unit(name).id
        except (directory.UnknownUnit, directory.AmbiguousUnit):
            if self.rest is None:
                raise national.Unreadable(
                    f"实施主体“{name or '（没有写）'}”不在机构名录里，请指明它是本区哪个单位"
                ) from None
            return self.rest


def _unit(tree: directory.UnitTree, key: str) -> int:
    view = tree.by_key(key)
    return view.id if view else directory.resolve_unit(key).id
