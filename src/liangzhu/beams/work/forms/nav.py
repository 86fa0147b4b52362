"""Entries in the workbench's rail."""

from django.urls import reverse

from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.work.forms import queries, specs
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


def _tasks(actor: Actor) -> list[residents.Task]:
    """What waits for a resident's signature."""
    return [
        residents.Task(
            f"请您共同签署：{specs.by_release_id(row.draft.release_id).title}",
            reverse("forms:sign", args=[row.pk]),
            "签署或者写明理由不同意",
            row.due_at,
        )
        for row in queries.asked_of(actor)
    ]


residents.add_tasks("forms.cosign", _tasks)
nav(face="my", label="共同签署", url="forms:own", order=55, policy="residents.own", icon="edit")
