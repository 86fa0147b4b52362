"""What a process may say, as plain values. `process` reads and checks them; README.md shows how they are written."""

from collections.abc import Iterable
from dataclasses import dataclass, field

FIELD_TYPES = ("text", "longtext", "date", "files", "number", "choice", "unit", "units", "post")
CLOCK_UNITS = ("workday", "day", "month", "workhour", "hour", "date")
UNIT_WORDS = {"workday": "个工作日", "day": "日", "month": "个月", "workhour": "工作时", "hour": "小时"}
EVERY = "*"
OPENING = "open"
"""The name under which the history keeps the opening of a matter; no step may be called so."""


@dataclass(frozen=True)
class State:
    """A state. ``order`` is its place on the path (None: off the main path), ``turn`` the party whose turn it
    is. ``failed`` marks an end at which what was asked for was not given: it fulfils no prerequisite.
    """

    name: str
    title: str
    final: bool = False
    order: int | None = None
    turn: str = ""
    failed: bool = False


@dataclass(frozen=True)
class Who:
    """One alternative of who may act: a unit and any of the ``roles`` there.

    The unit is that of the ``party``, of the part (``party = "part"``), the one ``holding`` the matter, or
    any when none is given; ``head`` asks for the head of the unit; ``system`` is a timer or a trigger. ``applicant`` is
    whom the matter is about, or who acts for them now: their actor's ``principal`` is the matter's applicant.
    """

    party: str = ""
    holding: bool = False
    roles: tuple[str, ...] = ()
    head: bool = False
    system: bool = False
    applicant: bool = False

    @property
    def of_staff(self) -> bool:
        """Whether somebody at a unit is meant."""
        return not self.system and not self.applicant


@dataclass(frozen=True)
class Field:
    """One field of a step's form. A choice has ``options`` (value, label) or a registered ``source`` of them."""

    name: str
    label: str
    type: str = "text"
    required: bool = False
    help: str = ""
    options: tuple[tuple[str, str], ...] = ()
    source: str = ""
    max: int | None = None


@dataclass(frozen=True)
class Use:
    """A guard, effect or condition by name, with its parameters, and the version of it that is meant."""

    name: str
    params: dict = field(default_factory=dict, hash=False)
    version: int = 1


@dataclass(frozen=True)
class Since:
    """From when a clock counts that is started later: ``opened`` (the matter was opened), ``clock`` (that clock
    began), ``state`` (the matter came into that state), ``field`` (the day in that field of the step).
    """

    kind: str
    name: str = ""


@dataclass(frozen=True)
class ClockMoves:
    """What a step does to clocks. ``stop`` ends them, ("*",) all that run; ``suspend`` makes them stand
    still; those started count from ``since``, or from the step.
    """

    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    suspend: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    since: Since | None = None


@dataclass(frozen=True)
class Transition:
    """A step. ``to`` is empty when the state stays; ``effect_text`` tells the person what will happen.

    ``form`` is the key of a form that is kept beside the processes; ``announce`` a name under which the step
    is told to other apps.
    """

    name: str
    title: str
    effect_text: str
    sources: tuple[str, ...]
    to: str
    who: tuple[Who, ...]
    not_same_person_as: tuple[str, ...] = ()
    guards: tuple[Use, ...] = ()
    effects: tuple[Use, ...] = ()
    fields: tuple[Field, ...] = ()
    clocks: ClockMoves = ClockMoves()
    form: str = ""
    announce: str = ""

    @property
    def by_person(self) -> bool:
        """Whether a person may do it."""
        return any(not who.system for who in self.who)

    @property
    def by_system(self) -> bool:
        """Whether a timer or trigger may do it."""
        return any(who.system for who in self.who)


@dataclass(frozen=True)
class Amounts:
    """How long a clock is, when that differs: by the value of the field ``of_field`` that was filled in, or by a registered
    ``rule``. ``by`` maps values to (unit, amount); ``otherwise`` is for every other value.
    """

    of_field: str = ""
    rule: str = ""
    params: dict = field(default_factory=dict, hash=False)
    by: dict[str, tuple[str, int]] = field(default_factory=dict, hash=False)
    otherwise: tuple[str, int] | None = None


