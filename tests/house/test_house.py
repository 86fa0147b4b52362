"""The program as it is, under the guards of `tools/guards.py`. A finding says what to do."""

import ast
import inspect
import io
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import guards
import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader
from django.template import engines
from django.template.loader import get_template
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver
from ninja.operation import PathView

from liangzhu.kernel.actions import all_actions
from liangzhu.kernel.events import all_events, all_handlers
from liangzhu.kernel.pack import pack
from liangzhu.kernel.policies import all_policies
from liangzhu.kernel.ui import nav
from liangzhu.site import config

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
HERE = Path(__file__).parent

MACHINE_CLOCK = ["kernel.LogLeaf.recorded_at"]
"""Fields that take the machine's time on purpose: when a leaf was really written."""

TIME_SOURCES = [
    "src/liangzhu/kernel/now.py",
    "src/liangzhu/kernel/events.py",
    "src/liangzhu/kernel/limits.py",
    "src/liangzhu/kernel/replay.py",
    "src/liangzhu/kernel/keys.py",
    "src/liangzhu/kernel/log/sequencer.py",
    "src/liangzhu/kernel/worker.py",
    "src/liangzhu/kernel/outbox.py",
    "src/liangzhu/kernel/inbox.py",
    "src/liangzhu/beams/people/applications/tokens.py",
    "src/liangzhu/site/doctor.py",
    "src/liangzhu/site/health.py",
    "src/liangzhu/beams/trust/certificates/actions.py",
    "src/liangzhu/beams/people/access/lockout.py",
    "src/liangzhu/beams/people/access/middleware.py",
    "src/liangzhu/beams/people/access/tokens.py",
    "src/liangzhu/beams/people/residents/sessions.py",
    "src/liangzhu/beams/people/codes/checking.py",
    "src/liangzhu/adapters/service_code/client.py",
    "src/liangzhu/adapters/service_code/simulator.py",
    "src/liangzhu/adapters/province_identity/simulator.py",
    "src/liangzhu/adapters/city_exchange/signing.py",
]
"""Where the machine's clock is read on purpose: the source itself, deliveries and leases, the age of keys, lock-out, sessions and tokens, and
what is signed for another system."""


def clean(findings: list[str]) -> None:
    """Fail with one finding a line."""
    if findings:
        pytest.fail("\n".join(findings), pytrace=False)


@cache
def layers() -> guards.Layers:
    return guards.Layers.read(ROOT / ".importlinter")


@cache
def own_apps() -> dict[str, str]:
    """Label -> dotted name, the longest names first."""
    found = {each.label: each.name for each in apps.get_app_configs() if each.name.startswith("liangzhu.")}
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def app_of(module: str) -> str:
    """The app that a module belongs to."""
    return next((name for name in own_apps().values() if f"{module}.".startswith(f"{name}.")), module)


def label_of(module: str) -> str:
    """The label of the app that a module belongs to."""
    return {name: label for label, name in own_apps().items()}.get(app_of(module), module)


