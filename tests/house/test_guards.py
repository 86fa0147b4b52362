"""Each guard of `tools/guards.py` is shown to find a planted violation, and to leave what is in order alone."""

import subprocess
import sys
import textwrap
from dataclasses import dataclass
from types import SimpleNamespace

import guards
import pytest
from django.db import models
from django.test.utils import isolate_apps

from liangzhu.kernel.sealing import Sealed, SealedTextField

LAYERS = guards.Layers(
    {
        "liangzhu": ["site", "pillars", "beams", "kernel"],
        "liangzhu.beams": ["data", "work", "people"],
        "liangzhu.beams.work": ["matters", "files"],
    }
)
DIRECTORY = "liangzhu.beams.people.directory"
MATTERS = "liangzhu.beams.work.matters"
FILES = "liangzhu.beams.work.files"
PROGRAMME = "liangzhu.pillars.programme"
NAMES = guards.Names(
    {"directory": DIRECTORY, "matters": MATTERS, "programme": PROGRAMME, "ui": "liangzhu.kernel.ui"},
    frozenset({"matters:inbox", "programme:ledger", "account_login"}),
)


class TestLayers:
    @pytest.mark.parametrize(
        ("above", "below", "allowed"),
        [
            (PROGRAMME, MATTERS, True),
            (MATTERS, PROGRAMME, False),
            (MATTERS, DIRECTORY, True),
            (DIRECTORY, MATTERS, False),
            (MATTERS, FILES, True),
            (FILES, MATTERS, False),
            (MATTERS, MATTERS, True),
            ("liangzhu.kernel", "liangzhu.kernel.ui", True),
            (DIRECTORY, "django.contrib.auth", True),
            # Nobody declared an order among pillars: they never build on each other.
            ("liangzhu.pillars.services", PROGRAMME, False),
        ],
    )
    def test_the_order_of_the_contracts_is_the_order_of_everything(self, above, below, allowed):
        assert LAYERS.may_point(above, below) is allowed

    def test_the_order_is_read_from_the_contracts(self, root):
        layers = guards.Layers.read(root / ".importlinter")
        assert layers.may_point("liangzhu.beams.people.access", DIRECTORY)
        assert not layers.may_point("liangzhu.kernel", DIRECTORY)


class TestRelations:
    @isolate_apps(DIRECTORY, MATTERS)
    def test_a_key_given_as_a_string_is_found(self):
        class Case(models.Model):
            class Meta:
                app_label = "matters"

        class Post(models.Model):
            current = models.ForeignKey("matters.Case", on_delete=models.CASCADE)
            past = models.ManyToManyField("matters.Case", related_name="+")

            class Meta:
                app_label = "directory"

        found = guards.relations_down([Case, Post], LAYERS)
        assert [finding.split(" points")[0] for finding in found] == [
            f"{DIRECTORY}: Post.current",
            f"{DIRECTORY}: Post.past",
        ]

    @isolate_apps(DIRECTORY, MATTERS)
    def test_a_key_that_points_down_is_in_order(self):
        class Post(models.Model):
            class Meta:
                app_label = "directory"

        class Case(models.Model):
            post = models.OneToOneField("directory.Post", on_delete=models.CASCADE)

            class Meta:
                app_label = "matters"

        assert guards.relations_down([Case, Post], LAYERS) == []

    @isolate_apps(MATTERS)
    def test_a_clock_of_the_machine_is_found(self):
        class Case(models.Model):
            made = models.DateTimeField(auto_now_add=True)
            seen = models.DateTimeField(auto_now=True)

            class Meta:
                app_label = "matters"

        found = guards.machine_clock_fields([Case], ["matters.Case.made"])
        assert len(found) == 1
        assert "matters.Case.seen" in found[0]


