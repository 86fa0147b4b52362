"""The items that the pack brings: `items/*.toml`, `materials.toml` and `services.toml`, read, checked, put into versions.

`laws.toml` names the laws whose text was compared; an item that rests on another one says so (待确认).

The first version of an item comes into force with the pack; an entry that changed afterwards becomes a draft for a second
person. What was edited by hand stays.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.pack import Pack, PackError
from liangzhu.pillars.services import issued, sheets
from liangzhu.pillars.services.actions.items import take_in
from liangzhu.pillars.services.models import Item, ItemMaterial, ItemVersion
from liangzhu.pillars.services.models.items import SERVED, TASK_TYPES, WAYS

MATERIALS, SERVICES, LAWS = "materials.toml", "services.toml", "laws.toml"
_TERM = re.compile(r"(\d+) (工作日|日|小时|个月)")
_UNITS = {"工作日": "workday", "日": "day", "小时": "hour", "个月": "month"}
_CHANNELS = {"own": ItemMaterial.OWN, "government": ItemMaterial.GOVERNMENT, "other": ItemMaterial.OTHER}
_ARTICLE = re.compile(r"第[一二三四五六七八九十百千零〇]+条")
_BASIS = re.compile(r"(.*?)((?:第[一二三四五六七八九十百千零〇0-9]+条.*)?)")
_KEYS = {
    "key", "name", "type", "unit", "catalog", "basis", "legal", "legal_note", "promised", "case", "served", "topic",
    "result", "result_type", "certificate", "site_check", "visits", "visits_why", "says", "materials", "steps",
    "questions", "conditions", "level", "form", "window", "address", "hours", "contact", "complaints", "fee",
    "fee_basis", "fees", "locked", "ways", "area", "online", "special", "source", "unconfirmed", "to_confirm",
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One item of the pack: its key, the key of its unit, and its body."""

    key: str
    unit: str
    body: dict[str, Any] = field(hash=False)

    @property
    def fingerprint(self) -> str:
        """SM3 of what it says."""
        return sheets.fingerprint(self.body)


def read(district: Pack) -> list[Entry]:
    """Every item of the pack. Raises PackError, which names the file, the entry and what is wrong with it."""
    folder = district.folder / "items"
    if not folder.is_dir():
        return []
    issued.read(district)
    materials = {row["key"]: row for row in district.toml(MATERIALS).get("material", ())}
    defaults = district.toml(SERVICES)["defaults"]
    laws = {row["name"]: row for row in district.toml(LAWS).get("law", ())}
    found: dict[str, Entry] = {}
    for path in sorted(folder.glob("*.toml")):
        table = district.toml(f"items/{path.name}")
        for row in table.get("item", ()):
            entry = _entry(
                row, table, defaults, materials, laws, f"items/{path.name} 的 {row.get('key', '?')}"
            )
            if entry.key in found:
                raise PackError(f"items/{path.name}：事项 {entry.key} 出现了两次。")
            found[entry.key] = entry
    return list(found.values())


def _entry(
    row: dict, table: dict, defaults: dict, materials: dict[str, dict], laws: dict[str, dict], where: str
) -> Entry:
    if strange := sorted(row.keys() - _KEYS):
        raise PackError(f"{where}：不认识 {'、'.join(strange)}。")
    for name in ("key", "name", "type", "unit", "served"):
        if not row.get(name):
            raise PackError(f"{where}：缺少 {name}。")
    if row["type"] not in TASK_TYPES:
        raise PackError(f"{where}：事项类型 {row['type']} 不在 {'、'.join(TASK_TYPES)} 里。")
    if strange := sorted(set(row["served"]) - set(SERVED)):
        raise PackError(f"{where}：不认识服务对象 {'、'.join(strange)}。")
    legal, promised = _term(row.get("legal"), where), _term(row.get("promised"), where)
    visits = row.get("visits")
    bases = [_basis(one) for one in row.get("basis", "").split("；") if one]
    immediate = promised is not None and promised[1] == "spot"
    whole = row.get("online", visits == 0) and visits == 0
    given = defaults | row
    ways = given.get("ways", list(WAYS))
    version = ItemVersion(
        name=row["name"],
        catalog_code=row.get("catalog", ""),
        task_type=row["type"],
        level=str(row.get("level", "4")),
        conditions=row.get("conditions", ""),
        legal_amount=legal[0] if legal else None,
        legal_unit=legal[1] if legal else "",
        legal_note=row.get("legal_note", ""),
        promised_amount=promised[0] if promised else None,
        promised_unit=promised[1] if promised else "",
        project_type=ItemVersion.IMMEDIATE if immediate else ItemVersion.PROMISED,
        review="spot" if immediate else "after",
        special_procedure=row.get("special", ""),
        served=" ".join(row["served"]),
        person_topics=row.get("topic", "") if "person" in row["served"] else "",
        organisation_topics=row.get("topic", "") if set(row["served"]) - {"person"} else "",
        ways=" ".join(ways),
        visits=visits,
        visits_why=row.get("visits_why", ""),
        online=row.get("online", "online" in ways),
        mobile=whole,
        depth="4" if whole else "3" if row.get("online", "online" in ways) else "1",
        address=given.get("address", ""),
        hours=given.get("hours", ""),
        contact=given.get("contact", ""),
        complaints=given.get("complaints", ""),
        area=given.get("area", ""),
        express="post" in ways,
        fee=bool(row.get("fee")),
        fee_basis=row.get("fee_basis", ""),
        result=row.get("result", ""),
        result_type=row.get("result_type") or _result_type(row.get("result", "")),
        case_kind=row.get("case", ""),
        certificate_type=row.get("certificate", ""),
        site_check=bool(row.get("site_check")),
        form=row.get("form", "service_item"),
        window_unit=row.get("window", ""),
        says="\n".join(row.get("says", ())),
        locked=" ".join(row.get("locked", table.get("locked", defaults["locked"]))),
        source=row.get("source", table.get("source", "")),
        unconfirmed="；".join(_to_confirm(row, table, bases, laws)),
    )
    body = sheets.Sheet(version).body()
    body["bases"] = bases
    body["materials"] = [_material(one, materials, where) for one in row.get("materials", ())]
    for kind in ("steps", "fees", "questions"):
        body[kind] = [_row(kind, one, where) for one in row.get(kind, ())]
    return Entry(row["key"], row["unit"], body)


