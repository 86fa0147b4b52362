"""Reading a document, reviewing what was read, and opening the ledger from it."""

from datetime import date
from decimal import Decimal, InvalidOperation

from django.core.files.uploadedfile import UploadedFile

from liangzhu.beams.data.indicators import api as indicators
from liangzhu.beams.work.files import api as files
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.errors import BadFile, Conflict, Invalid, StepNotAllowed, TooLarge
from liangzhu.kernel.log import sm3
from liangzhu.kernel.now import now
from liangzhu.pillars.programme import events, policies
from liangzhu.pillars.programme.facts import ArticleFacts, ResolvedArticle, TargetFact, resolve
from liangzhu.pillars.programme.models import Clause, Finding, PlanDocument, PlanTask, Revision, TaskHelper
from liangzhu.pillars.programme.reading import ReadingError, read_bytes
from liangzhu.pillars.programme.reading.model import Finding as Read
from liangzhu.pillars.programme.reading.model import Reading, Target

MAX_BYTES = 20 * 1024 * 1024
"""The largest plan file that is read; a plan of a hundred pages with pictures stays far below."""


def _row(revision: Revision, kind: str, read: Read, article_no: int | None) -> Finding:
    """A finding as a row."""
    row = Finding(
        revision=revision,
        article_no=article_no,
        kind=kind,
        quote=read.text[:500],
        start=read.start,
        end=read.end,
        certainty=read.certainty,
        why=read.why[:300],
    )
    if isinstance(read.value, Target):
        row.name, row.op = read.value.name[:100], read.value.op
        row.amount, row.measure = Decimal(str(read.value.value)), read.value.unit[:20]
        row.value = f"{row.name} {row.op} {read.value.value}{row.measure}"
    else:
        row.value = read.value.isoformat() if isinstance(read.value, date) else (read.value or "")
    row.value = row.value[:500]
    row.read_value = row.value
    return row


def _rows(revision: Revision, reading: Reading) -> list[Finding]:
    """All findings of a reading as rows; an article's doubts that concern no finding become notes on its title."""
    rows = [
        _row(revision, kind, read, None)
        for kind, read in [
            ("number", reading.number),
            ("title", reading.title),
            ("issuer", reading.issuer),
            ("date", reading.date),
        ]
        if read is not None
    ]
    rows += [_row(revision, "cite", read, None) for read in reading.cites]
    rows += [_row(revision, "chapter", read, None) for read in reading.chapters]
    for article in reading.articles:
        rows.append(_row(revision, "article", article.title, article.no))
        if article.lead is not None:
            rows.append(_row(revision, "lead", article.lead, article.no))
        rows += [_row(revision, "helper", read, article.no) for read in article.helpers]
        rows += [_row(revision, "open_set", read, article.no) for read in article.open_sets]
        rows += [_row(revision, "deadline", read, article.no) for read in article.deadlines]
        rows += [_row(revision, "target", read, article.no) for read in article.targets]
    placed = {(row.article_no, row.start, row.end) for row in rows if row.certainty == Finding.DOUBTFUL}
    for doubt in reading.doubts:
        if (doubt.article, doubt.start, doubt.end) in placed:
            continue
        for row in rows:
            if row.kind in ("article", "title") and row.article_no == doubt.article:
                row.certainty = Finding.DOUBTFUL
                row.why = f"{row.why} {doubt.why}".strip()[:300]
                break
    return rows


