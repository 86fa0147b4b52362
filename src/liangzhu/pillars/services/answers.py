"""What was answered before the form, as sources of the form: the guide's questions, and for whom one applies.

So each thing is asked once: a form's field names ``services.answers.<table>`` and an input of it, and cannot be changed
there, since the parts were chosen by it.
"""

from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.work.decisions import api as decisions
from liangzhu.beams.work.forms import api as forms
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.refs import Ref
from liangzhu.pillars.services import behalf
from liangzhu.pillars.services.models import Application


@forms.source("services.acting", "登录身份", parts={"organisation": "yesno"})
def acting(actor: Actor, subject: Ref | None) -> dict[str, bool]:
    """Whether one applies for an organisation."""
    if isinstance(actor, residents.Resident):
        return {"organisation": actor.organisation is not None}
    served = behalf.serving(actor)
    if served is None:
        raise forms.NoAnswer("没有登录的群众。")
    return {"organisation": served.holder is not None and served.holder.kind == "organisation"}


def _answers(actor: Actor, subject: Ref | None) -> dict:
    row = None
    if subject is not None and subject.kind == "service_application":
        row = Application.objects.filter(pk=subject.id).first()
    if row is None or not row.answers:
        raise forms.NoAnswer("没有办事指南里的回答。")
    return row.answers


def _register() -> None:
    for path in decisions.rule_files():
        table = decisions.read_rule(path)
        if any(one.name == "part" for one in table.outputs):
            parts = {one.name: "choices" if one.type == "set" else one.type for one in table.inputs}
            forms.source(f"services.answers.{table.key}", "您在办事指南里的回答", parts=parts)(_answers)


_register()
