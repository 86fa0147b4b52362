"""Where this app's pages stand in the workbench."""

from liangzhu.beams.people.registers.queries import review_count
from liangzhu.kernel.ui.nav import nav

nav(
    face="workbench",
    group="登记",
    label="自然人和组织",
    url="registers:home",
    order=600,
    policy="registers.record",
    icon="people",
)
nav(
    face="workbench",
    group="登记",
    label="登记复核",
    url="registers:proposals",
    order=610,
    policy="registers.decide",
    icon="list",
    count=review_count,
)
