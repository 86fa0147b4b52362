"""The ledger's pages: all tasks, a task before it is issued, steps, limits, helpers, publication, checks, letters."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from liangzhu.kernel.errors import NotThere, StepNotAllowed
from liangzhu.kernel.now import today
from liangzhu.kernel.paging import page
from liangzhu.kernel.policies import get_policy
from liangzhu.kernel.ui.forms import Form, form_view, perform
from liangzhu.kernel.web import guarded
from liangzhu.pillars.programme import actions, letters, overview, policies, queries
from liangzhu.pillars.programme.models import Clause, ClauseDay, Letter, PlanDocument, PlanTask, TaskStep
from liangzhu.pillars.programme.pages.ledger_forms import (
    CheckForm,
    CriticismForm,
    ExtensionForm,
    FinishForm,
    HelperForm,
    LetterForm,
    LimitForm,
    PublishForm,
    SignForm,
    SplitForm,
    StepForm,
    UrgeForm,
)


def _number(text: str | None) -> int | None:
    """A row's id from an address; None for anything that is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None


# The ledger -----------------------------------------------------------------------------------------------------------


@guarded("programme.read_ledger")
def ledger(request: HttpRequest) -> HttpResponse:
    """All tasks of a plan: filters, rows, and for the office a choice of tasks to urge."""
    document = queries.current_document(request.actor, request.GET.get("document"))
    if document is None:
        return render(request, "programme/ledger/ledger.html", {"document": None})
    asked = {name: request.GET.get(name, "").strip()[:50] for name in ("unit", "light", "state", "q")}
    own = getattr(request.actor, "unit_id", None)
    unit_id = own if asked["unit"] == "mine" else _number(asked["unit"])
    found = queries.ledger_page(
        request.actor, document, unit_id=unit_id, light=asked["light"], state=asked["state"], text=asked["q"]
    )
    return render(
        request,
        "programme/ledger/ledger.html",
        {
            "document": document,
            "documents": overview.plans(request.actor),
            "ledger": found,
            "asked": asked,
            "own": own,
            "unit_id": unit_id,
            "narrowed": any(asked.values()),
            "pick_late": "pick" in request.GET,
            "sets": overview.open_sets(request.actor, document, [row.task.pk for row in found.rows]),
            "may_manage": policies.manage(request.actor),
        },
    )


@guarded("programme.read_ledger")
def task(request: HttpRequest, task_id: int) -> HttpResponse:
    """A task: its matter's page once it was issued; before, what the plan says of it."""
    found = queries.task(request.actor, task_id)
    if found.matter_id:
        return redirect(queries.task_url(found))
    return render(request, "programme/ledger/task.html", queries.task_facts(request.actor, found))


# Steps ----------------------------------------------------------------------------------------------------------------


@guarded("programme.work_on_task")
def split(request: HttpRequest, task_id: int) -> HttpResponse:
    """Split a task into steps, several in one form; “再加一行” draws the form again with one row more."""
    found = queries.task(request.actor, task_id)
    policies.work_on_task.require(request.actor, found)
    units = queries.step_units(found)
    if request.method == "POST" and "add" in request.POST:
        rows = SplitForm.rows_asked(request.POST) + 1
        form = SplitForm(units=units, rows=rows, initial={**request.POST.dict(), "rows": rows})
        status = 200
    else:
        rows = SplitForm.rows_asked(request.POST)
        form = SplitForm(request.POST or None, units=units, rows=rows)
        done = perform(
            request,
            form,
            lambda data, once: actions.split_steps(
                request.actor, task_id=found.pk, steps=form.steps(), once=once
            ),
        )
        if done.ok:
            messages.success(request, "节点已登记，到期前会提醒。")
            return redirect(queries.task_url(found))
        status = done.status
    context = {
        "form": form,
        "task": found,
        "back": queries.task_url(found),
        "steps": found.steps.filter(withdrawn=False),
    }
    return render(request, "programme/ledger/split.html", context, status=status)


def _step(request: HttpRequest, step_id: int) -> TaskStep:
    return queries.step(request.actor, step_id)


