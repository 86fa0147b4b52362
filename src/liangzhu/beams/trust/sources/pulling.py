"""Reading from a source (取数): for one purpose and one case, with consent or by law, named fields only.

    prepare → the source is asked, outside of any transaction → finish

`pull` does the three. Who asks several sources at once (prefilled forms) does them by hand: only `Waiting.answer` may run in
a thread. Every attempt is written down, also a refused or failed one: a row, a leaf, a line of the trail, a receipt.
"""

import logging
import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.registers import api as registers
from liangzhu.beams.people.residents import api as residents
from liangzhu.beams.trust.sources import circuit, policies, receipts, registry
from liangzhu.beams.trust.sources.errors import (
    NoConsent,
    NotAllowed,
    NothingHeld,
    SourceDown,
    SourceTrouble,
)
from liangzhu.beams.trust.sources.models import Kept, Pull, Read
from liangzhu.beams.trust.sources.readers import is_resident, reader_of
from liangzhu.beams.trust.sources.retention import keep_until
from liangzhu.beams.trust.sources.trailing import rows_of
from liangzhu.kernel import reads
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Invalid
from liangzhu.kernel.log import canonical
from liangzhu.kernel.now import now
from liangzhu.kernel.observing import request_id
from liangzhu.kernel.policies import public
from liangzhu.kernel.refs import Ref

logger = logging.getLogger("liangzhu.sources")

OWN_GROUND = "本人查阅自己的信息（《个人信息保护法》第四十五条）"
CONSENT_GROUND = "本人同意（《个人信息保护法》第十三条第一款第一项）"
_ARTICLE = re.compile(r"《[^》]+》.*第.+条")

_pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="source")


@dataclass(frozen=True)
class Pulled:
    """What was read. ``values`` holds only what the source has; ``missing`` are asked fields of which it has nothing."""

    values: dict[str, Any]
    missing: tuple[str, ...]
    at: datetime
    source_title: str
    receipt_id: str


@dataclass(frozen=True)
class Waiting:
    """A question that may be put: everything was checked."""

    actor: Actor
    source: registry.Source
    ask: registry.Ask
    began: float

    def answer(self) -> Mapping[str, Any]:
        """Ask the source. Raises what the source raises."""
        return self.source.fetch(self.ask)


def pull(
    actor: Actor,
    *,
    source: str,
    subject: Ref,
    fields: list[str] | tuple[str, ...],
    purpose: str,
    case: Ref | str,
    consent_id: int | None = None,
    legal_basis: str = "",
) -> Pulled:
    """Read named fields of somebody from a source, for one purpose and one case.

    It rests on the consent for this case (`residents.give_consent`), or on ``legal_basis``, a law with its article, which only
    staff and processes may name; what the district holds itself is shown to its own subject without. Raises SourceDown,
    SourceWrong, NothingHeld, NoConsent, NotAllowed, each with what to do; UnknownSource, Invalid for a question nobody may
    ask. Not inside a transaction: a source may be slow, and an attempt stays written down whatever comes after it.
    """
    waiting = prepare(
        actor,
        source=source,
        subject=subject,
        fields=fields,
        purpose=purpose,
        case=case,
        consent_id=consent_id,
        legal_basis=legal_basis,
    )
    return finish(waiting, ask(waiting))


def ask(waiting: Waiting) -> Mapping[str, Any] | Exception:
    """The answer of a source, or what came instead; a remote one within its time."""
    try:
        if not waiting.source.remote:
            return waiting.answer()
        return _pool.submit(waiting.answer).result(timeout=waiting.source.seconds)
    except Late:
        return late(waiting.source)
    except Exception as fault:
        return fault


def late(one: registry.Source) -> SourceDown:
    """That a source took longer than it may."""
    return SourceDown(f"{one.title}在 {one.seconds:g} 秒内没有答复。")


