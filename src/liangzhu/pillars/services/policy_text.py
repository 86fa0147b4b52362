"""Reads conditions, materials and ways out of the text of a policy, as a first draft for the editor. Pure.

What a rule does not understand stays as its own words, for a person to judge: nothing of a list of conditions is dropped.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from liangzhu.pillars.services.criteria import Criterion

HEADS = {
    "who": ("谁能办", "服务对象", "适用对象", "支持对象", "适用范围"),
    "terms": ("要什么条件", "申请条件", "受理条件", "申报条件", "支持条件"),
    "how": ("怎么办", "申报方式", "办理方式", "申请程序"),
    "materials": ("交什么材料", "申报材料", "申请材料"),
    "notes": ("注意", "备注"),
}
"""Headings of guides (申报指南), each before a colon."""
_HEAD = re.compile(f"({'|'.join(word for words in HEADS.values() for word in words)})[：:]")
_LISTED = re.compile(r"(?:符合|具备|满足)(?:以下|下列)[^。；：\n]{0,12}条件[^：。\n]{0,20}[：:]\s*")
_ENUM = re.compile(r"[（(][一二三四五六七八九十]{1,3}[）)]|[①-⑳]|(?<![\d.])\d{1,2}[.、](?!\d)")
_ARTICLE = re.compile(r"\n\s*第[一二三四五六七八九十百零]+[条章]")
LONGEST = 1000

_NUMBER = r"(?P<number>\d+(?:\.\d+)?|[一二两三四五六七八九十])"
_FIRM = r"(?:(?:申请|申报|参评|受补|申领)?(?:的)?(?:企业|单位|主体|机构|法人|市场主体|经营主体|初创企业|项目单位))?"
_MUST = r"(?:应当|应该|应|须|需|必须|需要)?"
_ATLEAST = r"(?:不少于|不低于|达到|在|达)?"
_UP = r"(?:人民币)?(?:以上|及以上|\(含\)以上|\(含\)|以上\(含\))?"
_MONEY = r"(?P<unit>万元|亿元)"
_SPAN = r"(?P<unit>年|个月)"
_SIZES = {
    "小微企业": "small micro", "小型微型企业": "small micro", "小型和微型企业": "small micro", "小型、微型企业": "small micro",
    "中小企业": "medium small micro", "中小微企业": "medium small micro", "微型企业": "micro",
}  # fmt: skip
_TITLES = {
    "高新技术企业": "high_tech", "国家高新技术企业": "high_tech", "国家级高新技术企业": "high_tech", "科技型中小企业": "tech_small",
    "国家科技型中小企业": "tech_small", "创新型中小企业": "innovative", "专精特新中小企业": "specialised",
    "专精特新小巨人企业": "little_giant", "规模以上企业": "above_scale", "规上企业": "above_scale",
    "农业产业化龙头企业": "leading_farm", "就业见习单位": "service_training",
}  # fmt: skip
_SECTIONS = {
    "农、林、牧、渔业": "A", "农林牧渔业": "A", "采矿业": "B", "制造业": "C", "建筑业": "E", "批发和零售业": "F",
    "交通运输、仓储和邮政业": "G", "住宿和餐饮业": "H", "信息传输、软件和信息技术服务业": "I", "金融业": "J", "房地产业": "K",
    "租赁和商务服务业": "L", "科学研究和技术服务业": "M", "水利、环境和公共设施管理业": "N", "居民服务、修理和其他服务业": "O",
    "教育": "P", "卫生和社会工作": "Q", "文化、体育和娱乐业": "R",
}  # fmt: skip
"""Sections of GB/T 4754-2017 by their own names; a name of everyday speech (软件业, 工业) is not one of them."""
_CREDIT = "ABMCD"
"""Classes of tax credit (纳税信用评价) from the best: M stands between B and C (国家税务总局公告2018年第8号)."""


def _one_of(words: Mapping[str, str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_RULES: tuple[tuple[re.Pattern, str, str], ...] = tuple(
    (re.compile(f"{_FIRM}{_MUST}{rule}"), fact, op)
    for rule, fact, op in (
        (rf"(?:从业人员|在职职工|职工|员工)(?:总数|人数|总人数)?{_ATLEAST}{_NUMBER}(?:人|名){_UP}", "headcount", "ge"),
        (rf"(?:从业人员|在职职工|职工|员工)(?:总数|人数|总人数)?(?:不超过|不多于){_NUMBER}(?:人|名)", "headcount", "le"),
        (rf"(?:社会保险|社保)?参保(?:人数|职工|职工人数|缴费人数){_ATLEAST}{_NUMBER}(?:人|名){_UP}", "insured", "ge"),
        (rf"(?:登记注册|注册登记|注册|成立|登记)(?:时间)?(?:已)?满{_NUMBER}{_SPAN}(?:以上)?", "established_on", "months"),
        (rf"(?:登记注册|注册登记|注册|成立|登记)(?:时间)?(?:不超过|未满|在|未超过){_NUMBER}{_SPAN}(?:以内|内)?", "established_on", "within"),
        (rf"(?:上年度|上一年度|上年)?营业收入{_ATLEAST}{_NUMBER}{_MONEY}{_UP}", "turnover", "ge"),
        (rf"(?:上年度|上一年度|上年)?营业收入(?:不超过|不高于){_NUMBER}{_MONEY}", "turnover", "le"),
        (rf"(?:上年度|上一年度|上年)研(?:究开)?发(?:费用|经费|投入){_ATLEAST}{_NUMBER}{_MONEY}{_UP}", "research", "ge"),
        (rf"注册资本(?:金)?{_ATLEAST}{_NUMBER}{_MONEY}{_UP}", "registered_capital", "ge"),
        (rf"(?:属于|为|是|系|认定为|符合)?(?P<size>{_one_of(_SIZES)})(?:标准|条件)?", "size", "in"),
        (rf"(?:属于|为|是|系|取得|获得|经认定的|有效期内的|已认定为|被认定为|认定为|纳入)*(?P<title>{_one_of(_TITLES)})(?:资格|称号)?", "qualifications", "in"),
        (rf"(?:属于|从事|为)(?P<section>{_one_of(_SECTIONS)})(?:企业|行业)?", "industry", "in"),
        (r"纳税信用(?:等级|级别|评价)?(?:结果)?(?:为|达到|评定为)?(?P<credit>[ABMCD])级(?P<up>(?:及|\(含\))?以上)?", "tax_credit", "in"),
        (r"(?:未|没有)(?:被)?(?:列入|纳入)(?:市场监管)?严重(?:违法)?失信(?:主体|企业)?名单", "dishonest", "is"),
        (r"(?:依法)?(?:在|于)(?:本区|我区|辖区内|本辖区|本辖区内|本区范围内|本区行政区域内)(?:内)?(?:依法)?(?:登记注册|注册登记|注册|登记)(?:的)?(?:企业|法人企业)?", "local", "is"),
        (r"(?:注册地|住所|注册地址|登记住所)(?:应)?(?:在|位于)(?:本区|我区|辖区内|本辖区)(?:内)?", "local", "is"),
    )
)  # fmt: skip
"""Each says a whole sentence, and nothing that it does not compare: half of a condition would let in whom the document keeps out."""
_COUNTS = {word: place for place, word in enumerate("一二三四五六七八九十", 1)} | {"两": 2}


@dataclass(frozen=True)
class Read:
    """What was read. ``terms`` are the conditions in their order; the other parts as they stand."""

    terms: tuple[Criterion, ...]
    who: str = ""
    how: str = ""
    materials: str = ""
    notes: str = ""

    @property
    def by_hand(self) -> int:
        """Conditions that a person must judge."""
        return sum(not one.fact for one in self.terms)


def read(text: str) -> Read:
    """Read a guide with headings, or the list of conditions of a document; no conditions where neither is there."""
    parts = _parts(text)
    if parts:
        terms = [one for name in ("who", "terms") for one in _sentences(parts.get(name, ""))]
        return Read(
            tuple(terms),
            **{name: parts.get(name, "")[:2000] for name in ("who", "how", "materials", "notes")},
        )
    found = _LISTED.search(text)
    if not found:
        return Read(())
    rest = text[found.end() :]
    end = _ARTICLE.search(rest)
    return Read(tuple(_sentences(rest[: end.start() if end else 3000])))


def _parts(text: str) -> dict[str, str]:
    names = {word: name for name, words in HEADS.items() for word in words}
    marks = list(_HEAD.finditer(text))
    found: dict[str, str] = {}
    for mark, after in zip(marks, [*marks, None][1:], strict=True):
        piece = text[mark.end() : after.start() if after else len(text)].strip()
        name = names[mark[1]]
        found[name] = f"{found[name]}\n{piece}" if name in found else piece
    return found if "terms" in found or "who" in found else {}


def _sentences(text: str) -> list[Criterion]:
    """A list as conditions, one each; a part that is longer than a condition may be is cut, not shortened."""
    pieces = []
    for block in _ENUM.split(text):
        pieces += re.split(r"(?<=[。；;])", block)
    rows = []
    for piece in pieces:
        said = piece.strip()
        if said.strip("。；;，、：: \n"):
            rows += [said[at : at + LONGEST] for at in range(0, len(said), LONGEST)]
    return [condition(one) for one in rows]


def condition(sentence: str) -> Criterion:
    """One sentence as a condition: compared where a rule says all of it, else for a person to judge."""
    plain = _PLAIN.sub("", sentence.translate(_SIGNS)).strip("。;,.、:")
    for rule, fact, op in _RULES:
        if found := rule.fullmatch(plain):
            return Criterion(sentence, fact, op, _values(fact, found.groupdict()))
    return Criterion(sentence)


_PLAIN = re.compile(r"[\s“”\"'「」]")
_SIGNS = str.maketrans("；，：（）．", ";,:().")


def _values(fact: str, said: dict[str, str | None]) -> tuple[str, ...]:
    """What a fact is compared with, in its own unit."""
    if fact == "size":
        return tuple(_SIZES[said["size"]].split())
    if fact == "qualifications":
        return (_TITLES[said["title"]],)
    if fact == "industry":
        return (_SECTIONS[said["section"]],)
    if fact == "tax_credit":
        return tuple(_CREDIT[: _CREDIT.index(said["credit"]) + 1] if said["up"] else said["credit"])
    if fact in ("dishonest", "local"):
        return ("no",) if fact == "dishonest" else ("yes",)
    number = Decimal(_COUNTS.get(said["number"], said["number"]))
    unit = said.get("unit")
    if fact == "registered_capital":
        number *= 10_000 if unit == "万元" else 100_000_000
    elif unit == "亿元":
        number *= 10_000
    elif unit == "年":
        number *= 12
    return (format(number.normalize(), "f"),)
