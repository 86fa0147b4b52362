"""Halls (政务大厅) and service points as the pack describes them (``halls.toml``), and what casework puts on the counter.

Titles and devices are those of the outlets of service codes, so that a roster stands in one place: the key of a hall is the
key of an outlet, a window is one of its devices.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from liangzhu.beams.people.codes import api as codes
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import NotThere, Problem
from liangzhu.kernel.now import SHANGHAI
from liangzhu.kernel.pack import Pack, PackError, pack
from liangzhu.kernel.refs import Ref

FILE = "halls.toml"


@dataclass(frozen=True)
class Business:
    """A kind of business that has a queue of its own; ``letter`` begins its numbers."""

    key: str
    title: str
    letter: str
    about: str


@dataclass(frozen=True)
class Priority:
    """Who is called before others, and on what ground."""

    key: str
    title: str
    who: str
    source: str
    unconfirmed: bool


@dataclass(frozen=True)
class Window:
    """A window of a hall, and the kinds of business that it does."""

    key: str
    businesses: tuple[str, ...]


@dataclass(frozen=True)
class Hall:
    """A hall or service point. ``hours`` are those of working days, ``weekend_hours`` those of all other days.

    ``capacity`` is the number of people for each half-hour by business; business that is not in it is not booked ahead.
    """

    key: str
    title: str
    address: str
    phone: str
    hours: tuple[tuple[time, time], ...]
    weekend_hours: tuple[tuple[time, time], ...]
    windows: tuple[Window, ...]
    capacity: dict[str, int]
    source: str
    unconfirmed: bool

    @property
    def businesses(self) -> list[Business]:
        """What one can have done here, in the order of the pack."""
        done = {key for one in self.windows for key in one.businesses}
        return [one for one in rules().businesses.values() if one.key in done]

    def window(self, key: str) -> Window | None:
        """A window by its key."""
        return next((one for one in self.windows if one.key == key), None)

    def hours_on(self, day: date) -> tuple[tuple[time, time], ...]:
        """When it is open on a day, by the district's working days."""
        return self.hours if matters.work_calendar().is_workday(day) else self.weekend_hours

    def open_at(self, moment: datetime) -> bool:
        """Whether it is open at an instant."""
        local = moment.astimezone(SHANGHAI)
        return any(start <= local.time() < end for start, end in self.hours_on(local.date()))

    def slots(self, day: date) -> list[datetime]:
        """The instants at which the slots of a day begin; a slot that would not end within the hours is none."""
        step, found = timedelta(minutes=rules().slot_minutes), []
        for start, end in self.hours_on(day):
            moment, last = (datetime.combine(day, one, SHANGHAI) for one in (start, end))
            while moment + step <= last:
                found.append(moment)
                moment += step
        return found


@dataclass(frozen=True)
class Rules:
    """All that the pack says of halls. Minutes, hours, days and counts as named."""

    slot_minutes: int
    days_ahead: int
    per_person: int
    grace_minutes: int
    remind_hours: int
    calls_most: int
    ordinary_after: int
    estimate_from: int
    estimate_least: int
    source: str
    unconfirmed: bool
    priorities: dict[str, Priority]
    businesses: dict[str, Business]
    halls: dict[str, Hall]


_NUMBERS = [
    "slot_minutes",
    "days_ahead",
    "per_person",
    "grace_minutes",
    "remind_hours",
    "calls_most",
    "ordinary_after",
    "estimate_from",
    "estimate_least",
]


def _hours(given: list, hall: str) -> tuple[tuple[time, time], ...]:
    try:
        found = tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in given)
    except ValueError as wrong:
        raise PackError(f'{FILE}：{hall} 的开放时间应写成 ["09:00", "12:00"]。') from wrong
    if any(start >= end for start, end in found):
        raise PackError(f"{FILE}：{hall} 的开放时间，开始应早于结束。")
    return found