@guarded("programme.work_on_task")
def step(request: HttpRequest, step_id: int) -> HttpResponse:
    """Rename a step, move its day, or withdraw it."""
    found = _step(request, step_id)
    policies.work_on_task.require(request.actor, found.task)
    start = {"title": found.title, "due_on": found.due_on, "withdraw": found.withdrawn}
    form = StepForm(request.POST or None, version=found.version, initial=start)
    return _form_page(
        request,
        form,
        lambda data, once: actions.edit_step(request.actor, step_id=found.pk, once=once, **data),
        done="节点已改，原来的写法留在日志里。",
        task=found.task,
        title="调整节点",
        submit="保存",
        effect="改动写入日志；日期不能晚于任务期限，已经逾期的节点不能往后改。",
        keep=f"programme.step.{found.pk}",
        facts=[("节点", found.title), ("承担单位", _unit(found)), ("计划完成", found.due_on)],
    )


@guarded("programme.work_on_step")
def finish_step(request: HttpRequest, step_id: int) -> HttpResponse:
    """Report a step as finished."""
    found = _step(request, step_id)
    policies.work_on_step.require(request.actor, found)
    form = FinishForm(request.POST or None, version=found.version, initial={"done_on": today()})
    return _form_page(
        request,
        form,
        lambda data, once: actions.finish_step(request.actor, step_id=found.pk, once=once, **data),
        done=f"节点“{found.title}”已完成。",
        task=found.task,
        title="报节点完成",
        submit="报完成",
        effect="节点记为完成，不能再改；任务本身仍要申请销号，由办公室核查。",
        keep=f"programme.finish.{found.pk}",
        facts=[("节点", found.title), ("承担单位", _unit(found)), ("计划完成", found.due_on)],
    )


def _unit(found: TaskStep) -> str:
    return dict(queries.step_units(found.task)).get(found.unit_id, "")


def _form_page(
    request: HttpRequest,
    form: Form,
    run: Callable[[dict, str], Any],
    *,
    task: PlanTask,
    done: str,
    onward: Callable[[Any], str] | None = None,
    **context: Any,
) -> HttpResponse:
    """A page with one form about one task; from it one goes back to the task."""
    return form_view(
        request,
        form,
        run,
        "programme/ledger/form.html",
        {"task": task, **context},
        back=queries.task_url(task),
        done=done,
        onward=onward,
    )


# Limit, helpers, publication ------------------------------------------------------------------------------------------


@guarded("programme.work_on_task")
def extend(request: HttpRequest, task_id: int) -> HttpResponse:
    """Ask for a later limit."""
    found = queries.task(request.actor, task_id)
    policies.work_on_task.require(request.actor, found)
    form = ExtensionForm(request.POST or None)
    return _form_page(
        request,
        form,
        lambda data, once: actions.ask_extension(request.actor, task_id=found.pk, once=once, **data),
        done="延期申请已送本单位负责人。批准以前，原期限不变。",
        onward=lambda made: reverse("matters:matter", args=[made.matter_id]),
        task=found,
        title="申请延期",
        submit="提出申请",
        effect="先由本单位负责人同意，再由领导小组办公室负责人批准；批准以前，原期限不变。",
        keep=f"programme.extend.{found.pk}",
        facts=[("现期限", found.due_on)],
    )


@guarded("programme.manage")
def limit(request: HttpRequest, task_id: int) -> HttpResponse:
    """Give a limit to a task for which the plan names none."""
    found = queries.task(request.actor, task_id)
    form = LimitForm(request.POST or None, version=found.version)
    return _form_page(
        request,
        form,
        lambda data, once: actions.set_limit(request.actor, task_id=found.pk, once=once, **data),
        done="期限已定，开始计时。",
        task=found,
        title="补定期限",
        submit="定下期限",
        effect="从今天起计时；以后改期只能由牵头单位申请延期。",
        keep=f"programme.limit.{found.pk}",
        facts=[],
    )


@guarded("programme.manage")
def helper(request: HttpRequest, task_id: int) -> HttpResponse:
    """Ask one more unit out of the plan's open sets to help."""
    found = queries.task(request.actor, task_id)
    options = queries.helper_options(request.actor, found)
    form = HelperForm(request.POST or None, options=options)
    return _form_page(
        request,
        form,
        lambda data, once: actions.add_helper(request.actor, task_id=found.pk, once=once, **data),
        done="已增加配合单位，配合任务已送到该单位的收件箱。",
        task=found,
        title="增加配合单位",
        submit="增加",
        effect="该单位会收到配合任务，需要签收和报送配合情况。",
        keep="",
        facts=[],
    )


