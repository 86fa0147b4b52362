"""Checks of an item's version (实施清单检查): the rules that practitioners run, and what the law adds.

Pure functions over a version and the rows below it. An *error* keeps a version from being released, a *warning* is shown.
P01–P19 are the rules of a checker that a city runs on the national library; L: limits of the law; C: codes; M: materials;
V: the once-only veto (两个免于提交).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from liangzhu.kernel import identifiers
from liangzhu.kernel.identifiers import IdentifierError
from liangzhu.pillars.services import issued
from liangzhu.pillars.services.models import ItemMaterial
from liangzhu.pillars.services.models.items import RESULTS
from liangzhu.pillars.services.sheets import ROWS, Sheet, section_of, title_of, workdays

ERROR, WARNING = "error", "warning"
PERMIT = "01"
FLOW = ("受理", "审核", "审批", "办结")
PHONE = re.compile(r"(?<!\d)0\d{2,3}[-－ ]?(?:\d{7,8}|12345)(?!\d)")
PLACE = re.compile(r"窗口|室|号窗|柜台|网上|线上|专区")
HOURS = re.compile(r"工作日|全天|24\s*小时|节假日")
CATCH_ALL = re.compile(r"其[他它](?:相关|有关|必要)?(?:的)?材料|等(?:相关|有关)?材料|(?:相关|有关)材料")


@dataclass(frozen=True)
class Finding:
    """What is wrong: the rule, how bad, which element, in words, and what to do about it."""

    rule: str
    level: str
    element: str
    message: str
    fix: str
    gap: bool = False
    """Whether the element is not filled in, rather than wrong: imported lists bring many of these."""

    @property
    def blocks(self) -> bool:
        """Whether it keeps the version from being released."""
        return self.level == ERROR

    @property
    def title(self) -> str:
        """The title of the element."""
        return title_of(self.element)

    @property
    def section(self) -> str:
        """Where the element is edited."""
        return section_of(self.element)


Found = Iterator[tuple[str, str, str, str]]
_rules: dict[str, tuple[str, Callable[[Sheet], Found]]] = {}


def rule(code: str, title: str) -> Callable[[Callable[[Sheet], Found]], Callable[[Sheet], Found]]:
    """Register a check that yields (level, element, message, fix)."""

    def register(run: Callable[[Sheet], Found]) -> Callable[[Sheet], Found]:
        if code in _rules:
            raise ValueError(f"rule {code} is registered twice")
        _rules[code] = (title, run)
        return run

    return register


def rules() -> dict[str, str]:
    """Every rule: code to title."""
    return {code: title for code, (title, _) in sorted(_rules.items())}


def check(sheet: Sheet) -> list[Finding]:
    """Everything that is wrong with a version, errors first."""
    found = [
        Finding(code, *one, gap=_blank(sheet, one[1]))
        for code, (_, run) in _rules.items()
        for one in run(sheet)
    ]
    return sorted(found, key=lambda one: (not one.blocks, one.rule))


def _blank(sheet: Sheet, element: str) -> bool:
    value = getattr(sheet, element, None) if element in ROWS else getattr(sheet.version, element, None)
    return value is None or not (isinstance(value, int) or value)


def gathered(found: list[Finding]) -> list[Finding]:
    """The findings with what is not filled in as one, so that a wrong entry is not lost among them."""
    gaps = [one for one in found if one.gap]
    if len(gaps) < 2:
        return found
    titles = "、".join(dict.fromkeys(one.title for one in gaps))
    level = ERROR if any(one.blocks for one in gaps) else WARNING
    whole = Finding("", level, gaps[0].element, f"没有填：{titles}", "逐项填写", gap=True)
    return [*(one for one in found if not one.gap), whole]


def _spot(sheet: Sheet) -> bool:
    return sheet.version.promised_unit == "spot"


@rule("P01", "承诺当场办结的是即办件、即审即办")
def _immediate(sheet: Sheet) -> Found:
    one = sheet.version
    if _spot(sheet) and (one.project_type != one.IMMEDIATE or one.review != "spot"):
        yield (
            ERROR,
            "project_type",
            "承诺当场办结，却不是即办件、即审即办",
            "改为即办件和即审即办，或者填写承诺时限",
        )
    if not _spot(sheet) and one.project_type == one.IMMEDIATE:
        yield ERROR, "promised_unit", "是即办件，承诺时限却不是当场", "把承诺时限改为当场，或者改为承诺件"


@rule("P02", "不是即办的是承诺件、前审后批")
def _promised_case(sheet: Sheet) -> Found:
    one = sheet.version
    if not _spot(sheet) and one.project_type == one.PROMISED and one.review != "after":
        yield ERROR, "review", "承诺件的审查类型应为前审后批", "改为前审后批"


def names_certificate(result: str) -> bool:
    """Whether a result is by its name a certificate (证、证书、执照); a voucher (凭证) need not be one."""
    return result.endswith(("证", "证书", "执照")) and not result.endswith("凭证")


def _type_wanted(sheet: Sheet, wanted: str, fits: bool) -> Found:
    one = sheet.version
    if fits and one.result_type and one.result_type != wanted:
        yield (
            ERROR,
            "result_type",
            f"结果是“{one.result}”，结果类型却是“{one.get_result_type_display()}”",
            f"改为“{RESULTS[wanted]}”",
        )


@rule("P03", "结果是证的，出证办结")
def _result_certificate(sheet: Sheet) -> Found:
    yield from _type_wanted(sheet, "certificate", names_certificate(sheet.version.result))


@rule("P04", "结果是批复、批文的，审批办结")
def _result_approval(sheet: Sheet) -> Found:
    yield from _type_wanted(sheet, "approval", sheet.version.result.endswith(("批复", "批文")))


@rule("P05", "结果是文的，出文办结")
def _result_document(sheet: Sheet) -> Found:
    name = sheet.version.result
    yield from _type_wanted(sheet, "document", name.endswith("文") and not name.endswith("批文"))


@rule("P06", "有结果就有结果类型")
def _result_typed(sheet: Sheet) -> Found:
    if sheet.version.result and not sheet.version.result_type:
        yield ERROR, "result_type", "有审批结果，没有结果类型", "按结果名称选择出证、出文或审批办结"


@rule("P07", "到现场次数必填")
def _visits(sheet: Sheet) -> Found:
    if sheet.version.visits is None:
        yield ERROR, "visits", "没有填到办事现场次数", "填写次数，全程网办的填 0"


@rule("P08", "要到现场的写明原因")
def _visits_why(sheet: Sheet) -> Found:
    if sheet.version.visits and not sheet.version.visits_why.strip():
        yield (
            ERROR,
            "visits_why",
            f"要到现场 {sheet.version.visits} 次，没有写必须现场办理的原因",
            "写明原因和依据",
        )


@rule("P09", "零次到场的不写原因")
def _no_visit_no_reason(sheet: Sheet) -> Found:
    if sheet.version.visits == 0 and sheet.version.visits_why.strip():
        yield ERROR, "visits_why", "到现场 0 次，却写了必须现场办理的原因", "删去原因，或者改正次数"


@rule("P10", "不网办又零次的要能邮寄")
def _by_post(sheet: Sheet) -> Found:
    one = sheet.version
    if one.visits == 0 and not one.online and "post" not in one.ways.split():
        yield ERROR, "ways", "不能网办又不用到现场，办理形式里应有快递", "增加快递申请，或者开通网办"


@rule("P11", "全程网办的零次到场")
def _whole_online(sheet: Sheet) -> Found:
    one = sheet.version
    if one.depth == "4" and one.visits:
        yield ERROR, "visits", f"网办等级是Ⅳ级，却要到现场 {one.visits} 次", "改为 0 次，或者降低网办等级"


@rule("P12", "咨询和投诉电话不同，都带区号")
def _phones(sheet: Sheet) -> Found:
    one = sheet.version
    for name, text in (("contact", one.contact), ("complaints", one.complaints)):
        if not text:
            yield WARNING, name, f"没有{title_of(name)}", "填写带区号的电话"
        elif not PHONE.search(text):
            yield ERROR, name, f"{title_of(name)}“{text}”里没有带区号的电话", "写成“区号-号码”的样子"
    if one.contact and set(PHONE.findall(one.contact)) & set(PHONE.findall(one.complaints)):
        yield ERROR, "complaints", "咨询电话和投诉电话相同", "填写不同的电话"


@rule("P13", "办理时间写明是否工作日")
def _hours(sheet: Sheet) -> Found:
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


@rule("P14", "办理地点到窗口")
def _address(sheet: Sheet) -> Found:
    one = sheet.version
    if not one.address:
        yield WARNING, "address", "没有办理地点", "写到楼层、窗口或房间"
    elif not PLACE.search(one.address):
        yield ERROR, "address", f"办理地点“{one.address}”没有写到窗口或房间", "写到楼层、窗口或房间"


@rule("P15", "服务对象与主题一致")
def _topics(sheet: Sheet) -> Found:
    one = sheet.version
    served = set(one.served.split())
    if not served:
        yield ERROR, "served", "没有服务对象", "选择这件事谁来办"
        return
    for fits, topic, name, who in (
        ("person" in served, one.person_topics, "person_topics", "自然人"),
        (bool(served - {"person"}), one.organisation_topics, "organisation_topics", "法人"),
    ):
        if fits and not topic:
            yield ERROR, name, f"服务对象有{who}，没有{who}主题", f"选择{who}主题"
        if not fits and topic:
            yield ERROR, name, f"服务对象没有{who}，却有{who}主题", "删去主题，或者补上服务对象"


@rule("P16", "许可要有常见问题")
def _asked(sheet: Sheet) -> Found:
    if sheet.version.task_type == PERMIT and not sheet.questions:
        yield WARNING, "questions", "行政许可没有常见问题", "至少写一个群众常问的问题和答复"


@rule("P17", "许可的办理环节齐全，合计不超过承诺")
def _flow(sheet: Sheet) -> Found:
    one = sheet.version
    if one.task_type == PERMIT:
        given = [step.name for step in sheet.steps]
        ends = (*FLOW[:-1], "办结或送达")
        missing = [
            title
            for name, title in zip(FLOW, ends, strict=True)
            if not any(name in each or (name == "办结" and "送达" in each) for each in given)
        ]
        if missing:
            yield (
                ERROR,
                "steps",
                f"办理环节缺少{'、'.join(missing)}",
                "按受理、审核、审批、办结（送达）各写一步",
            )
    total, promised = sum(step.days for step in sheet.steps), workdays(one.promised_amount, one.promised_unit)
    if sheet.steps and promised is not None and total > promised:
        yield ERROR, "steps", f"各环节共 {total} 个工作日，超过承诺时限", "缩短环节，或者改承诺时限"


@rule("P18", "结果要有样本")
def _sample(sheet: Sheet) -> Found:
    one = sheet.version
    if one.result and not one.result_sample and not one.certificate_type:
        yield WARNING, "result_sample", f"结果“{one.result}”没有样本", "填写样本，或者选择发给的证照"


@rule("P19", "不收费的没有网上支付")
def _payment(sheet: Sheet) -> Found:
    if not sheet.version.fee and sheet.version.pays_online:
        yield ERROR, "pays_online", "不收费，却勾选了网上支付", "取消网上支付"


@rule("L01", "承诺不长于法定")
def _promise(sheet: Sheet) -> Found:
    one = sheet.version
    legal, promised = (
        workdays(one.legal_amount, one.legal_unit),
        workdays(one.promised_amount, one.promised_unit),
    )
    if promised is None and one.on_request:
        yield ERROR, "promised_amount", "没有承诺时限", "填写承诺时限，当场办结的选当场"
    if legal is not None and promised is not None and promised > legal:
        yield ERROR, "promised_amount", "承诺时限长于法定时限", "缩短承诺时限"


@rule("L02", "时限的数和单位成对")
def _units(sheet: Sheet) -> Found:
    one = sheet.version
    for name, amount, unit in (
        ("legal_unit", one.legal_amount, one.legal_unit),
        ("promised_unit", one.promised_amount, one.promised_unit),
    ):
        if unit == "spot" and amount:
            yield ERROR, name, f"单位是当场，时限却写了 {amount}", "当场办结的时限填 0"
        elif amount is not None and not unit:
            yield ERROR, name, "有时限，没有单位", "选择工作日、日、小时或当场"
        elif unit and unit != "spot" and not amount:
            yield (
                ERROR,
                name,
                f"单位是“{dict(one._meta.get_field(name).flatchoices)[unit]}”，没有时限",
                "填写时限",
            )


@rule("L03", "许可的法定时限有依据")
def _legal(sheet: Sheet) -> Found:
    one = sheet.version
    if one.task_type != PERMIT:
        return
    days = workdays(one.legal_amount, one.legal_unit)
    if days is None:
        yield (
            ERROR,
            "legal_amount",
            "行政许可没有法定时限",
            "按所依据的法律填写；没有特别规定的，为 20 个工作日（行政许可法第四十二条）",
        )
    elif days > 20 and not one.legal_note:
        yield (
            WARNING,
            "legal_note",
            "法定时限长于行政许可法第四十二条的 20 个工作日",
            "在说明里写明作特别规定的条款",
        )


@rule("L04", "有设定依据")
def _grounds(sheet: Sheet) -> Found:
    if not sheet.bases:
        yield ERROR, "bases", "没有设定依据", "写明法律、法规、规章的名称和条款"
    for one in sheet.bases:
        if not one.article:
            yield WARNING, "bases", f"依据“{one.law}”没有写到条款", "写明第几条"


@rule("L05", "收费有依据")
def _fees(sheet: Sheet) -> Found:
    one = sheet.version
    if one.fee and not one.fee_basis and not any(row.basis for row in sheet.fees):
        yield ERROR, "fee_basis", "收费，没有写收费依据", "写明法律、行政法规的条款（行政许可法第五十八条）"
    if one.fee and not sheet.fees:
        yield ERROR, "fees", "收费，没有收费项目和标准", "逐项写明标准"
    if not one.fee and sheet.fees:
        yield ERROR, "fee", "不收费，却有收费项目", "删去收费项目，或者改为收费"


@rule("L06", "特别程序只限法定情形")
def _special(sheet: Sheet) -> Found:
    lawful = ("听证", "招标", "拍卖", "检验", "检测", "检疫", "鉴定", "专家评审")
    text = sheet.version.special_procedure
    if sheet.version.task_type == PERMIT and text and not any(word in text for word in lawful):
        yield (
            WARNING,
            "special_procedure",
            f"特别程序“{text}”不在行政许可法第四十五条列出的情形里，时间不能扣除",
            "改为法定情形，或者在说明里写明另有规定的条款",
        )


@rule("C01", "编码合规")
def _codes(sheet: Sheet) -> Found:
    one = sheet.version
    for name, length in (("catalog_code", 12), ("task_code", 31), ("handle_code", 33)):
        text = getattr(one, name)
        if not text:
            continue
        try:
            found = identifiers.check("item", text)
        except IdentifierError as error:
            yield ERROR, name, f"{title_of(name)}：{error.message}", error.todo
            continue
        if len(text) != length:
            yield ERROR, name, f"{title_of(name)}应为 {length} 位，现在是 {len(text)} 位", "核对后改正编码"
        elif found.task_type_name and found.task_type != one.task_type:
            yield (
                ERROR,
                name,
                f"编码里的事项类型是 {found.task_type}，清单是 {one.task_type}",
                "改正编码或事项类型",
            )
        if found.level and found.level != one.level:
            yield (
                ERROR,
                name,
                f"编码里的行使层级是{found.level_name}，清单是{one.get_level_display()}",
                "改正编码或行使层级",
            )


@rule("C02", "三级编码互相衔接")
def _codes_agree(sheet: Sheet) -> Found:
    one = sheet.version
    if one.task_code and one.catalog_code and one.task_code[19:31] != one.catalog_code:
        yield ERROR, "task_code", "实施编码的后 12 位与基本编码不同", "改正编码"
    if one.handle_code and one.task_code and not one.handle_code.startswith(one.task_code):
        yield ERROR, "handle_code", "业务办理项编码的前 31 位与实施编码不同", "改正编码"
    if one.task_code and one.body_code and not one.task_code.startswith(one.body_code):
        yield ERROR, "body_code", "实施编码的前 18 位与实施主体编码不同", "改正编码"


@rule("C03", "有实施编码")
def _coded(sheet: Sheet) -> Found:
    if not sheet.version.task_code:
        yield WARNING, "task_code", "没有实施编码", "向省事项库确认后填写"


@rule("M01", "没有兜底材料")
def _catch_all(sheet: Sheet) -> Found:
    for one in sheet.materials:
        if CATCH_ALL.search(one.name):
            yield (
                ERROR,
                "materials",
                f"材料“{one.name}”是兜底条款",
                "写明是什么材料，清单之外不得索要（优化营商环境条例）",
            )


@rule("M02", "政府核发的写明哪个部门")
def _issuer(sheet: Sheet) -> Found:
    for one in sheet.materials:
        if one.channel == ItemMaterial.GOVERNMENT and not one.issuer:
            yield ERROR, "materials", f"材料“{one.name}”由政府核发，没有写是哪个部门", "填写来源渠道说明"


@rule("M03", "名称相同的材料只有一份")
def _twice(sheet: Sheet) -> Found:
    seen: set[str] = set()
    for one in sheet.materials:
        name = issued.plain(one.name)
        if name in seen:
            yield ERROR, "materials", f"材料“{one.name}”写了两次", "合并成一份"
        seen.add(name)


@rule("M04", "免提交方式能落实")
def _free_how(sheet: Sheet) -> Found:
    for one in sheet.materials:
        if one.free == "certificate" and not one.certificate_type:
            yield WARNING, "materials", f"“{one.name}”以电子证照免交，没有选证照类型", "选择证照类型"
        if one.free == "share" and not one.source:
            yield WARNING, "materials", f"“{one.name}”以数据共享免交，没有选数据来源", "选择数据来源"


@rule("V01", "政府核发的不用提交")
def _once_only(sheet: Sheet) -> Found:
    """The veto: an addition of our own blocks; what the upper level asks for is raised upwards."""
    for one in sheet.materials:
        if one.spared or one.free == "promise":
            continue
        document = issued.match(one.name)
        if document is None and one.channel != ItemMaterial.GOVERNMENT:
            continue
        who = document.issuer if document else one.issuer or "政府部门"
        what = f"“{one.name}”就是{who}核发的《{document.title}》" if document else f"“{one.name}”由{who}核发"
        how = document.how_title if document else "电子证照、数据共享或部门核验"
        if not one.local:
            yield WARNING, "materials", f"{what}，上级统一的清单要申请人提交", "本地不能改，请向上反映"
        elif one.key not in sheet.exempt:
            yield (
                ERROR,
                "materials",
                f"{what}，不得要求申请人提交",
                f"免提交方式改为{how}；确有困难的，申请有期限的豁免",
            )
