"""Conditions of a policy over facts of an enterprise, answered yes, no or unknown (三值逻辑). Pure: no database, no clock.

A condition compares one fact. Conditions of one ``group`` are alternatives (any of them), groups stand beside each other
(all of them). What nobody knows is unknown, not no (Kleene): 不知道 or yes is yes, 不知道 and no is no. A condition without
a fact is text that a person must judge (需人工判断): always unknown, never dropped.
"""

import calendar
import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

YES, NO, UNKNOWN = "yes", "no", "unknown"
WORDS = {YES: "符合", NO: "不符合", UNKNOWN: "还不能判断"}
NUMBER, DATE, CHOICE, MANY, INDUSTRY, YESNO = "number", "date", "choice", "many", "industry", "yesno"
OPS = {
    NUMBER: {"ge": "不少于", "le": "不超过", "gt": "多于", "lt": "少于"},
    DATE: {"from": "不早于", "to": "不晚于", "months": "已满（个月）", "within": "不超过（个月）"},
    CHOICE: {"in": "是其中之一", "out": "不是其中之一"},
    MANY: {"in": "有其中之一", "out": "没有其中任何一个"},
    INDUSTRY: {"in": "属于", "out": "不属于"},
    YESNO: {"is": "是"},
}
REGISTER, SOURCE, SELF = "register", "source", "self"
ORIGINS = {REGISTER: "登记信息", SOURCE: "政府数据", SELF: "自行填报"}
MOST = 4096
"""Combinations of alternatives that are looked at for the shortest way; beyond, the cheapest of each group is taken."""
FAR, EARLY = date(9999, 12, 31), date(1, 1, 1)


@dataclass(frozen=True)
class Fact:
    """What can be known of an enterprise. ``fixed``: nobody can change it (the day of registration). ``unit`` as in 万元."""

    key: str
    title: str
    type: str
    unit: str = ""
    options: tuple[tuple[str, str], ...] = ()
    fixed: bool = False
    help: str = ""

    def words(self, value: Any) -> str:
        """A value as people read it."""
        if self.type == YESNO:
            return "是" if value else "否"
        if self.type == NUMBER:
            return f"{Decimal(str(value)).normalize():f}{self.unit}"
        if self.type == DATE:
            return str(value)
        names = dict(self.options)
        values = value if isinstance(value, list | tuple) else [value]
        return "、".join(names.get(one, str(one)) for one in values) or "无"


@dataclass(frozen=True)
class Known:
    """A value that is known, and whence: ``origin`` register, source (with ``receipt``) or self."""

    value: Any
    origin: str = REGISTER
    title: str = ""
    at: str = ""
    receipt: str = ""

    @property
    def proven(self) -> bool:
        """Whether government itself holds it; what an enterprise says of itself is not proof."""
        return self.origin != SELF


@dataclass(frozen=True)
class Criterion:
    """One condition: ``fact`` compared by ``op`` with ``values``. ``wording`` is the sentence of the document, ``article`` where."""

    wording: str
    fact: str = ""
    op: str = ""
    values: tuple[str, ...] = ()
    group: str = ""
    article: str = ""


@dataclass(frozen=True)
class Tested:
    """What came of one condition. ``known`` is what it was tried on, ``until`` the day from which the answer may be another."""

    criterion: Criterion
    outcome: str
    known: Known | None = None
    turns: date | None = None

    @property
    def by_hand(self) -> bool:
        """Whether a person must judge it."""
        return not self.criterion.fact


@dataclass(frozen=True)
class Group:
    """Alternatives, one of which is enough."""

    tested: tuple[Tested, ...]
    outcome: str


@dataclass(frozen=True)
class Step:
    """One thing on the way to yes: ``tell`` a fact that is unknown, ``change`` one, ``wait`` until a day, ``judge`` by a person."""

    kind: str
    criterion: Criterion
    on: date | None = None


@dataclass(frozen=True)
class Verdict:
    """Whether an enterprise meets a policy. ``proven``: the yes rests on nothing that the enterprise said of itself.

    ``way`` are the fewest steps to yes, () when it is yes already, None when there is no way.
    """

    outcome: str
    groups: tuple[Group, ...]
    proven: bool
    way: tuple[Step, ...] | None

    @property
    def met(self) -> int:
        """Groups that are met."""
        return sum(one.outcome == YES for one in self.groups)

    @property
    def next_review(self) -> date | None:
        """The first day on which some answer may turn by the passing of time."""
        days = [one.turns for group in self.groups for one in group.tested if one.turns]
        return min(days, default=None)