@guarded("programme.manage")
def publish(request: HttpRequest, task_id: int) -> HttpResponse:
    """The head of the office shows a task to the public with a summary, and changes it; others of the office propose.

    Everybody of the office can take it back.
    """
    found = queries.task(request.actor, task_id)
    decides = policies.publish_task(request.actor)
    form = PublishForm(request.POST or None, version=found.version, initial={"summary": found.summary})
    withdraws = "withdraw" in request.POST
    if found.public and not decides:
        del form.fields["summary"]
        withdraws = True

    def run(data: dict, once: str) -> PlanTask:
        if withdraws:
            return actions.publish_task(request.actor, task_id=found.pk, public=False, once=once, **data)
        if decides:
            return actions.publish_task(request.actor, task_id=found.pk, public=True, once=once, **data)
        return actions.propose_publication(request.actor, task_id=found.pk, once=once, **data)

    if withdraws:
        said = "已撤回公开，公众不再看到这项任务。"
    else:
        said = "已向社会公开。" if decides else "已送办公室负责人决定，公众现在还看不到。"
    return _form_page(
        request,
        form,
        run,
        done=said,
        task=found,
        title="对外公开",
        keep=f"programme.publish.{found.pk}",
        facts=[("现在", "已公开" if found.public else "未公开")]
        + ([("公开摘要", found.summary)] if "summary" not in form.fields else []),
        **_publishing(found, decides),
    )


def _publishing(task: PlanTask, decides: bool) -> dict[str, str]:
    """The buttons of the page, and what they do, for whoever decides on publication and for whoever does not."""
    if decides:
        return {
            "submit": "更新公开内容" if task.public else "公开",
            "effect": "公众不用登录就能看到标题、牵头单位、期限、状态和摘要，看不到办理经过、材料和批注。",
            "also": "撤回公开" if task.public else "",
            "also_name": "withdraw" if task.public else "",
        }
    heads = "、".join(queries.who_publishes()) or "办公室负责人（现在没有人任职）"
    if task.public:
        return {"submit": "撤回公开", "effect": f"撤回以后公众看不到这项任务。改公开摘要请找{heads}。"}
    return {
        "submit": "送负责人决定",
        "effect": f"摘要存下，并提醒{heads}决定是否公开；决定以前，公众看不到。",
    }


# Checks ---------------------------------------------------------------------------------------------------------------

UNBOUND = "unbound"


@guarded("programme.read_ledger")
def checks(request: HttpRequest) -> HttpResponse:
    """Every clause with what it is held to, what was measured, and how it stands."""
    document = queries.current_document(request.actor, request.GET.get("document"))
    if document is None:
        return render(request, "programme/ledger/checks.html", {"document": None})
    judged = queries.truth(request.actor, document).clauses
    unbound = [
        found for found in judged if found.clause.kind == Clause.TARGET and not found.clause.indicator_id
    ]
    states = [
        (state, title, sum(found.state == state for found in judged)) for state, title in ClauseDay.STATES
    ]
    show = request.GET.get("show", "")
    if show == UNBOUND:
        shown = unbound
    elif show in dict(ClauseDay.STATES):
        shown = [found for found in judged if found.state == show]
    else:
        show, shown = "", judged
    return render(
        request,
        "programme/ledger/checks.html",
        {
            "document": document,
            "documents": overview.plans(request.actor),
            "rows": shown,
            "states": states,
            "unbound": len(unbound),
            "total": len(judged),
            "show": show,
            "may_manage": policies.manage(request.actor),
        },
    )


