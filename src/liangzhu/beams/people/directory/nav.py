"""Where this app's pages stand in the workbench."""

from liangzhu.kernel.ui.nav import nav

nav(
    face="workbench",
    group="管理",
    label="机构",
    url="directory:units",
    order=800,
    policy="directory.read",
    icon="unit",
)
nav(
    face="workbench",
    group="管理",
    label="单位集合",
    url="directory:sets",
    order=810,
    policy="directory.read",
    icon="list",
)
nav(
    face="workbench",
    group="管理",
    label="人员",
    url="directory:persons",
    order=820,
    policy="directory.manage_people",
    icon="people",
)
nav(
    face="workbench",
    group="管理",
    label="代理",
    url="directory:deputies",
    order=830,
    policy="directory.manage_people",
    icon="switch",
)
