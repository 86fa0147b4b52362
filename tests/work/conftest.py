"""A small district of its own: three units, a few people, and processes written as TOML in the tests."""

from dataclasses import dataclass
from datetime import date
from itertools import count

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.directory.models import (
    Deputy,
    Holding,
    Person,
    Post,
    PostRole,
    Unit,
    UnitSpell,
)
from liangzhu.beams.work.matters import api as matters
from liangzhu.beams.work.matters import clocks, kinds, process
from liangzhu.kernel import releases
from liangzhu.kernel.actions import action
from liangzhu.kernel.now import at, shanghai
from liangzhu.kernel.pack import pack
from liangzhu.kernel.policies import public
from liangzhu.kernel.refs import Ref

FROM = date(2020, 1, 1)

SIMPLE = """
key = "simple"
title = "一般事项"
kind = "simple"
initial = "received"

[parties]
lead = "承办单位"
office = "督办单位"

[states.received]
title = "待受理"
order = 1
turn = "lead"

[states.working]
title = "办理中"
order = 2
turn = "lead"

[states.checking]
title = "待核查"
order = 3
turn = "office"

[states.closed]
title = "已办结"
order = 4
final = true

[clocks.accept]
kind = "promised"
title = "受理时限"
unit = "workday"
amount = 2
warn = { workdays = 1 }

[clocks.term]
kind = "promised"
title = "办理时限"
unit = "workday"
amount = 10

[clocks.law]
kind = "legal"
title = "法定时限"
unit = "workday"
amount = 20

[[transitions]]
name = "accept"
title = "受理"
effect_text = "受理并开始计时：10 个工作日"
from = ["received"]
to = "working"
who = [{ party = "lead", roles = ["matters.officer", "matters.head"] }]
clocks = { stop = ["accept"], start = ["term", "law"] }

[[transitions]]
name = "note_progress"
title = "报进展"
effect_text = "记入进展"
from = ["working"]
who = [{ party = "lead", roles = ["matters.officer", "matters.head"] }]
fields = [
  { name = "progress", label = "进展", type = "longtext", required = true },
  { name = "files", label = "材料", type = "files" },
  { name = "when", label = "完成日期", type = "date" },
  { name = "share", label = "完成比例", type = "number", max = 100 },
  { name = "mood", label = "情况", type = "choice", options = [{ value = "good", label = "顺利" }, { value = "bad", label = "有困难" }] },
]

[[transitions]]
name = "ask_help"
title = "请求配合"
effect_text = "发给配合单位"
from = ["working"]
who = [{ party = "lead", roles = ["matters.officer", "matters.head"] }]
fields = [{ name = "helpers", label = "配合单位", type = "units", required = true }]
effects = [{ name = "add_parts", part = "opinion", field = "helpers" }]

[[transitions]]
name = "hold"
title = "中止计时"
effect_text = "专家评审期间不计时"
from = ["working"]
who = [{ party = "lead", roles = ["matters.officer"] }]
fields = [{ name = "reason", label = "依据", type = "text", required = true }]
clocks = { suspend = ["term", "law"] }

[[transitions]]
name = "go_on"
title = "恢复计时"
effect_text = "恢复计时"
from = ["working"]
who = [{ party = "lead", roles = ["matters.officer"] }]
clocks = { resume = ["term", "law"] }

[[transitions]]
name = "report"
title = "报送办结"
effect_text = "送督办单位核查"
from = ["working"]
to = "checking"
who = [{ party = "lead", roles = ["matters.officer", "matters.head"] }]
guards = [{ name = "parts_finished" }]
fields = [{ name = "result", label = "结果", type = "longtext", required = true }]

[[transitions]]
name = "send_back"
title = "退回"
effect_text = "退回承办单位"
from = ["checking"]
to = "working"
who = [{ party = "office" }]
fields = [{ name = "reason", label = "理由", type = "text", required = true }]

[[transitions]]
name = "close"
title = "核查办结"
effect_text = "办结"
from = ["checking"]
to = "closed"
who = [{ party = "office", roles = ["matters.officer"] }, { role = "access.admin" }]
not_same_person_as = ["report"]
clocks = { stop = ["*"] }

[parts.opinion]
title = "配合意见"
initial = "asked"
due = { workdays = 5 }

[parts.opinion.states.asked]
title = "待反馈"

[parts.opinion.states.given]
title = "已反馈"
final = true

[[parts.opinion.transitions]]
name = "answer"
title = "反馈意见"
effect_text = "反馈本单位意见"
from = ["asked"]
to = "given"
who = [{ party = "part", roles = ["matters.officer"] }]
fields = [{ name = "result", label = "意见", type = "text", required = true }]

[[parts.opinion.transitions]]
name = "ask_again"
title = "退回补充"
effect_text = "请再反馈"
from = ["given"]
to = "asked"
who = [{ party = "lead" }]
"""