@guarded("programme.manage")
def check(request: HttpRequest, clause_id: int) -> HttpResponse:
    """Bind a clause to an indicator with a comparison and a day, or unbind it."""
    found = queries.clause(request.actor, clause_id)
    judged = next(
        (row for row in queries.judged(request.actor, found.task) if row.clause.pk == found.pk), None
    )
    start = {
        "indicator_key": found.indicator.key if found.indicator else "",
        "op": found.op,
        "amount": f"{found.amount.normalize():f}" if found.amount is not None else None,
        "due_on": found.due_on,
    }
    options = queries.indicator_options(request.actor)
    form = CheckForm(
        request.POST or None, clause=found, options=options, version=found.version, initial=start
    )
    if "unbind" in request.POST:
        for name in form.fields.keys() & {"indicator_key", "op", "amount"}:
            form.fields[name].required = False

    def run(data: dict, once: str) -> Clause:
        if "unbind" in request.POST:
            data = {"indicator_key": "", "version": data["version"]}
        return actions.bind_check(request.actor, clause_id=found.pk, once=once, **data)

    done = perform(request, form, run)
    if done.ok:
        messages.success(
            request, "已解除绑定。" if "unbind" in request.POST else "检查已绑定，今天就按它判断。"
        )
        return redirect(queries.clause_url(found))
    context = {
        "form": form,
        "clause": found,
        "judged": judged,
        "back": queries.clause_url(found),
        "may_define": get_policy("indicators.define")(request.actor),
        "task_url": queries.task_url(found.task),
    }
    return render(request, "programme/ledger/check.html", context, status=done.status)


# Letters --------------------------------------------------------------------------------------------------------------


@guarded("programme.read_ledger")
def letter_list(request: HttpRequest) -> HttpResponse:
    """Letters: the office and leaders see all of them, a unit those signed that name it."""
    rows = queries.letters(request.actor)
    kind = request.GET.get("kind", "")
    state = request.GET.get("state", "")
    if kind in dict(Letter.KINDS):
        rows = rows.filter(kind=kind)
    if state in dict(Letter.STATES):
        rows = rows.filter(state=state)
    found = page(rows, request, order=("-id",), size=50)
    oversees = policies.oversee(request.actor)
    return render(
        request,
        "programme/ledger/letters.html",
        {
            "page": found,
            "rows": [(letter, queries.letter_units(letter)) for letter in found],
            "kinds": Letter.KINDS,
            "states": Letter.STATES if oversees else (),
            "kind": kind,
            "state": state,
            "may_manage": policies.manage(request.actor),
            "may_sign": policies.sign_letter(request.actor),
        },
    )


@guarded("programme.read_ledger")
def letter(request: HttpRequest, letter_id: int) -> HttpResponse:
    """A letter as the paper it is."""
    found = queries.letter(request.actor, letter_id)
    return render(request, "programme/ledger/letter.html", _letter_context(request, found))


def _letter_context(request: HttpRequest, found: Letter) -> dict:
    return {
        "letter": found,
        "paper": letters.paper_of(found),
        "targets": queries.letter_targets(found),
        "may_sign": found.state == Letter.DRAFT and policies.sign_letter(request.actor),
        "may_redraft": found.state == Letter.REFUSED and policies.manage(request.actor),
        "own_draft": _own_draft(request, found),
    }


def _own_draft(request: HttpRequest, found: Letter) -> bool:
    """Whether whoever asks drafted it: such a person cannot sign it (两人原则)."""
    person = getattr(request.actor, "person_id", None)
    return person is not None and found.drafted_person_id == person


@guarded("programme.sign_letter")
def sign_letter(request: HttpRequest, letter_id: int) -> HttpResponse:
    """The second person reads a draft, and signs it or sends it back."""
    found = queries.letter(request.actor, letter_id)
    if found.state != Letter.DRAFT:
        raise StepNotAllowed(
            f"这份文书{found.get_state_display()}，不能再签发。", todo="请打开文书查看结果。"
        )
    form = SignForm(request.POST or None, version=found.version)
    accept = "refuse" not in request.POST
    done = perform(
        request,
        form,
        lambda data, once: actions.sign_letter(
            request.actor, letter_id=found.pk, accept=accept, once=once, **data
        ),
    )
    if done.ok:
        messages.success(request, "已签发，有关单位已收到通知。" if accept else "已退回起草人。")
        return redirect("programme:letter", found.pk)
    context = {**_letter_context(request, found), "form": form}
    return render(request, "programme/ledger/sign.html", context, status=done.status)


