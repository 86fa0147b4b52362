"""The pages of units, sets, persons, posts and stand-ins."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from liangzhu.beams.people.directory import actions, queries
from liangzhu.beams.people.directory.links import person_links
from liangzhu.beams.people.directory.pages import forms
from liangzhu.beams.people.directory.roles import all_roles, role_title
from liangzhu.beams.people.directory.tree import units
from liangzhu.kernel.now import today
from liangzhu.kernel.paging import page
from liangzhu.kernel.policies import get_policy
from liangzhu.kernel.ui.forms import Form, form_view, press
from liangzhu.kernel.web import guarded


def _look(request: HttpRequest) -> tuple[date, forms.DayForm]:
    """The day asked for and the form that asks; an impossible day stands in the form with its error, and today holds."""
    given = "day" in request.GET or "q" in request.GET
    form = forms.DayForm(request.GET if given else None, initial={"day": today()})
    day = (
        form.cleaned_data.get("day") if given and (form.is_valid() or form.cleaned_data.get("day")) else None
    )
    return day or today(), form


def _at(url: str, day: date) -> str:
    """An address that keeps the day one looks at."""
    return url if day == today() else f"{url}?day={day.isoformat()}"


def _ask(
    request: HttpRequest,
    form: Form,
    run: Callable[[dict[str, Any], str], Any],
    *,
    title: str,
    back: str,
    submit: str,
    crumbs: list[tuple[str, str]],
    lead: str = "",
    effect: str = "",
    danger: bool = False,
    done: str = "",
    onward: Callable[[Any], str] | None = None,
) -> HttpResponse:
    """A page with one form. ``done`` is said when it was performed, ``onward(result)`` is where one goes then."""
    context = {
        "title": title,
        "submit": submit,
        "crumbs": crumbs,
        "lead": lead,
        "effect": effect,
        "danger": danger,
    }
    return form_view(request, form, run, "directory/ask.html", context, back=back, done=done, onward=onward)


# Units ----------------------------------------------------------------------------------------------------------------


@guarded("directory.read")
def unit_list(request: HttpRequest) -> HttpResponse:
    """The tree of units on a day, or what was looked for."""
    day, form = _look(request)
    tree = units(day)
    text = (form.cleaned_data.get("q") or "") if form.is_bound else ""
    context = {
        "form": form,
        "day": day,
        "is_today": day == today(),
        "query": text,
        "total": len(tree.all()),
        "found": queries.search(request.actor, tree, text) if text else None,
        "branches": [] if text else queries.branches(request.actor, tree),
        "may_manage": get_policy("directory.manage_units")(request.actor),
    }
    return render(request, "directory/units.html", context)


@guarded("directory.read")
def unit(request: HttpRequest, unit_id: int) -> HttpResponse:
    """One unit on a day: facts, history, successions, posts."""
    day, form = _look(request)
    context = {
        "form": form,
        "day": day,
        "is_today": day == today(),
        "page": queries.unit_page(request.actor, unit_id, day),
        "may_manage": get_policy("directory.manage_units")(request.actor),
        "may_people": get_policy("directory.manage_people")(request.actor),
        "roles": {code: role.title for code, role in all_roles().items()},
    }
    return render(request, "directory/unit.html", context)


def _unit_crumbs(unit_id: int, name: str) -> list[tuple[str, str]]:
    return [("机构", reverse("directory:units")), (name, reverse("directory:unit", args=[unit_id]))]


def _to_unit(row: Any) -> str:
    return reverse("directory:unit", args=[row.pk])


@guarded("directory.manage_units")
def open_unit(request: HttpRequest) -> HttpResponse:
    """Set up a unit."""
    back = reverse("directory:units")

    def run(data: dict, once: str):
        parent = data.pop("parent")
        return actions.open_unit(request.actor, parent_id=parent and parent.id, once=once, **data)

    return _ask(
        request,
        forms.OpenUnitForm(request.POST or None, initial={"on": today()}),
        run,
        title="新设机构",
        back=back,
        crumbs=[("机构", back)],
        submit="设立",
        effect="从设立日期起，各处都能选到这个单位。",
        done="已设立。",
        onward=_to_unit,
    )


@guarded("directory.manage_units")
def rename_unit(request: HttpRequest, unit_id: int) -> HttpResponse:
    """Give a unit another name."""
    found = queries.unit_page(request.actor, unit_id, today())
    view = found.view
    form = forms.RenameUnitForm(
        request.POST or None,
        initial={"name": found.name, "short_name": view.short if view else "", "on": today()},
    )
    return _ask(
        request,
        form,
        lambda data, once: actions.rename_unit(request.actor, unit_id=unit_id, once=once, **data),
        title="机构更名",
        back=reverse("directory:unit", args=[unit_id]),
        crumbs=_unit_crumbs(unit_id, found.name),
        submit="更名",
        lead=f"现名：{found.name}。",
        effect="日期正好是某一段沿革的起日时，改的是那一段（更正）；否则从这一天起另起一段，历史保留。",
        done="已更名，历史保留。",
    )


@guarded("directory.manage_units")
def move_unit(request: HttpRequest, unit_id: int) -> HttpResponse:
    """Put a unit under another superior or code."""
    found = queries.unit_page(request.actor, unit_id, today())
    form = forms.MoveUnitForm(
        request.POST or None,
        initial={
            "parent": found.above[-1].name if found.above else "",
            "code": found.view.code if found.view else "",
            "on": today(),
        },
    )

    def run(data: dict, once: str):
        parent = data.pop("parent")
        return actions.move_unit(
            request.actor, unit_id=unit_id, parent_id=parent and parent.id, once=once, **data
        )

    return _ask(
        request,
        form,
        run,
        title="变更隶属或代码",
        back=reverse("directory:unit", args=[unit_id]),
        crumbs=_unit_crumbs(unit_id, found.name),
        submit="变更",
        effect="从变动日期起另起一段沿革，旧的隶属和代码保留在历史里。",
        done="已变更，历史保留。",
    )


@guarded("directory.manage_units")
def confirm_unit(request: HttpRequest, unit_id: int) -> HttpResponse:
    """Confirm what was open about a unit."""
    found = queries.unit_page(request.actor, unit_id, today())
    note = found.view.to_confirm if found.view else ""
    return _ask(
        request,
        forms.ConfirmForm(request.POST or None),
        lambda data, once: actions.confirm_unit(
            request.actor, unit_id=unit_id, on=today(), once=once, **data
        ),
        title="确认机构资料",
        back=reverse("directory:unit", args=[unit_id]),
        crumbs=_unit_crumbs(unit_id, found.name),
        submit="确认",
        lead=f"待确认：{note}" if note else "",
        effect="各处不再标“待确认”。",
        done="已确认。",
    )


@guarded("directory.manage_units")
def close_unit(request: HttpRequest, unit_id: int) -> HttpResponse:
    """End a unit."""
    found = queries.unit_page(request.actor, unit_id, today())
    count = len(found.posts)
    return _ask(
        request,
        forms.CloseUnitForm(request.POST or None),
        lambda data, once: actions.close_unit(request.actor, unit_id=unit_id, once=once, **data),
        title="撤销机构",
        back=reverse("directory:unit", args=[unit_id]),
        crumbs=_unit_crumbs(unit_id, found.name),
        submit="撤销",
        effect=f"本单位的 {count} 个岗位同日撤销、任职同日结束。有单位接手的，请改用“职能承接”。",
        danger=True,
        done="已撤销。",
    )


@guarded("directory.manage_units")
def reopen_unit(request: HttpRequest, unit_id: int) -> HttpResponse:
    """Take back a unit's end."""
    found = queries.unit_page(request.actor, unit_id, today())
    return _ask(
        request,
        forms.ReasonForm(request.POST or None),
        lambda data, once: actions.reopen_unit(request.actor, unit_id=unit_id, once=once, **data),
        title="撤回撤销",
        back=reverse("directory:unit", args=[unit_id]),
        crumbs=_unit_crumbs(unit_id, found.name),
        submit="撤回撤销",
        effect="单位恢复存在；已撤销的岗位不会自动恢复。",
        done="已撤回撤销。",
    )