class TestSealing:
    @isolate_apps(MATTERS)
    def test_a_plain_text_is_found_and_a_sealed_one_is_in_order(self):
        class Case(Sealed):
            remark = models.TextField()
            story = SealedTextField()
            state = models.CharField(max_length=4, choices=[("open", "开")])
            number = models.CharField(max_length=10)

            class Meta:
                app_label = "matters"

        assert len(guards.texts_sealed([Case], {})) == 2
        assert guards.texts_sealed([Case], {"matters.Case.remark": "why", "matters.Case.number": "why"}) == []
        found = guards.texts_sealed(
            [Case], dict.fromkeys(["matters.Case.remark", "matters.Case.number", "matters.Case.gone"], " ")
        )
        assert len(found) == 4


class TestMigrations:
    APPS = {"directory": DIRECTORY, "matters": MATTERS, "auth": "django.contrib.auth"}

    def find(self, label, **given):
        migration = SimpleNamespace(**({"dependencies": [], "run_before": []} | given))
        return guards.migrations_down({(label, "0001"): migration}, self.APPS, LAYERS)

    def test_a_dependency_upwards_is_found(self):
        assert self.find("directory", dependencies=[("matters", "0001")])
        assert self.find("directory", run_before=[("matters", "0001")])

    def test_dependencies_downwards_are_in_order(self):
        below = [("directory", "0001"), ("auth", "0001"), ("__setting__", "AUTH_USER_MODEL")]
        assert self.find("matters", dependencies=below) == []


class TestTemplates:
    @pytest.mark.parametrize(
        "text",
        [
            '{% extends "programme/base.html" %}',
            "{% include 'programme/row.html' %}",
            '{% url "programme:ledger" %}',
            '{% url "matters:nowhere" %}',
            "{% extends base %}",
            '{% now "Y" %}',
        ],
    )
    def test_a_way_up_is_found(self, text):
        assert guards.templates_down([(MATTERS, "matters/page.html", text)], NAMES, LAYERS)

    @pytest.mark.parametrize(
        "text",
        [
            "{% extends shells.workbench %}",
            '{% include "ui/field.html" %}',
            '{% url "matters:inbox" as inbox %}{% url "account_login" %}{% url name %}',
            "{% include panel.template %}",
        ],
    )
    def test_a_way_down_is_in_order(self, text):
        assert guards.templates_down([(MATTERS, "matters/page.html", text)], NAMES, LAYERS) == []


class TestPythonNames:
    @pytest.mark.parametrize(
        "text",
        [
            'reverse("programme:ledger", args=[1])',
            'urls.reverse_lazy("programme:ledger")',
            'return redirect("programme:ledger")',
            'nav(face="workbench", url="programme:ledger")',
            'render(request, "programme/ledger.html")',
            'reverse("matters:nowhere")',
        ],
    )
    def test_a_way_up_is_found(self, text):
        source = textwrap.dedent(f"def view(request):\n    {text}\n")
        assert guards.python_names_down([(MATTERS, "views.py", source)], NAMES, LAYERS)

    def test_a_way_down_is_in_order(self):
        source = 'reverse("matters:inbox")\nrender(request, "ui/problem.html")\nredirect("/work/")\n'
        assert guards.python_names_down([(PROGRAMME, "views.py", source)], NAMES, LAYERS) == []

    def test_a_page_that_goes_round_the_queries_is_found(self):
        page = (MATTERS, "matters/pages/views.py", "rows = Matter.objects.all()")
        query = (MATTERS, "matters/queries.py", "rows = Matter.objects.all()")
        assert len(guards.pages_ask_queries([page, query])) == 1


class TestRoutes:
    def find(self, view, listed=None):
        return guards.routes_have_policy([("a/", view)], ["app.read"], listed or {})

    def test_a_route_without_a_policy_is_found(self):
        assert self.find(lambda request: None)

    def test_a_policy_that_does_not_exist_is_found(self):
        assert self.find(SimpleNamespace(policy_name="app.raed"))

    def test_a_list_without_a_reason_or_without_its_route_is_found(self):
        assert self.find(lambda request: None, {"a/": " "})
        assert self.find(SimpleNamespace(policy_name="app.read"), {"b/": "gone"})
        assert self.find(SimpleNamespace(policy_name="app.read"), {"a/": "not needed"})

    def test_a_guarded_and_a_listed_route_are_in_order(self):
        assert self.find(SimpleNamespace(policy_name="app.read")) == []
        assert self.find(lambda request: None, {"a/": "open to everybody"}) == []