def _carry(previous: Revision, rows: list[Finding], revision: Revision) -> int:
    """Keep what people decided on the previous text. Returns how many decisions were carried over.

    An article is the same when its title is; otherwise when its number is. A correction whose wording is gone from the
    new text is kept as a doubtful addition, so that nobody's work disappears unseen.
    """
    titles_now = {row.read_value: row.article_no for row in rows if row.kind == "article"}
    numbers_now = {row.article_no for row in rows if row.kind == "article"}
    moved: dict[int | None, int | None] = {None: None}
    for old in previous.findings.filter(kind="article"):
        moved[old.article_no] = titles_now.get(
            old.read_value, old.article_no if old.article_no in numbers_now else None
        )
    by_key = {(row.article_no, row.kind, row.read_value): row for row in rows}
    by_quote = {(row.article_no, row.kind, row.quote): row for row in rows}
    carried = 0
    decided = previous.findings.exclude(decision=Finding.PROPOSED)
    for old in decided:
        gone = old.article_no is not None and moved.get(old.article_no) is None
        article_no = moved.get(old.article_no)
        row = None
        if not gone and not old.added:
            row = by_key.get((article_no, old.kind, old.read_value)) or by_quote.get(
                (article_no, old.kind, old.quote)
            )
        if row is None:
            if old.decision in (Finding.REJECTED, Finding.CONFIRMED) and not old.added:
                continue
            row = Finding(revision=revision, article_no=article_no, kind=old.kind, added=True)
            if old.added and not gone:
                row.certainty, row.why = Finding.SURE, old.why
                row.decision = old.decision
            else:
                row.certainty, row.decision = Finding.DOUBTFUL, Finding.PROPOSED
                row.why = "上一稿的更正在新稿中找不到对应原文，请确认是否仍然适用。"
            rows.append(row)
        else:
            row.decision = old.decision
        for name in ("value", "name", "op", "amount", "measure", "decided_by", "decided_at"):
            setattr(row, name, getattr(old, name))
        row.carried_from = old
        carried += 1
    return carried


@action("programme.read_document")
def read_document(act: Act, *, upload: UploadedFile, document_id: int | None = None) -> Revision:
    """Read an uploaded plan (.txt .docx .html .pdf) as a new document, or as the revised text of a known one.

    A text with a known document number is a revision of that document. Raises TooLarge, BadFile (with what the reader
    says), Conflict (the very same text was read before).
    """
    act.check(policies.manage)
    if upload.size > MAX_BYTES:
        raise TooLarge(
            f"文件有 {upload.size / 1024 / 1024:.0f} MB，超过 {MAX_BYTES // 1024 // 1024} MB 的上限。",
            todo="请另存为不带图片的 .docx 或 .txt 后上传。",
        )
    data = upload.read()
    upload.seek(0)
    try:
        reading = read_bytes(data, upload.name)
    except ReadingError as error:
        raise BadFile(error.message, code=error.code, todo=error.todo) from None
    fingerprint = sm3(data)
    number = reading.number.value if reading.number else ""
    if document_id is not None:
        document = act.lock(PlanDocument, pk=document_id)
    else:
        document = PlanDocument.objects.select_for_update().filter(number=number).first() if number else None
    if document is None:
        document = PlanDocument.objects.create(
            number=number,
            title=(reading.title.value if reading.title else upload.name)[:200],
            issuer=(reading.issuer.value if reading.issuer else "")[:100],
            issued_on=reading.date.value if reading.date else None,
            created_at=now(),
        )
    same = document.revisions.filter(fingerprint=fingerprint).first()
    if same is not None:
        raise Conflict(
            f"这份文件已于 {same.read_at:%Y-%m-%d} 作为第 {same.no} 稿读入，内容完全相同。",
            todo="请直接打开该稿继续校核；若要读入修订稿，请选择修订后的文件。",
        )
    previous = document.revisions.order_by("-no").first()
    attachment = files.store(act, upload)
    revision = Revision.objects.create(
        document=document,
        no=previous.no + 1 if previous else 1,
        text=reading.text,
        filename=upload.name[:200],
        fingerprint=fingerprint,
        attachment_id=attachment.pk,
        read_at=now(),
        read_by=str(act.actor.ref),
    )
    files.attach(act, [attachment.pk], revision.ref)
    rows = _rows(revision, reading)
    carried = _carry(previous, rows, revision) if previous else 0
    Finding.objects.bulk_create(rows)
    act.log(revision.ref, document=document.pk, fingerprint=fingerprint, findings=len(rows), carried=carried)
    act.emit(events.DocumentRead(subject=document.ref, revision_no=revision.no))
    return revision


