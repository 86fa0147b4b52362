"""Telling residents of co-signing; staff are told by `matters`, which keeps their notices."""

from django.urls import reverse

from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.work.forms.events import CoSignAnswered, CoSignAsked, CoSignLate
from liangzhu.beams.work.forms.models import CoSignature
from liangzhu.kernel import reads
from liangzhu.kernel.events import handles
from liangzhu.kernel.refs import Ref


def _row(ref: Ref) -> CoSignature | None:
    """A resident's signature; None for one of staff, or one that was taken back meanwhile."""
    row = CoSignature.objects.select_related("draft").filter(pk=ref.id).first()
    return row if row is not None and row.outside else None


def _tell_signer(row: CoSignature, key: str, title: str, text: str = "") -> None:
    if row.party:
        residents.tell(
            [Ref.parse(row.party)],
            key=key,
            title=title,
            text=text,
            url=reverse("forms:sign", args=[row.pk]),
            about=row.draft.ref,
        )


def _tell_asker(row: CoSignature, key: str, title: str, text: str = "") -> None:
    residents.tell(
        reads.whose(row.draft.ref),
        key=f"{key}:asker",
        title=title,
        text=text,
        url=reverse("forms:check", args=[row.draft_id]),
        about=row.draft.ref,
    )


@handles(CoSignAsked)
def tell_of_asking(event: CoSignAsked, delivery) -> None:
    """Tell a resident that his signature is waited for; both sides, that a change made it void."""
    row = _row(event.subject)
    if row is None:
        return
    key, until = f"cosign:{delivery.event_id}", f"请在 {row.due_at.astimezone():%Y-%m-%d} 前办理。"
    if not event.again:
        _tell_signer(row, key, f"请您共同签署：{event.form_title}", until)
        return
    _tell_signer(row, key, f"内容有改动，原来的签名失效，请重新签署：{event.form_title}", until)
    _tell_asker(
        row, key, f"您改了内容，{row.person_name}的签名已失效：{event.form_title}", "已请对方重新签署。"
    )


@handles(CoSignAnswered)
def tell_of_answer(event: CoSignAnswered, delivery) -> None:
    """Tell who asked what came of it."""
    if (row := _row(event.subject)) is not None:
        word = "已经签署" if event.signed else "不同意签署"
        _tell_asker(row, f"cosigned:{delivery.event_id}", f"{row.person_name}{word}：{event.form_title}")


@handles(CoSignLate)
def tell_of_time(event: CoSignLate, delivery) -> None:
    """Remind both sides; when the time is over, who asked."""
    if (row := _row(event.subject)) is None:
        return
    key = f"cosign-late:{delivery.event_id}"
    if event.over:
        _tell_asker(
            row, key, f"{row.person_name}没有在期限内签署：{event.form_title}", "可以重新邀请，或者改请别人。"
        )
        return
    _tell_signer(row, key, f"签署快到期了：{event.form_title}")
    _tell_asker(row, key, f"还在等{row.person_name}签署，快到期了：{event.form_title}")
