"""Entries in the workbench's rail."""

from liangzhu.kernel.ui.nav import nav

nav(
    face="workbench",
    group="制度",
    label="决策表",
    url="decisions:tables",
    order=802,
    policy="decisions.read",
    icon="list",
)
