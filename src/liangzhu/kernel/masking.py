"""Masking (脱敏): what is shown of a personal value, identifiers found in free text, and reading in full for a reason.

The forms of GB/T 35273 in the district's practice: a name keeps its surname, a phone number three and four digits, an
identity number six and four, a bank card its last four, an address its street (街道). Masks take any text and never
raise; what does not have the form of its kind is hidden altogether.

    masking.name("欧阳修文")                                        # 欧阳**
    masking.mask_text("请联系张三13800001234")                       # 请联系张三138****1234
    masking.reveal(actor, person, "number", reason="核对申请材料")     # the text; a leaf says who read it and why
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.db import models, transaction

from liangzhu.kernel import identifiers, keys, reads
from liangzhu.kernel.actors import Actor
from liangzhu.kernel.errors import Invalid
from liangzhu.kernel.log import write_leaf
from liangzhu.kernel.refs import Ref

# Compound surnames (复姓) that are borne today; 百家姓 and 中国姓氏大辞典.
COMPOUND = frozenset(
    [
        "欧阳",
        "太史",
        "上官",
        "端木",
        "司马",
        "东方",
        "独孤",
        "南宫",
        "万俟",
        "闻人",
        "夏侯",
        "诸葛",
        "尉迟",
        "公羊",
        "赫连",
        "澹台",
        "皇甫",
        "宗政",
        "濮阳",
        "公冶",
        "太叔",
        "申屠",
        "公孙",
        "慕容",
        "仲孙",
        "钟离",
        "长孙",
        "宇文",
        "司徒",
        "鲜于",
        "司空",
        "闾丘",
        "子车",
        "亓官",
        "司寇",
        "巫马",
        "公西",
        "颛孙",
        "壤驷",
        "公良",
        "漆雕",
        "乐正",
        "宰父",
        "谷梁",
        "拓跋",
        "夹谷",
        "轩辕",
        "令狐",
        "段干",
        "百里",
        "呼延",
        "东郭",
        "南门",
        "羊舌",
        "微生",
        "梁丘",
        "左丘",
        "东门",
        "西门",
        "第五",
        "公输",
        "完颜",
        "纳兰",
        "耶律",
        "爱新觉罗",
        "叶赫那拉",
    ]
)

# Masks ----------------------------------------------------------------------------------------------------------------


HIDDEN = "***"
"""What is shown of a value that has no form of its own."""


def _hidden(text: str) -> str:
    return HIDDEN if text else ""


def words(text: str) -> str:
    """Words of any kind: the first character, and at most six stars, so that their length tells nothing. 王示例 → 王**."""
    return text[:1] + "*" * max(1, min(len(text) - 1, 6)) if text else ""


def name(text: str) -> str:
    """A person's name: the surname, and a star for each further character. 张三 → 张*, 欧阳修文 → 欧阳**."""
    text = text.strip()
    if len(text) < 2:
        return "*" * len(text)
    kept = next((n for n in (4, 2) if len(text) > n and text[:n] in COMPOUND), 1)
    return text[:kept] + "*" * (len(text) - kept)


def phone(text: str) -> str:
    """A telephone number: 13812345678 → 138****5678, 0518-85412345 → 0518****2345."""
    digits = re.sub(r"[\s()（）-]", "", _ascii(text))
    digits = re.sub(r"^(\+86|0086)", "", digits)
    if re.fullmatch(r"1[0-9]{10}", digits):
        return f"{digits[:3]}****{digits[-4:]}"
    if found := re.fullmatch(r"(0[12][0-9]|0[3-9][0-9]{2})?([0-9]{7,8})", digits):
        return f"{found[1] or ''}****{found[2][-4:]}"
    return _hidden(text)


def citizen_id(text: str) -> str:
    """An identity number: the first six and the last four characters."""
    return identifiers.mask("person", text)


def citizen_id_public(text: str) -> str:
    """An identity number in a public notice (公示): the last four characters only."""
    return identifiers.mask("person", text, public=True)