@guarded("directory.manage_units")
def succeed_unit(request: HttpRequest, unit_id: int) -> HttpResponse:
    """Enter who takes over from a unit."""
    found = queries.unit_page(request.actor, unit_id, today())

    def run(data: dict, once: str):
        heir = data.pop("successor")
        whole = data.pop("whole") == "whole"
        return actions.succeed_unit(
            request.actor, unit_id=unit_id, successor_id=heir.id, whole=whole, once=once, **data
        )

    return _ask(
        request,
        forms.SucceedUnitForm(request.POST or None, initial={"on": today()}),
        run,
        title="职能承接",
        back=reverse("directory:unit", args=[unit_id]),
        crumbs=_unit_crumbs(unit_id, found.name),
        submit="登记承接",
        lead=f"由谁接手“{found.name}”。",
        effect="整体承接：本单位和它的岗位同日撤销，到日子未结的事项转给承接单位，历史仍显示旧名称。",
        danger=True,
        done="已登记承接。",
    )


@guarded("directory.manage_units")
def confirm_succession(request: HttpRequest, succession_id: int) -> HttpResponse:
    """Confirm a succession that was only shown."""
    row = queries.succession(request.actor, succession_id)
    found = queries.unit_page(request.actor, row.predecessor_id, today())
    return _ask(
        request,
        forms.ConfirmForm(request.POST or None),
        lambda data, once: actions.confirm_succession(
            request.actor, succession_id=succession_id, once=once, **data
        ),
        title="确认承接",
        back=reverse("directory:unit", args=[row.predecessor_id]),
        crumbs=_unit_crumbs(row.predecessor_id, found.name),
        submit="确认承接",
        lead=f"{row.on.isoformat()} 起由“{row.other_name}”{'整体' if row.whole else '部分'}承接。{row.to_confirm}",
        effect="整体承接会使本单位同日撤销。" if row.whole else "部分承接只记载，不自动转移事项。",
        danger=row.whole,
        done="已确认承接。",
    )


