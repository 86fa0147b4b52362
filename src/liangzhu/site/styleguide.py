"""The style guide (样式手册): every piece of the look on one page, in every face and mode. Its contents are samples."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from liangzhu.kernel.errors import Invalid
from liangzhu.kernel.now import demo_date, now
from liangzhu.kernel.ui import icons
from liangzhu.kernel.ui.forms import DateField, FilesField, Form, TextField, perform
from liangzhu.kernel.web import guarded
from liangzhu.site.context import MODES, SHELLS


class SampleForm(Form):
    """One of each control."""

    fieldsets = (("基本情况", ("title", "unit", "due")), ("内容", ("text", "kind", "ways", "files", "sure")))

    title = forms.CharField(label="名称", max_length=40, help_text="写全称，不用简称。")
    unit = forms.ChoiceField(
        label="承办单位", choices=[("", "请选择"), ("a", "示例单位甲"), ("b", "示例单位乙")]
    )
    due = DateField(label="完成日期", help_text="例如 2022-10-20，或 2022年10月20日。")
    text = TextField(label="进展情况", max_length=500, rows=4)
    kind = forms.ChoiceField(
        label="进展类型", widget=forms.RadioSelect, choices=[("1", "按计划推进"), ("2", "有困难，需要协调")]
    )
    ways = forms.MultipleChoiceField(
        label="通知方式",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        choices=[("in", "站内通知"), ("sms", "短信"), ("doc", "书面")],
    )
    files = FilesField(label="佐证材料", required=False, help_text="PDF、图片或表格。")
    sure = forms.BooleanField(label="我已核对以上内容")


def _refuse_all(data: dict[str, Any], once: str) -> None:
    raise Invalid({"due": "晚于任务的完成时限。", "": "这里展示整份表单的错误。"})


STEPS = [
    {"title": "下达", "state": "done", "note": "10月8日"},
    {"title": "签收", "state": "done", "note": "10月9日"},
    {
        "title": "办理",
        "state": "now",
        "mine": True,
        "note": "10月31日前",
        "parts": [
            {"title": "示例单位甲", "state": "done"},
            {"title": "示例单位乙", "state": "now"},
            {"title": "示例单位丙", "state": "todo"},
        ],
    },
    {"title": "审核", "state": "todo"},
    {"title": "办结", "state": "todo"},
]

ROWS = [
    ("law", "超法定 1 天", "群众来信：道路积水", "来信 · 2022-0417 · 三次反映，已并单", 100, 70),
    ("over", "超承诺", "公共场所卫生许可 · 示例游泳馆", "许可 · 并联 2/4", 82, 60),
    ("ok", "还剩 3 个工作日", "执业登记 · 示例门诊部", "许可 · 并联 1/3", 55, 62),
    ("near", "10月25日前", "计划任务 5：报第三季度进展", "任务 · 协办", 76, None),
    ("none", "未起算", "放射诊疗许可 · 示例门诊部", "前置：执业登记 · 等待中", 0, None),
]


def _samples() -> dict[str, Any]:
    moment = now()
    return {
        "steps": STEPS,
        "rows": [
            dict(zip(("state", "words", "title", "meta", "used", "promised"), row, strict=True))
            for row in ROWS
        ],
        "lights": ["ok", "near", "over", "law", "none", "done"],
        "icons": icons.NAMES,
        "stops": [(20, 32)],
        "bars": [
            {"label": "示例单位甲", "value": 94, "text": "94%", "state": "ok", "url": "#bars"},
            {"label": "示例单位乙", "value": 71, "text": "71%", "state": "near", "url": "#bars"},
            {"label": "示例单位丙", "value": 38, "text": "38%", "state": "over", "url": "#bars"},
            {"label": "示例单位丁", "value": None},
        ],
        "parts": [
            {"label": "办结", "value": 12, "state": "done"},
            {"label": "正常", "value": 21, "state": "ok"},
            {"label": "临期", "value": 4, "state": "near"},
            {"label": "超期", "value": 2, "state": "law"},
            {"label": "未起算", "value": 3, "state": "none"},
        ],
        "points": [
            ("1月", 71.2),
            ("2月", 72.8),
            ("3月", 74.1),
            ("4月", None),
            ("5月", 78.4),
            ("6月", 80.2),
            ("7月", 83.9),
            ("8月", 84.6),
            ("9月", 87.2),
        ],
        "moment": moment,
        "earlier": moment - timedelta(days=1, hours=3),
        "long_ago": moment - timedelta(days=400),
    }


@guarded("kernel.public")
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every piece, ``?face=portal|workbench|command`` and ``?as=elder``. Only in a demonstration or under debug."""
    if not (settings.DEBUG or demo_date()):
        raise Http404
    face = request.GET.get("face", "workbench")
    form = SampleForm(request.POST or None, request.FILES or None, version=1)
    done = perform(request, form, lambda data, once: _refuse_all(data, once) if data["kind"] == "2" else None)
    if done.ok:
        messages.success(request, "示例表单已通过检查，没有保存任何内容。")
        return redirect(request.get_full_path())
    context = {
        "shell": SHELLS.get(face, SHELLS["workbench"]),
        "chosen": face if face in SHELLS else "workbench",
        "form": form,
        "faces": [("portal", "门户"), ("workbench", "工作台"), ("command", "指挥")],
        **_samples(),
    }
    if request.GET.get("as") in MODES:
        context["mode"] = request.GET["as"]
    return render(request, "site/styleguide.html", context, status=done.status)