def bank_card(text: str) -> str:
    """A bank card: the last four digits."""
    digits = re.sub(r"[\s-]", "", _ascii(text))
    return "*" * (len(digits) - 4) + digits[-4:] if re.fullmatch(r"[0-9]{12,19}", digits) else _hidden(text)


def email(text: str) -> str:
    """An e-mail address: the first letter and the domain. abc@example.cn → a***@example.cn."""
    found = re.fullmatch(r"([^@\s])[^@\s]*@([^@\s]+\.[^@\s]+)", _ascii(text).strip())
    return f"{found[1]}***@{found[2]}" if found else _hidden(text)


def address(text: str) -> str:
    """An address down to its street or town: 甲区乙街道丙路8号 → 甲区乙街道***."""
    for ends in ("街道|镇|乡", "[区县]|县级市", "市"):
        if found := re.match(rf".*?(?:{ends})(?!路|街|巷|号)", text):
            return found[0] + ("***" if len(found[0]) < len(text) else "")
    return _hidden(text)


# In free text ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """An identifier in a text: its kind, where it stands, and its plain form."""

    kind: str
    start: int
    end: int
    value: str


KINDS: dict[str, tuple[str, Callable[[str], str]]] = {
    "citizen_id": ("证件", citizen_id),
    "bank_card": ("银行卡", bank_card),
    "phone": ("电话", phone),
    "email": ("邮箱", email),
}
"""Kind to its Chinese name and its mask."""

# Digits may be written with single blanks or hyphens between them, in whatever width.
_DIGITS = re.compile(r"(?<![0-9A-Za-z])\+?[0-9](?:[ -]?[0-9])*[ -]?[0-9Xx](?![0-9A-Za-z])")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def find(text: str) -> list[Found]:
    """The identifiers in a free text, in their order: identity numbers and bank cards whose check digits are right,
    telephone numbers, e-mail addresses. Names and addresses are not looked for: nothing tells them from other words.
    """
    plain = _ascii(text)
    found = [Found("email", m.start(), m.end(), m[0].lower()) for m in _EMAIL.finditer(plain)]
    for run in _DIGITS.finditer(plain):
        if any(one.start <= run.start() < one.end for one in found):
            continue
        found += _in_digits(plain, run.start(), run.end())
    return sorted(found, key=lambda one: one.start)


def _in_digits(text: str, start: int, end: int) -> Iterator[Found]:
    """The numbers in a run of digits: the run as a whole, else its pieces between blanks and hyphens, one or several."""
    places = [m.span() for m in re.finditer(r"[^ -]+", text[start:end])]
    first = 0
    while first < len(places):
        for last in range(len(places), first, -1):
            begin, stop = start + places[first][0], start + places[last - 1][1]
            value = re.sub(r"[ -]", "", text[begin:stop]).upper()
            if kind := _kind_of(value):
                yield Found(kind, begin, stop, value.removeprefix("+86") if kind == "phone" else value)
                first = last
                break
        else:
            first += 1


def _kind_of(value: str) -> str:
    if len(value) in (15, 18):
        try:
            identifiers.check("person", value)
            return "citizen_id"
        except identifiers.IdentifierError:
            pass
    if re.fullmatch(r"[3-6][0-9]{14,18}", value) and _luhn(value):
        return "bank_card"
    if re.fullmatch(r"(\+?86)?1[3-9][0-9]{9}|(0[12][0-9]|0[3-9][0-9]{2})[2-8][0-9]{6,7}", value):
        return "phone"
    return ""


def _luhn(digits: str) -> bool:
    """The check digit of bank cards (ISO/IEC 7812-1, annex B)."""
    doubled = [int(one) * (2 if place % 2 else 1) for place, one in enumerate(reversed(digits))]
    return sum(one - 9 if one > 9 else one for one in doubled) % 10 == 0


def _replaced(text: str, by: Callable[[Found], str]) -> str:
    parts, last = [], 0
    for one in find(text):
        parts += [text[last : one.start], by(one)]
        last = one.end
    return "".join([*parts, text[last:]])


def mask_text(text: str) -> str:
    """A free text with the identifiers in it masked."""
    return _replaced(text, lambda one: KINDS[one.kind][1](one.value))


