"""Reading a document and reviewing what was read."""

from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db.models import F

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.files import api as files
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.errors import BadFile, Conflict, Invalid, Problem, StepNotAllowed, TooLarge
from liangzhu.kernel.log import sm3
from liangzhu.kernel.now import now, today
from liangzhu.kernel.workdays import shanghai_date
from liangzhu.pillars.programme import events, policies
from liangzhu.pillars.programme.findings import (
    LARGEST,
    UNITS,
    carry,
    day_of,
    newest_of,
    places,
    propose,
    read_again,
    read_target,
    rows_of,
    same_words,
    target_text,
    unit_of,
)
from liangzhu.pillars.programme.models import Article, Finding, PlanDocument, Revision
from liangzhu.pillars.programme.reading import ReadingError, read_bytes
from liangzhu.pillars.programme.reading.extract import MAX_BYTES

EARLIEST = 1980
FARTHEST = 30
"""Years: a plan, or a limit in it, before the one or further ahead than the other is a slip of the finger."""


class SameFile(Conflict):
    """The very same file was read before; ``revision_id`` leads to it."""

    code, title = "same_file", "这份文件已经读入过"
    todo = "请直接打开该稿继续校核；若要读入修订稿，请选择修订后的文件。"

    def __init__(self, revision: Revision):
        self.revision_id = revision.pk
        day, title = shanghai_date(revision.read_at), revision.document.title
        super().__init__(
            f"这份文件已于 {day:%Y-%m-%d} 作为《{title}》第 {revision.no} 稿读入，内容完全相同。"
        )


ADDABLE = {
    "document": ("number", "title", "issuer", "date", "cite"),
    "article": ("lead", "helper", "open_set", "deadline", "target"),
}
"""What a person can add, to the document or to an article. An article that was missed: `add_article`."""


@action("programme.read_document")
def read_document(act: Act, *, upload: UploadedFile, document_id: int | None = None) -> Revision:
    """Read an uploaded plan (.txt .docx .html .pdf) as a new document, or as the revised text of a known one.

    A text with a known document number is a revision of that document. Raises TooLarge, BadFile (with what the reader
    says), Conflict (the very same file was read before).
    """
    act.check(policies.manage)
    if upload.size > MAX_BYTES:
        raise TooLarge(
            f"“{upload.name}”有 {upload.size / 1024 / 1024:.0f} MB，超过 {MAX_BYTES // 1024 // 1024} MB 的上限。",
            todo="方案正文一般不到 1 MB：请去掉图片和附件，另存为 .docx 或 .txt 后上传。",
        )
    upload.seek(0)
    data = upload.read()
    try:
        reading = read_bytes(data, upload.name)
    except ReadingError as error:
        kind = TooLarge if error.code == "too_large" else BadFile
        raise kind(error.message, code=error.code, title="没有读入", todo=error.todo) from None
    fingerprint = sm3(data)
    same = (
        Revision.objects.filter(fingerprint=fingerprint, withdrawn=False).select_related("document").first()
    )
    if same is not None:
        raise SameFile(same)
    number = str(reading.number.value or "")[:60] if reading.number else ""
    document = _document_for(act, document_id, number)
    if document is None:
        document = PlanDocument.objects.create(
            number=number,
            title=(
                str(reading.title.value) if reading.title and reading.title.value else Path(upload.name).stem
            )[:200],
            issuer=(str(reading.issuer.value) if reading.issuer and reading.issuer.value else "")[:100],
            issued_on=reading.date.value if reading.date else None,
            created_at=now(),
        )
    previous = newest_of(document)
    last = document.revisions.order_by("-no").first()
    attachment = _keep_original(act, upload, reading.text)
    revision = Revision.objects.create(
        document=document,
        no=last.no + 1 if last else 1,
        text=reading.text,
        filename=upload.name[-200:],
        fingerprint=fingerprint,
        attachment_id=attachment.pk,
        read_at=now(),
        read_by=str(act.actor.ref),
        read_label=act.actor.label[:100],
    )
    files.attach(act, [attachment.pk], revision.ref)
    articles, rows = rows_of(revision, reading)
    carried = 0
    if previous is not None:
        carried = carry(previous, articles, rows, revision)
    elif document.tasks.exists():
        propose(document, articles, rows, revision)
    Article.objects.bulk_create(articles)
    Finding.objects.bulk_create(rows)
    act.log(revision.ref, document=document.pk, fingerprint=fingerprint, findings=len(rows), carried=carried)
    act.emit(events.DocumentRead(subject=document.ref, revision_no=revision.no))
    return revision