def read(district: Pack) -> Rules:
    """The halls of a pack. Raises PackError naming the entry."""
    table, outlets = district.toml(FILE), codes.outlets()
    if low := [name for name in _NUMBERS if int(table[name]) < 1]:
        raise PackError(f"{FILE}：{'、'.join(low)} 至少是 1。")
    businesses = {
        one["key"]: Business(one["key"], one["title"], one["letter"], one["about"])
        for one in table["business"]
    }
    if len({one.letter for one in businesses.values()}) != len(businesses):
        raise PackError(f"{FILE}：每种业务的 letter 不能重复。")
    halls = {}
    for one in table["hall"]:
        outlet = outlets.get(one["key"])
        if outlet is None:
            raise PackError(f"{FILE}：{one['key']} 不是 codes.toml 里的网点。")
        windows = tuple(Window(row["key"], tuple(row["businesses"])) for row in one["window"])
        for row in windows:
            if row.key not in outlet.devices:
                raise PackError(f"{FILE}：{one['key']} 的窗口 {row.key} 不在 codes.toml 的设备里。")
            if unknown := set(row.businesses) - set(businesses):
                raise PackError(f"{FILE}：窗口 {row.key} 的业务 {'、'.join(sorted(unknown))} 没有定义。")
        halls[one["key"]] = Hall(
            one["key"],
            outlet.title,
            one["address"],
            one["phone"],
            _hours(one["hours"], one["key"]),
            _hours(one["weekend_hours"], one["key"]),
            windows,
            {row["business"]: int(row["people"]) for row in one.get("capacity", ())},
            one.get("source", table["source"]),
            bool(one.get("unconfirmed", table.get("unconfirmed"))),
        )
    return Rules(
        **{name: int(table[name]) for name in _NUMBERS},
        source=table["source"],
        unconfirmed=bool(table.get("unconfirmed")),
        priorities={
            one["key"]: Priority(
                one["key"], one["title"], one["who"], one["source"], bool(one.get("unconfirmed"))
            )
            for one in table["priority"]
        },
        businesses=businesses,
        halls=halls,
    )


@lru_cache(maxsize=4)
def _rules(folder: str, mark: int) -> Rules:
    return read(pack())


def rules() -> Rules:
    """What the pack in use says of halls."""
    district = pack()
    return _rules(str(district.folder), id(district))


def hall(key: str) -> Hall:
    """A hall by its key. Raises NotThere."""
    found = rules().halls.get(key)
    if found is None:
        raise NotThere("没有找到这个大厅。", todo="请从大厅列表里选择。")
    return found


class NoWindow(Problem):
    """The desk that a clerk set up is not a window of a hall."""

    code, title, status = "no_window", "还没有选窗口", 409
    todo = "请在“换窗口”里选择您坐的窗口，再开始叫号。"


def window_of(actor: Actor) -> tuple[Hall, Window]:
    """The hall and the window of a clerk, by his desk. Raises DeskNeeded, NoWindow."""
    desk = codes.desk(actor)
    if desk is None:
        raise codes.DeskNeeded()
    found = rules().halls.get(desk.outlet)
    window = found.window(desk.device) if found else None
    if found is None or window is None:
        raise NoWindow(f"{desk.device}不是叫号的窗口。")
    return found, window


# The counter ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Serving:
    """Who stands at a clerk's window now, as the scan or the document of this ticket said it; good for this ticket only.

    ``holder`` is None where a document's holder is not registered yet, ``agent`` who shows the code for another, ``came``
    whoever stands there. Names are masked. ``until`` ends what the province says of an agent without a mandate here.
    ``consented`` are "source:field,field".
    """

    ticket: Ref
    number: str
    business: str
    holder: Ref | None
    holder_kind: str
    agent: Ref | None
    came: Ref | None
    name: str
    agent_name: str
    mandate_id: int | None
    until: datetime | None
    by_document: bool
    consented: tuple[str, ...]
    scan_id: int

    @property
    def words(self) -> str:
        """Who stands there, masked as the scan showed it."""
        return f"{self.name}（{self.agent_name}）" if self.agent_name else self.name


@dataclass(frozen=True)
class Offer:
    """Something that a clerk can begin for whoever is being served; ``address`` returns "" where it does not fit."""

    key: str
    title: str
    address: Callable[[Actor, Serving], str]


_offers: dict[str, Offer] = {}


def offer_at_counter(key: str, title: str, address: Callable[[Actor, Serving], str]) -> None:
    """Put a button on the counter for whoever is being served. Raises ValueError when twice."""
    if key in _offers:
        raise ValueError(f"counter offer {key} is registered twice")
    _offers[key] = Offer(key, title, address)


def offers(actor: Actor, serving: Serving) -> list[tuple[str, str]]:
    """(title, address) of what can be begun for whoever is being served."""
    found = [(one.title, one.address(actor, serving)) for one in _offers.values()]
    return [pair for pair in found if pair[1]]
