"""The bundle planner (一件事测算): from the parts' graph the critical path, what a promise rests on, and the fewest
fields and materials. Pure: it knows no table.

Days are working days (行政许可法 §82). Natural days are taken as so many working days, which is never too few; what is
done on the spot takes none. A part may begin when all that it needs were granted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

JOINT_LIMIT, JOINT_EXTENSION = 45, 15
"""Working days for joint handling and their one extension by the head of the government (行政许可法 §42)."""


class Circular(ValueError):
    """Parts that wait for each other; ``parts`` names them."""

    def __init__(self, parts: Iterable[str]):
        self.parts = tuple(parts)
        super().__init__(f"这些事项互为前置：{'、'.join(self.parts)}。")


@dataclass(frozen=True)
class Term:
    """A limit as an item states it: ``unit`` is workday, day, month, hour or spot (当场)."""

    amount: int
    unit: str

    @property
    def workdays(self) -> int:
        """Working days that are certainly enough."""
        if self.unit == "spot":
            return 0
        if self.unit == "hour":
            return -(-self.amount // 8)
        if self.unit == "month":
            return 23 * self.amount
        return self.amount


@dataclass(frozen=True)
class Part:
    """One item in a bundle. ``steps`` is the sum of its steps' working days, None when they state none."""

    key: str
    title: str
    legal: Term | None = None
    promised: Term | None = None
    needs: frozenset[str] = frozenset()
    steps: int | None = None
    permit: bool = True


@dataclass(frozen=True)
class Doubt:
    """Why a promise cannot be proved: ``part`` is the key, "" when it is the bundle's own."""

    part: str
    why: str


@dataclass(frozen=True)
class Window:
    """When a part begins and ends at the latest, in working days after the day of acceptance."""

    begins: int
    ends: int


@dataclass(frozen=True)
class Plan:
    """What was computed. ``critical`` are the parts of the longest chain, in order.

    ``one_by_one`` is what the same parts take if done one after another: what handling in parallel saves is seen by it.
    """

    promised: dict[str, Window]
    legal: dict[str, Window]
    critical: tuple[str, ...]
    promised_days: int
    legal_days: int | None
    one_by_one: int
    limit: int | None
    doubts: tuple[Doubt, ...] = field(default_factory=tuple)

    @property
    def proved(self) -> bool:
        """Whether the promised days follow from what each part promises."""
        return not self.doubts


def plan(
    parts: Iterable[Part], *, promise: int | None = None, taken: Mapping[str, int] | None = None
) -> Plan:
    """Compute the plan. ``promise`` is what the bundle promises (working days), None to take what is computed.

    ``taken`` are the working days after acceptance on which parts really ended: the rest is planned anew from them, so that
    one department that is late, or early, moves what hangs on it. Raises Circular, KeyError for an unknown need.
    """
    known = {one.key: one for one in parts}
    order = _ordered(known)
    ended = dict(taken or {})
    promised = _windows(
        known, order, {one.key: _days(one.promised, one.legal) for one in known.values()}, ended
    )
    legal = _windows(known, order, {one.key: _days(one.legal, one.promised) for one in known.values()}, ended)
    total = max((one.ends for one in promised.values()), default=0)
    permits = sum(one.permit for one in known.values())
    limit = JOINT_LIMIT if permits > 1 else None
    lawful = all(one.legal is not None for one in known.values())
    return Plan(
        promised=promised,
        legal=legal,
        critical=_critical(known, promised),
        promised_days=total,
        legal_days=max((one.ends for one in legal.values()), default=0) if lawful else None,
        one_by_one=sum(_days(one.promised, one.legal) for one in known.values()),
        limit=limit,
        doubts=tuple(_doubts(known, total, promise, limit)),
    )


def _ordered(known: dict[str, Part]) -> list[str]:
    order: list[str] = []
    left = dict(known)
    while left:
        ready = [key for key, one in left.items() if not (one.needs & left.keys())]
        if not ready:
            raise Circular(left)
        for key in ready:
            if missing := known[key].needs - known.keys():
                raise KeyError(f"{key} needs {', '.join(sorted(missing))}, which is not in the bundle")
            order.append(key)
            del left[key]
    return order


def _days(term: Term | None, otherwise: Term | None) -> int:
    chosen = term or otherwise
    return chosen.workdays if chosen else 0


def _windows(
    known: dict[str, Part], order: list[str], days: dict[str, int], ended: dict[str, int]
) -> dict[str, Window]:
    found: dict[str, Window] = {}
    for key in order:
        begins = max((found[one].ends for one in known[key].needs), default=0)
        found[key] = Window(begins, ended.get(key, begins + days[key]))
    return found


def _critical(known: dict[str, Part], windows: dict[str, Window]) -> tuple[str, ...]:
    """Back from the part that ends last, each time to the need that let it wait longest."""
    chain: list[str] = []
    at = max(known, key=lambda key: windows[key].ends, default=None)
    while at is not None:
        chain.append(at)
        at = max(sorted(known[at].needs), key=lambda key: windows[key].ends, default=None)
    return tuple(reversed(chain))


def _doubts(known: dict[str, Part], total: int, promise: int | None, limit: int | None) -> Iterable[Doubt]:
    for one in known.values():
        if one.promised is None:
            why = "没有承诺时限，按法定时限计" if one.legal else "既没有承诺时限，也没有法定时限"
            yield Doubt(one.key, why)
            continue
        days = one.promised.workdays
        if one.legal is not None and days > one.legal.workdays:
            yield Doubt(one.key, f"承诺 {days} 日，长于法定的 {one.legal.workdays} 日")
        if one.steps is not None and one.steps > days:
            yield Doubt(one.key, f"各环节共需 {one.steps} 个工作日，承诺只有 {days} 个")
    if promise is not None and total > promise:
        yield Doubt("", f"最长的一条路要 {total} 个工作日，承诺的 {promise} 个不够")
    if limit is not None and total > limit:
        yield Doubt("", f"要 {total} 个工作日，超过联合办理的 {limit} 个（行政许可法第四十二条）")


# Fewest fields and materials ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Need:
    """What one part asks for. ``material`` is the material's key, the same for the same thing in every part.

    ``held`` says who in government has it ("" when nobody does), ``made_by`` the part whose result it is.
    """

    part: str
    material: str
    title: str
    required: bool = True
    held: str = ""
    made_by: str = ""


@dataclass(frozen=True)
class Wanted:
    """A material of the bundle, once. ``why`` says why it is not asked of the applicant; "" when it is."""

    material: str
    title: str
    parts: tuple[str, ...]
    required: bool
    why: str = ""
    made: bool = False


def fewest(needs: Iterable[Need], titles: Mapping[str, str] | None = None) -> list[Wanted]:
    """Every material once, with whom it serves; what another part makes or government holds is not asked.

    A material is required when one of the parts requires it. ``titles`` names the parts. Order: as first named.
    """
    rows = list(needs)
    parts = {one.part for one in rows}
    found: dict[str, Wanted] = {}
    for one in rows:
        why, made = "", False
        if one.made_by and one.made_by in parts and one.made_by != one.part:
            why = f"由同批办理的“{(titles or {}).get(one.made_by, one.made_by)}”产生"
            made = True
        elif one.held:
            why = f"政府已有：{one.held}"
        known = found.get(one.material)
        if known is None:
            found[one.material] = Wanted(one.material, one.title, (one.part,), one.required, why, made)
        else:
            found[one.material] = Wanted(
                one.material,
                known.title,
                (*known.parts, one.part) if one.part not in known.parts else known.parts,
                known.required or one.required,
                known.why or why,
                known.made or made,
            )
    return list(found.values())