@guarded("directory.manage_units")
def aliases(request: HttpRequest, unit_id: int) -> HttpResponse:
    """Set the other ways to write a unit's name."""
    found = queries.unit_page(request.actor, unit_id, today())
    return _ask(
        request,
        forms.AliasesForm(request.POST or None, initial={"aliases": "\n".join(found.aliases)}),
        lambda data, once: actions.name_aliases(
            request.actor, unit_id=unit_id, aliases=data["aliases"].split("\n"), once=once
        ),
        title="机构别称",
        back=reverse("directory:unit", args=[unit_id]),
        crumbs=_unit_crumbs(unit_id, found.name),
        submit="保存",
        done="已保存别称。",
    )


# Sets -----------------------------------------------------------------------------------------------------------------


@guarded("directory.read")
def sets(request: HttpRequest) -> HttpResponse:
    """All open sets with their members on a day."""
    day, form = _look(request)
    context = {
        "form": form,
        "day": day,
        "is_today": day == today(),
        "sets": queries.sets(request.actor, day),
        "may_manage": get_policy("directory.manage_units")(request.actor),
    }
    return render(request, "directory/sets.html", context)


@guarded("directory.read")
def unit_set(request: HttpRequest, set_id: int) -> HttpResponse:
    """One set: rule, members on a day, source."""
    day, form = _look(request)
    context = {
        "form": form,
        "day": day,
        "is_today": day == today(),
        "page": queries.set_page(request.actor, set_id, day),
        "may_manage": get_policy("directory.manage_units")(request.actor),
    }
    return render(request, "directory/set.html", context)


def _save_set(request: HttpRequest, set_id: int | None) -> Callable[[dict, str], Any]:
    def run(data: dict, once: str):
        for name in ("under", "members", "excepts"):
            data[name] = [view.id for view in data[name]]
        data["aliases"] = data["aliases"].split("\n")
        return actions.save_unit_set(request.actor, set_id=set_id, once=once, **data)

    return run


def _to_set(row: Any) -> str:
    return reverse("directory:set", args=[row.pk])


@guarded("directory.manage_units")
def open_set(request: HttpRequest) -> HttpResponse:
    """Add a set."""
    back = reverse("directory:sets")
    return _ask(
        request,
        forms.UnitSetForm(request.POST or None),
        _save_set(request, None),
        title="登记单位集合",
        back=back,
        crumbs=[("单位集合", back)],
        submit="登记",
        done="已登记。",
        onward=_to_set,
    )


@guarded("directory.manage_units")
def change_set(request: HttpRequest, set_id: int) -> HttpResponse:
    """Change a set."""
    found = queries.set_page(request.actor, set_id, today())
    back = reverse("directory:set", args=[set_id])
    return _ask(
        request,
        forms.UnitSetForm(request.POST or None, initial=forms.UnitSetForm.initial_of(found.row)),
        _save_set(request, set_id),
        title="修改单位集合",
        back=back,
        crumbs=[("单位集合", reverse("directory:sets")), (found.row.expression, back)],
        submit="保存",
        effect="以后展开时按新规则；已经下达的不变。",
        done="已保存。",
    )


