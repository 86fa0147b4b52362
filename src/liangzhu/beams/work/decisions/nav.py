"""Entries in the workbench's rail."""

from liangzhu.beams.work.decisions import rules
from liangzhu.kernel import releases
from liangzhu.kernel.ui.nav import nav

nav(
    face="workbench",
    group="制度",
    label="决策表",
    url="decisions:tables",
    order=802,
    policy="decisions.read",
    icon="list",
    when=lambda actor: releases.any_in_force(rules.RELEASE_KIND),
)
