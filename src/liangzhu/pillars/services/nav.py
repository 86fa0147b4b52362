"""Where this app's pages stand."""

from liangzhu.beams.people.residents import api as residents
from liangzhu.kernel.ui.nav import nav
from liangzhu.pillars.services.queries import halls, incentives, items

nav(face="portal", label="办事", url="services:home", order=5)
nav(face="portal", label="免于提交", url="services:once_only", order=55)
nav(
    face="workbench",
    group="事项",
    label="事项库",
    url="services:desk",
    order=300,
    policy="services.read_items",
    count=items.waiting_for,
    icon="list",
)
nav(
    face="workbench",
    group="事项",
    label="事项检查",
    url="services:checks",
    order=310,
    policy="services.read_items",
    icon="check",
)
nav(
    face="workbench",
    group="事项",
    label="豁免",
    url="services:exemptions",
    order=320,
    policy="services.tend_items",
    icon="shield",
)
nav(
    face="workbench",
    group="事项",
    label="向上反映",
    url="services:upwards",
    order=330,
    policy="services.tend_items",
    icon="flag",
)
nav(
    face="workbench",
    group="事项",
    label="事项导入",
    url="services:imports",
    order=340,
    policy="services.keep_items",
    icon="upload",
)

nav(face="portal", label="惠企政策", url="services:policies", order=25)
nav(
    face="my",
    label="惠企政策",
    url="services:my_policies",
    order=45,
    policy="services.own_enterprise",
    icon="target",
)
nav(
    face="workbench",
    group="惠企政策",
    label="政策归集",
    url="services:policy_desk",
    order=360,
    policy="services.read_incentives",
    count=incentives.waiting_for,
    icon="document",
)
nav(
    face="workbench",
    group="惠企政策",
    label="政策兑现",
    url="services:policy_figures",
    order=365,
    policy="services.read_incentives",
    icon="chart",
)
nav(face="portal", label="大厅", url="services:halls", order=50)
nav(
    face="my",
    label="大厅预约",
    url="services:my_appointments",
    order=50,
    policy="services.book",
    icon="calendar",
)
nav(
    face="workbench",
    group="窗口",
    label="叫号办理",
    url="services:counter",
    order=20,
    policy="services.counter",
    icon="person",
)
nav(
    face="workbench",
    group="窗口",
    label="报到取号",
    url="services:arrivals",
    order=25,
    policy="services.counter",
    icon="list",
)
nav(
    face="workbench",
    group="窗口",
    label="大厅运行",
    url="services:hall_figures",
    order=40,
    policy="services.read_halls",
    icon="chart",
)
residents.add_tasks("services.halls", halls.tasks)
residents.add_scopes("services.halls", lambda actor: [("hall_visit", "预约和到大厅办事")])


nav(face="portal", label="评价", url="services:rate", order=57)
nav(face="my", label="评价", url="services:my_ratings", order=47, policy="residents.own", icon="comment")
nav(
    face="workbench",
    group="好差评",
    label="好差评",
    url="services:ratings",
    order=370,
    policy="services.read_ratings",
    icon="comment",
)
nav(
    face="workbench",
    group="政务服务",
    label="运行指标",
    url="services:figures",
    order=290,
    policy="services.read_figures",
    icon="chart",
)
