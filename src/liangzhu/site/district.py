"""Making a district of any size: an installation filled with made-up staff and matters, the same for the same seed."""

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from liangzhu.beams.work.matters import api as matters
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.generating import District, all_generators
from liangzhu.kernel.now import SHANGHAI
from liangzhu.site import loading

YEARS = 4
"""How far back the matters of a district reach."""

CLOSING_TIME = 17 * 60 + 30
"""Minutes after midnight: the last moment of the district is the end of work on the demonstration day."""


class NotEmpty(Problem):
    """The target holds matters already, or an interrupted run asked for something else."""

    code, title = "not_empty", "目标不是空的"


def _note() -> Path:
    return settings.HOME / "make-district.json"


def make(*, people: int, number: int, seed: int, add: bool, say: Callable[[str], None]) -> None:
    """Fill the installation; one that was interrupted goes on. Raises NotEmpty, WrongKind, PackError."""
    loading.migrate()
    loading.settle_kind(True)
    wish = {"people": people, "matters": number, "seed": seed}
    note = _note()
    if note.exists():
        known = json.loads(note.read_text())
        if known["wish"] != wish:
            asked = "，".join(f"{name}={value}" for name, value in known["wish"].items())
            raise NotEmpty(
                f"上一次生成没有做完，参数是 {asked}。",
                todo="请用同样的参数再运行一次，程序会接着做完；要重新开始，请换一个空的 LIANGZHU_HOME 或数据库。",
            )
        base = known["base"]
        say("接着上一次没有做完的生成。")
    else:
        base = matters.Matter.objects.count()
        if base and not add:
            raise NotEmpty(
                f"数据库里已有 {base:,} 件事项。",
                todo="请用 --home 指定一个空目录；确实要加在现有演示数据上，请加 --add。",
            )
        settings.HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
        note.write_text(json.dumps({"wish": wish, "base": base}))
    loading.load(demo=True, history=False, say=say)
    day = settings.LIANGZHU_DEMO_DATE
    last = datetime.combine(day, datetime.min.time(), SHANGHAI) + timedelta(minutes=CLOSING_TIME)
    district = District(
        seed=seed,
        people=people,
        matters=number,
        first=(last - timedelta(days=365.25 * YEARS)).replace(hour=8, minute=0),
        last=last,
        folder=settings.HOME,
        base=base,
        say=say,
    )
    started = time.monotonic()
    for one in all_generators():
        if not one.done(district):
            one.run(district)
    note.unlink()
    seconds = max(time.monotonic() - started, 0.001)
    say(
        f"完成：{number:,} 件事项，用时 {seconds:,.0f} 秒，每秒 {number / seconds:,.0f} 件。全部人名、事项均为虚构。"
    )