DATED = """
key = "dated"
title = "限期事项"
kind = "dated"
initial = "open"

[parties]
lead = "承办单位"

[states.open]
title = "办理中"
order = 1

[states.done]
title = "已完成"
order = 2
final = true

[clocks.due]
kind = "promised"
title = "完成期限"
unit = "date"

[[transitions]]
name = "finish"
title = "完成"
effect_text = "完成"
from = ["open"]
to = "done"
who = [{ party = "lead", roles = ["matters.officer"] }]
clocks = { stop = ["due"] }

[[transitions]]
name = "extend"
title = "延期"
effect_text = "期限改为所填日期"
from = ["open"]
who = [{ party = "lead", roles = ["matters.head"] }]
fields = [
  { name = "until", label = "延至", type = "date", required = true },
  { name = "reason", label = "理由", type = "text", required = true },
]
effects = [{ name = "extend_clock", clock = "due", field = "until" }]

[[transitions]]
name = "reopen"
title = "重新办理"
effect_text = "重新办理"
from = ["done"]
to = "open"
who = [{ party = "lead", roles = ["matters.head"] }]
clocks = { start = ["due"] }
"""
# `due` is started by a step too, so that it says itself that it begins with the matter.
DATED = DATED.replace('unit = "date"', 'unit = "date"\nat_open = true')


@pytest.fixture(autouse=True)
def fresh_caches():
    """Ids and calendars are given out again in every test."""
    process.forget()
    clocks.forget()
    yield
    process.forget()
    clocks.forget()


@pytest.fixture
def clock_stands():
    """Thursday, 20 October 2022, nine o'clock."""
    with at("2022-10-20 09:00"):
        yield


@dataclass
class District:
    """Units by short name, and the people who act in them."""

    units: dict[str, int]
    serial: count

    def post(self, unit: str, *roles: str, title: str = "科长", head: bool = False) -> Post:
        """A post with roles."""
        row = Post.objects.create(
            key=f"p{next(self.serial)}", unit_id=self.units[unit], title=title, is_head=head
        )
        PostRole.objects.bulk_create(PostRole(post=row, role=role) for role in roles)
        return row

    def person(self, name: str, *posts: Post) -> Person:
        """A person who holds posts."""
        row = Person.objects.create(name=name)
        for post in posts:
            Holding.objects.create(post=post, person=row, valid_from=FROM)
        return row

    def staff(self, person: Person, post: Post) -> directory.Staff:
        """The actor for a person under a post."""
        return directory.staff(person.pk, post.pk, Ref("account", str(person.pk)))

    def officer(self, unit: str, name: str) -> directory.Staff:
        """An officer of a unit."""
        post = self.post(unit, "matters.officer")
        return self.staff(self.person(name, post), post)

    def head(self, unit: str, name: str) -> directory.Staff:
        """The head of a unit."""
        post = self.post(unit, "matters.head", title="局长", head=True)
        return self.staff(self.person(name, post), post)

    def deputy(self, person_id: int, post_id: int) -> directory.Staff:
        """A person standing in for the holder of a post, for the month around the tests' day."""
        Deputy.objects.create(
            post_id=post_id,
            person_id=person_id,
            valid_from=date(2022, 10, 1),
            valid_to=date(2022, 12, 1),
            reason="出差",
        )
        return directory.staff(person_id, post_id, Ref("account", str(person_id)))