def _document_for(act: Act, document_id: int | None, number: str) -> PlanDocument | None:
    """The document that a person chose, else the one of that number; locked."""
    if document_id is not None:
        return act.lock(PlanDocument, pk=document_id)
    if not number:
        return None
    return PlanDocument.objects.select_for_update().filter(number=number).order_by("id").first()


def _keep_original(act: Act, upload: UploadedFile, text: str) -> files.Attachment:
    """Keep the file as it came; where such a file is not kept (web pages may carry script), the text that was read."""
    try:
        return files.store(act, upload, kinds=("pdf", "docx", "txt"))
    except BadFile:
        kept = ContentFile(text.encode(), name=f"{Path(upload.name).stem}.txt")
        return files.store(act, kept, kinds=("txt",))


@action("programme.withdraw_revision")
def withdraw_revision(act: Act, *, revision_id: int) -> Revision:
    """Withdraw the newest text of a document: it was the wrong file. The text before it counts again.

    A text that the ledger was built from stays: what follows from it is mended by a revised text.
    """
    act.check(policies.manage)
    revision = act.lock(Revision, pk=revision_id)
    document = act.lock(PlanDocument, pk=revision.document_id)
    _latest(revision)
    if document.ledger_revision_id == revision.pk:
        raise StepNotAllowed(
            f"台账是按第 {revision.no} 稿建的，不能撤回。", todo="请上传正确的文件，作为下一稿。"
        )
    revision.withdrawn = True
    revision.save(update_fields=["withdrawn"])
    act.log(revision.ref, withdrawn=revision.no, document=document.pk)
    return revision


# Decisions --------------------------------------------------------------------------------------------------------------


def _fill(
    row: Finding,
    *,
    value: str,
    name: str,
    op: str,
    amount: str | Decimal | None,
    measure: str,
    unit_id: int | None,
) -> None:
    """Write what a person says a finding means. Raises Invalid, UnknownUnit and AmbiguousUnit as Invalid on ``value``."""
    if row.kind == "target":
        _fill_target(row, name, op, amount, measure)
        return
    value = value.strip()
    if not value:
        raise Invalid({"value": "请填写更正后的内容；要去掉这一条，请用“剔除”。"})
    if len(value) > 500:
        raise Invalid({"value": f"最多 500 个字，现在有 {len(value)} 个。"})
    row.unit_id = None
    if row.kind in ("deadline", "date"):
        value = _day(row.kind, value)
    elif row.kind in ("lead", "helper"):
        value, row.unit_id = _unit(value, unit_id, day_of(row.revision))
    elif row.kind == "open_set":
        try:
            value = directory.expand_set(value, day_of(row.revision)).expression
        except Problem as problem:
            raise Invalid({"value": problem.detail}, todo=problem.todo) from None
    row.value = value


def _day(kind: str, value: str) -> str:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise Invalid({"value": f"“{value}”不是有效日期，请写成 2022-10-31 这样的日期。"}) from None
    latest = today().year + (FARTHEST if kind == "deadline" else 1)
    if not EARLIEST <= day.year <= latest:
        raise Invalid({"value": f"{value} 不在合理范围内（{EARLIEST} 年至 {latest} 年），请核对年份。"})
    return day.isoformat()


def _unit(value: str, unit_id: int | None, day: date | None) -> tuple[str, int | None]:
    """A unit's name as the directory writes it, and which unit where the name alone does not say."""
    if unit_id is not None:
        unit = directory.units(day).get(unit_id)
        if unit is None:
            raise Invalid({"value": "选中的单位在文件成文时不存在，请重新选择。"})
        return unit.name, unit.id
    try:
        # The words stay as they were written: 区委网信办 in the plan is 区委网信办 in the ledger's source.
        directory.resolve_unit(value, day)
    except directory.AmbiguousUnit as problem:
        raise Invalid({"value": f"{problem.detail}请从下面选一个。"}, code=problem.code) from None
    except Problem as problem:
        raise Invalid({"value": problem.detail}, code=problem.code, todo=problem.todo) from None
    return value, None


def _fill_target(row: Finding, name: str, op: str, amount: str | Decimal | None, measure: str) -> None:
    wrong = {}
    name, measure = name.strip(), (measure or "").strip()
    if not name:
        wrong["name"] = "请写明指标名称。"
    elif len(name) > 100:
        wrong["name"] = f"最多 100 个字，现在有 {len(name)} 个。"
    if op not in dict(Finding.OPS):
        wrong["op"] = "请选择比较方式。"
    if len(measure) > 20:
        wrong["measure"] = "计量单位最多 20 个字。"
    figure = None
    try:
        figure = Decimal(str(amount).strip())
    except InvalidOperation:
        wrong["amount"] = "目标值应为数字。"
    if figure is not None and not (figure.is_finite() and abs(figure) < LARGEST):
        wrong["amount"] = "目标值过大，请换用更大的计量单位。"
    if wrong:
        raise Invalid(wrong)
    row.name, row.op, row.amount, row.measure = name, op, round(figure, 4), measure
    row.value = target_text(name, op, row.amount, measure)


