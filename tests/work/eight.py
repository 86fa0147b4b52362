"""Eight kinds of matter as declarations (`kinds/*.toml`), opened and moved by staff of a small town."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.directory.models import Unit, UnitSpell
from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters import clocks, engine, kinds, process, registry, timers
from liangzhu.beams.work.matters.models import Clock, Entry, Matter, Notice, Part
from liangzhu.kernel import releases
from liangzhu.kernel.now import SHANGHAI, at
from liangzhu.kernel.releases import next_number
from liangzhu.kernel.worker import drain
from liangzhu.pillars.programme.models import PlanDocument, PlanTask

from .conftest import FROM, District, _open

FOLDER = Path(__file__).parent / "kinds"
PLAN_TASK = Path(kinds.__file__).parents[3] / "pillars/programme/processes/plan_task.toml"


@dataclass(frozen=True)
class Spec:
    """How a kind is opened: its parties by unit name, who opens it, what is filled in."""

    parties: dict[str, str]
    holder: str
    data: dict[str, Any] = field(default_factory=dict)
    due_on: date | None = None
    roles: dict[str, tuple[str, ...]] = field(default_factory=dict)


KINDS = {
    "licence": Spec({"organ": "甲局"}, "organ", {"received_on": "2022-10-20", "what": "餐饮服务许可"}),
    "bundle": Spec(
        {"window": "督办室", "government": "区府办", "market": "甲局", "health": "乙局", "fire": "丙局"},
        "window",
    ),
    "hotline": Spec({"centre": "督办室"}, "centre", {"class": "help", "text": "路灯不亮"}),
    "grid_event": Spec({"centre": "督办室"}, "centre", {"class": "quick", "text": "井盖缺失"}),
    "data_request": Spec(
        {"requester": "甲局", "provider": "乙局", "authority": "督办室"},
        "provider",
        {"sharing": "conditional", "basis": "某条例第三条", "scene": "核验资格"},
    ),
    "joint_review": Spec(
        {
            "lead": "督办室",
            "builder": "甲局",
            "plan": "督办室",
            "security": "乙局",
            "cipher": "丙局",
            "technique": "丁局",
            "money": "戊局",
        },
        "lead",
    ),
    "document": Spec({"drafter": "甲局", "office": "督办室"}, "drafter", due_on=date(2022, 11, 30)),
    "plan_task": Spec(
        {"lead": "甲局", "office": "督办室"},
        "lead",
        due_on=date(2022, 12, 31),
        roles={"督办室": ("programme.office", "programme.office_head")},
    ),
}
"""The eight, and beside them `bundle_case`: what a bundle consists of."""

FILES = {key: PLAN_TASK if key == "plan_task" else FOLDER / f"{key}.toml" for key in (*KINDS, "bundle_case")}


if "kinds.number_document" not in registry.effects:

    @registry.effect("kinds.number_document")
    def number_document(act, matter, params, data, transition) -> None:
        """What the pillar of documents would bring itself: the number of a paper, which it keeps."""
        with engine.joined(act, matter, "kinds.number", "编号") as change:
            known = Entry.objects.filter(matter=matter, transition="number").order_by("id").first()
            year = clocks.local_day(change.at).year
            number = f"海政发〔{year}〕{next_number('kinds.document', year)}号"
            change.said.append(known.note.splitlines()[-1] if known else f"发文字号：{number}")


class Town:
    """The district of the tests with more units, its people by unit and rank, and the eight kinds in force."""

    def __init__(self, district: District, monkeypatch):
        self.district = district
        for n, name in enumerate(("丙局", "丁局", "戊局", "区府办")):
            row = Unit.objects.create(key=f"more{n}", kind=Unit.DEPARTMENT)
            UnitSpell.objects.create(
                unit=row, name=f"示例区{name}", short_name=name, valid_from=FROM, source="测试"
            )
            district.units[name] = row.pk
        for key, path in FILES.items():
            text = path.read_text(encoding="utf-8")
            parsed = process.parse(text, path.name)
            monkeypatch.setitem(kinds._kinds, key, kinds.Kind(key, parsed.title, key))
            process.pin(releases.seed(process.RELEASE_KIND, key, text, path.name))
        self.people: dict[tuple[str, str], directory.Staff] = {}
        for unit in district.units:
            self.who(unit), self.who(unit, "head")

    def who(self, unit: str, rank: str = "officer") -> directory.Staff:
        """``officer`` and ``second`` are officers of a unit, ``head`` heads it and may do what heads may."""
        if (unit, rank) not in self.people:
            more = {role for spec in KINDS.values() for role in spec.roles.get(unit, ())}
            roles = ("matters.head",) if rank == "head" else ("matters.officer",)
            post = self.district.post(unit, *roles, *sorted(more), title=rank, head=rank == "head")
            person = self.district.person(f"{unit}{rank}", post)
            self.people[unit, rank] = self.district.staff(person, post)
        return self.people[unit, rank]

    def open(self, kind: str, when: str = "2022-10-20 09:00", title: str = "示例", **data) -> "Case":
        """Open a matter of a kind."""
        spec = KINDS[kind]
        unit = spec.parties[spec.holder]
        with at(when):
            matter = _open(
                self.who(unit),
                kind=kind,
                title=title,
                parties={name: self.district.units[one] for name, one in spec.parties.items()},
                holding_unit_id=self.district.units[unit],
                due_on=spec.due_on,
                data={name: value for name, value in {**spec.data, **data}.items() if value is not None},
            )
            if kind == "plan_task":
                plan, _ = PlanDocument.objects.get_or_create(
                    title="示例计划", defaults={"created_at": matter.opened_at}
                )
                PlanTask.objects.create(
                    document=plan,
                    article_no=PlanTask.objects.count() + 1,
                    title=title,
                    lead_unit_id=self.district.units[unit],
                    matter=matter,
                )
        self.run(when)
        return Case(self, matter)

    def run(self, when: str) -> None:
        """What the worker does at an instant: timers, then what was announced, until nothing is left."""
        with at(when):
            timers.fire_owed()
            drain()


@dataclass
class Case:
    """One matter, and what happens to it."""

    town: Town
    matter: Matter

    def units(self) -> dict[str, int]:
        return dict(self.matter.parties.values_list("name", "unit_id"))

    def unit(self, party: str) -> str:
        ids = {pk: name for name, pk in self.town.district.units.items()}
        return ids[self.units()[party]]

    def do(self, when: str, who: str, step: str, part: Part | None = None, worker: bool = True, **data):
        """A step by "party" (its officer), "party.head" or "party.second"; with "@甲局" the unit is named itself."""
        party, _, rank = who.partition(".")
        unit = party[1:] if party.startswith("@") else self.unit(party)
        if worker:
            self.town.run(when)
        with at(when):
            matters.step(
                self.town.who(unit, rank or "officer"),
                matter_id=self.matter.pk,
                transition=step,
                data=data,
                part_id=part.pk if part else None,
            )
            if worker:
                drain()
        self.matter.refresh_from_db()
        return self

    def part_of(self, unit: str) -> Part:
        return Part.objects.get(matter=self.matter, unit_id=self.town.district.units[unit])

    def answer(self, when: str, unit: str, step: str, rank: str = "officer", **data):
        """A step of the part of a unit."""
        return self.do(when, f"@{unit}.{rank}", step, part=self.part_of(unit), **data)

    def after(self, when: str):
        """Let the worker run at an instant."""
        self.town.run(when)
        self.matter.refresh_from_db()
        return self

    @property
    def state(self) -> str:
        self.matter.refresh_from_db()
        return self.matter.state

    def clock(self, name: str) -> Clock:
        return Clock.objects.filter(matter=self.matter, name=name).order_by("-id").first()

    def last_day(self, name: str) -> str:
        return str(clocks.last_day(self.clock(name).due_at))

    def due(self, name: str) -> str:
        """The end of a clock to the minute, Shanghai time."""
        return f"{self.clock(name).due_at.astimezone(SHANGHAI):%m-%d %H:%M}"

    def running(self) -> set[str]:
        rows = Clock.objects.filter(matter=self.matter, stopped_at=None)
        return set(rows.values_list("name", flat=True))

    def entry(self, step: str) -> Entry:
        return Entry.objects.filter(matter=self.matter, transition=step).order_by("-id").first()

    def told(self, who: str) -> list[str]:
        party, _, rank = who.partition(".")
        unit = party[1:] if party.startswith("@") else self.unit(party)
        rows = Notice.objects.filter(matter=self.matter, post=self.town.who(unit, rank or "officer").post_id)
        return [row.title for row in rows.order_by("id")]

    def child(self, title: str) -> "Case":
        (found,) = [row for row in Matter.objects.filter(parent=self.matter) if row.title.startswith(title)]
        return Case(self.town, found)
