"""Where the pages of this app stand."""

from liangzhu.beams.people.applications.queries import waiting_count
from liangzhu.kernel.ui.nav import nav

nav(
    face="workbench",
    group="应用",
    label="部门应用",
    url="applications:tiles",
    order=40,
    policy="applications.open",
    icon="external",
)
nav(
    face="workbench",
    group="应用",
    label="应用登记",
    url="applications:register",
    order=41,
    policy="applications.read",
    count=waiting_count,
    icon="list",
)
nav(
    face="my", label="应用", url="applications:own", order=40, policy="applications.open_own", icon="external"
)
