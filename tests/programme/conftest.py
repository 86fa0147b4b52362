"""The programme under test: the district's pack loaded once, its people as actors, tasks by the number of their article.

Everything stands in one transaction that is rolled back after the last test of this folder; each test has a savepoint.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from cssselect2 import ElementWrapper
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client, override_settings
from lxml import html

from liangzhu.beams.data.indicators import api as indicators
from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import actions as directory_actions
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.files import api as files
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.now import at, today
from liangzhu.kernel.pack import pack
from liangzhu.pillars.programme import actions
from liangzhu.pillars.programme.loading import load_plan
from liangzhu.pillars.programme.models import Clause, PlanDocument, PlanTask

ISSUED = "2022-08-26 14:00"
"""When the tests issue tasks: the day of the plan, a Friday."""


@pytest.fixture(scope="package")
def loaded(django_db_setup, django_db_blocker) -> Iterator[None]:
    """Units, people, accounts, indicators and the opened ledger of the pack, as a demonstration."""
    quick = {"PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"]}
    with override_settings(LIANGZHU_DEMO_DATE=date(2022, 10, 20), **quick):
        whole = transaction.atomic()
        with django_db_blocker.unblock():
            whole.__enter__()
            with at("2022-08-26 09:00"):
                directory.load_units(pack())
                directory.load_people(pack())
                access.load_accounts(pack())
                matters.load_processes()
                indicators.load_indicators(pack())
                load_plan(pack(), demo=True)
                # What the pack binds is measured from items; here a person reports it, so that a test says what it is.
                online = Clause.objects.get(indicator__key="services.whole_online")
                actions.bind_check(
                    access.actor_of("office"), clause_id=online.pk, indicator_key="services.online_rate_items"
                )
        yield
        with django_db_blocker.unblock():
            transaction.set_rollback(True)
            whole.__exit__(None, None, None)


@dataclass
class Desk:
    """What people do with the ledger, in one word each: always the ordinary actions, as the account that is named."""

    document: PlanDocument

    @staticmethod
    def staff(username: str, post: str | None = None) -> directory.Staff:
        """An actor by user name: a unit's officer bears its key, its head has .head after it."""
        return access.actor_of(username, post)

    @staticmethod
    def browser(username: str) -> Client:
        """A browser in which somebody has signed in."""
        client = Client()
        client.force_login(access.Account.objects.get(username=username))
        return client

    @staticmethod
    def in_role(username: str, role: str) -> directory.Staff:
        """The same person under the post that has a role."""
        account = access.Account.objects.get(username=username)
        posts = [post for post in directory.posts_open_to(account.person_id) if role in post.roles]
        return directory.staff(account.person_id, posts[0].id, account.ref)

    @staticmethod
    def second_post(person_id: int, unit: str, title: str, roles: list[str]) -> None:
        """Put somebody who is there already into one more post, from today."""
        post = directory_actions.open_post(SYSTEM, unit_id=Desk.unit(unit), title=title, roles=roles)
        directory_actions.hold_post(SYSTEM, post_id=post.pk, person_id=person_id, valid_from=today())

    @staticmethod
    def deputise(username: str, post_id: int) -> None:
        """Let somebody stand in for a post from today on, for a month."""
        person = access.Account.objects.get(username=username).person_id
        directory_actions.appoint_deputy(
            SYSTEM,
            post_id=post_id,
            person_id=person,
            valid_from=today(),
            last_day=today() + timedelta(days=30),
            reason="测试",
        )

    @staticmethod
    def unit(key: str) -> int:
        """The id of a unit."""
        return directory.units().by_key(key).id

    def task(self, no: int) -> PlanTask:
        """The task of an article, as it stands in the database now."""
        return PlanTask.objects.select_related("matter", "document").get(
            document=self.document, article_no=no
        )

    def issue(
        self, no: int, due: date | None = None, helpers: tuple[str, ...] = (), by: str = "office"
    ) -> PlanTask:
        """Issue a task, on the day it is."""
        units = [self.unit(key) for key in helpers]
        actions.issue_task(self.staff(by), task_id=self.task(no).pk, due_on=due, helper_ids=units)
        return self.task(no)

    def step(self, by: str, no: int, transition: str, part: int | None = None, **data) -> PlanTask:
        """A step of a task's matter."""
        matters.step(
            self.staff(by), matter_id=self.task(no).matter_id, transition=transition, data=data, part_id=part
        )
        return self.task(no)

    def working(self, no: int, due: date | None = None, by: str = "") -> PlanTask:
        """A task that was issued and signed for by the officer of its lead unit."""
        task = self.issue(no, due)
        return self.step(by or directory.units().get(task.lead_unit_id).key, no, "sign")

    def split(self, no: int, *steps: tuple[str, date], by: str = "") -> list[int]:
        """Split a task into steps; returns their ids."""
        task = self.task(no)
        officer = by or directory.units().get(task.lead_unit_id).key
        rows = [{"title": title, "due_on": due_on} for title, due_on in steps]
        actions.split_steps(self.staff(officer), task_id=task.pk, steps=rows)
        return list(task.steps.order_by("pk").values_list("pk", flat=True))

    def evidence(self, by: str, name: str = "材料.txt") -> list[int]:
        """A file that somebody uploaded; its id as a list."""
        return [files.stage(self.staff(by), upload=SimpleUploadedFile(name, b"proof", "text/plain")).pk]

    def closed(self, no: int, by: str = "office") -> PlanTask:
        """A task in work, reported with evidence by its officer and closed by the office."""
        officer = directory.units().get(self.task(no).lead_unit_id).key
        self.step(officer, no, "report_done", result="逐项完成。", files=self.evidence(officer))
        return self.step(by, no, "close", finding="抽查属实。")


@pytest.fixture(scope="package")
def new_desk(loaded) -> Callable[[], Desk]:
    """new_desk(): the ledger of the pack's plan, for a fixture that lasts longer than a test."""
    return lambda: Desk(PlanDocument.objects.get(number=pack().toml("plan.toml")["number"]))


@pytest.fixture
def desk(new_desk, db) -> Desk:
    """The ledger of the pack's plan, nothing issued yet."""
    return new_desk()


@pytest.fixture
def stand() -> Iterator[Callable[[str], None]]:
    """stand("2022-10-20 09:00"): from now on in this test it is then."""
    with ExitStack() as moments:
        moments.enter_context(at(ISSUED))
        yield lambda moment: moments.enter_context(at(moment))


class Node:
    """A part of a page as a reader meets it: ``find`` takes a CSS selector, ``text`` is without any white space."""

    def __init__(self, element):
        self.element = element

    def find(self, selector: str) -> list["Node"]:
        """Everything inside that matches, in the order of the page."""
        found = ElementWrapper.from_html_root(self.element).query_all(selector)
        return [Node(wrapped.etree_element) for wrapped in found]

    def one(self, selector: str) -> "Node":
        """The first that matches; there must be one."""
        found = self.find(selector)
        assert found, f"nothing on the page matches {selector}"
        return found[0]

    def get(self, name: str) -> str:
        """An attribute, empty when it is not there."""
        return self.element.get(name, "")

    @property
    def text(self) -> str:
        """What it says."""
        return re.sub(r"\s+", "", self.element.text_content())


@pytest.fixture
def page() -> Callable[..., Node]:
    """page(browser, url, status=200): a page, parsed; the status is the one expected."""

    def fetch(client: Client, url: str, status: int = 200) -> Node:
        answer = client.get(url)
        assert answer.status_code == status, (url, answer.status_code, answer.content.decode()[:400])
        return Node(html.fromstring(answer.content.decode()))

    return fetch