def all_of(outcomes: Iterable[str]) -> str:
    """And: no if any is no, else unknown if any is unknown, else yes."""
    found = set(outcomes)
    return NO if NO in found else UNKNOWN if UNKNOWN in found else YES


def any_of(outcomes: Iterable[str]) -> str:
    """Or: yes if any is yes, else unknown if any is unknown, else no."""
    found = set(outcomes)
    return YES if YES in found else UNKNOWN if UNKNOWN in found else NO


def add_months(day: date, months: int) -> date:
    """The same day some months later; the last of the month where there is none (民法典 §202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def fault(one: Criterion, facts: Mapping[str, Fact]) -> str:
    """What is wrong with a condition as it was written, "" when nothing is."""
    if not one.wording.strip():
        return "请照录文件原文。"
    if not one.fact:
        return ""
    fact = facts.get(one.fact)
    if fact is None:
        return f"没有“{one.fact}”这项企业信息。"
    if one.op not in OPS[fact.type]:
        return f"“{fact.title}”可以用的比较方式是：{'、'.join(OPS[fact.type].values())}。"
    if not one.values:
        return "请写明比较的值。"
    if fact.type in (NUMBER, DATE, YESNO) and len(one.values) != 1:
        return "这种比较只写一个值。"
    try:
        for value in one.values:
            if fact.type == NUMBER and not Decimal(value).is_finite():
                return "请写数字。"
            if one.op in ("months", "within") and not (value.isdigit() and 0 < int(value) <= 1200):
                return "请写月数，最多 1200。"
            if one.op in ("from", "to"):
                date.fromisoformat(value)
    except (InvalidOperation, ValueError):
        return "请写数字。" if fact.type == NUMBER else "请写成 2022-10-20 这样的日期。"
    if fact.options and (unknown := [one for one in one.values if one not in dict(fact.options)]):
        return f"没有“{unknown[0]}”这个选项；可以写：{'、'.join(key for key, _ in fact.options)}。"
    if fact.type == YESNO and one.values[0] not in ("yes", "no"):
        return "请写 yes 或 no。"
    if fact.type == INDUSTRY and not all(_industry(value) for value in one.values):
        return "请写国民经济行业代码（GB/T 4754）：门类字母，或 2 至 4 位数字。"
    return ""


def _industry(code: str) -> bool:
    return (len(code) == 1 and "A" <= code <= "T") or (code.isdigit() and 2 <= len(code) <= 4)


SECTIONS = (
    ("A", 1, 5), ("B", 6, 12), ("C", 13, 43), ("D", 44, 46), ("E", 47, 50), ("F", 51, 52), ("G", 53, 60), ("H", 61, 62),
    ("I", 63, 65), ("J", 66, 69), ("K", 70, 70), ("L", 71, 72), ("M", 73, 75), ("N", 76, 79), ("O", 80, 82), ("P", 83, 83),
    ("Q", 84, 85), ("R", 86, 90), ("S", 91, 96), ("T", 97, 97),
)  # fmt: skip
"""Sections (门类) of GB/T 4754-2017 and the divisions (大类) in each."""


def _within(code: str, wanted: str) -> bool:
    """Whether an industry lies in another: 3912 in 39 and in C."""
    if wanted.isdigit():
        return code.startswith(wanted)
    if not code[:2].isdigit():
        return code == wanted
    return any(name == wanted and low <= int(code[:2]) <= high for name, low, high in SECTIONS)


def test(one: Criterion, facts: Mapping[str, Fact], known: Mapping[str, Known], on: date) -> Tested:
    """Try one condition on a day."""
    fact, have = facts.get(one.fact), known.get(one.fact)
    if fact is None or have is None:
        return Tested(one, UNKNOWN)
    value = have.value
    turns = None
    if fact.type == NUMBER:
        left, right = Decimal(str(value)), Decimal(one.values[0])
        met = {"ge": left >= right, "le": left <= right, "gt": left > right, "lt": left < right}[one.op]
    elif fact.type == DATE:
        day = date.fromisoformat(value)
        if one.op in ("from", "to"):
            limit = date.fromisoformat(one.values[0])
            met = day >= limit if one.op == "from" else day <= limit
        else:
            full = add_months(day, int(one.values[0]))
            met = on >= full if one.op == "months" else on <= full
            turns = full if one.op == "months" and not met else None
            if one.op == "within" and met:
                turns = full + timedelta(days=1)
    elif fact.type == YESNO:
        met = bool(value) == (one.values[0] == "yes")
    else:
        mine = value if isinstance(value, list | tuple) else [value]
        if fact.type == INDUSTRY:
            hit = any(_within(code, wanted) for code in mine for wanted in one.values)
            # A code that is coarser than what is asked says nothing: C may be 39 or not.
            if not hit and any(
                _within(wanted, code) and wanted != code for code in mine for wanted in one.values
            ):
                return Tested(one, UNKNOWN, have)
        else:
            hit = bool(set(mine) & set(one.values))
        met = hit if one.op == "in" else not hit
    return Tested(one, YES if met else NO, have, turns)


def decide(
    criteria: Iterable[Criterion], facts: Mapping[str, Fact], known: Mapping[str, Known], on: date
) -> Verdict:
    """Try all conditions on a day. No condition at all: unknown, for nobody said who may have it."""
    order: dict[str, list[Tested]] = {}
    for place, one in enumerate(criteria):
        order.setdefault(one.group or f"#{place}", []).append(test(one, facts, known, on))
    groups = tuple(Group(tuple(rows), any_of(row.outcome for row in rows)) for rows in order.values())
    outcome = all_of(one.outcome for one in groups) if groups else UNKNOWN
    proven = outcome == YES and all(
        any(row.outcome == YES and row.known.proven for row in one.tested) for one in groups
    )
    return Verdict(outcome, groups, proven, () if outcome == YES else _way(groups, facts))


def _way(groups: tuple[Group, ...], facts: Mapping[str, Fact]) -> tuple[Step, ...] | None:
    """The fewest facts to tell or change that would make every group met. A judgement of staff is no fact, and counts last."""
    choices = []
    for group in groups:
        if group.outcome == YES:
            continue
        steps = [step for row in group.tested if (step := _step(row, facts)) is not None]
        if not steps:
            return None
        choices.append(steps)
    if not choices:
        return None
    combinations = 1
    for steps in choices:
        combinations *= len(steps)
    if combinations > MOST:
        return _joined(tuple(min(steps, key=_price) for steps in choices))
    kept = [one for group in groups if group.outcome == YES for one in _fixed_terms(group)]
    best, cost = None, None
    for picked in itertools.product(*choices):
        if not agree([*kept, *(one.criterion for one in picked)], facts):
            continue
        price = sum(
            max(_price(one) for one in same)
            for _, same in itertools.groupby(sorted(picked, key=_about), key=_about)
        )
        if cost is None or price < cost:
            best, cost = picked, price
    return None if best is None else _joined(best)


def _fixed_terms(group: Group) -> list[Criterion]:
    """What a met group holds to, where it has no alternative."""
    return [group.tested[0].criterion] if len(group.tested) == 1 else []


def _about(step: Step) -> str:
    return step.criterion.fact or step.criterion.wording


def _price(step: Step) -> int:
    """To tell costs least, then a judgement, then to wait, then to change."""
    return {"tell": 100, "judge": 101, "wait": 10_000, "change": 10_001}[step.kind]


def _joined(picked: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(sorted(picked, key=lambda one: (_price(one), _about(one))))


def _step(row: Tested, facts: Mapping[str, Fact]) -> Step | None:
    if row.by_hand:
        return Step("judge", row.criterion)
    if row.outcome == UNKNOWN:
        return Step("tell", row.criterion)
    if row.turns:
        return Step("wait", row.criterion, row.turns)
    return None if facts[row.criterion.fact].fixed else Step("change", row.criterion)


def agree(criteria: Iterable[Criterion], facts: Mapping[str, Fact]) -> bool:
    """Whether some value can meet all of these at once, fact by fact (a clause that nobody can meet is dead)."""
    by_fact: dict[str, list[Criterion]] = {}
    for one in criteria:
        if one.fact in facts:
            by_fact.setdefault(one.fact, []).append(one)
    return all(_possible(facts[name], rows) for name, rows in by_fact.items())


def _possible(fact: Fact, rows: list[Criterion]) -> bool:
    if fact.type == NUMBER:
        low = max((Decimal(one.values[0]) for one in rows if one.op in ("ge", "gt")), default=None)
        high = min((Decimal(one.values[0]) for one in rows if one.op in ("le", "lt")), default=None)
        if low is None or high is None:
            return True
        strict = any(
            (one.op == "gt" and Decimal(one.values[0]) == low)
            or (one.op == "lt" and Decimal(one.values[0]) == high)
            for one in rows
        )
        return low < high or (low == high and not strict)
    if fact.type == DATE:
        low = max((date.fromisoformat(one.values[0]) for one in rows if one.op == "from"), default=EARLY)
        high = min((date.fromisoformat(one.values[0]) for one in rows if one.op == "to"), default=FAR)
        least = max((int(one.values[0]) for one in rows if one.op == "months"), default=0)
        most = min((int(one.values[0]) for one in rows if one.op == "within"), default=10**6)
        return low <= high and least <= most
    if fact.type == YESNO:
        return len({one.values[0] for one in rows}) == 1
    if fact.type == CHOICE:
        left = {key for key, _ in fact.options}
        for one in rows:
            left = left & set(one.values) if one.op == "in" else left - set(one.values)
        return bool(left)
    if fact.type == MANY:
        refused = {value for one in rows if one.op == "out" for value in one.values}
        return all(set(one.values) - refused for one in rows if one.op == "in")
    return True


def dead(criteria: Iterable[Criterion], facts: Mapping[str, Fact]) -> list[str]:
    """Titles of facts of which conditions without alternative contradict each other: nobody could ever meet them."""
    counts: dict[str, int] = {}
    rows = list(criteria)
    for one in rows:
        if one.group:
            counts[one.group] = counts.get(one.group, 0) + 1
    firm = [one for one in rows if not one.group or counts[one.group] == 1]
    names = dict.fromkeys(one.fact for one in firm if one.fact in facts)
    return [facts[name].title for name in names if not agree([o for o in firm if o.fact == name], facts)]


# Proof ----------------------------------------------------------------------------------------------------------------


def digest(body: Any) -> str:
    """SHA-256 of a body as canonical JSON (sorted keys, no blanks, UTF-8), in hex; as the offline checker computes it."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def as_json(one: Criterion) -> dict[str, Any]:
    """A condition as plain values."""
    return {
        "wording": one.wording,
        "fact": one.fact,
        "op": one.op,
        "values": list(one.values),
        "group": one.group,
        "article": one.article,
    }


