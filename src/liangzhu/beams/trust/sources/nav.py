"""Where the pages of this app stand."""

from liangzhu.kernel.ui.nav import nav

nav(
    face="workbench",
    group="数据",
    label="数据来源",
    url="sources:list",
    order=70,
    policy="sources.watch",
    icon="link",
)
nav(
    face="my",
    label="谁看过我的信息",
    url="sources:trail",
    order=70,
    policy="sources.own_trail",
    icon="history",
)