def _restore(row: Finding) -> None:
    """To confirm is to say that the reader was right: an earlier correction is undone."""
    if row.added:
        return
    target = read_target(row) if row.kind == "target" else None
    if target is not None:
        row.name, row.op, row.amount, row.measure = target
    if row.value != row.read_value:
        row.value, row.unit_id = row.read_value, None


def _latest(revision: Revision) -> None:
    if revision.withdrawn:
        raise StepNotAllowed("这一稿已经撤回，只能查看。", todo="请到现行的一稿校核。")
    latest = newest_of(revision.document)
    if revision.pk != latest.pk:
        raise StepNotAllowed("这一稿已被新稿替代，只能查看。", todo=f"请到第 {latest.no} 稿校核。")


@action("programme.decide_finding")
def decide_finding(
    act: Act,
    *,
    finding_id: int,
    decision: str,
    version: int | None = None,
    value: str = "",
    name: str = "",
    op: str = "",
    amount: str | Decimal | None = None,
    measure: str = "",
    unit_id: int | None = None,
    everywhere: bool = False,
) -> Finding:
    """Confirm, correct or reject (剔除) one finding. What the reader said stays beside a correction.

    ``unit_id`` says which unit is meant where several are called so. ``everywhere`` corrects or rejects a unit, or an open
    set, at every other place of this text where it is written so and nobody has decided yet.
    """
    act.check(policies.manage)
    row = act.lock(Finding, pk=finding_id)
    _latest(row.revision)
    if version is not None and version != row.version:
        who = row.decided_label or "别人"
        raise Conflict(f"{who}刚刚把这一处办为“{row.get_decision_display()}”：{row.value or row.why}。")
    if decision not in (Finding.CONFIRMED, Finding.CORRECTED, Finding.REJECTED):
        raise Invalid({"decision": "请选择确认、更正或剔除。"})
    before = row.value
    if decision == Finding.CORRECTED:
        if row.kind == "note":
            raise Invalid({"decision": "这是一条提示，看过后请确认；要改内容，请更正它所说的那一处。"})
        _fill(row, value=value, name=name, op=op, amount=amount, measure=measure, unit_id=unit_id)
    elif decision == Finding.CONFIRMED:
        _restore(row)
        if not row.value and row.kind != "note":
            raise Invalid({"value": f"这里没有读出{row.get_kind_display()}，不能直接确认，请填写。"})
        if row.kind in UNITS:
            # A name that the directory does not know, confirmed, would stop the ledger later and elsewhere.
            _unit(row.value, row.unit_id, day_of(row.revision))
    row.decision = decision
    row.decided_by, row.decided_label, row.decided_at = str(act.actor.ref), act.actor.label[:100], now()
    row.version += 1
    row.save()
    others = 0
    if everywhere and decision != Finding.CONFIRMED:
        others = same_words(row, before).update(
            value=row.value,
            unit_id=row.unit_id,
            decision=decision,
            decided_by=row.decided_by,
            decided_label=row.decided_label,
            decided_at=row.decided_at,
            version=F("version") + 1,
        )
    act.log(
        row.ref,
        decision=decision,
        kind=row.kind,
        article=row.article_no,
        before=before,
        value=row.value,
        others=others,
    )
    return row


@action("programme.confirm_sure")
def confirm_sure(act: Act, *, revision_id: int) -> Revision:
    """Confirm at once everything that the reader is sure of and nobody has decided yet, except units not found."""
    act.check(policies.manage)
    revision = act.lock(Revision, pk=revision_id)
    _latest(revision)
    day = day_of(revision)
    ids = [
        row.pk
        for row in revision.findings.filter(certainty=Finding.SURE, decision=Finding.PROPOSED)
        if row.kind not in ("lead", "helper") or unit_of(row, day) is not None
    ]
    revision.findings.filter(pk__in=ids).update(
        decision=Finding.CONFIRMED,
        decided_by=str(act.actor.ref),
        decided_label=act.actor.label[:100],
        decided_at=now(),
        version=F("version") + 1,
    )
    act.log(revision.ref, confirmed=len(ids))
    return revision