# Persons --------------------------------------------------------------------------------------------------------------


@guarded("directory.manage_people")
def persons(request: HttpRequest) -> HttpResponse:
    """Persons, by name."""
    form = forms.SearchForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    rows = page(queries.persons(request.actor, text), request, order=("name", "id"))
    context = {
        "form": form,
        "query": text,
        "page": rows,
        "rows": queries.with_posts(request.actor, rows.rows),
    }
    return render(request, "directory/persons.html", context)


@guarded("directory.manage_people")
def person(request: HttpRequest, person_id: int) -> HttpResponse:
    """One person with all holdings and stand-ins."""
    links = [
        (link.label, reverse(link.url, args=[person_id]))
        for link in person_links()
        if get_policy(link.policy)(request.actor)
    ]
    context = {"page": queries.person_page(request.actor, person_id), "links": links}
    return render(request, "directory/person.html", context)


@guarded("directory.manage_people")
def open_person(request: HttpRequest) -> HttpResponse:
    """Enter a person."""
    back = reverse("directory:persons")
    return _ask(
        request,
        forms.PersonForm(request.POST or None),
        lambda data, once: actions.open_person(request.actor, once=once, **data),
        title="登记人员",
        back=back,
        crumbs=[("人员", back)],
        submit="登记",
        effect="登记后，在岗位页面办任职，再开通账号。",
        done="已登记。",
        onward=lambda row: reverse("directory:person", args=[row.pk]),
    )


@guarded("directory.manage_people")
def rename_person(request: HttpRequest, person_id: int) -> HttpResponse:
    """Correct a person's name."""
    found = queries.person_page(request.actor, person_id)
    back = reverse("directory:person", args=[person_id])
    return _ask(
        request,
        forms.PersonForm(request.POST or None, initial={"name": found.person.name}),
        lambda data, once: actions.rename_person(request.actor, person_id=person_id, once=once, **data),
        title="更正姓名",
        back=back,
        crumbs=[("人员", reverse("directory:persons")), (found.person.name, back)],
        submit="保存",
        effect="已经办过的事项仍显示当时的姓名。",
        done="已更正。",
    )


@guarded("directory.manage_people")
def deputies(request: HttpRequest) -> HttpResponse:
    """Stand-ins that run or will run."""
    return render(request, "directory/deputies.html", {"rows": queries.deputies(request.actor)})


# Posts ----------------------------------------------------------------------------------------------------------------


@guarded("directory.manage_people")
def post(request: HttpRequest, post_id: int) -> HttpResponse:
    """One post: roles, who holds it, who held it, who stands in."""
    found = queries.post_page(request.actor, post_id)
    known = all_roles()
    roles = [
        (code, role_title(code), known[code].description if code in known else "") for code in found.roles
    ]
    context = {"page": found, "roles": roles, "free_roles": len(known) > len(roles)}
    return render(request, "directory/post.html", context)


def _post_crumbs(found: queries.PostPage) -> list[tuple[str, str]]:
    return [
        *_unit_crumbs(found.post.unit_id, found.unit_name),
        (found.post.title, reverse("directory:post", args=[found.post.pk])),
    ]


@guarded("directory.manage_people")
def open_post(request: HttpRequest, unit_id: int) -> HttpResponse:
    """Set up a post in a unit."""
    found = queries.unit_page(request.actor, unit_id, today())
    return _ask(
        request,
        forms.OpenPostForm(request.POST or None),
        lambda data, once: actions.open_post(request.actor, unit_id=unit_id, once=once, **data),
        title="设置岗位",
        back=reverse("directory:unit", args=[unit_id]),
        crumbs=_unit_crumbs(unit_id, found.name),
        submit="设置",
        done="已设置岗位，请办任职。",
        onward=lambda row: reverse("directory:post", args=[row.pk]),
    )


@guarded("directory.manage_people")
def change_post(request: HttpRequest, post_id: int) -> HttpResponse:
    """Change a post's title or whether it heads its unit."""
    found = queries.post_page(request.actor, post_id)
    return _ask(
        request,
        forms.ChangePostForm(
            request.POST or None, initial={"title": found.post.title, "is_head": found.post.is_head}
        ),
        lambda data, once: actions.change_post(request.actor, post_id=post_id, once=once, **data),
        title="变更岗位",
        back=reverse("directory:post", args=[post_id]),
        crumbs=_post_crumbs(found),
        submit="保存",
        done="已变更。",
    )