def _term(text: str | None, where: str) -> tuple[int, str] | None:
    """A limit as the pack writes it: "20 工作日", "45 日", "当场". Raises PackError."""
    if text is None:
        return None
    if text == "当场":
        return 0, "spot"
    found = _TERM.fullmatch(text)
    if not found:
        raise PackError(f"{where}：时限应写成“20 工作日”“45 日”“4 小时”“2 个月”或“当场”，现在是“{text}”。")
    return int(found[1]), _UNITS[found[2]]


def _result_type(name: str) -> str:
    """The result type that a result's name implies (检查 P03–P05)."""
    if name.endswith(("证", "证书", "执照")):
        return "certificate"
    if name.endswith(("批复", "批文")):
        return "approval"
    return "document" if name.endswith("文") else "other" if name else ""


def _basis(text: str) -> dict[str, str]:
    found = _BASIS.fullmatch(text)
    return {"law": found[1] or text, "article": found[2] if found[1] else ""}


def _to_confirm(row: dict, table: dict, bases: list[dict[str, str]], laws: dict[str, dict]):
    """What must still be confirmed: what the file says, and the grounds whose text nobody compared."""
    if row.get("unconfirmed", table.get("unconfirmed")):
        yield row.get("to_confirm", table.get("to_confirm", "待确认"))
    unread = [f"{one['law']}{one['article']}" for one in bases if not _compared(one, laws)]
    if unread:
        yield f"未对照原文的依据和由它规定的期限：{'、'.join(unread)}"


def _compared(basis: dict[str, str], laws: dict[str, dict]) -> bool:
    law = laws.get(basis["law"])
    cited = set(_ARTICLE.findall(basis["article"]))
    return law is not None and bool(cited) and not cited & set(law.get("unread", ()))


def _row(kind: str, given: dict, where: str) -> dict[str, Any]:
    names = sheets.row_columns(kind)
    if strange := sorted(given.keys() - set(names)):
        raise PackError(f"{where} 的 {kind}：不认识 {'、'.join(strange)}。")
    blank = sheets.ROWS[kind](**given)
    return {name: getattr(blank, name) for name in names}


def _material(given: str | dict, materials: dict[str, dict], where: str) -> dict[str, Any]:
    one = {"key": given} if isinstance(given, str) else given
    known = materials.get(one["key"])
    if known is None:
        raise PackError(f"{where}：{MATERIALS} 里没有材料 {one['key']}。")
    row = ItemMaterial(
        key=known["key"],
        name=one.get("name", known["name"]),
        necessity=one.get("necessity", "must"),
        channel=_CHANNELS[known.get("channel", "own")],
        issuer=known.get("issuer", ""),
        free=one.get("free", known.get("free", "none")),
        source=known.get("source_key", ""),
        certificate_type=known.get("certificate", ""),
        notes=one.get("notes", known.get("notes", "")),
        basis=one.get("basis", ""),
        local=bool(one.get("local")),
    )
    return {name: getattr(row, name) for name in sheets.row_columns("materials")}


def load_items(district: Pack) -> int:
    """Make the pack's items known; returns how many versions were added. Raises PackError."""
    seen = set(ItemVersion.objects.exclude(fingerprint="").values_list("item__key", "fingerprint"))
    waiting = [one for one in read(district) if (one.key, one.fingerprint) not in seen]
    if waiting:
        take_in(SYSTEM, entries=placed(waiting))
    return len(waiting)


def placed(entries: Iterable[Entry]) -> list[tuple[str, int, dict[str, Any]]]:
    """Entries with their units. Raises PackError for a unit that does not exist."""
    tree, held = directory.units(), dict(Item.objects.values_list("key", "unit_id"))
    found = []
    for entry in entries:
        unit = tree.by_key(entry.unit)
        if unit is None:
            raise PackError(f"事项 {entry.key} 的实施主体 {entry.unit} 不在 units.toml 里。")
        found.append((entry.key, held.get(entry.key, unit.id), entry.body))
    return found
