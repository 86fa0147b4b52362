"""The pages of plan documents: upload, review of what was read, opening the ledger, issuing its tasks."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.work.files import api as files
from liangzhu.kernel.errors import Invalid, Problem, StepNotAllowed
from liangzhu.kernel.ui.forms import Form, perform
from liangzhu.kernel.web import guarded
from liangzhu.pillars.programme import actions, issuing, policies, queries
from liangzhu.pillars.programme import review as reviewing
from liangzhu.pillars.programme.changes import CHANGED, DROPPED, NEW, SAME, planned
from liangzhu.pillars.programme.findings import day_of, newest_of, places, same_words
from liangzhu.pillars.programme.models import Finding, PlanDocument, Revision
from liangzhu.pillars.programme.pages.documents_forms import ArticleForm, IssueForm, UploadForm, form_for

VIEWS = ("text", "found")
"""On a phone one sees the text, or what was understood in it."""

AROUND = 60
"""Characters of the paragraph shown before and after the place of a finding."""


@guarded("programme.read_ledger")
def documents(request: HttpRequest) -> HttpResponse:
    """All plan documents; on an empty installation, what to do first."""
    return render(
        request,
        "programme/documents/documents.html",
        {"rows": reviewing.document_rows(request.actor), "may_manage": policies.manage(request.actor)},
    )


@guarded("programme.manage")
def upload(request: HttpRequest) -> HttpResponse:
    """Upload a plan, or the revised text of one; the reader's errors stand on the form."""
    known = queries.documents(request.actor)
    asked = request.GET.get("document", "")
    form = UploadForm(
        request.POST or None, request.FILES or None, documents=known, initial={"document": asked}
    )
    done = perform(
        request,
        form,
        lambda data, once: actions.read_document(
            request.actor, upload=data["file"], document_id=data["document"], once=once
        ),
    )
    if done.ok:
        revision = _read_before(request, done.result) if done.already else done.result
        if not done.already:
            messages.success(
                request, _what_was_read(revision, by_hand=form.cleaned_data["document"] is not None)
            )
        return redirect("programme:review", revision.pk) if revision else redirect("programme:documents")
    return render(request, "programme/documents/upload.html", {"form": form}, status=done.status)


def _read_before(request: HttpRequest, ref: str) -> Revision | None:
    """The revision that the first sending of a form made."""
    ident = str(ref).partition(":")[2]
    return queries.revision(request.actor, int(ident)) if ident.isdigit() else None


def _what_was_read(revision: Revision, *, by_hand: bool) -> str:
    count = revision.articles.count()
    if revision.no > 1 or revision.document.tasks.exists():
        how = "按您的选择" if by_hand else f"按文号 {revision.document.number}"
        kept = revision.findings.exclude(carried_from=None).count()
        tail = f"，沿用了 {kept} 处校核" if kept else ""
        return f"{how}认作《{revision.document.title}》的第 {revision.no} 稿，读出 {count} 条{tail}。"
    return f"已读入新文件，读出 {count} 条。请校核存疑的地方，然后建账。"


# Review -----------------------------------------------------------------------------------------------------------------


def _place(request: HttpRequest) -> dict[str, str]:
    """The filter and, on a phone, the view that a person has chosen, as query parameters."""
    place = {}
    if request.GET.get("show") in reviewing.SHOWS and request.GET["show"] != reviewing.ALL:
        place["show"] = request.GET["show"]
    if request.GET.get("view") in VIEWS and request.GET["view"] != VIEWS[0]:
        place["view"] = request.GET["view"]
    return place


def _back(request: HttpRequest, revision_id: int, anchor: str) -> str:
    """The review where one was."""
    place = urlencode(_place(request))
    return f"{reverse('programme:review', args=[revision_id])}{'?' if place else ''}{place}#{anchor}"