def _chosen(request: HttpRequest, rows: Iterable[queries.LedgerRow]) -> list[PlanTask]:
    """The tasks that were asked for or ticked, out of those on offer."""
    given = request.POST if request.method == "POST" else request.GET
    name = "tasks" if request.method == "POST" else "task"
    wanted = {_number(value) for value in given.getlist(name)}
    return [row.task for row in rows if row.task.pk in wanted]


def _letter_document(request: HttpRequest, previous: Letter | None = None) -> PlanDocument:
    """The plan that a letter is about: that of the first task asked for, else the current one."""
    if previous is not None:
        return previous.document
    first = next((ident for value in request.GET.getlist("task") if (ident := _number(value))), None)
    if first is not None:
        return queries.task(request.actor, first).document
    document = queries.current_document(request.actor, request.GET.get("document"))
    if document is None:
        raise NotThere("还没有台账，没有可以催办的任务。", todo="请先上传计划文件并建账。")
    return document


@guarded("programme.manage")
def urge(request: HttpRequest) -> HttpResponse:
    """Write an urging about chosen tasks; the text begins with what the ledger knows."""
    document = _letter_document(request)
    rows = queries.open_rows(request.actor, document)
    chosen = _chosen(request, rows)
    form = _letter_form(request, UrgeForm, rows, chosen, {"body": letters.urge_text(chosen)})
    done = perform(
        request,
        form,
        lambda data, once: actions.urge(request.actor, task_ids=data["tasks"], body=data["body"], once=once),
    )
    if done.ok:
        messages.success(request, "催办单已发出，牵头单位的承办人和负责人都收到了通知。")
        return _to_letter(done)
    context = {"form": form, "rows": rows, "document": document, **_parted(rows, form)}
    return render(request, "programme/ledger/urge.html", context, status=done.status)


@guarded("programme.manage")
def criticise(request: HttpRequest) -> HttpResponse:
    """Draft a notice of criticism about tasks that the clock shows late. ``?letter=`` begins with one that was sent back."""
    again = _number(request.GET.get("letter"))
    previous = queries.letter(request.actor, again) if again else None
    document = _letter_document(request, previous)
    everything = queries.open_rows(request.actor, document)
    rows = [row for row in everything if row.late]
    chosen = _chosen(request, rows)
    if previous is not None and request.method != "POST":
        named = {target["task"].pk for target in queries.letter_targets(previous)}
        chosen = [row.task for row in rows if row.task.pk in named]
        start = {"title": previous.title, "body": previous.body}
    else:
        start = {"title": letters.criticism_title(chosen), "body": letters.criticism_text(chosen)}
    form = _letter_form(request, CriticismForm, rows, chosen, start)
    done = perform(
        request,
        form,
        lambda data, once: actions.draft_criticism(
            request.actor, task_ids=data["tasks"], title=data["title"], body=data["body"], once=once
        ),
    )
    if done.ok:
        messages.success(request, "通报稿已送办公室负责人签发。")
        return _to_letter(done)
    asked = {_number(value) for value in request.GET.getlist("task")}
    context = {
        "form": form,
        "rows": rows,
        "document": document,
        "previous": previous,
        **_parted(rows, form),
        "on_time": [row.task for row in everything if row.task.pk in asked and not row.late],
    }
    return render(request, "programme/ledger/criticise.html", context, status=done.status)


def _letter_form(
    request: HttpRequest, kind: type[LetterForm], rows: list, chosen: list[PlanTask], start: dict
) -> LetterForm:
    """The form as sent, or a fresh one; “按所选任务重写” gives a fresh one that keeps the choice."""
    tasks = [row.task for row in rows]
    start = {**start, "tasks": [task.pk for task in chosen]}
    if request.method == "POST" and "rewrite" not in request.POST:
        return kind(request.POST, tasks=tasks)
    return kind(tasks=tasks, initial=start)


def _parted(rows: list, form: LetterForm) -> dict:
    """The rows that are ticked, and the rest."""
    return {
        "picked": [row for row in rows if str(row.task.pk) in form.chosen],
        "rest": [row for row in rows if str(row.task.pk) not in form.chosen],
    }


def _to_letter(done) -> HttpResponse:
    """To the letter that was made, also when it had been made by the first sending."""
    ident = str(done.result).rpartition(":")[2] if done.already else done.result.pk
    return redirect("programme:letter", int(ident)) if str(ident).isdigit() else redirect("programme:letters")
