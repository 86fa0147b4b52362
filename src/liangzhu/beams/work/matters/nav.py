"""Entries in the workbench's rail."""

from liangzhu.beams.work.matters import queries
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.ui.nav import nav


def shown(count: int) -> int | str:
    """A bounded count as it is written: what lies beyond the limit is 99+."""
    return count if count <= queries.COUNT_LIMIT else f"{queries.COUNT_LIMIT}+"


def _mine(actor: Actor) -> int | str:
    return shown(queries.own_size(actor))


def _unread(actor: Actor) -> int | str:
    return shown(queries.unread_count(actor))


nav(
    face="workbench",
    label="收件箱",
    url="matters:inbox",
    order=10,
    policy="matters.work",
    count=_mine,
    icon="inbox",
)
nav(
    face="workbench",
    label="我办过的",
    url="matters:done",
    order=12,
    policy="matters.work",
    icon="check",
)
nav(
    face="workbench",
    label="提醒",
    url="matters:notices",
    order=11,
    policy="matters.work",
    count=_unread,
    icon="bell",
)
nav(
    face="workbench",
    group="管理",
    label="定时失败",
    url="matters:timers",
    order=861,
    policy="kernel.operate",
    count=lambda actor: shown(queries.given_up_timers(actor)),
    icon="clock",
)
nav(
    face="workbench",
    group="制度",
    label="办理流程",
    url="matters:processes",
    order=800,
    policy="matters.read_processes",
    icon="switch",
)
nav(
    face="workbench",
    group="制度",
    label="工作日历",
    url="matters:calendar",
    order=801,
    policy="matters.read_calendar",
    icon="calendar",
)

nav(face="my", label="我的办件", url="own_matters", order=10, policy="residents.own", icon="list")