def _clean_value(kind: str, value: str) -> str:
    value = value.strip()
    if not value:
        raise Invalid({"value": "请填写更正后的内容；要去掉这一条，请用“剔除”。"})
    if kind in ("deadline", "date") and value != "":
        try:
            date.fromisoformat(value)
        except ValueError:
            raise Invalid({"value": f"“{value}”不是有效日期，请写成 2022-10-31 这样的日期。"}) from None
    return value[:500]


def _fill(row: Finding, value: str, name: str, op: str, amount: str | Decimal | None, measure: str) -> None:
    """Write what a person says a finding means."""
    if row.kind == "target":
        if not name.strip():
            raise Invalid({"name": "请写明指标名称。"})
        if op not in dict(Finding.OPS):
            raise Invalid({"op": "请选择比较方式。"})
        try:
            row.amount = Decimal(str(amount))
        except (InvalidOperation, ValueError):
            raise Invalid({"amount": "目标值应为数字。"}) from None
        row.name, row.op, row.measure = name.strip()[:100], op, (measure or "").strip()[:20]
        row.value = f"{row.name} {op} {row.amount.normalize():f}{row.measure}"
    else:
        row.value = _clean_value(row.kind, value)


def _lock_finding(act: Act, finding_id: int, version: int | None) -> Finding:
    row = act.lock(Finding, pk=finding_id)
    latest = Revision.objects.filter(document=row.revision.document_id).order_by("-no").first()
    if row.revision_id != latest.pk:
        raise StepNotAllowed("这一稿已被新稿替代，只能查看。", todo=f"请到第 {latest.no} 稿校核。")
    if version is not None and version != row.version:
        raise Conflict(f"这一条刚刚被改为“{row.get_decision_display()}：{row.value}”。")
    return row


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
) -> Finding:
    """Confirm, correct or reject (剔除) one finding. A correction keeps what the reader said beside it."""
    act.check(policies.manage)
    row = _lock_finding(act, finding_id, version)
    if decision not in (Finding.CONFIRMED, Finding.CORRECTED, Finding.REJECTED):
        raise Invalid({"decision": "请选择确认、更正或剔除。"})
    if decision == Finding.CORRECTED:
        _fill(row, value, name, op, amount, measure)
    row.decision = decision
    row.decided_by, row.decided_at = str(act.actor.ref), now()
    row.version += 1
    row.save()
    act.log(row.ref, decision=decision, kind=row.kind, article=row.article_no, value=row.value)
    return row


@action("programme.confirm_sure")
def confirm_sure(act: Act, *, revision_id: int) -> Revision:
    """Confirm at once everything that the reader is sure of and nobody has decided yet."""
    act.check(policies.manage)
    revision = act.lock(Revision, pk=revision_id)
    rows = revision.findings.filter(certainty=Finding.SURE, decision=Finding.PROPOSED)
    count = rows.update(decision=Finding.CONFIRMED, decided_by=str(act.actor.ref), decided_at=now())
    act.log(revision.ref, confirmed=count)
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
    why: str = "",
) -> Finding:
    """Add what the reader did not find (e.g. the lead unit of an article that names none)."""
    act.check(policies.manage)
    revision = act.lock(Revision, pk=revision_id)
    if kind not in dict(Finding.KINDS):
        raise Invalid({"kind": "请选择补充哪一类内容。"})
    if (
        article_no is not None
        and not revision.findings.filter(kind="article", article_no=article_no).exists()
    ):
        raise Invalid({"article_no": f"没有第 {article_no} 条。"})
    if kind == "lead":
        other = revision.findings.filter(kind="lead", article_no=article_no).exclude(
            decision=Finding.REJECTED
        )
        if other.exists():
            raise Invalid({"kind": f"第 {article_no} 条已有牵头单位“{other.first().value}”，请直接更正它。"})
    row = Finding(
        revision=revision,
        article_no=article_no,
        kind=kind,
        added=True,
        certainty=Finding.SURE,
        decision=Finding.CORRECTED,
        why=why[:300] or "人工补充",
        decided_by=str(act.actor.ref),
        decided_at=now(),
    )
    _fill(row, value, name, op, amount, measure)
    row.save()
    act.log(row.ref, kind=kind, article=article_no, value=row.value)
    return row