@action("programme.add_finding")
def add_finding(
    act: Act,
    *,
    revision_id: int,
    kind: str,
    article_no: int | None = None,
    value: str = "",
    name: str = "",
    op: str = "",
    amount: str | Decimal | None = None,
    measure: str = "",
    unit_id: int | None = None,
    why: str = "",
) -> Finding:
    """Add what the reader did not find (e.g. the lead unit of an article that names none)."""
    act.check(policies.manage)
    revision = act.lock(Revision, pk=revision_id)
    _latest(revision)
    if kind not in ADDABLE["document" if article_no is None else "article"]:
        raise Invalid({"kind": "请选择补充哪一类内容。"})
    if article_no is not None and not revision.articles.filter(no=article_no).exists():
        raise Invalid({"article_no": f"没有第 {article_no} 条。"})
    mine = list(revision.findings.filter(article_no=article_no, kind=kind).exclude(decision=Finding.REJECTED))
    title = dict(Finding.KINDS)[kind]
    if kind in Finding.SINGLE and mine:
        words = f"已有{title}“{mine[0].value}”" if mine[0].value else f"{title}空缺的那一处正等着填写"
        raise Invalid({"kind": f"{words}，请直接更正它。"})
    row = Finding(
        revision=revision,
        article_no=article_no,
        kind=kind,
        added=True,
        decision=Finding.CORRECTED,
        why=why.strip()[:300] or "人工补充",
        decided_by=str(act.actor.ref),
        decided_label=act.actor.label[:100],
        decided_at=now(),
    )
    _fill(row, value=value, name=name, op=op, amount=amount, measure=measure, unit_id=unit_id)
    if any(other.value == row.value for other in mine):
        raise Invalid({"value": f"已有{title}“{row.value}”，不必重复补充。"})
    row.save()
    act.log(row.ref, kind=kind, article=article_no, value=row.value)
    return row


@action("programme.add_article")
def add_article(act: Act, *, revision_id: int, no: int, start: int, title: str = "") -> Article:
    """Make an article of a stretch of the text in which the reader saw none, from ``start`` (one of `places`) on.

    It ends where its units are named, at the next article or chapter, or where the article ended that it is cut out of. The
    reader reads both parts again; what people decided stays, and goes with the words it is about. Without a ``title`` the
    reader's heading stands. The article and its number are a person's: a revised text in which they are missed asks.
    """
    act.check(policies.manage)
    revision = act.lock(Revision, pk=revision_id)
    _latest(revision)
    articles = list(revision.articles.order_by("start"))
    same = next((one for one in articles if one.no == no), None)
    if same is not None:
        raise Invalid({"no": f"已有第 {no} 条《{same.title[:40]}》，请换一个编号。"})
    if not 0 < no < 1000:
        raise Invalid({"no": "编号应在 1 到 999 之间。"})
    if start not in places(revision):
        raise Invalid({"start": "请选择这一条从哪一句开始。"})
    chapters = revision.findings.filter(kind="chapter", start__gt=start).exclude(decision=Finding.REJECTED)
    host = next((one for one in articles if one.start < start < one.end), None)
    stops = [host.end if host else len(revision.text), *chapters.values_list("start", flat=True)]
    end = min([*stops, *(one.start for one in articles if one.start > start)])
    article, rows = read_again(revision, no, start, end)
    mine: list[Finding] = []
    if host is not None:
        shorter, before = read_again(revision, host.no, host.start, start)
        host.end, host.text = shorter.end, shorter.text
        host.save(update_fields=["end", "text"])
        read = revision.findings.filter(article_no=host.no, added=False).exclude(start=None)
        read.filter(decision=Finding.PROPOSED).delete()
        decided = list(read)
        mine = [row for row in decided if row.start >= start]
        Finding.objects.filter(pk__in=[row.pk for row in mine]).update(
            article_no=no, version=F("version") + 1
        )
        Finding.objects.bulk_create(_besides([row for row in decided if row.start < start], before))
    heading = next(row for row in rows if row.kind == "article")
    heading.value = title.strip()[:500] or heading.value
    heading.added, heading.decision, heading.certainty = True, Finding.CORRECTED, Finding.SURE
    heading.why = "识读漏掉的一条，人工补充"
    heading.decided_by, heading.decided_label = str(act.actor.ref), act.actor.label[:100]
    heading.decided_at = now()
    article.title = heading.value
    article.save()
    Finding.objects.bulk_create(_besides(mine, rows))
    act.log(revision.ref, article=no, start=article.start, end=article.end, out_of=host.no if host else None)
    return article


def _besides(decided: list[Finding], rows: list[Finding]) -> list[Finding]:
    """Of what was read anew, whatever people have not decided on already."""

    def about(row: Finding) -> tuple:
        return ("unit" if row.kind in UNITS else row.kind, row.start, row.end)

    taken = {about(row) for row in decided}
    single = {row.kind for row in decided if row.kind in Finding.SINGLE and row.decision != Finding.REJECTED}
    return [row for row in rows if about(row) not in taken and row.kind not in single]