@pytest.fixture
def district(db, clock_stands) -> District:
    """Three units: 甲局 leads, 乙局 helps, 督办室 checks."""
    units = {}
    for key, name in (("jia", "甲局"), ("yi", "乙局"), ("ban", "督办室")):
        row = Unit.objects.create(key=key, kind=Unit.DEPARTMENT)
        UnitSpell.objects.create(
            unit=row, name=f"示例区{name}", short_name=name, valid_from=FROM, source="测试"
        )
        units[name] = row.pk
    return District(units, count(1))


@action("test.open")
def _open(act, **kwargs):
    act.check(public)
    return matters.open_matter(act, **kwargs)


@action("test.run")
def _run(act, *, do):
    """Run a piece of engine work inside an action."""
    act.check(public)
    result = do(act)
    act.log(Ref("test", "1"), ran=True)
    return result


@pytest.fixture
def run():
    """``run(actor, lambda act: …)``: engine work inside an action."""
    return lambda actor, do: _run(actor, do=do)


@pytest.fixture
def seed_process(db, monkeypatch):
    """Make a TOML text a process in force, with a kind of the same name."""

    def seed(text: str, **kind):
        parsed = process.parse(text)
        monkeypatch.setitem(
            kinds._kinds, parsed.kind, kinds.Kind(parsed.kind, parsed.title, parsed.key, **kind)
        )
        releases.seed(process.RELEASE_KIND, parsed.key, text, f"{parsed.key}.toml")
        return parsed

    return seed


@pytest.fixture
def simple(district, seed_process):
    """``simple(actor)`` opens a matter of the simple process, led by 甲局, checked by 督办室."""
    seed_process(SIMPLE)

    def make(actor, title: str = "示例事项", lead: str = "甲局", **kwargs) -> matters.Matter:
        return _open(
            actor,
            kind="simple",
            title=title,
            parties={"lead": district.units[lead], "office": district.units["督办室"]},
            holding_unit_id=district.units[lead],
            **kwargs,
        )

    return make


@pytest.fixture
def dated(district, seed_process):
    """``dated(actor, due_on)`` opens a matter with a fixed date."""
    seed_process(DATED)

    def make(actor, due_on: date | None, title: str = "限期事项") -> matters.Matter:
        lead = district.units["甲局"]
        return _open(
            actor, kind="dated", title=title, parties={"lead": lead}, holding_unit_id=lead, due_on=due_on
        )

    return make


@pytest.fixture
def advance():
    """``advance(actor, matter, "step", **data)`` through the generic action; returns the matter anew."""

    def go(actor, matter, transition: str, *, version: int | None = None, part=None, **data):
        matters.step(
            actor,
            matter_id=matter.pk,
            transition=transition,
            version=version,
            data=data,
            part_id=part.pk if part else None,
        )
        matter.refresh_from_db()
        return matter

    return go


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path):
    """Files of a test stay with it."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        },
    }


@pytest.fixture
def upload():
    """``upload("name.txt", "text or bytes")``: a file as a browser sends it."""

    def make(name: str, body: str | bytes) -> SimpleUploadedFile:
        return SimpleUploadedFile(name, body.encode() if isinstance(body, str) else body)

    return make


@pytest.fixture
def sign_in(district):
    """``sign_in("甲局", "李四", "matters.officer")``: a browser that is signed in, and the actor it acts as."""

    def enter(unit: str, name: str, *roles: str, head: bool = False) -> tuple[Client, directory.Staff]:
        post = district.post(unit, *(roles or ("matters.officer",)), head=head)
        person = district.person(name, post)
        account = access.Account.objects.create(username=f"u{person.pk}", person=person, demo=True)
        client = Client()
        client.force_login(account, backend="liangzhu.beams.people.access.backends.StaffBackend")
        return client, directory.staff(person.pk, post.pk, account.ref)

    return enter


__all__ = ["DATED", "SIMPLE", "District", "pack", "shanghai"]


@pytest.fixture
def town(district, monkeypatch):
    """The eight kinds in force, and the people of a small town."""
    from .eight import Town

    return Town(district, monkeypatch)