def facts_of(revision: Revision) -> list[ArticleFacts]:
    """The articles with responsible units, as the reviewed findings say."""
    findings = [row for row in revision.findings.all() if row.decision != Finding.REJECTED]
    chapters = sorted(
        (row for row in findings if row.kind == "chapter" and row.start is not None),
        key=lambda row: row.start,
    )
    articles: list[ArticleFacts] = []
    for head in sorted((row for row in findings if row.kind == "article"), key=lambda row: row.article_no):
        mine = [row for row in findings if row.article_no == head.article_no]
        lead = next((row.value for row in mine if row.kind == "lead"), "")
        helpers = tuple(row.value for row in mine if row.kind == "helper")
        open_sets = tuple(row.value for row in mine if row.kind == "open_set")
        if not (lead or helpers or open_sets):
            continue
        days = [date.fromisoformat(row.value) for row in mine if row.kind == "deadline" and row.value]
        before = [row for row in chapters if head.start is not None and row.start < head.start]
        following = sorted(
            row.start
            for row in findings
            if row.kind in ("article", "chapter") and row.start and head.start and row.start > head.start
        )
        text = (
            revision.text[head.start : following[0] if following else None].strip()
            if head.start is not None
            else ""
        )
        articles.append(
            ArticleFacts(
                no=head.article_no,
                chapter=before[-1].value if before else "",
                title=head.value,
                lead=lead,
                helpers=helpers,
                open_sets=open_sets,
                text=text[:6000],
                due_on=max(days, default=None),
                targets=tuple(
                    TargetFact(
                        text=(row.quote or row.value),
                        name=row.name,
                        op=row.op,
                        amount=row.amount,
                        measure=row.measure,
                        due_on=max(days, default=None),
                    )
                    for row in mine
                    if row.kind == "target"
                ),
            )
        )
    return articles


def _head(revision: Revision, kind: str) -> str:
    row = revision.findings.filter(kind=kind).exclude(decision=Finding.REJECTED).first()
    return row.value if row else ""


@action("programme.open_ledger")
def open_ledger(act: Act, *, revision_id: int) -> PlanDocument:
    """Open the ledger (建账) from a reviewed revision, or bring it up to date with a revised one.

    Doubtful findings must have been decided, every unit found. Tasks that were issued keep their history: only wording
    changes; a task whose article is gone from the text is marked and left for the office to withdraw.
    """
    act.check(policies.manage)
    revision = act.lock(Revision, pk=revision_id)
    document = act.lock(PlanDocument, pk=revision.document_id)
    undecided = [row for row in revision.findings.all() if row.open and row.kind != "cite"]
    if undecided:
        places = "、".join(
            dict.fromkeys(
                f"第 {row.article_no} 条" if row.article_no else row.get_kind_display() for row in undecided
            )
        )
        raise Invalid(
            f"还有 {len(undecided)} 处存疑没有校核：{places}。", todo="请逐处确认、更正或剔除后再建账。"
        )
    articles = facts_of(revision)
    if not articles:
        raise Invalid("没有找到带责任单位的条目，不能建账。", todo="请在校核页补充牵头单位。")
    issued = _head(revision, "date")
    document.number = _head(revision, "number")[:60]
    document.title = _head(revision, "title")[:200] or document.title
    document.issuer = _head(revision, "issuer")[:100]
    document.issued_on = date.fromisoformat(issued) if issued else document.issued_on
    _build(act, document, resolve(articles, document.issued_on))
    act.log(document.ref, revision=revision.no, tasks=len(articles))
    act.emit(events.LedgerOpened(subject=document.ref, tasks=len(articles)))
    return document


