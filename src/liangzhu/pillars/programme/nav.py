"""Where the programme's pages stand on each face."""

from liangzhu.kernel.ui.nav import nav
from liangzhu.pillars.programme import queries

nav(
    face="workbench",
    group="计划",
    label="任务台账",
    url="programme:ledger",
    order=200,
    policy="programme.read_ledger",
    icon="list",
)
nav(
    face="workbench",
    group="计划",
    label="条款与检查",
    url="programme:checks",
    order=220,
    policy="programme.read_ledger",
    icon="target",
)
nav(
    face="workbench",
    group="计划",
    label="督办文书",
    url="programme:letters",
    order=230,
    policy="programme.read_ledger",
    count=queries.letters_to_sign,
    icon="flag",
)
nav(
    face="workbench",
    group="计划",
    label="计划为真",
    url="programme:truth",
    order=210,
    policy="programme.read_ledger",
    icon="chart",
)
nav(
    face="workbench",
    group="计划",
    label="督办大屏",
    url="programme:wall",
    order=215,
    policy="programme.oversee",
    icon="chart",
)
nav(face="command", label="计划为真", url="programme:wall", order=10, policy="programme.read_ledger")
nav(face="portal", label="方案落实情况", url="programme:public", order=10, policy="programme.read_public")
nav(
    face="workbench",
    group="计划",
    label="计划文件",
    url="programme:documents",
    order=240,
    policy="programme.manage",
    icon="document",
)
