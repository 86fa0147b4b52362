"""Loading `indicators.toml` of the district's pack."""

import logging

from liangzhu.beams.data.indicators import measuring
from liangzhu.beams.data.indicators.actions import define
from liangzhu.beams.data.indicators.models import Indicator
from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Invalid
from liangzhu.kernel.log import canonical, sm3
from liangzhu.kernel.pack import Pack, PackError

logger = logging.getLogger("liangzhu.indicators")

USUAL_FREQUENCY = {Indicator.COMPUTED: "day", Indicator.REPORTED: "month"}


def load_indicators(pack: Pack) -> None:
    """Define the pack's indicators. Idempotent; a definition that people changed by hand stays as they left it.

    Raises PackError naming file and entry.
    """
    file = pack.toml("indicators.toml")
    for entry in file["indicator"]:
        _load(entry, file.get("source", ""))


def _load(entry: dict, source: str) -> None:
    missing = [name for name in ("key", "name", "kind", "owner", "caliber", "formula") if name not in entry]
    where = f"资料包 indicators.toml：指标 {entry.get('key', entry)}"
    if missing:
        raise PackError(f"{where} 缺少 {'、'.join(missing)}。")
    owner = directory.units().by_key(entry["owner"])
    if owner is None:
        raise PackError(f"{where} 的责任单位 {entry['owner']!r} 不在 units.toml 里。")
    if entry["kind"] == Indicator.COMPUTED and entry.get("query") not in measuring.query_names():
        known = "、".join(measuring.query_names())
        raise PackError(f"{where} 的查询 {entry.get('query')!r} 没有登记；已登记的有：{known}。")
    pack_print = sm3(canonical({**entry, "source": entry.get("source", source)}).encode())
    known = Indicator.objects.filter(key=entry["key"]).first()
    if known and known.pack_print == pack_print:
        return
    if known and known.changed_by != str(SYSTEM.ref):
        logger.warning("%s 与现有定义不同，定义已由人改过，保留现有内容", where)
        return
    try:
        define(
            SYSTEM,
            key=entry["key"],
            name=entry["name"],
            kind=entry["kind"],
            reading=entry.get("reading", ""),
            group=entry.get("group", ""),
            is_default=entry.get("default", True),
            query=entry.get("query", ""),
            measure_unit=entry.get("unit", ""),
            decimals=entry.get("decimals", 1),
            better=entry.get("better", Indicator.UP),
            caliber=entry["caliber"],
            formula=entry["formula"],
            frequency=entry.get("frequency", USUAL_FREQUENCY.get(entry["kind"], "month")),
            owner_unit_id=owner.id,
            source=entry.get("source", source),
            unconfirmed=entry.get("unconfirmed", False),
            to_confirm=entry.get("to_confirm", ""),
            version=known.version if known else None,
            pack_print=pack_print,
        )
    except Invalid as invalid:
        raise PackError(f"{where}：{invalid.detail}") from invalid
