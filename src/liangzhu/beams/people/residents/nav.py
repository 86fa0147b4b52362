"""Where the pages of the resident's side stand: one entry in the portal, and the list on /my/ that others add to."""

from liangzhu.beams.people.residents.queries import unread_count
from liangzhu.kernel.ui.nav import nav

nav(face="portal", label="我的", url="residents:home", order=900, policy="residents.own", count=unread_count)
nav(
    face="my",
    label="消息",
    url="residents:messages",
    order=20,
    policy="residents.own",
    count=unread_count,
    icon="bell",
)
nav(face="my", label="授权代办", url="residents:mandates", order=50, policy="residents.own", icon="people")
nav(face="my", label="授权同意", url="residents:consents", order=60, policy="residents.own", icon="check")
nav(face="my", label="登录与安全", url="residents:sessions", order=90, policy="residents.own", icon="shield")