def checks(act, *, row):
    """An action that asks."""
    act.check("policy", row)


def checks_elsewhere(act, *, row):
    """An action that lets a helper ask."""
    return checks(act, row=row)


def forgets(act, *, row):
    """An action that asks nobody."""
    row.check("form")


def through_a_module(act, *, row):
    """An action that lets a helper of a module ask."""
    return this.checks(act, row=row)


this = sys.modules[__name__]


class TestActions:
    def find(self, name, run):
        return guards.actions_are_sound({name: run}, lambda module: "toy")

    @pytest.mark.parametrize("run", [checks, checks_elsewhere, through_a_module])
    def test_an_action_that_asks_is_in_order(self, run):
        assert self.find("toy.close_case", run) == []

    def test_an_action_that_asks_nobody_is_found(self):
        assert self.find("toy.close_case", forgets)

    @pytest.mark.parametrize("name", ["close", "other.close_case", "toy.CloseCase", "toy.close.case"])
    def test_a_wrong_name_is_found(self, name):
        assert self.find(name, checks)


@dataclass
class Closed:
    """An event."""

    subject: str
    event_name = "toy.closed"


class TestEvents:
    def test_an_event_under_another_label_is_found(self):
        assert guards.events_are_sound({"other.closed": Closed}, {}, lambda module: "toy")

    def test_a_handler_without_an_event_is_found(self):
        handlers = {"toy.do": SimpleNamespace(event=Closed)}
        assert guards.events_are_sound({}, handlers, lambda module: "toy")
        assert guards.events_are_sound({"toy.closed": Closed}, handlers, lambda module: "toy") == []


class TestTexts:
    def test_a_word_of_the_district_is_found_with_its_line(self):
        found = guards.words_absent([("a.py", "ok\n某区政府\n"), ("b.py", "ok")], ["某区", "某"])
        assert found == ["a.py:2 says “某区”; that belongs into the pack"]

    PAGE = "| `LIANGZHU_HOME` | 目录 | `var` | x |\n| `LIANGZHU_OLD` | 词 | （空） | x |\n"

    def test_settings_and_page_are_held_together(self):
        found = guards.settings_documented({"LIANGZHU_HOME": "lib", "LIANGZHU_NEW": ""}, self.PAGE)
        assert [finding.split()[0].rstrip(":") for finding in found] == [
            "LIANGZHU_HOME",
            "LIANGZHU_NEW",
            "LIANGZHU_OLD",
        ]
        assert guards.settings_documented({"LIANGZHU_HOME": "var", "LIANGZHU_OLD": ""}, self.PAGE) == []

    @pytest.mark.parametrize(
        ("path", "line", "count"),
        [
            ("known.py", "now()  # noqa: TID251 - leases run on it", 0),
            ("known.py", "now()  # noqa: TID251", 1),
            ("other.py", "now()  # noqa: TID251 - because", 1),
            ("other.py", "now()  # noqa: E501", 0),
        ],
    )
    def test_suppressions_stand_where_they_are_known_and_say_why(self, path, line, count):
        assert len(guards.unknown_noqa([(path, line)], "TID251", ["known.py"])) == count


class TestTime:
    @pytest.mark.parametrize(
        "source",
        [
            "from datetime import datetime\ndatetime.now()",
            "import datetime as d\nd.date.today()",
            "from django.utils import timezone\ntimezone.now()",
            "from time import time\ntime()",
            "from django.db.models.functions import Now",
        ],
    )
    def test_another_source_of_time_is_found_by_the_linter(self, source, tmp_path, root):
        (tmp_path / "toy.py").write_text(source + "\n")
        command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "TID251"]
        done = subprocess.run(
            [*command, "--config", str(root / "pyproject.toml"), str(tmp_path / "toy.py")],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        assert "TID251" in done.stdout
