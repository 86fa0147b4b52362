"""Guards over what import contracts cannot see: relations, migrations, templates, routes, actions, events.

Each guard is a function from what there is to a list of findings, one sentence each; an empty list is the good
answer. `tests/house/` runs them over the program, and over toy input with a planted violation.
"""

import ast
import configparser
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT_PACKAGE = "liangzhu"


# Layers -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layers:
    """The order of packages, as the import contracts declare it: container -> children, the highest first."""

    order: Mapping[str, list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Layers":
        """From the contracts of type ``layers`` of an import-linter file."""
        parser = configparser.ConfigParser()
        parser.read(path, encoding="utf-8")
        order = {}
        for name in parser.sections():
            section = parser[name]
            if section.get("type") == "layers":
                for container in section["containers"].split():
                    order[container] = [layer.strip("()") for layer in section["layers"].split()]
        return cls(order)

    def may_point(self, above: str, below: str) -> bool:
        """Whether the app ``above`` may build on the app ``below`` (dotted names).

        Strangers (Django, allauth) lie below everything.
        """
        if not below.startswith(f"{ROOT_PACKAGE}."):
            return True
        if above == below or f"{above}.".startswith(f"{below}.") or f"{below}.".startswith(f"{above}."):
            return True
        high, low = above.split("."), below.split(".")
        depth = next(n for n in range(min(len(high), len(low))) if high[n] != low[n])
        ranks = self.order.get(".".join(high[:depth]), [])
        if high[depth] not in ranks or low[depth] not in ranks:
            return False
        return ranks.index(high[depth]) < ranks.index(low[depth])


# Tables -----------------------------------------------------------------------------------------------------


def relations_down(models: Iterable[type], layers: Layers) -> list[str]:
    """Foreign keys, one-to-one and many-to-many, also those given as strings, point down or stay inside."""
    findings = []
    for model in models:
        own = _app(model)
        if not own.startswith(f"{ROOT_PACKAGE}."):
            continue
        for part in model._meta.private_fields:
            if type(part).__name__ == "GenericForeignKey":
                findings.append(f"{model.__name__}.{part.name} points anywhere; use a Ref")
        for part in [*model._meta.local_fields, *model._meta.local_many_to_many]:
            if part.remote_field is None or not hasattr(part.remote_field, "model"):
                continue
            target = _app(part.related_model)
            if not layers.may_point(own, target):
                findings.append(f"{own}: {model.__name__}.{part.name} points up to {target}")
    return findings


def _app(model: type) -> str:
    return model._meta.app_config.name


def migrations_down(
    migrations: Mapping[tuple[str, str], object], apps: Mapping[str, str], layers: Layers
) -> list[str]:
    """Migrations depend on lower apps only. ``apps`` maps a label to the app's dotted name."""
    findings = []
    for (label, name), migration in migrations.items():
        own = apps[label]
        if not own.startswith(f"{ROOT_PACKAGE}."):
            continue
        for other, _ in migration.dependencies:
            target = apps.get(other, other)
            if other != "__setting__" and not layers.may_point(own, target):
                findings.append(f"{label}.{name} depends on {other}, which lies above")
        for other, _ in migration.run_before:
            findings.append(f"{label}.{name} wants to run before {other}; let that one depend on it")
    return findings


def machine_clock_fields(models: Iterable[type], allowed: Iterable[str]) -> list[str]:
    """Fields that fill themselves with the machine's time; ``allowed`` names the known ones, "label.Model.f"."""
    known = set(allowed)
    found = {
        f"{model._meta.label}.{part.name}"
        for model in models
        if _app(model).startswith(f"{ROOT_PACKAGE}.")
        for part in model._meta.local_fields
        if getattr(part, "auto_now", False) or getattr(part, "auto_now_add", False)
    }
    return [f"{name} takes the machine's time; set it from kernel.now" for name in sorted(found - known)]


# What people type -------------------------------------------------------------------------------------------


def texts_sealed(models: Iterable[type], declared: Mapping[str, str]) -> list[str]:
    """Text columns that are neither sealed nor ``declared`` ("label.Model.field" to why no personal value stands there)."""
    plain = {
        f"{model._meta.label}.{part.name}"
        for model in models
        if _app(model).startswith(f"{ROOT_PACKAGE}.")
        for part in model._meta.local_fields
        if not part.choices and _takes_text(part)
    }
    return [
        *(
            f"{name} is plain text: make it a SealedTextField, or say in plain_texts.toml why nobody types a personal value"
            for name in sorted(plain - declared.keys())
        ),
        *(f"{name} is declared as plain text, and is none" for name in sorted(declared.keys() - plain)),
        *(f"{name} is declared without a reason" for name in sorted(declared) if not declared[name].strip()),
    ]


def _takes_text(part) -> bool:
    """Whether a column holds text, or bytes that may be text, as it was given."""
    kind = part.get_internal_type()
    sealed = {"SealedTextField", "SealedKeyField", "BlindIndexField"} & {
        cls.__name__ for cls in type(part).__mro__
    }
    return not sealed and kind in {
        "CharField",
        "TextField",
        "SlugField",
        "JSONField",
        "BinaryField",
        "FileField",
    }


# Templates and addresses ------------------------------------------------------------------------------------

_TAG = re.compile(r"{%-?\s*(extends|include|url)\s+(?:\"([^\"]+)\"|'([^']+)'|([^\s%]+))")
_NOW_TAG = re.compile(r"{%-?\s*now\b")


@dataclass(frozen=True)
class Names:
    """Who owns a template (by the first folder of its name) and a route (by its namespace)."""

    apps: Mapping[str, str]
    routes: frozenset[str]

    def owner(self, label: str) -> str | None:
        """The dotted name of the app with this label."""
        return self.apps.get(label)


def templates_down(sources: Iterable[tuple[str, str, str]], names: Names, layers: Layers) -> list[str]:
    """``extends``, ``include`` and ``url`` lead down. ``sources`` are (app, template name, text).

    A shell comes by variable (``{% extends shells.workbench %}``), and so may a registered panel.
    """
    findings = []
    for app, template, text in sources:
        if _NOW_TAG.search(text):
            findings.append(f"{template}: {{% now %}} reads the machine's clock; show today of kernel.now")
        for tag, *parts in _TAG.findall(text):
            quoted, variable = parts[0] or parts[1], parts[2]
            if tag == "url" and quoted:
                findings += _route(f"{template}: url", app, quoted, names, layers)
            elif quoted:
                owner = names.owner(quoted.split("/")[0])
                if owner and not layers.may_point(app, owner):
                    findings.append(
                        f"{template}: {tag} “{quoted}” lies above; let it come by variable or by a slot"
                    )
            elif tag == "extends" and not variable.startswith("shell"):
                findings.append(f"{template}: extends {variable}; only shells come by variable")
    return findings


def _route(where: str, app: str, route: str, names: Names, layers: Layers) -> list[str]:
    if route not in names.routes:
        return [f"{where} “{route}”: there is no such route"]
    owner = names.owner(route.split(":")[0]) if ":" in route else None
    if owner and not layers.may_point(app, owner):
        return [f"{where} “{route}” leads up to {owner}; let the upper part hand the address down"]
    return []


ROUTE_CALLS = {"reverse", "reverse_lazy", "redirect", "nav"}
TEMPLATE_CALLS = {"render", "render_to_string", "get_template"}


def python_names_down(sources: Iterable[tuple[str, str, str]], names: Names, layers: Layers) -> list[str]:
    """Routes named in ``reverse``, ``redirect`` and ``nav``, and templates named in ``render``, lead down.

    ``sources`` are (app, path, text) of Python files.
    """
    findings = []
    for app, path, text in sources:
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            words = [
                value.value
                for value in [*node.args, *(keyword.value for keyword in node.keywords)]
                if isinstance(value, ast.Constant) and isinstance(value.value, str)
            ]
            if called in ROUTE_CALLS:
                for word in words:
                    if re.fullmatch(r"[a-z_]+:[a-z_]+", word):
                        findings += _route(f"{path}:{node.lineno}", app, word, names, layers)
            elif called in TEMPLATE_CALLS:
                for word in words:
                    owner = names.owner(word.split("/")[0]) if word.endswith(".html") else None
                    if owner and not layers.may_point(app, owner):
                        findings.append(f"{path}:{node.lineno} renders “{word}”, which lies above")
    return findings


def pages_ask_queries(sources: Iterable[tuple[str, str, str]]) -> list[str]:
    """Pages read through ``queries.py``; ``Model.objects`` in a page is a hole in the scope."""
    return [
        f"{path}:{node.lineno} touches .objects; ask queries.py"
        for _, path, text in sources
        if "/pages/" in path
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and node.attr in ("objects", "_default_manager", "_base_manager")
    ]


def routes_have_policy(
    routes: Iterable[tuple[str, Callable]], policies: Iterable[str], third_party: Mapping[str, str]
) -> list[str]:
    """Every route's view carries a policy that exists, or is listed as third-party with a reason.

    ``routes`` are (route, view); ``third_party`` maps a route to the reason why it needs no policy of ours.
    """
    known, listed, findings = set(policies), dict(third_party), []
    for route, view in routes:
        name = getattr(view, "policy_name", None)
        if name is None:
            if not listed.pop(route, "").strip():
                findings.append(f"{route or '/'}: no policy, and not listed with a reason")
        elif name not in known:
            findings.append(f"{route or '/'}: the policy {name} does not exist")
        elif listed.pop(route, None):
            findings.append(f"{route or '/'}: listed as third-party although it has a policy")
    findings += [f"{route}: listed, but there is no such route without a policy" for route in listed]
    return findings


# Actions and events -----------------------------------------------------------------------------------------

_NAME = re.compile(r"[a-z]+\.[a-z]+(_[a-z]+)*")


def actions_are_sound(actions: Mapping[str, Callable], label_of: Callable[[str], str]) -> list[str]:
    """Actions are named ``label.verb_noun`` after the app they stand in, and their source asks a policy.

    ``label_of`` gives the label of the app that a module belongs to.
    """
    findings = []
    for name, run in actions.items():
        plain = inspect.unwrap(run)
        if not _NAME.fullmatch(name):
            findings.append(f"{name}: an action is named label.verb_noun")
        if name.split(".")[0] != label_of(plain.__module__):
            findings.append(f"{name} stands in {plain.__module__}; it carries the label of that app")
        if not _asks(plain):
            findings.append(f"{name} asks no policy (act.check)")
    return findings


def _asks(function: Callable, depth: int = 3) -> bool:
    """Whether the source calls ``check`` on its first parameter, itself or in a function that it hands that to."""
    first = next(iter(inspect.signature(function).parameters), None)
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Attribute) and called.attr == "check" and _is_name(called.value, first):
            return True
        if depth and node.args and _is_name(node.args[0], first):
            helper = _called(function, called)
            if helper is not None and _asks(helper, depth - 1):
                return True
    return False


