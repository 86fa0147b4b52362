"""Where the pages of this app stand."""

from liangzhu.kernel.ui.nav import nav

nav(
    face="workbench",
    group="窗口",
    label="扫服务码",
    url="codes:scan",
    order=30,
    policy="codes.scan",
    icon="search",
)
nav(face="my", label="服务码", url="codes:show", order=10, policy="codes.show", icon="key")