def token(found: Found) -> str:
    """What stands for an identifier: 〔证件 0a1b2c3d〕, the same for the same number, of no use without the key."""
    return f"〔{KINDS[found.kind][0]} {keys.blind(f'text.{found.kind}', found.value)[:8]}〕"


def tokenise(text: str) -> tuple[str, dict[str, str]]:
    """A free text with tokens for the identifiers in it, and the value of each token, to be kept sealed and apart."""
    values: dict[str, str] = {}

    def by(found: Found) -> str:
        mark = token(found)
        values[mark] = found.value
        return mark

    return _replaced(text, by), values


_WIDE = str.maketrans(
    {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    | {"　": " ", "－": "-", "—": "-", "–": "-"}
)


def _ascii(text: str) -> str:
    """The text with full-width letters, digits and signs in their usual form; every character keeps its place."""
    return text.translate(_WIDE)


# Reading in full ------------------------------------------------------------------------------------------------------

REASON_MAX = 200


@dataclass(frozen=True)
class Read:
    """One reading of values of grade 3."""

    actor: Actor
    subject: Ref
    fields: tuple[tuple[str, str], ...]
    reason: str
    case: str = ""
    channel: str = "unmask"


_reads: ContextVar[list[Read] | None] = ContextVar("reads", default=None)


def reveal(
    actor: Actor,
    row: models.Model,
    *fields: str,
    reason: str,
    case: str = "",
    channel: str = "unmask",
    title: str = "",
) -> str | tuple[str, ...]:
    """The text of sealed fields of grade 3 in full; of several, a tuple. The caller has asked its policy.

    One leaf ``kernel.read`` tells who, of what, which fields and why, and the person's trail tells it too (`kernel.reads`);
    ``case`` is the printed Ref of what it is read for, ``channel`` one of `reads.CHANNELS`, ``title`` what the trail calls it where a field holds
    several things and some of them are shown. Within a request both are written before the answer leaves;
    elsewhere at once. Raises Invalid without a reason.
    """
    reason = reason.strip()
    if not reason or len(reason) > REASON_MAX:
        raise Invalid({"reason": "请写明查看的原因。" if not reason else f"原因最多 {REASON_MAX} 个字。"})
    titled = tuple((one, title or _title(row, one)) for one in fields)
    read = Read(actor, row.ref, titled, reason, case, channel)
    waiting = _reads.get()
    if waiting is None:
        write([read])
    else:
        waiting.append(read)
    return plain(row, *fields)


def _title(row: models.Model, name: str) -> str:
    """What people call a field; where it has no name of its own, what they call the thing."""
    title = str(row._meta.get_field(name).verbose_name)
    return str(row._meta.verbose_name) if title.isascii() else title


def plain(row: models.Model, *fields: str) -> str | tuple[str, ...]:
    """The text of sealed fields, for whoever writes the reading down by itself, in the log and in the trail."""
    texts = tuple(row._meta.get_field(one).plain(row) for one in fields)
    return texts[0] if len(texts) == 1 else texts


def write(waiting: list[Read]) -> None:
    """One leaf and one line of the trail for each subject read, in one transaction; what was read of it for the same
    reason stands together.
    """
    grouped: dict[tuple, tuple[Actor, dict[str, str]]] = {}
    for read in waiting:
        place = (read.actor.ref, read.subject, read.reason, read.case, read.channel)
        grouped.setdefault(place, (read.actor, {}))[1].update(read.fields)
    if grouped:
        with transaction.atomic():
            for (_, subject, reason, case, channel), (actor, fields) in grouped.items():
                details = {"fields": sorted(fields), "reason": reason}
                write_leaf(actor, "kernel.read", subject, details | ({"case": case} if case else {}))
                reads.note(actor, subject, fields, channel=channel, case=case, reason=reason)


@contextmanager
def collecting() -> Iterator[list[Read]]:
    """Let the readings inside wait in a list; whoever collects writes it before the answer leaves."""
    waiting: list[Read] = []
    place = _reads.set(waiting)
    try:
        yield waiting
    finally:
        _reads.reset(place)
