"""The items that the pack brings: `items/*.toml` and `materials.toml`, read, checked, put into versions.

The first version of an item comes into force with the pack; an entry that changed afterwards becomes a draft for a second
person. What was edited by hand stays.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from liangzhu.beams.people.directory import api as directory
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.log import canonical, sm3
from liangzhu.kernel.now import now, today
from liangzhu.kernel.pack import Pack, PackError
from liangzhu.kernel.policies import public
from liangzhu.pillars.services.models import Item, ItemMaterial, ItemQuestion, ItemStep, ItemVersion
from liangzhu.pillars.services.models.items import TASK_TYPES

MATERIALS = "materials.toml"
_TERM = re.compile(r"(\d+) (工作日|日|小时)")
_UNITS = {"工作日": "workday", "日": "day", "小时": "hour"}
_CHANNELS = {"own": ItemMaterial.OWN, "government": ItemMaterial.GOVERNMENT, "other": ItemMaterial.OTHER}
_KEYS = {
    "key", "name", "type", "unit", "catalog", "basis", "legal", "promised", "case", "served", "topic", "result",
    "result_type", "certificate", "site_check", "visits", "visits_why", "says", "materials", "steps", "questions",
    "conditions", "level", "form", "window", "address", "hours", "contact", "complaints", "fee", "fee_basis", "locked",
    "ways", "area", "source", "unconfirmed", "to_confirm",
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One item of the pack, as columns of its version and rows below it."""

    key: str
    unit: str
    columns: dict[str, Any] = field(hash=False)
    materials: tuple[dict[str, Any], ...] = field(hash=False, default=())
    steps: tuple[dict[str, Any], ...] = field(hash=False, default=())
    questions: tuple[dict[str, Any], ...] = field(hash=False, default=())

    @property
    def fingerprint(self) -> str:
        """SM3 of what it says."""
        body = {"columns": self.columns, "materials": self.materials, "steps": self.steps}
        return sm3(canonical({**body, "questions": self.questions}).encode())


def read(district: Pack) -> list[Entry]:
    """Every item of the pack. Raises PackError, which names the file, the entry and what is wrong with it."""
    folder = district.folder / "items"
    if not folder.is_dir():
        return []
    materials = {row["key"]: row for row in district.toml(MATERIALS).get("material", ())}
    found: dict[str, Entry] = {}
    for path in sorted(folder.glob("*.toml")):
        table = district.toml(f"items/{path.name}")
        for row in table.get("item", ()):
            entry = _entry(row, table, materials, f"items/{path.name} 的 {row.get('key', '?')}")
            if entry.key in found:
                raise PackError(f"items/{path.name}：事项 {entry.key} 出现了两次。")
            found[entry.key] = entry
    return list(found.values())


def _entry(row: dict, table: dict, materials: dict[str, dict], where: str) -> Entry:
    if strange := sorted(row.keys() - _KEYS):
        raise PackError(f"{where}：不认识 {'、'.join(strange)}。")
    for name in ("key", "name", "type", "unit", "served"):
        if not row.get(name):
            raise PackError(f"{where}：缺少 {name}。")
    if row["type"] not in TASK_TYPES:
        raise PackError(f"{where}：事项类型 {row['type']} 不在 {'、'.join(TASK_TYPES)} 里。")
    legal, promised = _term(row.get("legal"), where), _term(row.get("promised"), where)
    served = " ".join(row["served"])
    visits = row.get("visits")
    immediate = promised is not None and promised[1] == "spot"
    columns = {
        "name": row["name"],
        "catalog_code": row.get("catalog", ""),
        "task_type": row["type"],
        "level": str(row.get("level", "4")),
        "basis": row.get("basis", ""),
        "conditions": row.get("conditions", ""),
        "legal_amount": legal[0] if legal else None,
        "legal_unit": legal[1] if legal else "",
        "promised_amount": promised[0] if promised else None,
        "promised_unit": promised[1] if promised else "",
        "project_type": ItemVersion.IMMEDIATE if immediate else ItemVersion.PROMISED,
        "review": "spot" if immediate else "after",
        "served": served,
        "person_topics": row.get("topic", "") if "person" in served else "",
        "organisation_topics": row.get("topic", "") if "organisation" in served else "",
        "ways": " ".join(row.get("ways", ["window", "online", "post"])),
        "visits": visits,
        "visits_why": row.get("visits_why", ""),
        "online": visits == 0,
        "mobile": visits == 0,
        "depth": "4" if visits == 0 else "3",
        "address": row.get("address", ""),
        "hours": row.get("hours", ""),
        "contact": row.get("contact", ""),
        "complaints": row.get("complaints", ""),
        "area": row.get("area", ""),
        "fee": bool(row.get("fee")),
        "fee_basis": row.get("fee_basis", ""),
        "result": row.get("result", ""),
        "result_type": row.get("result_type") or _result_type(row.get("result", "")),
        "case_kind": row.get("case", ""),
        "certificate_type": row.get("certificate", ""),
        "site_check": bool(row.get("site_check")),
        "form": row.get("form", "service_item"),
        "window_unit": row.get("window", ""),
        "says": "\n".join(row.get("says", ())),
        "locked": " ".join(row.get("locked", ())),
        "source": row.get("source", table.get("source", "")),
        "unconfirmed": row.get("to_confirm", table.get("to_confirm", "待确认"))
        if row.get("unconfirmed", table.get("unconfirmed"))
        else "",
    }
    return Entry(
        row["key"],
        row["unit"],
        columns,
        tuple(_material(place, one, materials, where) for place, one in enumerate(row.get("materials", ()))),
        tuple({"place": place, **one} for place, one in enumerate(row.get("steps", ()))),
        tuple({"place": place, **one} for place, one in enumerate(row.get("questions", ()))),
    )


