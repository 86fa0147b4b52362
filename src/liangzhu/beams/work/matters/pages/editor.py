"""Editing a process: its text beside its drawing, checked as often as one likes; a second person puts it in force."""

from pathlib import PurePath

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from liangzhu.beams.work.matters import actions, bpmn, drawing, editing, queries
from liangzhu.beams.work.matters.process import of_release
from liangzhu.kernel.errors import Invalid, NotThere, Problem
from liangzhu.kernel.models import Release
from liangzhu.kernel.ui.forms import Form, TextField, perform
from liangzhu.kernel.web import guarded

LONGEST = 200_000
"""Characters of a process file."""


class EditForm(Form):
    """The text of a process, or a file to take its place."""

    text = TextField(label="流程文件", rows=28, max_length=LONGEST, strip=False)
    file = forms.FileField(
        label="从文件读入",
        required=False,
        help_text="BPMN 2.0（.bpmn）或流程文件（.toml）。读入后在上面核对，再提交。",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["text"].widget.attrs |= {"spellcheck": "false", "class": "code"}


@guarded("kernel.release")
def edit(request: HttpRequest, key: str) -> HttpResponse:
    """Edit a process. ``load`` takes a file in, ``check`` shows what would change, ``draft`` hands it to the second person."""
    rows = queries.process_releases(request.actor, key)
    current = next((row for row in rows if row.state == Release.IN_FORCE), rows[0])
    own = next(
        (row for row in rows if row.state == Release.DRAFT and row.drafted_by == str(request.actor.ref)), None
    )
    form, status = EditForm(initial={"text": (own or current).body}), 200
    if request.method == "POST" and "load" in request.POST:
        form, status = _loaded(request)
    elif request.method == "POST":
        form = EditForm(request.POST)
        if "draft" in request.POST:
            done = perform(
                request,
                form,
                lambda data, once: actions.draft_process(
                    request.actor, key=key, text=data["text"], once=once
                ),
            )
            if done.ok:
                if not done.already:
                    messages.success(
                        request, f"第 {done.result.number} 版草稿已提交，请另一位系统管理员审核发布。"
                    )
                return redirect("matters:process", key=key)
            status = done.status
    context = {
        "key": key,
        "form": form,
        "current": current,
        "own": own,
        "title": of_release(current).title,
        "draft": editing.look(form["text"].value() or "", current.body, f"{key}.toml"),
        "open_matters": queries.open_under(request.actor, rows),
    }
    return render(request, "matters/editor.html", context, status=status)


def _loaded(request: HttpRequest) -> tuple[EditForm, int]:
    """The form with the text of the chosen file; on failure with what was there and the reason."""
    form = EditForm(request.POST, request.FILES)
    given = request.FILES.get("file")
    try:
        if given is None:
            raise Invalid({"file": "请选择要读入的文件。"})
        if given.size > bpmn.LARGEST:
            raise Invalid({"file": f"文件超过 {bpmn.LARGEST // 1024 // 1024} MB。"})
        data = given.read()
        text = data.decode() if PurePath(given.name).suffix == ".toml" else bpmn.read(data)
    except UnicodeDecodeError:
        form.add_error("file", "文件不是 UTF-8 文本。")
        return form, Invalid.status
    except Invalid as invalid:
        form.add_error("file", invalid.fields["file"])
        return form, Invalid.status
    except Problem as problem:
        form.problem = problem
        return form, problem.status
    post = request.POST.copy()
    post["text"] = text
    return EditForm(post), 200


@guarded("matters.read_processes")
@require_safe
def download(request: HttpRequest, key: str, number: int, form: str) -> HttpResponse:
    """A release as a file: ``toml`` as it is kept, ``bpmn`` for other tools, ``svg`` as a picture.

    With ``?state=`` the picture is shown in the page, the present state filled.
    """
    rows = queries.process_releases(request.actor, key)
    row = next((row for row in rows if row.number == number), None)
    if row is None:
        raise NotThere(f"这个流程没有第 {number} 版。")
    if form == "bpmn":
        body, kind = bpmn.export(row.body, row.origin or key), "application/xml"
    elif form == "svg":
        body, kind = drawing.svg(of_release(row), request.GET.get("state", "")).encode(), "image/svg+xml"
    else:
        body, kind = row.body.encode(), "application/toml"
    response = HttpResponse(body, content_type=f"{kind}; charset=utf-8")
    if "state" not in request.GET:
        response["Content-Disposition"] = f'attachment; filename="{key}-{number}.{form}"'
    return response
