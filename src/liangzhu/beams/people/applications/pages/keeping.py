"""The register: who registers an application, who reviews it, its secret, its end."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from liangzhu.beams.people.applications import actions, policies, provider, queries
from liangzhu.beams.people.applications.pages import forms
from liangzhu.kernel.ui.forms import form_view, perform
from liangzhu.kernel.web import guarded


@guarded("applications.read")
def register(request: HttpRequest) -> HttpResponse:
    """The applications of the own unit; for reviewers all."""
    context = {"lines": queries.register(request.actor), "may_register": policies.register(request.actor)}
    return render(request, "applications/register.html", context)


@guarded("applications.register")
def new(request: HttpRequest) -> HttpResponse:
    """Register an application."""
    return form_view(
        request,
        forms.DeclarationForm(request.POST or None),
        lambda data, once: actions.register(request.actor, given=forms.declared_of(data), once=once),
        "applications/declare.html",
        {"title": "登记应用", "submit": "提交审核", "back": reverse("applications:register")},
        back=reverse("applications:register"),
        onward=lambda row: reverse("applications:application", args=[row.pk]),
        done="已提交，由其他单位的应用审核员审核。",
    )


@guarded("applications.register")
def change(request: HttpRequest, application_id: int) -> HttpResponse:
    """Propose a change of what is registered."""
    said = queries.latest(request.actor, application_id)
    here = reverse("applications:application", args=[application_id])
    return form_view(
        request,
        forms.DeclarationForm(request.POST or None, initial=forms.initial_of(said)),
        lambda data, once: actions.change(
            request.actor, application_id=application_id, given=forms.declared_of(data), once=once
        ),
        "applications/declare.html",
        {"title": f"变更“{said.title}”", "submit": "提交审核", "back": here},
        back=here,
        done="变更已提交，审核通过后生效；现在的登记继续有效。",
    )


@guarded("applications.read")
def application(request: HttpRequest, application_id: int) -> HttpResponse:
    """One application: what it declares, what waits, its health and use; the review, for who may."""
    view = queries.application(request.actor, application_id)
    here = reverse("applications:application", args=[application_id])

    def run(data: dict, once: str):
        return actions.review(
            request.actor,
            declaration_id=view.waiting.pk if view.waiting else 0,
            accept="refuse" not in request.POST,
            once=once,
            **data,
        )

    form = forms.ReviewForm(request.POST or None) if view.may_review else None
    context = {"view": view, "row": view.row, "form": form, "endpoints": _endpoints()}
    if form is not None:
        done = perform(request, form, run)
        if done.ok:
            messages.success(request, "已审核。")
            return redirect(here)
        return render(request, "applications/application.html", context, status=done.status)
    return render(request, "applications/application.html", context)


def _endpoints() -> list[tuple[str, str]]:
    return [
        ("签发者（issuer）", provider.issuer()),
        ("发现文档", f"{provider.issuer()}/.well-known/openid-configuration"),
    ]


@guarded("applications.register")
@require_POST
def take_back(request: HttpRequest, application_id: int) -> HttpResponse:
    """Take back what waits for review."""
    view = queries.application(request.actor, application_id)
    actions.take_back(request.actor, declaration_id=view.waiting.pk if view.waiting else 0)
    messages.success(request, "已撤回，可以修改后再提交。")
    return redirect("applications:application", application_id)


@guarded("applications.register")
@never_cache
def secret(request: HttpRequest, application_id: int) -> HttpResponse:
    """Make a new secret; the answer to the form is the only page that ever shows it."""
    view = queries.application(request.actor, application_id)
    here = reverse("applications:application", args=[application_id])
    form = forms.SecretForm(request.POST or None, first=not view.row.secret)
    done = perform(
        request,
        form,
        lambda data, once: actions.make_secret(
            request.actor, application_id=application_id, once=once, **data
        ),
    )
    if done.ok and done.already:
        messages.warning(request, "密钥只显示一次。没有记下的，请再生成一个。")
        return redirect(here)
    if done.ok:
        return render(request, "applications/secret_once.html", {"made": done.result, "row": view.row})
    context = {
        "form": form,
        "title": "生成密钥" if not view.row.secret else "更换密钥",
        "lead": view.row.title,
        "submit": "生成",
        "back": here,
        "crumbs": [("应用登记", reverse("applications:register")), (view.row.title, here)],
        "effect": "生成后显示一次；拿到它的人就能冒充这个应用，请像密码一样保管。",
    }
    return render(request, "directory/ask.html", context, status=done.status)


@guarded("applications.withdraw")
def withdraw(request: HttpRequest, application_id: int) -> HttpResponse:
    """Withdraw an application."""
    view = queries.application(request.actor, application_id)
    here = reverse("applications:application", args=[application_id])
    return form_view(
        request,
        forms.WithdrawForm(request.POST or None),
        lambda data, once: actions.withdraw(request.actor, application_id=application_id, once=once, **data),
        "directory/ask.html",
        {
            "title": "撤下应用",
            "lead": f"{view.row.title}：现在有 {view.open_now} 个登录。",
            "submit": "撤下",
            "back": here,
            "crumbs": [("应用登记", reverse("applications:register")), (view.row.title, here)],
            "effect": "马上生效：入口消失，登录和凭据全部终止。不能恢复。",
            "danger": True,
        },
        back=here,
        done="应用已撤下。",
    )
