"""Checks of an item's version (实施清单检查): the rules that practitioners run, and what the law adds.

Pure functions over a version and the rows below it. An *error* keeps a version from being released; a *warning* is shown.
Rules 1–16 are those of a public checker of the national library, L-rules are the limits of the law, V-rules the 两个免于提交.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from liangzhu.kernel import identifiers
from liangzhu.kernel.identifiers import IdentifierError
from liangzhu.pillars.services.models import ItemMaterial, ItemQuestion, ItemStep, ItemVersion

ERROR, WARNING = "error", "warning"
PERMIT = "01"
JOINT_STEPS = ("受理", "审核", "审批", "办结")
PHONE = re.compile(r"0\d{2,3}-?\d{7,8}|1\d{10}|12345")
PLACE = re.compile(r"窗口|室|厅|号窗|柜台|网上|线上")
HOURS = re.compile(r"工作日|全天|24\s*小时|节假日")


@dataclass(frozen=True)
class Finding:
    """What is wrong: the rule, how bad, which field, in words, and what to do about it."""

    rule: str
    level: str
    field: str
    message: str
    fix: str

    @property
    def blocks(self) -> bool:
        """Whether it keeps the version from being released."""
        return self.level == ERROR


@dataclass
class Sheet:
    """A version with the rows below it, read once."""

    version: ItemVersion
    materials: list[ItemMaterial] = field(default_factory=list)
    steps: list[ItemStep] = field(default_factory=list)
    questions: list[ItemQuestion] = field(default_factory=list)

    @classmethod
    def of(cls, version: ItemVersion) -> "Sheet":
        """Read it. With `prefetch_related("materials", "steps", "questions")` it costs no query."""
        return cls(
            version, list(version.materials.all()), list(version.steps.all()), list(version.questions.all())
        )


_rules: list[tuple[str, str, Callable[[Sheet], Iterator[Finding]]]] = []


def rule(code: str, title: str) -> Callable:
    """Register a check ``fn(sheet)`` that yields (level, field, message, fix)."""

    def register(run: Callable[[Sheet], Iterator[tuple[str, str, str, str]]]) -> Callable:
        def found(sheet: Sheet) -> Iterator[Finding]:
            for level, name, message, fix in run(sheet):
                yield Finding(code, level, name, message, fix)

        _rules.append((code, title, found))
        return run

    return register


def rules() -> dict[str, str]:
    """Every rule: code to title."""
    return {code: title for code, title, _ in _rules}


def check(sheet: Sheet) -> list[Finding]:
    """Everything that is wrong with a version, errors first."""
    found = [one for _, _, run in _rules for one in run(sheet)]
    return sorted(found, key=lambda one: (not one.blocks, one.rule))


def workdays(amount: int | None, unit: str) -> float | None:
    """A limit in working days, to compare; natural days count 5/7."""
    if amount is None or not unit:
        return None
    return {"spot": 0.0, "hour": amount / 8, "day": amount * 5 / 7}.get(unit, float(amount))


@rule("1", "即办件与审查类型一致")
def _immediate(sheet):
    one = sheet.version
    spot = one.promised_unit == "spot"
    if spot and (one.project_type != one.IMMEDIATE or one.review != "spot"):
        yield (
            ERROR,
            "project_type",
            "承诺当场办结，却不是即办件、即审即办",
            "改为即办件和即审即办，或者填写承诺时限",
        )
    if not spot and one.project_type == one.IMMEDIATE:
        yield ERROR, "promised_amount", "是即办件，承诺时限却不是当场", "把承诺时限改为当场，或者改为承诺件"


@rule("2", "承诺件前审后批")
def _promised_case(sheet):
    one = sheet.version
    if one.project_type == one.PROMISED and one.review != "after":
        yield ERROR, "review", "承诺件的审查类型应为前审后批", "改为前审后批"


@rule("3", "结果名称与结果类型一致")
def _result(sheet):
    one = sheet.version
    if one.result and not one.result_type:
        yield ERROR, "result_type", "有审批结果，没有结果类型", "按结果名称选择出证、出文或审批办结"
    wanted = _implied(one.result)
    if wanted and one.result_type and one.result_type != wanted:
        yield (
            ERROR,
            "result_type",
            f"结果是“{one.result}”，结果类型却是“{one.get_result_type_display()}”",
            f"改为“{dict(one._meta.get_field('result_type').choices)[wanted]}”",
        )


def _implied(name: str) -> str:
    if name.endswith(("证", "证书")) and not name.endswith("凭证") and not name.endswith("证明"):
        return "certificate"
    if name.endswith(("批复", "批文")):
        return "approval"
    return "document" if name.endswith("文") else ""


@rule("4", "到现场次数和原因")
def _visits(sheet):
    one = sheet.version
    if one.visits is None:
        yield ERROR, "visits", "没有填到办事现场次数", "填写次数，全程网办的填 0"
    elif one.visits and not one.visits_why.strip():
        yield ERROR, "visits_why", f"要到现场 {one.visits} 次，没有写必须现场办理的原因", "写明原因和依据"
    elif one.visits == 0 and one.visits_why.strip():
        yield ERROR, "visits_why", "到现场 0 次，却写了必须现场办理的原因", "删去原因，或者改正次数"


@rule("5", "不网办又零次的要能邮寄")
def _by_post(sheet):
    one = sheet.version
    if one.visits == 0 and not one.online and "post" not in one.ways.split():
        yield ERROR, "ways", "不能网办又不用到现场，办理形式里应有快递", "增加快递申请，或者开通网办"


@rule("6", "全程网办的零次到场")
def _whole_online(sheet):
    one = sheet.version
    if one.depth == "4" and one.visits:
        yield ERROR, "visits", f"网上办理深度是Ⅳ级，却要到现场 {one.visits} 次", "改为 0 次，或者降低办理深度"


@rule("7", "咨询和投诉电话")
def _phones(sheet):
    one = sheet.version
    if not one.contact:
        yield WARNING, "contact", "没有咨询方式", "填写带区号的电话"
    elif not PHONE.search(one.contact):
        yield ERROR, "contact", f"咨询方式“{one.contact}”里没有带区号的电话", "写成 0518-85400000 的样子"
    if not one.complaints:
        yield WARNING, "complaints", "没有监督投诉方式", "填写带区号的电话，可以是 12345"
    elif not PHONE.search(one.complaints):
        yield (
            ERROR,
            "complaints",
            f"投诉方式“{one.complaints}”里没有带区号的电话",
            "写成 0518-85400000 的样子",
        )
    if one.contact and one.contact == one.complaints:
        yield ERROR, "complaints", "咨询电话和投诉电话相同", "填写不同的电话"


@rule("8", "办理时间写明是否工作日")
def _hours(sheet):
    one = sheet.version
    if not one.hours:
        yield WARNING, "hours", "没有办理时间", "写明工作日的起止时刻"
    elif not HOURS.search(one.hours):
        yield (
            ERROR,
            "hours",
            f"办理时间“{one.hours}”没有写明是工作日还是全天",
            "写上工作日、全天、24 小时或节假日",
        )


@rule("9", "办理地点到窗口")
def _address(sheet):
    one = sheet.version
    if not one.address:
        yield WARNING, "address", "没有办理地点", "写到楼层、窗口或房间"
    elif not PLACE.search(one.address):
        yield ERROR, "address", f"办理地点“{one.address}”没有写到窗口或房间", "写到楼层、窗口或房间"


@rule("10", "服务对象与主题一致")
def _topics(sheet):
    one = sheet.version
    served = set(one.served.split())
    for who, topic, words in (
        ("person", one.person_topics, "自然人"),
        ("organisation", one.organisation_topics, "法人"),
    ):
        name = f"{who}_topics"
        if who in served and not topic:
            yield ERROR, name, f"服务对象有{words}，没有{words}主题", f"选择{words}主题"
        if who not in served and topic:
            yield ERROR, name, f"服务对象没有{words}，却有{words}主题", "删去主题，或者补上服务对象"


@rule("11", "许可要有常见问题")
def _questions(sheet):
    if sheet.version.task_type == PERMIT and not sheet.questions:
        yield WARNING, "questions", "行政许可没有常见问题", "至少写一个群众常问的问题和答复"


@rule("12", "许可的办理流程")
def _steps(sheet):
    one = sheet.version
    if one.task_type == PERMIT:
        names = [step.name for step in sheet.steps]
        missing = [name for name in JOINT_STEPS if not any(name in given for given in names)]
        if missing:
            yield (
                ERROR,
                "steps",
                f"办理流程缺少 {'、'.join(missing)}",
                "流程写成受理、审核、审批、办结（送达）各一步",
            )
    total, promised = (
        sum(step.days for step in sheet.steps),
        workdays(one.promised_amount, one.promised_unit),
    )
    if sheet.steps and promised is not None and total > promised:
        yield ERROR, "steps", f"各环节共 {total} 个工作日，超过承诺时限", "缩短环节，或者改承诺时限"


@rule("13", "结果要有样本")
def _sample(sheet):
    one = sheet.version
    if one.result and not one.result_sample and not one.certificate_type:
        yield WARNING, "result_sample", f"结果“{one.result}”没有样本", "上传样本，或者选择发给的证照"


@rule("14", "不收费的没有网上支付")
def _payment(sheet):
    one = sheet.version
    if not one.fee and one.pays_online:
        yield ERROR, "pays_online", "不收费，却勾选了网上支付", "取消网上支付"
    if one.fee and not one.fee_basis:
        yield (
            ERROR,
            "fee_basis",
            "收费，没有写收费依据",
            "写明收费依据（行政许可法第五十八条：没有法律、行政法规依据不得收费）",
        )


@rule("15", "承诺不长于法定")
def _promise(sheet):
    one = sheet.version
    legal, promised = (
        workdays(one.legal_amount, one.legal_unit),
        workdays(one.promised_amount, one.promised_unit),
    )
    if promised is None and one.on_request:
        yield ERROR, "promised_amount", "没有承诺时限", "填写承诺时限，当场办结的选当场"
    if legal is not None and promised is not None and promised > legal:
        yield ERROR, "promised_amount", "承诺时限长于法定时限", "缩短承诺时限"


@rule("16", "法定时限有依据")
def _legal(sheet):
    one = sheet.version
    if not one.basis:
        yield ERROR, "basis", "没有设定依据", "写明法律、法规、规章的名称和条款"
    if one.task_type == PERMIT and one.legal_amount is None:
        yield (
            ERROR,
            "legal_amount",
            "行政许可没有法定时限",
            "按所依据的法律填写；法律没有特别规定的，为 20 个工作日",
        )
    if (
        one.task_type == PERMIT
        and one.legal_unit == "workday"
        and (one.legal_amount or 0) > 20
        and not one.legal_note
    ):
        yield (
            WARNING,
            "legal_note",
            f"法定时限 {one.legal_amount} 个工作日，长于行政许可法第四十二条的 20 日",
            "在说明里写明特别规定的条款",
        )


@rule("17", "编码合规")
def _codes(sheet):
    one = sheet.version
    for name, length in (("catalog_code", 12), ("task_code", 31), ("handle_code", 33)):
        text = getattr(one, name)
        if not text:
            continue
        try:
            found = identifiers.check("item", text)
        except IdentifierError as error:
            yield ERROR, name, f"{one._meta.get_field(name).verbose_name}：{error}", "改正编码"
            continue
        if len(text) != length:
            yield ERROR, name, f"{one._meta.get_field(name).verbose_name}应为 {length} 位", "改正编码"
        elif found.task_type != one.task_type:
            yield (
                ERROR,
                name,
                f"编码里的事项类型是 {found.task_type}，清单是 {one.task_type}",
                "改正编码或事项类型",
            )
    if one.task_code and one.catalog_code and one.task_code[19:31] != one.catalog_code:
        yield ERROR, "task_code", "实施编码的后 12 位与基本编码不同", "改正编码"
    if one.handle_code and one.task_code and not one.handle_code.startswith(one.task_code):
        yield ERROR, "handle_code", "业务办理项编码与实施编码不同", "改正编码"
    if not one.task_code:
        yield WARNING, "task_code", "没有实施编码", "向省事项库确认后填写"


@rule("18", "材料说得清")
def _materials(sheet):
    for one in sheet.materials:
        if re.search(r"其他(相关|有关)?材料|等材料|有关材料", one.name):
            yield (
                ERROR,
                "materials",
                f"材料“{one.name}”是兜底条款",
                "写明是什么材料（优化营商环境条例：清单之外不得索要）",
            )
        if one.channel == ItemMaterial.GOVERNMENT and not one.issuer:
            yield ERROR, "materials", f"材料“{one.name}”由政府核发，没有写是哪个部门", "填写来源渠道说明"


@rule("19", "政府核发的不用提交")
def _once_only(sheet):
    for one in sheet.materials:
        if one.channel != ItemMaterial.GOVERNMENT or one.spared or one.free == "promise":
            continue
        level = ERROR if one.local else WARNING
        yield (
            level,
            "materials",
            f"“{one.name}”由{one.issuer or '政府部门'}核发，却要申请人提交",
            "改为电子证照、数据共享或部门核验；确有困难的，申请有期限的豁免"
            if one.local
            else "上级统一的要素不能在本地改，请向上级提出问题",
        )