@guarded("programme.read_ledger")
def review(request: HttpRequest, revision_id: int) -> HttpResponse:
    """The text with every finding at its place, and beside it what was understood."""
    revision = queries.revision(request.actor, revision_id)
    place = _place(request)
    found = reviewing.review(request.actor, revision, place.get("show", reviewing.ALL))
    may_decide = found.editable and policies.manage(request.actor)
    if may_decide:
        for block in found.blocks:
            for shown in block.findings:
                if shown.row.open or shown.unresolved:
                    shown.form = Form(version=shown.row.version)
    head = next((block for block in found.blocks if block.kind == reviewing.HEAD), None)
    known = (
        {kind for kind, _, rows in head.groups if any(one.state != "rejected" for one in rows)}
        if head
        else set()
    )
    revisions = list(revision.document.revisions.defer("text").order_by("no"))
    return render(
        request,
        "programme/documents/review.html",
        {
            "review": found,
            "revision": revision,
            "document": revision.document,
            "revisions": revisions,
            "earlier": any(one.no < revision.no and not one.withdrawn for one in revisions),
            "may_withdraw": may_decide and revision.document.ledger_revision_id != revision.pk,
            "withdraw_form": Form(),
            "original": _original(request, revision),
            "may_decide": may_decide,
            "sure_form": Form(),
            "place": urlencode(place),
            "to_text": f"?{urlencode(place | {'view': VIEWS[0]})}" if "view" in place else "",
            "show": place.get("show", reviewing.ALL),
            "view": place.get("view", VIEWS[0]),
            "tabs": [
                (reviewing.ALL, "全部", None),
                (reviewing.DOUBTFUL, "存疑", found.doubts),
                (reviewing.TASKS, "任务", found.tasks),
                (reviewing.UNRESOLVED, "对不上的单位", found.unresolved),
            ],
            "addable": _words(actions.ADDABLE["article"]),
            "head_addable": _words(
                kind for kind in actions.ADDABLE["document"] if kind == "cite" or kind not in known
            ),
        },
    )


def _words(kinds: Iterable[str]) -> list[tuple[str, str]]:
    titles = dict(Finding.KINDS)
    return [(kind, titles[kind]) for kind in kinds]


def _original(request: HttpRequest, revision: Revision) -> "files.Attachment | None":
    """The file as it was uploaded, if this person may have it."""
    if revision.attachment_id is None:
        return None
    try:
        return files.attachment(request.actor, revision.attachment_id)
    except Problem:
        return None


