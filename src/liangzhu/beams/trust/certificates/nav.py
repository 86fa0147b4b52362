"""Where this app's pages stand."""

from liangzhu.beams.trust.certificates.queries import seals_waiting
from liangzhu.kernel.ui.nav import nav

nav(
    face="workbench",
    group="证照",
    label="证照",
    url="certificates:list",
    order=620,
    policy="certificates.issue",
    icon="document",
)
nav(
    face="workbench",
    group="证照",
    label="印章",
    url="certificates:seals",
    order=630,
    policy="certificates.keep_seals",
    icon="shield",
    count=seals_waiting,
)
nav(face="portal", label="核验证照", url="certificates:verify", order=60)
nav(face="my", label="证照", url="certificates:mine", order=30, policy="certificates.hold", icon="document")
