"""Navigation entries of this app."""

from liangzhu.beams.data.indicators import queries
from liangzhu.kernel.ui.nav import nav

nav(
    face="workbench",
    group="数据",
    label="指标",
    url="indicators:list",
    order=60,
    policy="indicators.read",
    count=lambda actor: queries.to_decide(actor).count(),
    icon="chart",
)
