"""Processes (流程) as data: states, transitions, who may, guards and effects by name, clocks, parts. Read and
checked here.

A process is one TOML file. Its text is kept as a `Release` and never changes; a matter ends under the release
it began with. A process that could strand a matter is refused with file and line: an unreachable state, a
path without an end, a state in which nobody may act, a clock that would run on after the end, an unknown
guard, effect, role or party.
"""

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache

from liangzhu.beams.people.directory.api import all_roles
from liangzhu.beams.work.matters import registry
from liangzhu.kernel import releases
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.models import Release

RELEASE_KIND = "process"
FIELD_TYPES = ("text", "longtext", "date", "files", "number", "choice", "unit", "units", "post")
CLOCK_UNITS = ("workday", "day", "hour", "date")
EVERY = "*"
OPENING = "open"
"""The name under which the history keeps the opening of a matter; no step may be called so."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class ProcessError(Problem):
    """A process file that cannot be used; ``faults`` are (line, message), the detail names file and line of
    each.
    """

    code, title, status = "process_error", "流程文件有误", 422
    todo = "请按所列的行修改流程文件后重新检查。"

    def __init__(self, file: str, faults: list[tuple[int, str]]):
        self.file = file
        self.faults = sorted(faults)
        super().__init__("\n".join(f"{file}:{line}: {message}" for line, message in self.faults))


@dataclass(frozen=True)
class State:
    """A state. ``order`` is its place on the path (None: off the main path), ``turn`` the party whose turn it
    is.
    """

    name: str
    title: str
    final: bool = False
    order: int | None = None
    turn: str = ""


@dataclass(frozen=True)
class Who:
    """One alternative of who may act: a unit and any of the ``roles`` there.

    The unit is that of the ``party``, of the part (``party = "part"``), the one ``holding`` the matter, or
    any when none is given; ``head`` asks for the head of the unit; ``system`` is a timer.
    """

    party: str = ""
    holding: bool = False
    roles: tuple[str, ...] = ()
    head: bool = False
    system: bool = False


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
    """A guard or effect by name, with its parameters."""

    name: str
    params: dict = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class ClockMoves:
    """What a step does to clocks. ``stop`` ends them, ("*",) all that run; ``suspend`` makes them stand
    still.
    """

    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    suspend: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()


@dataclass(frozen=True)
class Transition:
    """A step. ``to`` is empty when the state stays; ``effect_text`` tells the person what will happen."""

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


@dataclass(frozen=True)
class ClockRule:
    """A clock as declared. ``warn`` is (unit, amount), or None for the district's rule.

    ``at_open``: it starts when the matter opens; so does every clock that no step starts. A ``date`` clock
    ends on a day that is given at opening (without one it does not run), or in the field ``field`` of the
    step that starts it.
    """

    name: str
    kind: str
    title: str
    unit: str
    amount: int = 0
    warn: tuple[str, int] | None = None
    at_open: bool = False
    field: str = "due_on"


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
class Process:
    """A process that passed every check. ``release`` is the number of its release, 0 for a file."""

    key: str
    title: str
    kind: str
    parties: dict[str, str]
    flow: Flow
    clocks: dict[str, ClockRule]
    parts: dict[str, Flow]
    release: int = 0

    def opening_date_clock(self) -> ClockRule | None:
        """The clock that a due day given at opening starts."""
        return next((clock for clock in self.clocks.values() if clock.unit == "date" and clock.at_open), None)

    def flow_of(self, part_kind: str | None) -> Flow:
        """The flow of a kind of part, or of the process itself for None."""
        return self.flow if part_kind is None else self.parts[part_kind]


def parse(text: str, file: str = "process.toml") -> Process:
    """Read and check a process. Raises ProcessError with every fault found."""
    return _Reader(text, file).process()


def of_release(release: Release) -> Process:
    """The process of a release. Releases never change, so it is read once."""
    return _of_release(release.pk, release.fingerprint)


def by_release_id(release_id: int) -> Process:
    """The process of a release that is known by its id only."""
    return _by_id(release_id)


def in_force(key: str) -> tuple[Release, Process]:
    """The release of a process that is in force, and what it says. Raises NotThere."""
    release = releases.in_force(RELEASE_KIND, key)
    return release, of_release(release)


@lru_cache(maxsize=512)
def _of_release(pk: int, fingerprint: str) -> Process:
    release = Release.objects.get(pk=pk)
    return replace(parse(release.body, release.origin or release.key), release=release.number)


@lru_cache(maxsize=512)
def _by_id(pk: int) -> Process:
    return of_release(Release.objects.only("pk", "fingerprint").get(pk=pk))


def forget() -> None:
    """Empty the cache. For tests, where ids are given out again."""
    _of_release.cache_clear()
    _by_id.cache_clear()


class _Lines:
    """Where things stand in a TOML text: tables, keys and words to line numbers."""

    _HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
    _KEY = re.compile(r"^\s*([A-Za-z0-9_.\-\"]+)\s*=")

    def __init__(self, text: str):
        self.lines = text.splitlines()
        self.blocks: dict[str, tuple[int, int]] = {}
        counts: dict[str, int] = {}
        block, start = "", 1
        for number, line in enumerate(self.lines, 1):
            found = self._HEADER.match(line)
            if not found:
                continue
            self.blocks.setdefault(block, (start, number - 1))
            block, start = found[2].replace('"', "").replace(" ", ""), number
            if found[1] == "[[":
                place = counts.get(block, 0)
                counts[block] = place + 1
                block = f"{block}#{place}"
        self.blocks.setdefault(block, (start, len(self.lines)))

    def line(self, block: str, word: str = "") -> int:
        """The line of a word (a key, or a quoted value) in a block; of the block; or of the nearest block
        above it.
        """
        known = block
        while known not in self.blocks and "." in known:
            known, _, last = known.rpartition(".")
            word = word or last
        start, end = self.blocks.get(known, (1, len(self.lines)))
        if word:
            pattern = re.compile(
                rf'(^\s*"?{re.escape(word)}"?\s*=)|"{re.escape(word)}"|[{{,]\s*{re.escape(word)}\s*='
            )
            for number in range(start, end + 1):
                if pattern.search(self.lines[number - 1]):
                    return number
        return start


class _Reader:
    """One reading of one text; collects faults instead of stopping at the first."""

    def __init__(self, text: str, file: str):
        self.text, self.file = text, file
        self.where = _Lines(text)
        self.faults: list[tuple[int, str]] = []

    def fault(self, block: str, word: str, message: str) -> None:
        self.faults.append((self.where.line(block, word), message))

    def stop(self) -> None:
        if self.faults:
            raise ProcessError(self.file, self.faults)

    def process(self) -> Process:
        try:
            raw = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"line (\d+)", str(error))
            line = int(found[1]) if found else max(len(self.where.lines), 1)
            raise ProcessError(self.file, [(line, f"不是有效的 TOML：{error}")]) from None
        known = {"key", "title", "kind", "initial", "parties", "states", "transitions", "clocks", "parts"}
        self.keys(raw, "", known, {"key", "title", "kind", "initial", "states", "transitions"})
        self.stop()
        for name in ("key", "kind"):
            self.name(raw[name], "", raw[name])
        self.parties = dict(raw.get("parties", {}))
        self.clocks = {name: self.clock(name, body) for name, body in raw.get("clocks", {}).items()}
        self.part_kinds = list(raw.get("parts", {}))
        flow = self.flow("", raw["title"], raw)
        started = {name for step in flow.transitions.values() for name in step.clocks.start}
        for name, clock in self.clocks.items():
            self.clocks[name] = replace(clock, at_open=clock.at_open or name not in started)
        parts = {}
        for name, body in raw.get("parts", {}).items():
            self.name(name, f"parts.{name}", name)
            block = f"parts.{name}"
            self.keys(
                body,
                block,
                {"title", "initial", "states", "transitions", "due"},
                {"title", "initial", "states", "transitions"},
            )
            self.stop()
            parts[name] = self.flow(name, body["title"], body)
        self.stop()
        for each in (flow, *parts.values()):
            self.check_graph(each)
        self.check_clocks(flow)
        self.stop()
        return Process(raw["key"], raw["title"], raw["kind"], self.parties, flow, self.clocks, parts)

    # -- reading --------------------------------------------------------------------------------------------

    def keys(self, body: dict, block: str, known: set[str], needed: Iterable[str] = ()) -> None:
        for key in body:
            if key not in known:
                self.fault(block, key, f"不认识的键 {key!r}，可用：{'、'.join(sorted(known))}")
        for key in needed:
            if key not in body:
                self.fault(block, "", f"缺少 {key!r}")

    def name(self, text: object, block: str, word: str) -> None:
        if not isinstance(text, str) or not _NAME.fullmatch(text):
            self.fault(block, word, f"名称 {text!r} 应由小写字母、数字和下划线组成，字母开头，最多 40 个字符")

    def clock(self, name: str, body: dict) -> ClockRule:
        block = f"clocks.{name}"
        self.name(name, block, name)
        self.keys(
            body,
            block,
            {"kind", "title", "unit", "amount", "warn", "at_open", "field"},
            {"kind", "title", "unit"},
        )
        kind, unit, amount = body.get("kind"), body.get("unit"), body.get("amount", 0)
        if kind not in (None, "promised", "legal"):
            self.fault(block, "kind", f"时限种类 {kind!r} 应为 promised（承诺）或 legal（法定）")
        if unit not in (None, *CLOCK_UNITS):
            self.fault(block, "unit", f"时限单位 {unit!r} 应为 {'、'.join(CLOCK_UNITS)} 之一")
        if unit == "date" and amount:
            self.fault(block, "amount", "指定日期的时限不写 amount")
        elif unit not in (None, "date") and (type(amount) is not int or amount < 1):
            self.fault(block, "amount", "amount 应为正整数")
        return ClockRule(
            name=name,
            kind=kind or "promised",
            title=body.get("title", name),
            unit=unit or "workday",
            amount=amount if type(amount) is int else 0,
            warn=self.measure(body["warn"], block, "warn") if "warn" in body else None,
            at_open=bool(body.get("at_open", False)),
            field=body.get("field", "due_on"),
        )

    def measure(self, body: object, block: str, word: str) -> tuple[str, int] | None:
        """{workdays=1}, {days=1} or {hours=1} as (unit, amount)."""
        if isinstance(body, dict) and len(body) == 1:
            ((unit, amount),) = body.items()
            if unit in ("workdays", "days", "hours") and type(amount) is int and amount >= 0:
                return unit.removesuffix("s"), amount
        self.fault(block, word, f"{word} 应写成 {{workdays=1}}、{{days=1}} 或 {{hours=1}}")
        return None

    def flow(self, part: str, title: str, raw: dict) -> Flow:
        prefix = f"parts.{part}." if part else ""
        states = {}
        for name, body in raw["states"].items():
            block = f"{prefix}states.{name}"
            self.name(name, block, name)
            self.keys(body, block, {"title", "final", "order", "turn"}, {"title"})
            turn = body.get("turn", "")
            if turn and not self.known_party(turn):
                self.fault(
                    block, "turn", f"状态“{name}”的 turn 指向没有声明的参与方 {turn!r}，请写进 [parties]"
                )
            states[name] = State(
                name, body.get("title", name), bool(body.get("final")), body.get("order"), turn
            )
        if raw["initial"] not in states:
            self.fault(prefix.rstrip("."), "initial", f"起始状态 {raw['initial']!r} 没有定义")
        transitions: dict[str, Transition] = {}
        for place, body in enumerate(raw["transitions"]):
            block = f"{prefix}transitions#{place}"
            step = self.transition(block, part, body, states)
            if step is None:
                continue
            if step.name in transitions:
                self.fault(block, step.name, f"步骤 {step.name!r} 重名")
            transitions[step.name] = step
        for place, body in enumerate(raw["transitions"]):
            for other in body.get("not_same_person_as", []):
                if other not in transitions and other != OPENING:
                    self.fault(f"{prefix}transitions#{place}", other, f"两人规则指向没有定义的步骤 {other!r}")
        due = self.measure(raw["due"], f"parts.{part}", "due") if part and "due" in raw else None
        return Flow(part, title, raw["initial"], states, transitions, due)

    def transition(self, block: str, part: str, body: dict, states: dict[str, State]) -> Transition | None:
        known = {
            "name",
            "title",
            "effect_text",
            "from",
            "to",
            "who",
            "not_same_person_as",
            "guards",
            "effects",
            "fields",
        }
        known |= set() if part else {"clocks"}
        before = len(self.faults)
        self.keys(body, block, known, {"name", "title", "effect_text", "from", "who"})
        if len(self.faults) > before:
            return None
        name = body["name"]
        self.name(name, block, "name")
        if name == OPENING:
            self.fault(block, "name", f"步骤名 {OPENING!r} 留给登记（立项）")
        sources = body["from"]
        if sources == [EVERY]:
            sources = [state.name for state in states.values() if not state.final]
        to = body.get("to", "")
        for state in [*sources, *([to] if to else [])]:
            if state not in states:
                self.fault(block, state, f"步骤 {name!r} 用到没有定义的状态 {state!r}")
        fields = tuple(self.field(block, one) for one in body.get("fields", []))
        names = [one.name for one in fields]
        for double in {one for one in names if names.count(one) > 1}:
            self.fault(block, double, f"步骤 {name!r} 的字段 {double!r} 重名")
        step = Transition(
            name=name,
            title=body["title"],
            effect_text=body["effect_text"],
            sources=tuple(sources),
            to=to,
            who=tuple(self.who(block, name, part, one) for one in body["who"]),
            not_same_person_as=tuple(body.get("not_same_person_as", [])),
            guards=self.uses(block, body.get("guards", []), registry.guards, "条件", names),
            effects=self.uses(block, body.get("effects", []), registry.effects, "动作", names),
            fields=fields,
            clocks=self.moves(block, name, body.get("clocks", {})),
        )
        if not step.who:
            self.fault(block, "who", f"步骤 {name!r} 没有人可以办")
        return step

    def who(self, block: str, step: str, part: str, body: dict) -> Who:
        self.keys(body, block, {"party", "holding", "role", "roles", "head", "system"})
        roles = [*body.get("roles", []), *([body["role"]] if "role" in body else [])]
        known = all_roles()
        for role in roles:
            if role not in known:
                self.fault(block, role, f"步骤 {step!r} 用到没有声明的角色 {role!r}")
        party = body.get("party", "")
        if party == "part" and not part:
            self.fault(block, "part", f"步骤 {step!r} 不属于并行办理，party 不能写 part")
        elif party and party != "part" and not self.known_party(party):
            self.fault(block, party, f"步骤 {step!r} 用到没有声明的参与方 {party!r}，请写进 [parties]")
        who = Who(
            party=party,
            holding=bool(body.get("holding")),
            roles=tuple(roles),
            head=bool(body.get("head")),
            system=bool(body.get("system")),
        )
        if who == Who():
            self.fault(block, "who", f"步骤 {step!r} 的 who 里有一项没有写明是谁")
        return who

    def known_party(self, name: str) -> bool:
        """Whether a party may be named. A process without [parties] leaves them to whoever opens the matter."""
        return not self.parties or name in self.parties

    def field(self, block: str, body: dict) -> Field:
        self.keys(
            body,
            block,
            {"name", "label", "type", "required", "help", "options", "source", "max"},
            {"name", "label"},
        )
        name, kind = body.get("name", ""), body.get("type", "text")
        self.name(name, block, str(name))
        if name in ("once", "version"):
            self.fault(block, name, f"字段名 {name!r} 已被表单占用")
        if kind not in FIELD_TYPES:
            self.fault(block, str(kind), f"字段 {name!r} 的类型 {kind!r} 应为 {'、'.join(FIELD_TYPES)} 之一")
        options = tuple(
            (one, one) if isinstance(one, str) else (one["value"], one["label"])
            for one in body.get("options", [])
        )
        source = body.get("source", "")
        if (kind == "choice") != (bool(options) != bool(source)):
            self.fault(
                block, str(name), f"字段 {name!r}：choice 类型要写 options 或 source 之一，其他类型都不写"
            )
        if source and source not in registry.sources:
            self.fault(
                block,
                source,
                f"没有登记名为 {source!r} 的选项来源，已登记：{'、'.join(sorted(registry.sources))}",
            )
        return Field(
            name=name,
            label=body.get("label", name),
            type=kind,
            required=bool(body.get("required")),
            help=body.get("help", ""),
            options=options,
            source=source,
            max=body.get("max"),
        )

    def uses(
        self, block: str, bodies: list[dict], table: dict, word: str, fields: list[str]
    ) -> tuple[Use, ...]:
        found = []
        names_of: dict[str, Callable[[], Iterable[str]]] = {
            "part": lambda: self.part_kinds,
            "clock": lambda: self.clocks,
            "field": lambda: fields,
        }
        if self.parties:
            names_of["party"] = lambda: self.parties
        for body in bodies:
            name = body.get("name", "")
            params = {key: value for key, value in body.items() if key != "name"}
            rule = table.get(name)
            if rule is None:
                self.fault(
                    block, str(name), f"没有登记名为 {name!r} 的{word}，已登记：{'、'.join(sorted(table))}"
                )
                continue
            for key in rule.needs:
                if key not in params:
                    self.fault(block, name, f"{word} {name!r} 缺少参数 {key!r}")
            for key, value in params.items():
                if key not in (*rule.needs, *rule.takes):
                    self.fault(block, key, f"{word} {name!r} 没有参数 {key!r}")
                elif key in names_of and value not in names_of[key]():
                    self.fault(block, str(value), f"{word} {name!r} 的参数 {key}={value!r} 没有定义")
            found.append(Use(name, params))
        return tuple(found)

    def moves(self, block: str, step: str, body: dict) -> ClockMoves:
        self.keys(body, block, {"start", "stop", "suspend", "resume"})
        for verb, names in body.items():
            for name in names:
                if name == EVERY and verb == "stop":
                    continue
                if name not in self.clocks:
                    self.fault(block, name, f"步骤 {step!r} 用到没有定义的时限 {name!r}")
        return ClockMoves(
            **{verb: tuple(names) for verb, names in body.items() if verb in ClockMoves.__annotations__}
        )

    # -- checking -------------------------------------------------------------------------------------------

    def check_graph(self, flow: Flow) -> None:
        """Every state is reachable, every path ends, and every state that is not an end has a step."""
        prefix = f"parts.{flow.name}." if flow.name else ""
        edges = [
            (source, step.to) for step in flow.transitions.values() if step.to for source in step.sources
        ]
        reached = _spread({flow.initial}, edges)
        ends = {name for name, state in flow.states.items() if state.final}
        if not ends:
            self.fault(f"{prefix}states.{flow.initial}", "", "没有终结状态（final = true），事项永远办不完")
            return
        ending = _spread(ends, [(to, source) for source, to in edges])
        for name, state in flow.states.items():
            block = f"{prefix}states.{name}"
            if name not in reached:
                self.fault(block, "", f"状态“{state.title}”（{name}）到不了")
            elif not state.final and not flow.out_of(name):
                self.fault(block, "", f"状态“{state.title}”（{name}）没有任何人可以办的步骤")
            elif name not in ending:
                self.fault(block, "", f"从状态“{state.title}”（{name}）走不到终结状态")
        if flow.initial in ends:
            self.fault(f"{prefix}states.{flow.initial}", "", "起始状态不能是终结状态")

    def check_clocks(self, flow: Flow) -> None:
        """No clock can still run when a matter ends, and only one takes the day that is given at opening."""
        opening = {clock.name for clock in self.clocks.values() if clock.at_open}
        dated = [clock.name for clock in self.clocks.values() if clock.at_open and clock.unit == "date"]
        for name in dated[1:]:
            self.fault(
                f"clocks.{name}", "", f"时限 {dated[0]!r} 已占用登记时给出的日期，{name!r} 要由某一步 start"
            )
        running: dict[str, set[str]] = {flow.initial: set(opening)}
        waiting = [flow.initial]
        late: dict[str, set[str]] = {}
        while waiting:
            state = waiting.pop()
            for step in flow.out_of(state):
                stopped = running[state] if EVERY in step.clocks.stop else set(step.clocks.stop)
                after = (running[state] - stopped) | set(step.clocks.start)
                to = step.to or state
                if flow.states[to].final:
                    if after:
                        late.setdefault(step.name, set()).update(after)
                elif not after <= running.get(to, set()) or to not in running:
                    running[to] = running.get(to, set()) | after
                    waiting.append(to)
        for place, step in enumerate(flow.transitions.values()):
            for clock in sorted(late.get(step.name, ())):
                self.fault(
                    f"transitions#{place}",
                    step.name,
                    f"步骤 {step.name!r} 到终结状态时，时限 {clock!r} 可能还在走，请在 clocks.stop 里停止",
                )


def _spread(start: set[str], edges: list[tuple[str, str]]) -> set[str]:
    """Everything that can be reached from ``start`` along the edges."""
    reached, waiting = set(start), list(start)
    while waiting:
        here = waiting.pop()
        for source, to in edges:
            if source == here and to not in reached:
                reached.add(to)
                waiting.append(to)
    return reached
