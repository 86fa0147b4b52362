"""The log before everybody: its heads, proofs that hold hashes only, and the program that checks them offline."""

import functools
from collections.abc import Callable
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from liangzhu.kernel import log
from liangzhu.kernel.errors import Problem
from liangzhu.kernel.log import proofs
from liangzhu.kernel.paging import page
from liangzhu.kernel.web import guarded

VERIFIER = Path(__file__).resolve().parents[4] / "docs" / "verify" / "verify.py"


def _answers_json(view: Callable[..., dict]) -> Callable[..., HttpResponse]:
    """Answer with JSON, problems too (RFC 9457). Anybody's page may fetch it: there is nothing secret in it."""

    @functools.wraps(view)
    def run(request: HttpRequest, **given) -> HttpResponse:
        try:
            body, status, kind = view(request, **given), 200, "application/json"
        except Problem as problem:
            body, status, kind = problem.as_json(), problem.status, "application/problem+json"
        answer = JsonResponse(
            body, status=status, content_type=kind, json_dumps_params={"ensure_ascii": False, "indent": 1}
        )
        answer["Cache-Control"] = "no-cache"
        return answer

    return run


def _open_to_all(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @functools.wraps(view)
    def run(request: HttpRequest, **given) -> HttpResponse:
        answer = view(request, **given)
        answer["Access-Control-Allow-Origin"] = "*"
        return answer

    return run


@guarded("kernel.public")
def overview(request: HttpRequest) -> HttpResponse:
    """The latest head, what it is good for, and a look for one leaf (``number``) or an older head (``old``)."""
    head = log.latest_head()
    context = {
        "head": head,
        "keys": proofs.signing_keys(),
        "number": request.GET.get("number", ""),
        "old": request.GET.get("old", ""),
    }
    try:
        if context["number"]:
            context["proof"] = log.inclusion_proof(_whole(context["number"]))
        elif context["old"]:
            old = _whole(context["old"])
            newest = proofs.head_of().size
            log.consistency_proof(old, newest)
            return redirect("kernel:log_consistency", old=old, new=newest)
    except Problem as problem:
        context["problem"] = problem
    return render(request, "kernel/log.html", context)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise Problem("请填写一个不带符号的整数。", title="看不懂这个编号", todo="编号见办理结果或证明文件。")
    return int(text)


@guarded("kernel.public")
def heads(request: HttpRequest) -> HttpResponse:
    """Every head that was ever signed, the latest first."""
    return render(
        request, "kernel/log_heads.html", {"page": page(proofs.all_heads(), request, order=("-size",))}
    )


@guarded("kernel.public")
@_open_to_all
@_answers_json
def heads_json(request: HttpRequest) -> dict:
    """Heads for programs, the latest first; those smaller than ``before``, where it is given."""
    before = request.GET.get("before")
    found = proofs.heads_before(None if before is None else _whole(before))
    return {"heads": found, "next": f"?before={found[-1]['size']}" if found else None}


@guarded("kernel.public")
@_open_to_all
@_answers_json
def head_json(request: HttpRequest) -> dict:
    """The latest head, to be kept by whoever wants to see later that nothing was cut."""
    return proofs.as_json(proofs.head_of())


@guarded("kernel.public")
@_open_to_all
@_answers_json
def keys_json(request: HttpRequest) -> dict:
    """The public keys that sign, and that signed: those of the log, and of receipts and forms."""
    return {"keys": proofs.signing_keys(), "others": proofs.other_keys()}


@guarded("kernel.public")
@_open_to_all
@_answers_json
def proof_json(request: HttpRequest, number: int) -> dict:
    """That a leaf stands in the tree (RFC 9162, 2.1.3); ``size`` asks for an older head's tree."""
    size = request.GET.get("size")
    return log.inclusion_proof(number, None if size is None else _whole(size))


@guarded("kernel.public")
@_open_to_all
@_answers_json
def consistency_json(request: HttpRequest, old: int, new: int) -> dict:
    """That the tree of one head continues that of an older one (RFC 9162, 2.1.4)."""
    return log.consistency_proof(old, new)


@guarded("kernel.read_log")
@_answers_json
def leaf_json(request: HttpRequest, number: int) -> dict:
    """The whole proof file of a leaf, for the auditor: it says who did what when."""
    return log.leaf_proof(number)


@guarded("kernel.public")
def verifier(request: HttpRequest) -> HttpResponse:
    """The program that checks proofs without ours: one file, Python's own library only."""
    if not VERIFIER.is_file():
        raise Http404
    answer = HttpResponse(VERIFIER.read_bytes(), content_type="text/x-python; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="verify.py"'
    return answer
