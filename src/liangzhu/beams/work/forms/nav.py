"""Entries in the workbench's rail."""

from liangzhu.beams.work.forms import specs
from liangzhu.kernel import releases
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.ui.nav import nav


def _any(actor: Actor) -> bool:
    return releases.any_in_force(specs.RELEASE_KIND)


nav(
    face="workbench",
    label="表单",
    url="forms:home",
    order=12,
    policy="forms.fill",
    icon="document",
    when=_any,
)
nav(
    face="workbench",
    group="制度",
    label="表单定义",
    url="forms:kinds",
    order=803,
    policy="forms.read",
    icon="edit",
    when=_any,
)
