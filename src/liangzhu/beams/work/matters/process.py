"""Processes (流程) as data, read and checked: states, transitions, who may, guards and effects by name, clocks,
timers, triggers, parts, children.

A process is one TOML file. Its text is kept as a `Release` and never changes; a matter ends under the release
it began with. A process that could strand a matter is refused with file and line: an unreachable state, a
path without an end, a state in which neither a person nor a timer may act, a clock that would run on after the
end, a timer that could not fire where its clock runs, children that wait for each other, an unknown guard,
effect, role or party.
"""

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache

from liangzhu.beams.people.directory.api import all_roles
from liangzhu.beams.work.decisions import api as decisions
from liangzhu.beams.work.matters import registry
from liangzhu.beams.work.matters.grammar import (
    CLOCK_UNITS,
    EVERY,
    FIELD_TYPES,
    OPENING,
    Amounts,
    Child,
    ClockMoves,
    ClockRule,
    Field,
    Flow,
    Process,
    Since,
    State,
    Timer,
    Transition,
    Trigger,
    Use,
    Who,
)
from liangzhu.beams.work.matters.models import Pin
from liangzhu.kernel import releases
from liangzhu.kernel.errors import NotThere, Problem
from liangzhu.kernel.log import sm3
from liangzhu.kernel.models import Release

RELEASE_KIND = "process"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_EVENT = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")

Pins = dict[tuple[str, str], int]
"""The versions that a release pins: by word ("guard", "effect", "condition") and name."""


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


def parse(text: str, file: str = "process.toml", pins: Pins | None = None) -> Process:
    """Read and check a process. Raises ProcessError with every fault found.

    With ``pins`` guards, effects and conditions are meant in those versions, else in their newest.
    """
    return _Reader(text, file, pins or {}).process()


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
    pins = {
        (kind, name): int(mark)
        for kind, name, mark in Pin.objects.filter(release=pk, kind__in=registry.TABLES).values_list(
            "kind", "name", "mark"
        )
    }
    return replace(parse(release.body, release.origin or release.key, pins), release=release.number)


@lru_cache(maxsize=512)
def _by_id(pk: int) -> Process:
    return of_release(Release.objects.only("pk", "fingerprint").get(pk=pk))


def pinned_form(release_id: int, key: str) -> str:
    """The fingerprint of a form as a release pinned it; of the one in force for a release without pins."""
    found = (
        Pin.objects.filter(release=release_id, kind="form", name=key).values_list("mark", flat=True).first()
    )
    return found or registry.form_source.fingerprint(key) or ""


def pinned_rule(release_id: int, key: str) -> int | None:
    """The release of a decision table as a release of a process pinned it; None for one without pins."""
    mark = (
        Pin.objects.filter(release=release_id, kind="rule", name=key).values_list("mark", flat=True).first()
    )
    rows = Release.objects.filter(kind="rule", key=key, fingerprint=mark).order_by("-number")
    return rows.values_list("pk", flat=True).first()