@guarded("programme.manage")
def finding(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Confirm, correct or reject one finding. Opened by itself, or by script as a sheet over the review."""
    row = queries.finding(request.actor, finding_id)
    revision = row.revision
    shown = reviewing.Shown(row, reviewing.resolve(row, day_of(revision)))
    decision = request.POST.get("decision", "")
    correcting = decision == Finding.CORRECTED or request.method != "POST"
    form = _value_form(request, row) if correcting else Form(request.POST, version=row.version)
    done = perform(
        request,
        form,
        lambda data, once: actions.decide_finding(
            request.actor,
            finding_id=row.pk,
            decision=decision,
            once=once,
            **{**_plain(data), "everywhere": "everywhere" in request.POST},
        ),
    )
    if done.ok:
        return redirect(_back(request, revision.pk, _anchor(request, row)))
    if request.method == "POST" and not correcting:
        # What went wrong stands on the form that can mend it.
        wrong, form = form, _value_form(request, row, fresh=True)
        form.problem = wrong.problem or Invalid(" ".join(message for _, _, message in wrong.error_list()))
    return render(
        request,
        "programme/documents/finding.html",
        {
            "shown": shown,
            "row": row,
            "revision": revision,
            "form": form,
            "around": _around(revision, row),
            "back": _back(request, revision.pk, _anchor(request, row)),
            "place": urlencode(_place(request)),
            **_lists(row.kind, revision),
        },
        status=done.status,
    )


def _value_form(request: HttpRequest, row: Finding, *, fresh: bool = False) -> Form:
    """The form for what a finding means, filled with what it means now."""
    kind = form_for(row.kind)
    given = None if fresh else request.POST or None
    kwargs: dict[str, Any] = {"version": row.version}
    if row.kind in ("lead", "helper"):
        text = given.get("value", "") if given else row.value
        kwargs["candidates"] = _candidates(text, row.revision)
    if row.kind in ("lead", "helper", "open_set") and row.pk:
        kwargs["others"] = same_words(row, row.value).count()
    initial = {
        "value": row.value,
        "name": row.name,
        "op": row.op or ">=",
        "measure": row.measure,
        "unit_id": row.unit_id,
    }
    if row.amount is not None:
        initial["amount"] = f"{row.amount.normalize():f}"
    return kind(given, initial=initial, **kwargs)


def _candidates(text: str, revision: Revision) -> list[tuple[int, str]]:
    """The units of that name, when there are several."""
    tree = directory.units(day_of(revision))
    found = tree.by_name(text)
    if len(found) < 2:
        return []
    return [(unit.id, f"{unit.name}（{_under(tree, unit)}）") for unit in found]


def _under(tree: "directory.UnitTree", unit: "directory.UnitView") -> str:
    """What tells two units of one name apart: kind, superior, code."""
    parent = tree.get(unit.parent_id) if unit.parent_id else None
    parts = [directory.kind_title(unit.kind), f"属{parent.name}" if parent else unit.superior, unit.code]
    return "，".join(part for part in parts if part)


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    """What a form gives, as the action takes it: days as YYYY-MM-DD."""
    value = data.get("value")
    return {**data, "value": value.isoformat()} if hasattr(value, "isoformat") else data


def _anchor(request: HttpRequest, row: Finding) -> str:
    """The finding itself, or its article where the filter will not show it any more."""
    if request.GET.get("show") == reviewing.UNRESOLVED and row.article_no:
        return f"a{row.article_no}"
    return f"f{row.pk}"


def _around(revision: Revision, row: Finding) -> dict[str, str] | None:
    """The words of the text around a finding."""
    if row.start is None or row.end <= row.start:
        return None
    text = revision.text
    first = max(text.rfind("\n", 0, row.start) + 1, row.start - AROUND)
    last = text.find("\n", row.end)
    last = min(len(text) if last < 0 else last, row.end + AROUND)
    return {
        "before": ("…" if text[first - 1 : first].strip() else "") + text[first : row.start],
        "quote": text[row.start : row.end],
        "after": text[row.end : last] + ("…" if text[last : last + 1].strip() else ""),
    }


def _lists(kind: str, revision: Revision) -> dict[str, list]:
    """What can be chosen for a kind of finding: units with their kinds, or open sets."""
    if kind in ("lead", "helper"):
        return {
            "units": [
                (unit.name, "，".join(dict.fromkeys([unit.short, directory.kind_title(unit.kind)])))
                for unit in directory.units(day_of(revision)).all()
            ]
        }
    return {"sets": directory.set_expressions()} if kind == "open_set" else {}


@guarded("programme.manage")
def add_finding(request: HttpRequest, revision_id: int) -> HttpResponse:
    """Add what the reader did not find, to an article or to the document."""
    revision = queries.revision(request.actor, revision_id)
    article_no = request.GET.get("article", "")
    article = (
        revision.articles.filter(no=int(article_no)).first()
        if article_no.isdigit() and len(article_no) < 6
        else None
    )
    kind = request.GET.get("kind", "")
    if kind not in actions.ADDABLE["article" if article else "document"]:
        raise StepNotAllowed(
            "没有说明补充到哪一条、补充什么。", todo="请回到校核页，从条目下面的“补充”进入。"
        )
    blank = Finding(revision=revision, article_no=article.no if article else None, kind=kind)
    form = _value_form(request, blank)
    form.fields.pop("version", None)
    done = perform(
        request,
        form,
        lambda data, once: actions.add_finding(
            request.actor,
            revision_id=revision.pk,
            kind=kind,
            article_no=blank.article_no,
            once=once,
            **_plain({name: value for name, value in data.items() if name != "version"}),
        ),
    )
    back = _back(request, revision.pk, f"a{article.no}" if article else "head")
    if done.ok:
        return redirect(back)
    return render(
        request,
        "programme/documents/add.html",
        {
            "revision": revision,
            "article": article,
            "kind": blank.get_kind_display(),
            "form": form,
            "back": back,
            **_lists(kind, revision),
        },
        status=done.status,
    )


@guarded("programme.manage")
def add_article(request: HttpRequest, revision_id: int) -> HttpResponse:
    """Add an article that the reader missed, within the part of the text that ``?at=`` lies in."""
    revision = queries.revision(request.actor, revision_id)
    given = request.GET.get("at", "")
    at = int(given) if given.isdigit() and len(given) < 9 else 0
    block = reviewing.block_at(request.actor, revision, at)
    choices = [
        (place, _excerpt(revision.text, place))
        for place in places(revision)
        if block.start <= place < block.end
    ]
    if not choices:
        raise StepNotAllowed(
            "这一段里没有可以作为一条开头的句子。", todo="请回到校核页，从漏读的那一段进入。"
        )
    form = ArticleForm(
        request.POST or None, places=choices, initial={"no": reviewing.free_number(revision, block.start)}
    )
    done = perform(
        request,
        form,
        lambda data, once: actions.add_article(request.actor, revision_id=revision.pk, once=once, **data),
    )
    if done.ok:
        return redirect(_back(request, revision.pk, f"a{form.cleaned_data['no']}"))
    return render(
        request,
        "programme/documents/add.html",
        {
            "revision": revision,
            "kind": "漏读的一条",
            "form": form,
            "lead": "到下一条、下一章或写责任单位的括号为止算作这一条，程序会再读一遍，请接着校核。",
            "back": _back(request, revision.pk, f"a{block.article.no}" if block.article else block.anchor),
        },
        status=done.status,
    )


def _excerpt(text: str, place: int) -> str:
    """How a sentence begins."""
    line = text[place : place + AROUND].split("\n")[0].strip()
    return line[:40] + ("…" if len(line) > 40 else "")


@guarded("programme.manage")
@require_POST
def confirm_sure(request: HttpRequest, revision_id: int) -> HttpResponse:
    """Confirm everything that the reader is sure of."""
    revision = queries.revision(request.actor, revision_id)
    form = Form(request.POST)
    done = perform(
        request,
        form,
        lambda data, once: actions.confirm_sure(request.actor, revision_id=revision.pk, once=once),
    )
    if not done.ok:
        raise form.problem or StepNotAllowed("没有办成，请刷新校核页后再试。")
    if not done.already:
        messages.success(request, "确定项已全部确认。")
    return redirect(_back(request, revision.pk, "main"))


@guarded("programme.manage")
@require_POST
def withdraw(request: HttpRequest, revision_id: int) -> HttpResponse:
    """Withdraw a text that was the wrong file."""
    revision = queries.revision(request.actor, revision_id)
    form = Form(request.POST)
    done = perform(
        request,
        form,
        lambda data, once: actions.withdraw_revision(request.actor, revision_id=revision.pk, once=once),
    )
    if not done.ok:
        raise form.problem or StepNotAllowed("没有办成，请刷新校核页后再试。")
    if not done.already:
        messages.success(request, f"已撤回第 {revision.no} 稿，文字和校核仍可查看。")
    return redirect("programme:documents")


@guarded("programme.read_ledger")
def difference(request: HttpRequest, revision_id: int) -> HttpResponse:
    """Two texts of a document: words and findings that differ."""
    revision = queries.revision(request.actor, revision_id)
    other = request.GET.get("with", "")
    found = reviewing.difference(
        request.actor, revision, int(other) if other.isdigit() and len(other) < 6 else None
    )
    return render(
        request,
        "programme/documents/difference.html",
        {"difference": found, "document": revision.document, "revision": revision},
    )


# The ledger -------------------------------------------------------------------------------------------------------------


@guarded("programme.manage")
def open_ledger(request: HttpRequest, revision_id: int) -> HttpResponse:
    """What opening the ledger, or bringing it up to date, will do; then do it."""
    revision = queries.revision(request.actor, revision_id)
    document = revision.document
    form = Form(request.POST or None)
    done = perform(
        request,
        form,
        lambda data, once: actions.open_ledger(
            request.actor, revision_id=revision.pk, expected=request.POST.get("expected", "")[:64], once=once
        ),
    )
    if done.ok:
        opened = document.state == PlanDocument.IN_FORCE
        messages.success(request, f"台账已按第 {revision.no} 稿更新。" if opened else "已建账，请下达任务。")
        if document.tasks.filter(matter=None, dropped=False).exists():
            return redirect("programme:issue", document.pk)
        return redirect(f"{reverse('programme:ledger')}?document={document.pk}")
    changes, problem = None, None
    try:
        changes = planned(revision)
    except Invalid as invalid:
        problem = invalid
    found = reviewing.review(request.actor, revision)
    waiting = [
        (block, [one for one in block.findings if one.row.blocks or one.unresolved])
        for block in found.blocks
        if any(one.row.blocks or one.unresolved for one in block.findings)
    ]
    return render(
        request,
        "programme/documents/open_ledger.html",
        {
            "revision": revision,
            "document": document,
            "review": found,
            "form": form,
            "changes": changes,
            "kinds": [(kind, changes.of(kind)) for kind in (DROPPED, NEW, CHANGED, SAME)] if changes else [],
            "filled": [one for one in changes.tasks if one.only_text] if changes else [],
            "problem": problem,
            "waiting": waiting,
            "opened": document.state == PlanDocument.IN_FORCE,
        },
        status=done.status,
    )


# Issuing ----------------------------------------------------------------------------------------------------------------


@guarded("programme.manage")
def issue(request: HttpRequest, document_id: int) -> HttpResponse:
    """The tasks that wait for issue, in one table; those ticked are issued one by one."""
    document = queries.document(request.actor, document_id)
    rows = [
        (
            row,
            IssueForm(
                request.POST or None,
                prefix=f"t{row.task.pk}",
                version=row.task.version,
                initial={"due_on": row.task.due_on},
                no=row.task.article_no,
                scopes=row.scopes,
            ),
        )
        for row in issuing.waiting(request.actor, document)
    ]
    chosen = [(row, form) for row, form in rows if form.chosen]
    done = [(row, form) for row, form in chosen if _issue(request, row, form)]
    failed = [pair for pair in chosen if pair not in done]
    numbers = "、".join(str(row.task.article_no) for row, _ in done)
    if done and not failed:
        messages.success(request, f"已下达 {len(done)} 项：第 {numbers} 条。")
        return redirect("programme:issue", document.pk)
    nothing = request.method == "POST" and not chosen
    return render(
        request,
        "programme/documents/issue.html",
        {
            "document": document,
            "rows": [pair for pair in rows if pair not in done],
            "done": len(done),
            "numbers": numbers,
            "failed": failed,
            "nothing": nothing,
            "before": issuing.issued(request.actor, document),
            "latest": newest_of(document),
        },
        status=Invalid.status if failed or nothing else 200,
    )


def _issue(request: HttpRequest, row: issuing.Waiting, form: IssueForm) -> bool:
    """Issue one task; whether it worked. What went wrong stands on its form."""
    return perform(
        request,
        form,
        lambda data, once: actions.issue_task(
            request.actor,
            task_id=row.task.pk,
            due_on=data["due_on"],
            helper_ids=form.units(),
            version=data["version"],
            once=once,
        ),
    ).ok
