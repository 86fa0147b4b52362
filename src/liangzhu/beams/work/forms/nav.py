"""Entries in the workbench's rail."""

from liangzhu.beams.work.forms import queries
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.ui.nav import nav


def _waiting(actor: Actor) -> int:
    return queries.to_sign_count(actor)


nav(
    face="workbench",
    label="表单",
    url="forms:home",
    order=12,
    policy="forms.fill",
    count=_waiting,
    icon="document",
)
nav(
    face="workbench",
    group="制度",
    label="表单定义",
    url="forms:kinds",
    order=803,
    policy="forms.read",
    icon="edit",
)