@dataclass(frozen=True)
class ClockRule:
    """A clock as declared. ``warn`` is (unit, amount), or None for the district's rule.

    ``at_open``: it starts when the matter opens; so does every clock that no step starts. A ``date`` clock
    ends on a day that is given at opening (without one it does not run), or in the field ``field`` of the
    step that starts it. ``of`` is the party whose time it is: when given, what the clock leaves behind is
    told against that party, and not as the result of the matter.
    """

    name: str
    kind: str
    title: str
    unit: str
    amount: int = 0
    warn: tuple[str, int] | None = None
    at_open: bool = False
    field: str = "due_on"
    amounts: Amounts | None = None
    of: str = ""

    @property
    def term(self) -> str:
        """The term in words: 20 个工作日."""
        if self.amounts:
            return "按填报内容确定"
        return f"{self.amount} {UNIT_WORDS[self.unit]}" if self.unit in UNIT_WORDS else "指定日期"


@dataclass(frozen=True)
class Flow:
    """States and transitions: of the process itself, or of one kind of part (``due`` is then (unit, amount)
    or None).
    """

    name: str
    title: str
    initial: str
    states: dict[str, State]
    transitions: dict[str, Transition]
    due: tuple[str, int] | None = None

    def out_of(self, state: str) -> list[Transition]:
        """The steps possible in a state, in the order of the file."""
        return [step for step in self.transitions.values() if state in step.sources]

    def path(self) -> list[State]:
        """The states of the main path in their order."""
        return sorted((s for s in self.states.values() if s.order is not None), key=lambda s: s.order)


@dataclass(frozen=True)
class Timer:
    """Something that happens by time: a ``step`` the system does, or a notice to those in ``notify``.

    It is owed when the ``clock`` ends, or with ``at_warn`` when it is near due; without a clock, ``after``
    (unit, amount) since the matter came into one of the ``states`` it is still in.
    """

    name: str
    title: str
    step: str = ""
    notify: tuple[Who, ...] = ()
    clock: str = ""
    at_warn: bool = False
    after: tuple[str, int] | None = None
    states: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trigger:
    """A ``step`` that the system does as soon as the condition ``on`` holds."""

    on: Use
    step: str


@dataclass(frozen=True)
class Child:
    """A matter of its own below this one (子事项): of which ``kind``, which of its parties is which party here, and
    which other children must be granted first.
    """

    name: str
    title: str
    kind: str
    parties: dict[str, str] = field(hash=False)
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Process:
    """A process that passed every check. ``release`` is the number of its release, 0 for a file."""

    key: str
    title: str
    kind: str
    parties: dict[str, str]
    flow: Flow
    clocks: dict[str, ClockRule]
    parts: dict[str, Flow]
    opening: tuple[Field, ...] | None = None
    opening_form: str = ""
    opening_since: Since | None = None
    timers: dict[str, Timer] = field(default_factory=dict, hash=False)
    triggers: tuple[Trigger, ...] = ()
    children: dict[str, Child] = field(default_factory=dict, hash=False)
    release: int = 0

    def opening_date_clock(self) -> ClockRule | None:
        """The clock that a due day given at opening starts."""
        return next((clock for clock in self.clocks.values() if clock.unit == "date" and clock.at_open), None)

    def flow_of(self, part_kind: str | None) -> Flow:
        """The flow of a kind of part, or of the process itself for None."""
        return self.flow if part_kind is None else self.parts[part_kind]

    def uses(self) -> Iterable[tuple[str, Use]]:
        """Every guard, effect and condition that is named, with the word for which of them it is."""
        for flow in (self.flow, *self.parts.values()):
            for step in flow.transitions.values():
                yield from (("guard", use) for use in step.guards)
                yield from (("effect", use) for use in step.effects)
        yield from (("condition", trigger.on) for trigger in self.triggers)

    def tables(self) -> list[str]:
        """The keys of the decision tables that are named."""
        named = [use.params.get("table") for _, use in self.uses()]
        named += [clock.amounts.params.get("table") for clock in self.clocks.values() if clock.amounts]
        return sorted({key for key in named if key})

    def forms(self) -> list[str]:
        """The keys of the forms that are named."""
        steps = [
            step.form for flow in (self.flow, *self.parts.values()) for step in flow.transitions.values()
        ]
        return sorted({form for form in (self.opening_form, *steps) if form})