def _is_name(node: ast.expr, name: str | None) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _called(function: Callable, called: ast.expr) -> Callable | None:
    """The plain function that a call names, ``helper(…)`` or ``module.helper(…)``; None for anything else."""
    found = None
    if isinstance(called, ast.Name):
        found = function.__globals__.get(called.id)
    elif isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
        found = getattr(function.__globals__.get(called.value.id), called.attr, None)
    return found if inspect.isfunction(found) else None


def events_are_sound(
    events: Mapping[str, type], handlers: Mapping[str, object], label_of: Callable[[str], str]
) -> list[str]:
    """Events carry the label of the app that announces them; every handler's event is one of them."""
    findings = [
        f"{name} is announced in {cls.__module__}; it carries the label of that app"
        for name, cls in events.items()
        if not _NAME.fullmatch(name) or name.split(".")[0] != label_of(cls.__module__)
    ]
    findings += [
        f"{key} handles {handler.event.__name__}, which nobody announces"
        for key, handler in handlers.items()
        if events.get(getattr(handler.event, "event_name", "")) is not handler.event
    ]
    return findings


# Texts ------------------------------------------------------------------------------------------------------


def words_absent(sources: Iterable[tuple[str, str]], words: Iterable[str]) -> list[str]:
    """None of the words occurs. ``sources`` are (path, text)."""
    pattern = re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)))
    return [
        f"{path}:{number} says “{hit.group()}”; that belongs into the pack"
        for path, text in sources
        for number, line in enumerate(text.splitlines(), 1)
        for hit in pattern.finditer(line)
    ]