@guarded("directory.manage_people")
def close_post(request: HttpRequest, post_id: int) -> HttpResponse:
    """Close a post."""
    found = queries.post_page(request.actor, post_id)
    return _ask(
        request,
        forms.OnForm(request.POST or None, initial={"on": today()}),
        lambda data, once: actions.close_post(request.actor, post_id=post_id, once=once, **data),
        title="撤销岗位",
        back=reverse("directory:post", args=[post_id]),
        crumbs=_post_crumbs(found),
        submit="撤销岗位",
        effect="任职和代理同日结束。",
        danger=True,
        done="已撤销岗位。",
    )


@guarded("directory.manage_people")
def give_role(request: HttpRequest, post_id: int) -> HttpResponse:
    """Give a post a role."""
    found = queries.post_page(request.actor, post_id)
    return _ask(
        request,
        forms.RoleForm(request.POST or None, had=found.roles),
        lambda data, once: actions.give_role(request.actor, post_id=post_id, once=once, **data),
        title="授予角色",
        back=reverse("directory:post", args=[post_id]),
        crumbs=_post_crumbs(found),
        submit="授予",
        effect="任职人和代理人下一次打开页面即有此权限。",
        done="已授予。",
    )


@guarded("directory.manage_people")
@require_POST
def take_role(request: HttpRequest, post_id: int) -> HttpResponse:
    """Take a role from a post."""
    press(
        request,
        lambda: actions.take_role(request.actor, post_id=post_id, role=request.POST.get("role", "")),
        "已收回。",
    )
    return redirect("directory:post", post_id)


@guarded("directory.manage_people")
def hold_post(request: HttpRequest, post_id: int) -> HttpResponse:
    """Put a person into a post."""
    found = queries.post_page(request.actor, post_id)

    def run(data: dict, once: str):
        last_day = data.pop("last_day")
        return actions.hold_post(
            request.actor,
            post_id=post_id,
            person_id=data["person"].pk,
            valid_from=data["valid_from"],
            valid_to=last_day + timedelta(days=1) if last_day else None,
            once=once,
        )

    return _ask(
        request,
        forms.HoldForm(request.POST or None, initial={"valid_from": today()}),
        run,
        title="任职",
        back=reverse("directory:post", args=[post_id]),
        crumbs=_post_crumbs(found),
        submit="任职",
        effect="从任职日期起，此人可以切换到这个岗位办事。",
        done="已办任职。",
    )


@guarded("directory.manage_people")
def end_holding(request: HttpRequest, holding_id: int) -> HttpResponse:
    """End a holding."""
    row = queries.holding(request.actor, holding_id)
    found = queries.post_page(request.actor, row.post_id)
    return _ask(
        request,
        forms.OnForm(request.POST or None, initial={"on": today()}),
        lambda data, once: actions.end_holding(request.actor, holding_id=holding_id, once=once, **data),
        title="结束任职",
        back=reverse("directory:post", args=[row.post_id]),
        crumbs=_post_crumbs(found),
        submit="结束任职",
        lead=f"{row.person.name}，{row.valid_from.isoformat()} 起任职。",
        effect="从这一天起，此人不能再以这个岗位办事；经手的历史保留。",
        danger=True,
        done="已结束任职。",
    )


@guarded("directory.manage_people")
def appoint_deputy(request: HttpRequest, post_id: int) -> HttpResponse:
    """Let a person stand in for a post."""
    found = queries.post_page(request.actor, post_id)

    def run(data: dict, once: str):
        person_id = data.pop("person").pk
        return actions.appoint_deputy(request.actor, post_id=post_id, person_id=person_id, once=once, **data)

    return _ask(
        request,
        forms.DeputyForm(request.POST or None, initial={"valid_from": today()}),
        run,
        title="指定代理",
        back=reverse("directory:post", args=[post_id]),
        crumbs=_post_crumbs(found),
        submit="指定代理",
        effect="代理期内代理人可切换到这个岗位；留痕写“某某（代某某）”。",
        done="已指定代理。",
    )


@guarded("directory.manage_people")
@require_POST
def end_deputy(request: HttpRequest, deputy_id: int) -> HttpResponse:
    """End a stand-in now."""
    ended = press(request, lambda: actions.end_deputy(request.actor, deputy_id=deputy_id), "代理已结束。")
    return redirect("directory:post", ended.result.pk) if ended.ok else redirect("directory:deputies")