def _term(text: str | None, where: str) -> tuple[int, str] | None:
    """A limit as the pack writes it: "20 工作日", "45 日", "当场". Raises PackError."""
    if text is None:
        return None
    if text == "当场":
        return 0, "spot"
    found = _TERM.fullmatch(text)
    if not found:
        raise PackError(f"{where}：时限应写成“20 工作日”“45 日”“4 小时”或“当场”，现在是“{text}”。")
    return int(found[1]), _UNITS[found[2]]


def _result_type(name: str) -> str:
    """The result type that a result's name implies (检查规则 3)."""
    if name.endswith(("证", "证书", "执照")):
        return "certificate"
    if name.endswith(("批复", "批文")):
        return "approval"
    return "document" if name.endswith("文") else "other" if name else ""


def _material(place: int, given: str | dict, materials: dict[str, dict], where: str) -> dict[str, Any]:
    one = {"key": given} if isinstance(given, str) else given
    known = materials.get(one["key"])
    if known is None:
        raise PackError(f"{where}：{MATERIALS} 里没有材料 {one['key']}。")
    return {
        "place": place,
        "key": known["key"],
        "name": one.get("name", known["name"]),
        "necessity": one.get("necessity", "must"),
        "channel": _CHANNELS[known.get("channel", "own")],
        "issuer": known.get("issuer", ""),
        "free": known.get("free", "none"),
        "source": known.get("source_key", ""),
        "certificate_type": known.get("certificate", ""),
        "basis": one.get("basis", ""),
        "local": bool(one.get("local")),
    }


def load_items(district: Pack) -> int:
    """Make the pack's items known; returns how many versions were added. Raises PackError."""
    known = dict(Item.objects.values_list("key", "pk"))
    seen = set(ItemVersion.objects.exclude(fingerprint="").values_list("item__key", "fingerprint"))
    waiting = [one for one in read(district) if (one.key, one.fingerprint) not in seen]
    if waiting:
        take_in(SYSTEM, entries=waiting, known=known)
    return len(waiting)


@action("services.take_in_items")
def take_in(act: Act, *, entries: list[Entry], known: dict[str, int]) -> None:
    """Put entries of the pack into versions: the first of an item in force, a changed one as a draft."""
    act.check(public)
    for entry in entries:
        unit = directory.units().by_key(entry.unit)
        if unit is None:
            raise PackError(f"事项 {entry.key} 的实施主体 {entry.unit} 不在 units.toml 里。")
        first = entry.key not in known
        item = (
            Item.objects.create(key=entry.key, unit_id=unit.id, created_at=now())
            if first
            else Item.objects.select_for_update().get(pk=known[entry.key])
        )
        last = ItemVersion.objects.filter(item=item).order_by("-number").first()
        version = ItemVersion.objects.create(
            item=item,
            number=last.number + 1 if last else 1,
            state=ItemVersion.IN_FORCE if first else ItemVersion.DRAFT,
            in_force_from=today(),
            drafted_by=str(act.actor.ref),
            drafted_at=now(),
            released_by=str(act.actor.ref) if first else "",
            released_at=now() if first else None,
            fingerprint=entry.fingerprint,
            **entry.columns,
        )
        ItemMaterial.objects.bulk_create(ItemMaterial(version=version, **one) for one in entry.materials)
        ItemStep.objects.bulk_create(ItemStep(version=version, **one) for one in entry.steps)
        ItemQuestion.objects.bulk_create(ItemQuestion(version=version, **one) for one in entry.questions)
        act.log(version.ref, item=entry.key, number=version.number, state=version.state)


def in_force() -> Iterator[ItemVersion]:
    """Every version in force."""
    return ItemVersion.objects.filter(state=ItemVersion.IN_FORCE).select_related("item").iterator()
