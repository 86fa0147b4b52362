"""Filling an installation: migrations, the district's pack, and for a demonstration its people and history.

An installation is either a demonstration (演示) or a real one (正式), and stays what it is: a demonstration has the
pack's invented people with published passwords and stands on the pack's day; a real one has neither.
"""

import io
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from liangzhu.beams.data.indicators import api as indicators
from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.trust.certificates import api as certificates
from liangzhu.beams.work.decisions import api as decisions
from liangzhu.beams.work.forms import api as forms
from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel import stopping
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.calendar import override_day
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.models import DayOverride, LogLeaf
from liangzhu.kernel.now import at
from liangzhu.kernel.pack import Pack, PackError, pack
from liangzhu.pillars.programme import api as programme
from liangzhu.pillars.services import api as services


class WrongKind(Problem):
    """A demonstration cannot become a real installation, nor the other way round."""

    code, title = "wrong_kind", "演示与正式不能混用"


@dataclass(frozen=True)
class DemoAccount:
    """An account to try: who it is, and in which roles (joined by 、)."""

    username: str
    name: str
    post: str
    roles: str


def migrate() -> list[str]:
    """Bring the tables up to date; returns the names of the migrations that ran."""
    settings.HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.STATIC_ROOT.mkdir(exist_ok=True)
    executor = MigrationExecutor(connection)
    steps = [str(step) for step, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    if steps:
        call_command("migrate", interactive=False, verbosity=0, stdout=io.StringIO())
    return steps


def kind_of_database() -> bool | None:
    """True for a demonstration, False for a real installation, None for an empty or absent database."""
    try:
        if access.Account.objects.filter(demo=True).exists():
            return True
        return False if LogLeaf.objects.exists() else None
    except DatabaseError:
        # No tables yet.
        return None


def stand_on_demo_day() -> None:
    """In a demonstration, stand on the pack's day unless the setting names another one."""
    if settings.LIANGZHU_DEMO_DATE is None and kind_of_database():
        settings.LIANGZHU_DEMO_DATE = demo_day(pack())


def demo_day(district: Pack) -> object:
    """The day that the pack's demonstration stands on. Raises PackError when it has none."""
    try:
        return district.district["demo_date"]
    except KeyError:
        raise PackError(f"{district.folder}/pack.toml 没有 demo_date，不能演示。") from None


def settle_kind(demo: bool | None) -> bool:
    """Whether this is a demonstration: as asked, else as the database is; an empty one becomes a demonstration.

    Raises WrongKind when the wish, the database and the settings contradict each other. Needs the tables.
    """
    found = kind_of_database()
    if demo is None:
        demo = found is not False
    if demo and found is False:
        raise WrongKind(
            "这个数据库是正式安装，不能载入演示账号和演示历史。",
            todo="要看演示，请换一个空的 LIANGZHU_HOME；要照常启动，请去掉 --demo。",
        )
    if not demo and found:
        raise WrongKind(
            "这个数据库里有演示账号，不能作为正式安装使用。",
            todo="请换一个空的 LIANGZHU_HOME 或 LIANGZHU_DATABASE，再用 --no-demo 启动。",
        )
    if not demo and settings.LIANGZHU_DEMO_DATE:
        raise WrongKind(
            f"正式安装不能停在演示日期 {settings.LIANGZHU_DEMO_DATE}。",
            todo="请去掉设置 LIANGZHU_DEMO_DATE。",
        )
    if demo and settings.LIANGZHU_DEMO_DATE is None:
        settings.LIANGZHU_DEMO_DATE = demo_day(pack())
    return demo


def load(*, demo: bool, say: Callable[[str], None], history: bool = True) -> None:
    """Load the pack, in a demonstration with its people, accounts and (``history``) its history. Idempotent.

    What people changed by hand stays as they left it. Raises PackError naming file and entry.
    """
    district = pack()
    say(f"载入资料包：{district.district['name']}（{district.folder}）")
    directory.load_units(district)
    if demo:
        directory.load_people(district)
        access.load_accounts(district)
    _load_calendar(district)
    # What a demonstration's history stands on was there before it.
    begins = services.history_begins(district) if demo and history else None
    with at(begins) if begins else nullcontext():
        certificates.load_certificates(district, demo=demo)
        forms.load_forms()
        decisions.load_rules()
        services.load_items(district)
    services.load_bundles()
    matters.load_processes()
    # Matters that were there before the lists and the index knew them, or that came in bulk.
    matters.rebuild_search(only_missing=True)
    indicators.load_indicators(district)
    programme.load_plan(district, demo=demo)
    if demo and history and not programme.history_exists():
        say("生成演示历史，约需半分钟……")
        # All or nothing: half a history, left by Ctrl-C, would be taken for a whole one.
        with _loading():
            programme.play_history(district)
            stopping.check()
            if not services.history_exists():
                services.play_history(district)
            stopping.check()
    if demo:
        certificates.load_samples(district)


def _loading() -> transaction.Atomic:
    """A transaction in which nobody waits: what is asked of sources inside of it holds up no one."""
    held = transaction.atomic()
    held.loads = True
    return held


def _load_calendar(district: Pack) -> None:
    """The days that the district works, or does not, against the national calendar; days known already stay."""
    rows = {row["date"]: row for row in district.toml("calendar.toml").get("overrides", ())}
    known = set(DayOverride.objects.filter(date__in=rows).values_list("date", flat=True))
    for day in sorted(rows.keys() - known):
        row = rows[day]
        override_day(SYSTEM, day=day, workday=row["workday"], reason=row["reason"], source=row["source"])


def demo_accounts() -> list[DemoAccount]:
    """An account for each role of the pack, to be shown when a demonstration starts; each account once, with all of its roles
    for which it was chosen."""
    people = pack().toml("accounts.toml").get("person", ())
    found: dict[str, DemoAccount] = {}
    for role in pack().toml("roles.toml")["role"]:
        holders = ((one, post) for one in people for post in one["post"] if role["code"] in post["roles"])
        holder = next(holders, None)
        if holder:
            person, post = holder
            unit, known = directory.units().by_key(post["unit"]), found.get(person["username"])
            found[person["username"]] = DemoAccount(
                person["username"],
                person["name"],
                f"{unit.short} {post['title']}",
                f"{known.roles}、{role['name']}" if known else role["name"],
            )
    return list(found.values())


def add_admin(*, username: str, name: str, unit: str) -> str:
    """Open the first administrator's account in a unit (key or name); returns the password, shown once.

    Raises WrongKind in a demonstration, UnknownUnit, StepNotAllowed when somebody administers already.
    """
    if kind_of_database() is None:
        raise WrongKind(
            "这个安装还没有建库，也没有载入资料包。",
            todo="请先运行 liangzhu up --no-demo，再建立系统管理员。",
        )
    if kind_of_database():
        raise WrongKind(
            "演示安装已有系统管理员账号。", todo="请用演示账号登录，或另建一个正式安装（up --no-demo）。"
        )
    found = directory.units().by_key(unit) or directory.resolve_unit(unit)
    return access.open_first_administrator(SYSTEM, unit_key=found.key, name=name, username=username).password
