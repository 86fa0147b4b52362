"""Where the kernel's pages stand in the workbench."""

from liangzhu.kernel import outbox
from liangzhu.kernel.ui.nav import nav

nav(
    face="workbench",
    group="管理",
    label="投递失败",
    url="kernel:deliveries",
    order=860,
    policy="kernel.operate",
    count=outbox.dead_count,
    icon="warn",
)