@action("programme.open_ledger_from_facts")
def open_ledger_from_facts(
    act: Act,
    *,
    number: str,
    title: str,
    issuer: str,
    issued_on: date,
    articles: list[ArticleFacts],
    demo: bool = False,
) -> PlanDocument:
    """Open a ledger from facts that the district's pack carries; the text itself is uploaded by a person."""
    act.check(policies.manage)
    document, _ = PlanDocument.objects.select_for_update().get_or_create(
        number=number,
        defaults={
            "title": title,
            "issuer": issuer,
            "issued_on": issued_on,
            "demo": demo,
            "created_at": now(),
        },
    )
    _build(act, document, resolve(articles, issued_on))
    act.log(document.ref, number=number, tasks=len(articles), demo=demo)
    act.emit(events.LedgerOpened(subject=document.ref, tasks=len(articles)))
    return document


def _build(act: Act, document: PlanDocument, articles: list[ResolvedArticle]) -> None:
    """Make or refresh tasks, helpers and clauses."""
    known = {task.article_no: task for task in document.tasks.select_for_update()}
    for article in articles:
        facts = article.facts
        task = known.pop(facts.no, None) or PlanTask(document=document, article_no=facts.no)
        task.chapter, task.title, task.dropped = facts.chapter[:100], facts.title[:200], False
        task.text = facts.text or task.text
        if task.matter_id is None:
            # After issue, lead and limit change by handing over and by extension, never by a new text.
            task.lead_unit_id, task.due_on = article.lead_id, facts.due_on
        task.version += 1 if task.pk else 0
        task.save()
        have = set(task.helpers.values_list("unit_id", flat=True))
        new = [TaskHelper(task=task, unit_id=unit) for unit in article.helper_ids if unit not in have]
        if task.matter_id is None:
            task.helpers.filter(expression="").exclude(unit_id__in=article.helper_ids).delete()
        TaskHelper.objects.bulk_create(new)
        _scope(task, article)
        _clauses(task, facts)
    for task in known.values():
        task.dropped = True
        task.save(update_fields=["dropped"])
    document.state = PlanDocument.IN_FORCE
    document.version += 1
    document.save()


def _scope(task: PlanTask, article: ResolvedArticle) -> None:
    """Remember which open sets (概称) the plan names; members take part when the office asks them to."""
    named = {article.lead_id, *article.helper_ids}
    task.scopes.exclude(expression__in=article.members).delete()
    for expression, members in article.members.items():
        scope, _ = task.scopes.get_or_create(expression=expression)
        scope.units.set([unit for unit in members if unit not in named])


def _clauses(task: PlanTask, facts: ArticleFacts) -> None:
    """The clause of the task as a whole, and one for each target; checks that were bound stay bound."""
    wanted = {str(facts.no): {"kind": Clause.TASK, "text": facts.title[:500], "due_on": task.due_on}}
    for position, target in enumerate(facts.targets, start=1):
        wanted[f"{facts.no}.{position}"] = {
            "kind": Clause.TARGET,
            "text": target.text[:500],
            "name": target.name[:100],
            "op": target.op,
            "amount": target.amount,
            "measure": target.measure[:20],
            "due_on": target.due_on,
        }
    for no, values in wanted.items():
        clause, created = Clause.objects.get_or_create(task=task, no=no, defaults=values)
        if not created:
            for name, value in values.items():
                setattr(clause, name, value)
            clause.dropped = False
            clause.version += 1
            clause.save()
    for position, target in enumerate(facts.targets, start=1):
        if target.indicator_key:
            Clause.objects.filter(task=task, no=f"{facts.no}.{position}", indicator=None).update(
                indicator_id=indicators.indicator_id(target.indicator_key)
            )
    task.clauses.exclude(no__in=wanted).update(dropped=True)
