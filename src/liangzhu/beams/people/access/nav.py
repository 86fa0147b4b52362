"""Where this app's pages stand in the workbench."""

from liangzhu.beams.people.directory.api import add_person_link
from liangzhu.kernel.ui.nav import nav

nav(
    face="workbench",
    group="管理",
    label="启用第二因素",
    url="access:security",
    order=790,
    policy="access.enrol",
    icon="shield",
)
nav(
    face="workbench",
    group="管理",
    label="账号",
    url="access:accounts",
    order=840,
    policy="access.manage",
    icon="key",
)
nav(
    face="workbench",
    group="管理",
    label="应用账号",
    url="access:applications",
    order=845,
    policy="access.manage",
    icon="link",
)
nav(
    face="workbench",
    group="管理",
    label="操作日志",
    url="access:log",
    order=850,
    policy="kernel.read_log",
    icon="book",
)
add_person_link("账号", "access:account_of_person", "access.manage")
