"""Every source prefills forms (预填): a form names it by its key, and a field shows whose it is and leads to the receipt.

Whose values: those of whom a resident stands for, or his own where the form is an enterprise's and asks for a person; of a
form that staff fill in, those of the one applicant of what it is filled in for. Without consent the field says so and stays
to be typed; once it was given, the form asks again.
"""

from collections.abc import Callable, Generator

from django.urls import reverse

from liangzhu.beams.trust.sources import pulling
from liangzhu.beams.trust.sources.pulling import Waiting
from liangzhu.beams.trust.sources.readers import is_resident
from liangzhu.beams.trust.sources.registry import Source, on_register, source
from liangzhu.beams.work.forms import api as forms
from liangzhu.kernel import reads
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.refs import Ref

PURPOSE = "预填申请表"

_bridged: set[str] = set()


def whose(actor: Actor, about: Ref | None, one: Source) -> Ref | None:
    """The person or organisation that a form is filled in for, of the kind that a source knows; None: nobody, or several."""
    if is_resident(actor):
        return next((who for who in (actor.principal, actor.person) if one.knows(who.kind)), None)
    found = [who for who in reads.whose(about) if one.knows(who.kind)] if about is not None else []
    return found[0] if len(found) == 1 else None


def _asking(key: str) -> Callable:
    def run(actor: Actor, about: Ref | None, parts: list[str]) -> Generator[Callable, object, forms.Answer]:
        one = source(key)
        subject = whose(actor, about, one)
        if subject is None:
            raise forms.NoAnswer("不知道要读取谁的登记。")
        waiting: Waiting = pulling.prepare(
            actor,
            source=key,
            subject=subject,
            fields=parts,
            purpose=PURPOSE,
            case=about or actor.ref,
        )
        if one.remote:
            try:
                answer = yield waiting.answer
            except TimeoutError:
                answer = pulling.late(one)
            except Exception as fault:
                answer = fault
        else:
            answer = pulling.ask(waiting)
        found = pulling.finish(waiting, answer)
        return forms.Answer(
            found.values, found.source_title, reverse("sources:receipt", args=[found.receipt_id])
        )

    return run


@on_register
def bridge(one: Source) -> None:
    """Let forms name a source; one that an adapter registers anew is the same to them."""
    if one.key not in _bridged:
        _bridged.add(one.key)
        parts = {name: field.type for name, field in one.fields.items()}
        forms.source(one.key, one.title, parts=parts, remote=one.remote, seconds=one.seconds)(
            _asking(one.key)
        )
