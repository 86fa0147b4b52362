"""Every change of this app that a page, a timer or a holder makes. Issuing inside a case: `issuing`, `papers`."""

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.timezone import now as machine_now  # noqa: TID251 - a showing ends by the machine's clock

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.trust.certificates import issuing, kinds, policies
from liangzhu.beams.trust.certificates.events import CertificateShown
from liangzhu.beams.trust.certificates.models import Certificate, Seal, Share
from liangzhu.beams.trust.certificates.states import HELD, VALID
from liangzhu.kernel import crypto, keys, masking
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import Conflict, Denied, Invalid, NotThere, Problem, StepNotAllowed
from liangzhu.kernel.now import now, today
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.worker import periodic

SHARE_SECONDS = 180
REASON_MAX = 200
VERIFIER_MAX = 60


# Seals ----------------------------------------------------------------------------------------------------------------


def _reason(text: str) -> str:
    text = " ".join(text.split())
    if not text or len(text) > REASON_MAX:
        raise Invalid({"reason": "请填写理由。" if not text else f"理由最多 {REASON_MAX} 个字。"})
    return text


@action("certificates.propose_seal")
def propose_seal(
    act: Act,
    *,
    unit_id: int,
    use: str,
    number: str,
    reason: str,
    legend: str = "",
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> Seal:
    """Propose a seal of an issuing unit; a second keeper puts it into use.

    ``legend`` is the unit's name today if empty, ``number`` the 13 digits of 印章编码. Raises Invalid, NotIssuer.
    """
    act.check(policies.keep_seals)
    kinds.issuer_of(unit_id)
    number = "".join(number.split())
    start = valid_from or today()
    wrong = {}
    if use not in dict(Seal.USES):
        wrong["use"] = "请选择印章用途。"
    if not (number.isascii() and number.isdigit() and len(number) == 13):
        wrong["number"] = "印章编码是 13 位数字。"
    elif Seal.objects.filter(number=number).exists():
        wrong["number"] = "已有这个编码的印章。"
    legend = "".join((legend or directory.units().get(unit_id).name).split())
    if len(legend) > 30:
        wrong["legend"] = "章面名称最多 30 个字。"
    if valid_to and valid_to <= start:
        wrong["valid_to"] = "停止使用日期要晚于启用日期。"
    if wrong:
        raise Invalid(wrong)
    row = Seal.objects.create(
        unit_id=unit_id,
        use=use,
        legend=legend,
        number=number,
        valid_from=start,
        valid_to=valid_to,
        reason=_reason(reason),
        proposed_by=str(act.actor.ref),
        proposed_label=act.actor.label,
        proposed_at=now(),
    )
    act.log(row.ref, unit=unit_id, use=use, number=number, state=row.state)
    return row


@action("certificates.propose_seal_end")
def propose_seal_end(act: Act, *, seal_id: int, reason: str) -> Seal:
    """Propose that a seal is used no more; until a second keeper agrees, it signs."""
    row = act.lock(Seal, pk=seal_id)
    act.check(policies.keep_seals)
    if row.state != Seal.ACTIVE:
        raise StepNotAllowed(f"这枚印章现为“{row.get_state_display()}”。")
    row.state, row.reason = Seal.ENDING, _reason(reason)
    row.proposed_by, row.proposed_label, row.proposed_at = str(act.actor.ref), act.actor.label, now()
    row.save()
    act.log(row.ref, state=row.state)
    return row


@action("certificates.decide_seal")
def decide_seal(act: Act, *, seal_id: int, accept: bool) -> Seal:
    """Put a proposed seal into use, or end it, or refuse. Who proposed it cannot (四眼原则). Raises Denied, Conflict."""
    row = act.lock(Seal, pk=seal_id)
    if row.proposed_by == str(act.actor.ref) and not act.actor.is_system:
        raise Denied("提出人不能复核自己的申请。", todo="请另一位印章管理员复核。")
    act.check(policies.keep_seals)
    if not row.waits:
        raise StepNotAllowed(f"这枚印章已是“{row.get_state_display()}”。")
    public = ""
    if row.state == Seal.PROPOSED:
        row.state = Seal.ACTIVE if accept else Seal.REFUSED
    else:
        row.state = Seal.ENDED if accept else Seal.ACTIVE
    row.decided_by, row.decided_label, row.decided_at = str(act.actor.ref), act.actor.label, now()
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Conflict(
            "这个单位这一用途已有启用中的印章。", todo="请先停用原来的一枚，再启用这一枚。"
        ) from None
    if row.state == Seal.ACTIVE:
        public = keys.current(row.purpose).public.hex()
    act.log(row.ref, state=row.state, number=row.number, proposed_by=row.proposed_by, public_key=public)
    return row


# Certificates ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    """What a policy is asked about before there is a certificate."""

    unit_id: int


@action("certificates.issue_by_hand")
def issue_by_hand(
    act: Act, *, kind: str, unit_id: int, fields: Mapping[str, Any], **given: Any
) -> Certificate:
    """Issue a certificate on a page, for the certificate officer of the unit. As `issuing.issue`."""
    act.check(policies.issue, _Place(unit_id))
    return issuing.issue(act, kind=kind, unit_id=unit_id, fields=fields, **given)


@action("certificates.change_by_hand")
def change_by_hand(
    act: Act, *, certificate_id: int, state: str, ground: str, version: int | None = None
) -> Certificate:
    """Change the state of a certificate on its page. As `issuing.change_state`; Conflict when somebody was first."""
    row = act.lock(Certificate, pk=certificate_id)
    act.check(policies.issue, row)
    if version is not None and version != row.version:
        raise Conflict("这份证照的状态刚刚有变动。")
    return issuing.change_state(act, row, state, ground)


@action("certificates.expire_due")
def expire_due(act: Act, *, limit: int = 1000) -> int:
    """Note the end of certificates whose last day is over. Whether one is valid never waits for this. Returns how many."""
    act.check(policies.keep_time)
    rows = Certificate.objects.select_for_update().filter(state__in=[VALID, HELD], valid_until__lt=today())
    done = 0
    for row in rows.order_by("pk")[:limit]:
        act.hold(row)
        issuing.expire(act, row)
        done += 1
    act.log(Ref("job", "certificates.expire_due"), expired=done)
    return done


@periodic("certificates.expire", minutes=60)
def expire_daily() -> None:
    """Certificates that ended, soon after midnight."""
    while (
        Certificate.objects.filter(state__in=[VALID, HELD], valid_until__lt=today()).exists()
        and expire_due(SYSTEM) == 1000
    ):
        pass


# Showing --------------------------------------------------------------------------------------------------------------


class ShareEnded(Problem):
    """The time of the showing is over."""

    code, title, status = "share_ended", "出示已过期", 410
    todo = "请持证人重新出示；每次出示三分钟内有效。"


class ShareUsed(Problem):
    """Somebody has looked at it already."""

    code, title, status = "share_used", "已经查看过一次", 410
    todo = "每次出示只能查看一次。没有看到内容的，请持证人重新出示，并留意证照页上的查看记录。"


class ShareUnknown(Problem):
    """No showing of this system has that address or code."""

    code, title, status = "share_unknown", "没有这次出示", 404
    todo = "请核对出示码；它也可能来自别的系统，或者已经清理。"


@dataclass(frozen=True)
class Shared:
    """What a holder has in hand: the row, what stands in the address, and the code to type. Both are told once."""

    row: Share
    token: str
    code: str

    @property
    def ref(self) -> Ref:
        """The reference of the showing."""
        return self.row.ref


@action("certificates.share")
def share(act: Act, *, certificate_id: int, fields: Iterable[str]) -> Shared:
    """Show chosen fields of one's own certificate, once, for three minutes. Raises Denied, Invalid, StepNotAllowed."""
    row = Certificate.objects.filter(pk=certificate_id).first()
    if row is None or not policies.hold(act.actor, row):
        raise NotThere("没有找到这份证照。")
    act.check(policies.hold, row)
    if row.state != VALID or (row.valid_until and row.valid_until < today()):
        raise StepNotAllowed("这份证照现在不是有效状态，不能出示。")
    known = {one["key"] for one in json.loads(row.shown)["fields"]} | {"holder"}
    wanted = [name for name in dict.fromkeys(fields) if name in known]
    if not wanted:
        raise Invalid({"fields": "请至少选择一项要出示的内容。"})
    token, code = secrets.token_urlsafe(24), f"{secrets.randbelow(10**9):09d}"
    made = Share.objects.create(
        certificate=row,
        token=crypto.sm3_hex(token.encode()),
        code=keys.blind("certificates.share", code),
        fields=" ".join(wanted),
        shared_by=str(act.actor.ref),
        shared_at=now(),
        ends_at=machine_now() + timedelta(seconds=SHARE_SECONDS),
    )
    act.log(row.ref, share=made.pk, fields=wanted)
    return Shared(made, token, code)


@action("certificates.open_share")
def open_share(act: Act, *, share_id: int, verifier: str) -> Share:
    """Use a showing up: from now on nobody can look at it again. Who looks says who he is; the holder sees it.

    Raises ShareUsed, ShareEnded, Invalid.
    """
    act.check(policies.verify)
    row = act.lock(Share, pk=share_id)
    open_still(row)
    verifier = act.actor.label if act.actor.signed_in else " ".join(verifier.split())
    if not 1 < len(verifier) <= VERIFIER_MAX and not act.actor.signed_in:
        raise Invalid({"verifier": "请填写您的单位或姓名，2 至 60 个字；持证人会看到。"})
    row.used_at, row.used_by, row.verifier = now(), str(act.actor.ref), verifier[:VERIFIER_MAX]
    row.save(update_fields=["used_at", "used_by", "verifier"])
    act.log(row.certificate.ref, share=row.pk, fields=row.fields.split())
    act.emit(
        CertificateShown(
            row.certificate.ref,
            holder=row.certificate.holder,
            share_id=row.pk,
            fields=row.fields,
            used_by=row.used_by,
        )
    )
    return row


def open_still(row: Share) -> None:
    """Raise ShareUsed or ShareEnded unless a showing can still be looked at."""
    if row.used_at is not None:
        raise ShareUsed("这次出示已经被查看过。")
    if row.ends_at <= machine_now():
        raise ShareEnded("出示的三分钟已过。")


def share_shown(row: Share, actor) -> dict[str, str]:
    """The chosen fields in full, title to value, for whoever just used the showing up. The leaf and the holder's trail
    name who looked and which fields.
    """
    known = {one["key"]: one["title"] for one in json.loads(row.certificate.shown)["fields"]}
    known["holder"] = "持证主体"
    wanted = {name: known[name] for name in row.fields.split() if name in known}
    why = f"核验人：{row.verifier or row.used_by}"
    text = masking.reveal(
        actor, row.certificate, "statement", reason=why, channel="share", title="、".join(wanted.values())
    )
    statement = json.loads(text)
    values = {one["key"]: one["value"] for one in statement["fields"]} | {
        "holder": statement["holder"]["name"]
    }
    return {title: values[name] for name, title in wanted.items()}