def from_json(body: Mapping[str, Any]) -> Criterion:
    """The condition that `as_json` wrote."""
    return Criterion(**{**body, "values": tuple(body["values"])})


def proof(
    criteria: Iterable[Criterion], facts: Mapping[str, Fact], known: Mapping[str, Known], on: date
) -> dict[str, Any]:
    """What a decision rests on: conditions, the facts that they compare with where each comes from, and the answers."""
    rows = list(criteria)
    used = [name for name in dict.fromkeys(one.fact for one in rows) if name in known]
    verdict = decide(rows, facts, known, on)
    return {
        "on": on.isoformat(),
        "criteria": [as_json(one) for one in rows],
        "facts": {
            name: {
                "title": facts[name].title,
                "type": facts[name].type,
                "value": known[name].value,
                "origin": known[name].origin,
                "source": known[name].title,
                "at": known[name].at,
                "receipt": known[name].receipt,
            }
            for name in used
        },
        "answers": [row.outcome for group in verdict.groups for row in group.tested],
        "outcome": verdict.outcome,
        "proven": verdict.proven,
    }


def recheck(body: Mapping[str, Any]) -> bool:
    """Whether a proof says what its own conditions and facts give; what an auditor runs again."""
    facts = {name: Fact(name, one["title"], one["type"], options=()) for name, one in body["facts"].items()}
    known = {
        name: Known(one["value"], one["origin"], one["source"], one["at"], one["receipt"])
        for name, one in body["facts"].items()
    }
    criteria = [from_json(one) for one in body["criteria"]]
    verdict = decide(criteria, facts, known, date.fromisoformat(body["on"]))
    answers = [row.outcome for group in verdict.groups for row in group.tested]
    return (answers, verdict.outcome, verdict.proven) == (body["answers"], body["outcome"], body["proven"])