def sources(*suffixes: str, tests: bool = False) -> list[tuple[str, str, str]]:
    """(app, path below the root, text) of the program's files."""
    found = []
    for path in sorted(SRC.glob("liangzhu/**/*")):
        if path.suffix in suffixes and "dist" not in path.parts and "node_modules" not in path.parts:
            module = ".".join(path.relative_to(SRC).with_suffix("").parts)
            found.append((app_of(module), str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")))
    return found


@cache
def routes() -> list[tuple[str, object]]:
    """(route, view) of every address."""

    def walk(patterns, before=""):
        for each in patterns:
            here = before + str(each.pattern)
            if isinstance(each, URLResolver):
                yield from walk(each.url_patterns, here)
            elif isinstance(each, URLPattern):
                # What the API answers at one address are several operations, each with a policy of its own.
                known = (
                    inspect.getclosurevars(each.callback).nonlocals.get("self")
                    if here.startswith("api/")
                    else None
                )
                if isinstance(known, PathView):
                    for operation in known.operations:
                        yield f"{'/'.join(operation.methods)} {here}", operation.view_func
                else:
                    yield here, each.callback

    return list(walk(get_resolver().url_patterns))


@cache
def names() -> guards.Names:
    """Who owns templates and route names."""

    def walk(resolver, before=""):
        for each in resolver.url_patterns:
            if isinstance(each, URLResolver):
                yield from walk(each, f"{before}{each.namespace}:" if each.namespace else before)
            elif each.name:
                yield before + each.name

    return guards.Names(own_apps(), frozenset(walk(get_resolver())))


def ours(registry: dict, module_of) -> dict:
    """Without what other tests registered in the same process."""
    return {name: each for name, each in registry.items() if module_of(each).startswith("liangzhu.")}


def test_relations_point_down():
    clean(guards.relations_down(apps.get_models(include_auto_created=True), layers()))


def test_migrations_depend_down():
    known = {each.label: each.name for each in apps.get_app_configs()}
    migrations = MigrationLoader(None).disk_migrations
    clean(guards.migrations_down(migrations, known, layers()))


def test_migrations_have_no_drift(db):
    said = io.StringIO()
    try:
        call_command("makemigrations", check=True, dry_run=True, stdout=said, stderr=said)
    except SystemExit:
        pytest.fail(said.getvalue())


def test_no_field_takes_the_machines_time_unseen():
    clean(guards.machine_clock_fields(apps.get_models(), MACHINE_CLOCK))


def test_templates_lead_down():
    pages = [
        (app, path.split("/templates/")[1], text)
        for app, path, text in sources(".html")
        if "/templates/" in path
    ]
    assert pages
    clean(guards.templates_down(pages, names(), layers()))


def test_every_template_compiles():
    engine = engines["django"]
    for _, path, text in sources(".html"):
        name = path.split("/templates/")[1]
        assert get_template(name).template.source == text, f"{name} is hidden by a template of the same name"
        engine.from_string(text)


def test_python_names_lead_down():
    clean(guards.python_names_down(sources(".py"), names(), layers()))


def test_pages_ask_queries():
    clean(guards.pages_ask_queries(sources(".py")))


def test_every_route_has_a_policy():
    listed = tomllib.loads((HERE / "third_party_routes.toml").read_text(encoding="utf-8"))
    reasons = {each["route"]: each["reason"] for each in listed["route"]}
    clean(guards.routes_have_policy(routes(), all_policies(), reasons))


def test_what_people_type_is_sealed():
    listed = tomllib.loads((HERE / "plain_texts.toml").read_text(encoding="utf-8"))
    known = {}
    for each in listed["because"]:
        for name in each["fields"]:
            assert name not in known, f"{name} is declared twice"
            known[name] = each["reason"]
    clean(guards.texts_sealed(apps.get_models(), known))


def test_navigation_leads_to_routes_and_policies_that_exist():
    for entry in nav.entries():
        assert entry.url in names().routes, entry
        assert entry.policy is None or entry.policy in all_policies(), entry


def test_every_policy_carries_the_label_of_its_app():
    for name, policy in ours(all_policies(), lambda policy: policy.ask.__module__).items():
        assert name.split(".")[0] == label_of(policy.ask.__module__), f"{name} in {policy.ask.__module__}"


def test_every_action_asks_a_policy_and_carries_the_label_of_its_app():
    known = ours(all_actions(), lambda run: run.__module__)
    assert len(known) > 20
    clean(guards.actions_are_sound(known, label_of))


def test_every_event_has_an_owner_and_every_handler_its_event():
    known = ours(all_events(), lambda cls: cls.__module__)
    handlers = ours(all_handlers(), lambda handler: handler.run.__module__)
    assert len(known) > 5
    clean(guards.events_are_sound(known, handlers, label_of))


def test_time_comes_from_one_place():
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--no-cache", "src"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    texts = [(path, text) for _, path, text in sources(".py")]
    clean(guards.unknown_noqa(texts, "TID251", TIME_SOURCES))


def test_every_setting_is_documented():
    declared = {
        name: setting.default.replace(str(ROOT), "<程序目录>") for name, setting in config.SETTINGS.items()
    }
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    clean(guards.settings_documented(declared, page))


def test_settings_are_read_in_one_place():
    """Nobody but `site.config` looks into the environment for a setting of ours."""
    for _, path, text in sources(".py"):
        if path.startswith("src/liangzhu/site/"):
            continue
        for node in ast.walk(ast.parse(text)):
            assert not (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")), path


def test_no_value_of_the_district_stands_in_code():
    district = pack().district
    words = {
        district["name"],
        district["short"],
        district["region_code"],
        district["city_name"].removesuffix("市"),
        district["city_code"],
        *(series["prefix"] for series in district["document_series"]),
        *(value for value in district.get("portal", {}).values() if isinstance(value, str)),
    }
    words = {word for word in words if len(word) < 20}
    texts = [(path, text) for _, path, text in sources(".py", ".html", ".toml", ".js", ".css", ".md", ".svg")]
    clean(guards.words_absent(texts, words))


def test_every_app_is_one_folder_with_its_readme():
    for label, name in own_apps().items():
        folder = SRC / Path(*name.split("."))
        assert folder.name == label, name
        if name.startswith(("liangzhu.beams.", "liangzhu.pillars.")):
            assert (folder / "README.md").is_file(), f"{name} has no README.md"


def test_every_folder_of_a_beam_or_of_the_pillars_is_an_installed_app():
    folders = [*SRC.glob("liangzhu/beams/*/*/"), *SRC.glob("liangzhu/pillars/*/")]
    wanted = {
        ".".join(folder.relative_to(SRC).parts) for folder in folders if (folder / "__init__.py").exists()
    }
    assert wanted <= set(own_apps().values())


def test_every_bench_has_its_row(root):
    page = (root / "bench" / "README.md").read_text(encoding="utf-8")
    names = {file.stem for file in (root / "bench").glob("[a-z]*.py")}
    assert names == set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