def pin(release: Release) -> str:
    """Write down, once, what a release means by the names it uses; returns the hash of the edition.

    It covers the text of the process, the hash of each form and decision table, and the version of each guard, effect and
    condition.
    """
    known = Pin.objects.filter(release=release, kind=Pin.EDITION).values_list("mark", flat=True).first()
    if known:
        return known
    process = parse(release.body, release.origin or release.key)
    marks = {(kind, use.name): str(use.version) for kind, use in process.uses()}
    marks |= {("rule", key): decisions.in_force(key).fingerprint for key in process.tables()}
    marks |= {("form", key): registry.form_source.fingerprint(key) or "" for key in process.forms()}
    lines = [release.fingerprint, *(f"{kind} {name} {mark}" for (kind, name), mark in sorted(marks.items()))]
    edition = sm3("\n".join(lines).encode())
    marks[Pin.EDITION, release.key] = edition
    Pin.objects.bulk_create(
        Pin(release=release, kind=kind, name=name, mark=mark) for (kind, name), mark in marks.items()
    )
    return edition


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

    def __init__(self, text: str, file: str, pins: Pins):
        self.text, self.file, self.pins = text, file, pins
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
        needed = {"key", "title", "kind", "initial", "states", "transitions"}
        more = {"parties", "clocks", "parts", "opening", "timers", "triggers", "children"}
        self.keys(raw, "", needed | more, needed)
        self.stop()
        for name in ("key", "kind"):
            self.name(raw[name], "", raw[name])
        self.parties = dict(raw.get("parties", {}))
        self.clocks = {name: self.clock(name, body) for name, body in raw.get("clocks", {}).items()}
        self.part_states = {name: list(body.get("states", {})) for name, body in raw.get("parts", {}).items()}
        self.states = list(raw["states"])
        self.steps = [body.get("name") for body in raw["transitions"]]
        self.child_names = list(raw.get("children", {}))
        flow = self.flow("", raw["title"], raw)
        started = {name for step in flow.transitions.values() for name in step.clocks.start}
        for name, clock in self.clocks.items():
            self.clocks[name] = replace(clock, at_open=clock.at_open or name not in started)
        parts = {}
        for name, body in raw.get("parts", {}).items():
            self.name(name, f"parts.{name}", name)
            block = f"parts.{name}"
            needed = {"title", "initial", "states", "transitions"}
            self.keys(body, block, {*needed, "due"}, needed)
            self.stop()
            parts[name] = self.flow(name, body["title"], body)
        opening, opening_form, opening_since = self.opening(raw.get("opening"))
        timers = self.timers(raw.get("timers", []), flow)
        triggers = self.triggers(raw.get("triggers", []), flow)
        children = {
            name: self.child(name, body, raw["kind"]) for name, body in raw.get("children", {}).items()
        }
        self.stop()
        fired = {timer.step for timer in timers.values()} | {trigger.step for trigger in triggers}
        for each in (flow, *parts.values()):
            self.check_graph(each, fired)
        self.check_amounts(flow, opening)
        running = self.check_clocks(flow)
        self.check_timers(flow, timers, running)
        self.check_triggers(flow, triggers)
        self.check_children(flow, children)
        self.stop()
        return Process(
            key=raw["key"],
            title=raw["title"],
            kind=raw["kind"],
            parties=self.parties,
            flow=flow,
            clocks=self.clocks,
            parts=parts,
            opening=opening,
            opening_form=opening_form,
            opening_since=opening_since,
            timers=timers,
            triggers=triggers,
            children=children,
        )

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
        needed = {"kind", "title", "unit"}
        self.keys(body, block, {*needed, "amount", "warn", "at_open", "field", "of"}, needed)
        kind, unit, amount = body.get("kind"), body.get("unit"), body.get("amount", 0)
        if kind not in (None, "promised", "legal"):
            self.fault(block, "kind", f"时限种类 {kind!r} 应为 promised（承诺）或 legal（法定）")
        if unit not in (None, *CLOCK_UNITS):
            self.fault(block, "unit", f"时限单位 {unit!r} 应为 {'、'.join(CLOCK_UNITS)} 之一")
        amounts = self.amounts(block, unit, amount) if isinstance(amount, dict) else None
        if unit == "date" and amount:
            self.fault(block, "amount", "指定日期的时限不写 amount")
        elif unit not in (None, "date") and amounts is None and (type(amount) is not int or amount < 1):
            self.fault(block, "amount", "amount 应为正整数")
        of = body.get("of", "")
        if of and not self.known_party(of):
            self.fault(block, "of", f"时限 {name!r} 的 of 指向没有声明的参与方 {of!r}，请写进 [parties]")
        return ClockRule(
            name=name,
            kind=kind or "promised",
            title=body.get("title", name),
            unit=unit or "workday",
            amount=amount if type(amount) is int else 0,
            warn=self.measure(body["warn"], block, "warn") if "warn" in body else None,
            at_open=bool(body.get("at_open", False)),
            field=body.get("field", "due_on"),
            amounts=amounts,
            of=of,
        )

    def amounts(self, block: str, unit: str | None, body: dict) -> Amounts:
        """{field="kind", by={a=1, b={hours=2}}, otherwise=5} or {rule="app.name", …}."""

        def one(value: object, word: str) -> tuple[str, int]:
            if type(value) is int and value >= 1:
                return (unit or "workday", value)
            return self.measure(value, block, word) or ("workday", 1)

        if "rule" in body:
            rule = body["rule"]
            if rule not in registry.measures:
                known = "、".join(sorted(registry.measures))
                self.fault(block, str(rule), f"没有登记名为 {rule!r} 的时长规则，已登记：{known}")
            if "table" in body:
                self.table(block, body["table"], body.get("output"))
            return Amounts(rule=rule, params={key: value for key, value in body.items() if key != "rule"})
        self.keys(body, block, {"field", "by", "otherwise"}, {"field", "by"})
        return Amounts(
            of_field=body.get("field", ""),
            by={key: one(value, key) for key, value in body.get("by", {}).items()},
            otherwise=one(body["otherwise"], "otherwise") if "otherwise" in body else None,
        )

    def measure(self, body: object, block: str, word: str) -> tuple[str, int] | None:
        """{workdays=1}, {days=1}, {workhours=1} or {hours=1} as (unit, amount)."""
        if isinstance(body, dict) and len(body) == 1:
            ((unit, amount),) = body.items()
            if (
                unit in ("workdays", "days", "workhours", "hours")
                and type(amount) is int
                and (amount > 0 or (word == "warn" and amount == 0))
            ):
                return unit.removesuffix("s"), amount
        self.fault(block, word, f"{word} 应写成 {{workdays=1}}、{{days=1}}、{{workhours=1}} 或 {{hours=1}}")
        return None

    def flow(self, part: str, title: str, raw: dict) -> Flow:
        prefix = f"parts.{part}." if part else ""
        states = {}
        for name, body in raw["states"].items():
            block = f"{prefix}states.{name}"
            self.name(name, block, name)
            self.keys(body, block, {"title", "final", "order", "turn", "failed"}, {"title"})
            if body.get("failed") and not body.get("final"):
                self.fault(block, "failed", f"状态“{name}”不是终结状态，不写 failed")
            turn = body.get("turn", "")
            if turn and not self.known_party(turn):
                self.fault(
                    block, "turn", f"状态“{name}”的 turn 指向没有声明的参与方 {turn!r}，请写进 [parties]"
                )
            states[name] = State(
                name,
                body.get("title", name),
                bool(body.get("final")),
                body.get("order"),
                turn,
                bool(body.get("failed")),
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
            "form",
            "announce",
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
            guards=self.uses(block, part, body.get("guards", []), "guard", names),
            effects=self.uses(block, part, body.get("effects", []), "effect", names),
            fields=fields,
            clocks=self.moves(block, name, body.get("clocks", {}), fields),
            form=self.form(block, body.get("form", "")),
            announce=body.get("announce", ""),
        )
        if step.announce and not _EVENT.fullmatch(step.announce):
            self.fault(block, "announce", f"步骤 {name!r} 的 announce 应写成 app.name")
        if not step.who:
            self.fault(block, "who", f"步骤 {name!r} 没有人可以办")
        return step

    def who(self, block: str, step: str, part: str, body: dict) -> Who:
        self.keys(body, block, {"party", "holding", "role", "roles", "head", "system", "applicant"})
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
            applicant=bool(body.get("applicant")),
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

    def form(self, block: str, key: str) -> str:
        """A form that is named by key must be known to the app that keeps forms."""
        if key and (registry.form_source is None or registry.form_source.fingerprint(key) is None):
            self.fault(block, key, f"没有名为 {key!r} 的表单")
        return key

    def table(self, block: str, key: str, output: str | None) -> None:
        """A decision table that is named must be in force, and answer what is asked."""
        try:
            found = decisions.in_force(key)
        except NotThere:
            self.fault(block, str(key), f"没有名为 {key!r} 的决策表")
            return
        if output not in {column.name for column in found.outputs}:
            self.fault(block, str(output), f"决策表 {key!r} 没有名为 {output!r} 的输出")

    def uses(
        self, block: str, part: str, bodies: list[dict], kind: str, fields: Iterable[str]
    ) -> tuple[Use, ...]:
        return tuple(use for body in bodies if (use := self.use(block, part, body, kind, fields)) is not None)

    def use(self, block: str, part: str, body: dict, kind: str, fields: Iterable[str]) -> Use | None:
        table, word = registry.TABLES[kind], _WORDS[kind]
        name = body.get("name", "")
        params = {key: value for key, value in body.items() if key != "name"}
        if name not in table:
            self.fault(
                block, str(name), f"没有登记名为 {name!r} 的{word}，已登记：{'、'.join(sorted(table))}"
            )
            return None
        version = self.pins.get((kind, name), table[name].version)
        rule = table.versions.get((name, version))
        if rule is None:
            self.fault(block, str(name), f"{word} {name!r} 的第 {version} 版已不在程序里，本版流程还要用它")
            return None
        if rule.whole and part:
            self.fault(block, name, f"{word} {name!r} 只用于事项本身的步骤")
        for key in rule.needs:
            if key not in params:
                self.fault(block, name, f"{word} {name!r} 缺少参数 {key!r}")
        if "table" in params and "table" in (*rule.needs, *rule.takes):
            self.table(block, params["table"], params.get("output"))
        known = self.known(params, fields)
        for key, value in params.items():
            if key not in (*rule.needs, *rule.takes):
                self.fault(block, key, f"{word} {name!r} 没有参数 {key!r}")
                continue
            for one in value if isinstance(value, list) else [value]:
                if key in known and one not in known[key]():
                    self.fault(block, str(one), f"{word} {name!r} 的参数 {key}={one!r} 没有定义")
        return Use(name, params, version)

    def known(self, params: dict, fields: Iterable[str]) -> dict[str, Callable[[], Iterable[str]]]:
        """What parameters of these names may say."""
        found: dict[str, Callable[[], Iterable[str]]] = {
            "part": lambda: self.part_states,
            "clock": lambda: self.clocks,
            "field": lambda: fields,
            "step": lambda: self.steps,
            "steps": lambda: self.steps,
            "since": lambda: self.steps,
            "states": lambda: self.part_states.get(params.get("part"), self.states),
            "children": lambda: self.child_names,
        }
        if self.parties:
            found["party"] = found["parties"] = lambda: self.parties
        return found

    def moves(self, block: str, step: str, body: dict, fields: tuple[Field, ...]) -> ClockMoves:
        verbs = ("start", "stop", "suspend", "resume")
        self.keys(body, block, {*verbs, "since"})
        for verb in verbs:
            for name in body.get(verb, []):
                if name == EVERY and verb == "stop":
                    continue
                if name not in self.clocks:
                    self.fault(block, name, f"步骤 {step!r} 用到没有定义的时限 {name!r}")
        since = None
        if "since" in body:
            since = self.since(block, step, body["since"], fields)
            if not body.get("start"):
                self.fault(block, "since", f"步骤 {step!r} 没有 start 任何时限，不写 since")
        return ClockMoves(
            **{verb: tuple(names) for verb, names in body.items() if verb in verbs}, since=since
        )

    def since(self, block: str, step: str, body: object, fields: tuple[Field, ...]) -> Since | None:
        """{opened=true}, {clock="x"}, {state="x"} or {field="x"}."""
        if isinstance(body, dict) and len(body) == 1:
            ((kind, name),) = body.items()
            if kind == "opened" and name is True:
                return Since("opened")
            days = [one.name for one in fields if one.type == "date" and one.required]
            known = {"clock": self.clocks, "state": self.states, "field": days}.get(kind)
            if known is not None:
                if name not in known:
                    what = {"clock": "时限", "state": "状态", "field": "必填日期字段"}[kind]
                    self.fault(block, str(name), f"步骤 {step!r} 的 since 指向没有定义的{what} {name!r}")
                return Since(kind, name)
        self.fault(block, "since", 'since 应写成 {opened=true}、{clock="…"}、{state="…"} 或 {field="…"}')
        return None

    def opening(self, body: dict | None) -> tuple[tuple[Field, ...] | None, str, Since | None]:
        """What is filled in when the matter opens, and the day in it from which the first clocks count."""
        if body is None:
            return None, "", None
        self.keys(body, "opening", {"fields", "form", "since"})
        fields = tuple(self.field("opening", one) for one in body.get("fields", []))
        since = self.since("opening", "登记", body["since"], fields) if "since" in body else None
        if since is not None and since.kind != "field":
            self.fault("opening", "since", "登记的 since 只能是 {field=…}")
        return fields, self.form("opening", body.get("form", "")), since

    def timers(self, bodies: list[dict], flow: Flow) -> dict[str, Timer]:
        found: dict[str, Timer] = {}
        anchors = ("at_end_of", "at_warn_of", "after")
        for place, body in enumerate(bodies):
            block = f"timers#{place}"
            self.keys(body, block, {"name", "title", "do", "notify", "in", *anchors}, {"name", "title"})
            name = str(body.get("name", ""))
            self.name(name, block, "name")
            if name in found:
                self.fault(block, name, f"定时 {name!r} 重名")
            if sum(anchor in body for anchor in anchors) != 1:
                self.fault(block, "", f"定时 {name!r} 要写 at_end_of、at_warn_of、after 之一")
            if ("do" in body) == ("notify" in body):
                self.fault(block, "", f"定时 {name!r} 要写 do（到时办哪一步）或 notify（到时告诉谁）之一")
            clock = body.get("at_end_of") or body.get("at_warn_of") or ""
            if clock and clock not in self.clocks:
                self.fault(block, clock, f"定时 {name!r} 用到没有定义的时限 {clock!r}")
            states = tuple(body.get("in", ()))
            for state in states:
                if state not in flow.states or flow.states[state].final:
                    self.fault(block, state, f"定时 {name!r} 的 in 应是没有终结的状态，不是 {state!r}")
            if ("after" in body) != bool(states):
                self.fault(block, "", f"定时 {name!r}：after 要和 in 一起写，at_end_of、at_warn_of 不写 in")
            step = body.get("do", "")
            if step and step not in flow.transitions:
                self.fault(block, step, f"定时 {name!r} 用到没有定义的步骤 {step!r}")
            found[name] = Timer(
                name=name,
                title=body.get("title", name),
                step=step,
                notify=tuple(self.who(block, name, "", one) for one in body.get("notify", [])),
                clock=clock,
                at_warn="at_warn_of" in body,
                after=self.measure(body["after"], block, "after") if "after" in body else None,
                states=states,
            )
        return found

    def triggers(self, bodies: list[dict], flow: Flow) -> tuple[Trigger, ...]:
        found = []
        for place, body in enumerate(bodies):
            block = f"triggers#{place}"
            self.keys(body, block, {"on", "do"}, {"on", "do"})
            on = body.get("on", "")
            use = self.use(block, "", {"name": on} if isinstance(on, str) else on, "condition", ())
            step = body.get("do", "")
            if step not in flow.transitions:
                self.fault(block, str(step), f"触发用到没有定义的步骤 {step!r}")
            elif use is not None:
                found.append(Trigger(use, step))
        return tuple(found)

    def child(self, name: str, body: dict, own_kind: str) -> Child:
        block = f"children.{name}"
        self.name(name, block, name)
        self.keys(body, block, {"title", "kind", "parties", "needs"}, {"title", "kind", "parties"})
        parties = dict(body.get("parties", {}))
        for own in parties.values():
            if not self.known_party(own):
                self.fault(block, own, f"子事项 {name!r} 用到没有声明的参与方 {own!r}，请写进 [parties]")
        if not parties:
            self.fault(block, "parties", f"子事项 {name!r} 没有写明由谁办理")
        if body.get("kind") == own_kind:
            self.fault(block, "kind", f"子事项 {name!r} 不能和本事项同种类")
        for other in body.get("needs", []):
            if other not in self.child_names:
                self.fault(block, other, f"子事项 {name!r} 的前置 {other!r} 没有定义")
        return Child(
            name, body.get("title", name), body.get("kind", ""), parties, tuple(body.get("needs", ()))
        )

    # -- checking -------------------------------------------------------------------------------------------

    def check_graph(self, flow: Flow, fired: set[str]) -> None:
        """Every state is reachable, every path ends, and in every state that is not an end a person may act, or
        a timer or trigger does.
        """
        prefix = f"parts.{flow.name}." if flow.name else ""
        fired = set() if flow.name else fired
        for place, step in enumerate(flow.transitions.values()):
            if not step.by_person and step.name not in fired:
                self.fault(
                    f"{prefix}transitions#{place}",
                    step.name,
                    f"步骤 {step.name!r} 只由系统办理，却没有定时或触发来办它",
                )
        live = [step for step in flow.transitions.values() if step.by_person or step.name in fired]
        edges = [(source, step.to) for step in live if step.to for source in step.sources]
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
            elif not state.final and not any(name in step.sources for step in live):
                self.fault(block, "", f"状态“{state.title}”（{name}）没有任何人可以办的步骤")
            elif name not in ending:
                self.fault(block, "", f"从状态“{state.title}”（{name}）走不到终结状态")
        if flow.initial in ends:
            self.fault(f"{prefix}states.{flow.initial}", "", "起始状态不能是终结状态")

    def check_amounts(self, flow: Flow, opening: tuple[Field, ...] | None) -> None:
        """A length that hangs on a field hangs on one that is always filled in, and knows all its values."""
        for clock in self.clocks.values():
            if clock.amounts is None or clock.amounts.rule:
                continue
            block, name = f"clocks.{clock.name}", clock.amounts.of_field
            steps = [step for step in flow.transitions.values() if clock.name in step.clocks.start]
            asked = [
                one
                for fields in (opening or (), *(step.fields for step in flow.transitions.values()))
                for one in fields
                if one.name == name
            ]
            at_hand = [step for step in steps if name in {one.name for one in step.fields}]
            if not asked or (clock.at_open and name not in {one.name for one in opening or ()}):
                self.fault(block, name, f"时限 {clock.name!r} 按 {name!r} 定时长，但起算时没有填过这个字段")
            elif len(at_hand) < len(steps) and name not in {one.name for one in opening or ()}:
                self.fault(block, name, f"时限 {clock.name!r} 起算的步骤和登记时都没有字段 {name!r}")
            for one in asked:
                values = {value for value, _ in one.options}
                if clock.amounts.otherwise is None and (
                    not one.required or one.source or not values <= clock.amounts.by.keys()
                ):
                    missing = "、".join(sorted(values - clock.amounts.by.keys()))
                    self.fault(
                        block,
                        name,
                        f"时限 {clock.name!r} 没有写全 {name!r} 各种取值的时长"
                        f"{f'（缺 {missing}）' if missing else ''}，请补全或写 otherwise",
                    )

    def check_clocks(self, flow: Flow) -> dict[str, set[str]]:
        """No clock can still run when a matter ends, and only one takes the day that is given at opening.

        Returns which clocks may run in which state.
        """
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
                    after = set()
                if not after <= running.get(to, set()) or to not in running:
                    running[to] = running.get(to, set()) | after
                    waiting.append(to)
        for place, step in enumerate(flow.transitions.values()):
            for clock in sorted(late.get(step.name, ())):
                self.fault(
                    f"transitions#{place}",
                    step.name,
                    f"步骤 {step.name!r} 到终结状态时，时限 {clock!r} 可能还在走，请在 clocks.stop 里停止",
                )
        return running

    def check_timers(self, flow: Flow, timers: dict[str, Timer], running: dict[str, set[str]]) -> None:
        """What a timer does can be done by the system, without anything to fill in, wherever the timer may be
        owed; and it ends what it hangs on, so that it is not owed for ever.
        """
        for place, timer in enumerate(timers.values()):
            block = f"timers#{place}"
            if timer.clock and not any(timer.clock in clocks for clocks in running.values()):
                self.fault(block, timer.clock, f"定时 {timer.name!r} 所依的时限 {timer.clock!r} 从不起算")
            if not timer.step:
                continue
            step = flow.transitions[timer.step]
            self.check_unattended(block, f"定时 {timer.name!r}", step)
            if step.guards:
                self.fault(block, step.name, f"定时 {timer.name!r} 所办的步骤 {step.name!r} 不能带条件")
            owed = timer.states or [state for state, clocks in running.items() if timer.clock in clocks]
            for state in owed:
                if state not in step.sources:
                    self.fault(
                        block,
                        step.name,
                        f"定时 {timer.name!r} 在状态“{flow.states[state].title}”也可能到时，"
                        f"但步骤 {step.name!r} 在那里办不了",
                    )
            if timer.clock and not {timer.clock, EVERY} & set(step.clocks.stop):
                self.fault(
                    block, step.name, f"定时 {timer.name!r} 所办的步骤应结束（stop）时限 {timer.clock!r}"
                )
            if timer.states and (not step.to or step.to in timer.states):
                self.fault(block, step.name, f"定时 {timer.name!r} 所办的步骤应离开 in 所列的状态")

    def check_triggers(self, flow: Flow, triggers: tuple[Trigger, ...]) -> None:
        """What a trigger does leaves the state, and triggers alone never turn in a circle."""
        edges = []
        for place, trigger in enumerate(triggers):
            block, step = f"triggers#{place}", flow.transitions[trigger.step]
            self.check_unattended(block, "触发", step)
            edges += [(source, step.to or source) for source in step.sources]
        for place, trigger in enumerate(triggers):
            step = flow.transitions[trigger.step]
            if any(source in _spread({step.to or source}, edges) for source in step.sources):
                self.fault(
                    f"triggers#{place}", step.name, f"触发所办的步骤 {step.name!r} 会转回原来的状态，没有尽头"
                )

    def check_unattended(self, block: str, what: str, step: Transition) -> None:
        if not step.by_system:
            self.fault(block, step.name, f"{what}所办的步骤 {step.name!r} 的 who 里没有 {{ system = true }}")
        for one in step.fields:
            if one.required:
                self.fault(
                    block, step.name, f"{what}所办的步骤 {step.name!r} 有必填字段 {one.name!r}，没有人填"
                )

    def check_children(self, flow: Flow, children: dict[str, Child]) -> None:
        """Children are opened by some step, and do not wait for each other."""
        for name in children:
            edges = [(one.name, other) for one in children.values() for other in one.needs]
            if name in _spread(set(children[name].needs), edges):
                self.fault(f"children.{name}", "needs", f"子事项 {name!r} 的前置绕回到它自己")
        opened = any(
            use.name == "open_children" for step in flow.transitions.values() for use in step.effects
        )
        if children and not opened:
            first = next(iter(children))
            self.fault(f"children.{first}", "", "声明了子事项，却没有步骤用 open_children 登记它们")


_WORDS = {"guard": "条件", "effect": "动作", "condition": "触发条件"}


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