def prepare(
    actor: Actor,
    *,
    source: str,
    subject: Ref,
    fields: list[str] | tuple[str, ...],
    purpose: str,
    case: Ref | str,
    consent_id: int | None = None,
    legal_basis: str = "",
) -> Waiting:
    """Check that the question may be put; what must not is written down as refused, what would be in vain as not asked."""
    _outside()
    one = registry.source(source)
    names = tuple(dict.fromkeys(fields))
    _sound(one, subject, names, purpose, str(case), legal_basis)
    held = registers.held(subject)
    question = registry.Ask(
        actor=actor,
        source=one.key,
        subject=held.ref,
        number="",
        number_kind=held.number_kind,
        fields=names,
        purpose=purpose.strip(),
        case=str(case),
        ground="",
        consent="",
        unit=reader_of(actor, held.ref).unit_name,
        request_id=actor.request_id or request_id(),
    )
    waiting = Waiting(actor, one, question, time.monotonic())
    if not policies.pull(actor, (held.ref, Ref.parse(str(case)))):
        raise _refused(waiting, NotAllowed(f"不能为这件事读取{one.title}。"))
    ground, consent = _ground(waiting, consent_id, legal_basis)
    if not ground:
        raise _refused(waiting, NoConsent(f"没有本人同意为这件事读取{one.title}的{_words(one, names)}。"))
    waiting = replace(waiting, ask=replace(question, ground=ground, consent=consent))
    if held.gone:
        raise _refused(waiting, NothingHeld("本人的登记已依规删除，不能再读取。"))
    if one.off:
        raise _refused(waiting, SourceDown(f"{one.title}不能读取：{one.off}。", paused=True))
    if until := circuit.open_until(one):
        raise _refused(
            waiting, SourceDown(f"{one.title}刚才没有答复，{circuit.words(until)}再取。", paused=True)
        )
    if one.remote:
        number = registers.held(held.ref, number=True).number
        waiting = replace(waiting, ask=replace(waiting.ask, number=number), began=time.monotonic())
    return waiting


def finish(waiting: Waiting, answer: Mapping[str, Any] | Exception) -> Pulled:
    """Take an answer, or what came instead, and write the attempt down. Raises as `pull`."""
    _outside()
    one, question = waiting.source, waiting.ask
    spent = int((time.monotonic() - waiting.began) * 1000)
    values: dict[str, Any] = {}
    trouble: SourceTrouble | None = None
    if isinstance(answer, SourceTrouble):
        trouble = answer
    elif isinstance(answer, Exception):
        logger.error("source %s failed", one.key, exc_info=answer)
        trouble = SourceDown(f"{one.title}暂时取不到。")
    else:
        try:
            values = registry.fitted(one, question.fields, answer)
        except SourceTrouble as problem:
            trouble = problem
        else:
            if not values:
                trouble = NothingHeld(f"{one.title}没有您请求的记录。")
    row = _record(
        waiting.actor,
        waiting=waiting,
        outcome=trouble.outcome if trouble else Read.DONE,
        values=values,
        milliseconds=spent,
    )
    if trouble is not None:
        trouble.receipt_id = row.receipt
        raise trouble
    missing = tuple(name for name in question.fields if name not in values)
    return Pulled(values, missing, row.at, holder_title(one), row.receipt)


def holder_title(one: registry.Source) -> str:
    """Who keeps a source, in words: the present name of the unit whose key it names, or what it names."""
    unit = directory.units().by_key(one.holder)
    return unit.short if unit else one.holder


def _outside() -> None:
    """Refuse to work inside a transaction in which somebody waits: neither a test's own nor a loader's. Raises RuntimeError."""
    blocks = transaction.get_connection().atomic_blocks
    if any(not (getattr(one, "_from_testcase", False) or getattr(one, "loads", False)) for one in blocks):
        raise RuntimeError("a source is not asked inside a transaction: pull first, then act")