def settings_documented(declared: Mapping[str, str], page: str) -> list[str]:
    """Each setting has its row in the page, with its default. ``declared``: name -> default."""
    rows = dict(re.findall(r"^\| `(LIANGZHU_[A-Z_]+)` \|[^|]*\| ([^|]*) \|", page, re.M))
    findings = [f"{name} is not documented" for name in declared.keys() - rows.keys()]
    findings += [
        f"{name} is documented, but there is no such setting" for name in rows.keys() - declared.keys()
    ]
    findings += [
        f"{name}: the page says {rows[name].strip()}, the program {declared[name] or '（空）'}"
        for name in declared.keys() & rows.keys()
        if rows[name].strip().strip("`") != (declared[name] or "（空）")
    ]
    return sorted(findings)


def unknown_noqa(sources: Iterable[tuple[str, str]], code: str, allowed: Iterable[str]) -> list[str]:
    """Suppressions of a lint rule stand only in the files that are known for it, and say why."""
    known = set(allowed)
    findings = []
    for path, text in sources:
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(rf"#\s*noqa:.*\b{code}\b", line):
                if path not in known:
                    findings.append(f"{path}:{number} suppresses {code}")
                elif not re.search(rf"{code}\s+-\s+\S", line):
                    findings.append(f"{path}:{number} suppresses {code} without a reason")
    return findings