def _sound(
    one: registry.Source, subject: Ref, names: tuple[str, ...], purpose: str, case: str, law: str
) -> None:
    """Raises Invalid for a question that nobody may ask: it is the program's fault, never the person's."""
    errors = {}
    if not names:
        errors["fields"] = "请写明读取哪几项。"
    elif unknown := [name for name in names if name not in one.fields]:
        errors["fields"] = f"{one.title}没有这些内容：{'、'.join(unknown)}。"
    if not one.knows(subject.kind):
        errors["subject"] = f"{one.title}登记的不是这一类主体。"
    if not purpose.strip() or len(purpose) > 200:
        errors["purpose"] = "请写明用来做什么，最多 200 个字。"
    try:
        Ref.parse(case)
    except ValueError:
        errors["case"] = "请写明用于哪一件事。"
    if law and not _ARTICLE.search(law):
        errors["legal_basis"] = "依法读取要写明法律、法规的名称和条款，如《政务数据共享条例》第十九条。"
    if errors:
        raise Invalid(errors)


def _ground(waiting: Waiting, consent_id: int | None, legal_basis: str) -> tuple[str, str]:
    """What the reading rests on, and the consent's printed Ref; two empty texts where it rests on nothing."""
    actor, question = waiting.actor, waiting.ask
    if legal_basis:
        return ("", "") if is_resident(actor) else (legal_basis.strip()[:200], "")
    if not waiting.source.remote and is_resident(actor):
        # Somebody looks at what the district itself holds of him: policy made sure that it is he.
        return OWN_GROUND, ""
    found = residents.consent_for(question.subject, question.source, question.case)
    if found is None or (consent_id is not None and found.pk != consent_id):
        return "", ""
    if not set(question.fields) <= set(found.names):
        return "", ""
    return CONSENT_GROUND, str(found.ref)


def _words(one: registry.Source, names: tuple[str, ...]) -> str:
    return "、".join(one.fields[name].title for name in names)


def _refused(waiting: Waiting, trouble: SourceTrouble) -> SourceTrouble:
    """Write down an attempt for which the source was not asked; returns the trouble, to be raised."""
    row = _record(waiting.actor, waiting=waiting, outcome=trouble.outcome, values={}, milliseconds=0)
    trouble.receipt_id = row.receipt
    return trouble


@action("sources.pull")
def _record(act: Act, *, waiting: Waiting, outcome: str, values: dict[str, Any], milliseconds: int) -> Pull:
    """Write an attempt down: the line of the trail, the leaf, the signed receipt, and under a key of its own what came."""
    # Whoever tries is written down; whether he may was asked before.
    act.check(public)
    one, question = waiting.source, waiting.ask
    moment = now()
    told = reads.Read(
        actor=act.actor,
        subject=question.subject,
        whose=(question.subject,),
        fields=one.titles(question.fields),
        channel="pull",
        case=question.case,
        ground=question.ground,
        reason=question.purpose,
    )
    (line,) = rows_of(told, outcome)
    line.at = moment
    line.save(force_insert=True)
    salted = receipts.salted(values)
    row = Pull(
        read=line,
        receipt=receipts.new_id(),
        source=one.key,
        case=question.case,
        outcome=outcome,
        consent=int(Ref.parse(question.consent).id) if question.consent else None,
        at=moment,
        milliseconds=milliseconds,
    )
    row.statement = receipts.statement(row, one, holder_title(one), question, salted)
    signed = receipts.sign(row.statement)
    row.key_id, row.signature = signed.key_id, signed.signature.hex()
    row.leaf = act.log(
        question.subject,
        receipt=receipts.digest(row.statement),
        source=one.key,
        fields=sorted(question.fields),
        # The holder knows people by their number: asking tells it, whatever it answers.
        asked_by=question.number_kind if question.number else "",
        case=question.case,
        consent=question.consent,
        ground=question.ground,
        outcome=outcome,
    )
    row.save(force_insert=True)
    if values:
        Kept.objects.create(
            pull=row,
            case=question.case,
            subject=str(question.subject),
            content=canonical(salted),
            until=keep_until(question.case, moment),
        )
    return row
