"""Responsible units (责任单位): from the wording of a bracket, a line or a table cell to lead, helpers and open sets.

No unit is known by name.  A unit is recognised by the last word of its name (局, 委, 办, 街道 …); an open set (各镇街,
有关部门) by the words that leave its members open.  Offsets are those of the text handed in plus ``offset``.
"""

import re
from dataclasses import dataclass
from typing import Literal

Role = Literal["lead", "plain", "help"]

_ENDINGS = (
    r"局|委|办|院|部|厅|署|会|处|科|室|站|所|队|校|馆|台|社|行|关|联|协|中心|街道|镇|乡|村|社区|区|市|县|省|州|园|场|团|公司|集团|"
    r"学校|大学|组|指挥部|专班|政府|基地|企业|机构|法庭|海事|邮政|气象|电信|移动|联通|铁塔|供电|学会|商会|报社|中学|小学|旗|盟|库|网信"
)
_UNIT = re.compile(rf"(?:{_ENDINGS})(?:\([^()]*\))*$")
# Endings that are safe where 和 or 及 might be part of a name (自然资源和规划局).
_FIRM = re.compile(
    r"(?:局|委|办|部|厅|署|院|中心|街道|政府|公司|银行|办公室|办事处|委员会|管委会|大队|支队|总队|法院|专班|地区|部门)(?:\([^()]*\))*$"
)
_OPEN = re.compile(
    r"各|有关|相关|其他|其它|所有|全体|涉及|(?:部门|单位)$|[级直]机关$|^(?:全[省市县区州])|^有.+的.+$|^凡"
)
_COLLECTIVE = re.compile(
    r"^(?:[省市县区州]|所辖|下辖)?(?:县\(?[、市区]*\)?|市县区?|县市区|县区|区县|乡镇|镇街|街镇|街乡镇?|乡\(镇\)|镇\(街道?\)|乡镇\(街道?\)|街道\(镇\)|镇乡|街道|镇|社区|村居?|"
    r"村\(社区\)|部门|单位|板块|园区|功能区|市州|市\(州\)|地方|属地|企业|地市)+(?:[、和及]?街道)?"
    r"(?:人民政府|政府|办事处|党委|党工委|工委|管委会|居委会|村委会|和|、|,|\(办事处\))*$"
)
_TAIL = re.compile(
    r"(?:(?:按照?|依)(?:照|据)?(?:各自)?(?:的)?(?:工作)?职责(?:和?分工|任务)?|分工|分别|共同|具体|牵头|统筹|负责|落实|推进|组织实施|实施|做好|参与|参加|配合|"
    r"协同|协助|协办|主办|承办|支持|为主|抓好|完成)+$"
)
_ONGOING = re.compile(r"(?:持续|长期|常态化)[^、,;]{0,4}$")
_AND = re.compile(r"以及|及其|及|和|与")
_BARE = re.compile(r"(?:直属)?(?:单位|机构|部门)(?:$|以?及|[和与])|(?:办事处|管委会)$")
_ETC = re.compile(r"等")
_PEOPLE = r"(?:责任|牵头|分管|挂钩|包保|包干|联系|主管)?[省市县区镇]?(?:级)?领导|(?:责任|负责|联系|牵头|分管)人|联系电话|联系方式"
_PLACE = r"(?:责任|负责)?(?:单位|部门|机构|科室|处室|股室|主体|地区|乡镇|方)(?:及部门|和单位|及单位|和部门)?"
_LABEL = re.compile(
    rf"(?P<people>{_PEOPLE})"
    r"|(?P<time>完成时限|完成时间|完成期限|时限要求|时间要求|时间节点|时间进度|办理时限|责任时限|时间安排|进度安排|完成日期|时限)"
    rf"|(?P<lead>(?:总?牵头|主办|主责|第一责任|首要责任|主要责任|主要负责|主牵头){_PLACE}|牵头(?=\s*:))"
    rf"|(?P<help>(?:协同|共同|主要)?(?:配合|协办|协助|参与|参加|协同|联合|支持|会办|辅助){_PLACE}|配合(?=\s*:)|协办(?=\s*:))"
    r"|(?P<plain>(?:主要)?(?:责任|承办|实施|负责|落实|执行|完成|承担|主管|组织实施)"
    r"(?:单位|部门|机构|科室|处室|股室|主体|地区|乡镇|方)(?:及部门|和单位|及单位|和部门)?|责任分工|任务分工|责任(?=\s*:)|分工(?=\s*:))"
)
LABEL = re.compile(rf"(?:{_LABEL.pattern})\s*(?::|(?<=[位门])(?:为|是)(?=\S))")
"""A label that announces units, people or a time, with its colon."""
OPENING_LABEL = re.compile(rf"(?:{_LABEL.pattern})(?:\s*(?::|为|是)|\s+)")
"""The same directly behind an opening bracket, where white space may stand for the colon."""

_KEYWORDS = re.compile(
    r"会同|(?:共同)?牵头(?:负责|实施|落实|推进|组织)*|主办|主责|(?:协同|共同|积极)?(?:配合|协办|协助|参与|参加)(?:落实|实施)?"
    r"|(?:按照?|依)(?:照|据)?(?:各自)?(?:的)?(?:工作)?职责(?:和?分工|任务)?(?:负责|落实|推进|组织实施|做好|抓好落实|配合)?"
    r"|(?:分工|分别|共同|具体|统筹)?负责(?:落实|实施|推进)?|分工落实|组织实施"
)
_FUNCTION = re.compile(r"^(?:并|其中|由|请|再|,|;|、|:|\s)+")


@dataclass(frozen=True, slots=True)
class Member:
    """One unit or one open set (``open_set``) of a list, with its place and its role."""

    name: str
    start: int
    end: int
    role: Role
    open_set: bool
    sure: bool
    why: str


@dataclass(frozen=True, slots=True)
class Clause:
    """The members named by one bracket, line or cell; ``times`` are the places of deadlines written among them.

    ``notes`` are remarks for people: (start, end, why).  ``labelled`` is false when only words such as 牵头 or 负责 say
    that units are meant.
    """

    members: tuple[Member, ...]
    times: tuple[tuple[int, int], ...] = ()
    notes: tuple[tuple[int, int, str], ...] = ()
    labelled: bool = True


def label_role(name: str) -> str:
    """Return what a column heading announces: ``lead``, ``plain``, ``help``, ``time``, ``people``, or ``""``."""
    label = _LABEL.match(name + ":")
    return label.lastgroup or "" if label and label.end() == len(name) else ""


def looks_like_unit(name: str) -> bool:
    """Tell whether a name ends as names of units do (shadow text expected)."""
    return 2 <= len(name) <= 40 and bool(_UNIT.search(name))


def is_open_set(name: str) -> bool:
    """Tell whether a wording leaves the members open: 各镇街, 区有关部门, 国务院相关部门 (shadow text expected)."""
    bare = _outside_brackets(name)
    return bool(_OPEN.search(bare) or _COLLECTIVE.search(name))


def parse_labelled(text: str, offset: int) -> Clause:
    """Read the wording of a bracket or a line that begins with a label such as 责任单位: or 牵头单位:.

    ``text`` is shadow text, ``offset`` its place in the document.
    """
    labels = list(LABEL.finditer(text))
    opening = OPENING_LABEL.match(text)
    if opening and not (labels and labels[0].start() == 0):
        labels.insert(0, opening)
    members: list[Member] = []
    times: list[tuple[int, int]] = []
    notes: list[tuple[int, int, str]] = []
    ends = [label.start() for label in labels[1:]] + [len(text)]
    for label, end in zip(labels, ends, strict=False):
        start = label.end()
        role = label.lastgroup
        if role == "time":
            start, end = _trim(text, start, end)
            times += [(offset + start, offset + end)] if start < end else []
        elif role != "people":
            members += _by_keywords(text, start, end, offset, role, notes) or ()
    return _clause(members, times, notes, labelled=True)


def parse_cell(text: str, offset: int, role: Role) -> Clause:
    """Read a table cell under a heading of the given role; it may carry labels of its own."""
    if LABEL.match(text):
        return parse_labelled(text, offset)
    notes: list[tuple[int, int, str]] = []
    members = _by_keywords(text, 0, len(text), offset, role, notes) or []
    return _clause(members, [], notes, labelled=True)


def parse_worded(text: str, offset: int) -> Clause | None:
    """Read a bracket in which only words such as 牵头, 负责 or 配合 show that units are meant; ``None`` if none is."""
    label = LABEL.search(text)
    stop = label.start() if label else len(text)
    notes: list[tuple[int, int, str]] = []
    members = _by_keywords(text, 0, stop, offset, "", notes)
    if not members:
        return None
    # 各地区、各部门负责 proves itself; (由专人负责) does not.
    if not all(member.open_set for member in members) and not any(m.sure and not m.open_set for m in members):
        return None
    rest = parse_labelled(text[stop:], offset + stop)
    return _clause([*members, *rest.members], list(rest.times), [*notes, *rest.notes])


def parse_names(text: str, offset: int) -> Clause | None:
    """Read a bracket that holds nothing but names of units (市发展改革委、市财政局); ``None`` if any name is no unit."""
    members = list(_members(text, 0, len(text), offset, "plain", []))
    if (
        not members
        or not all(member.sure for member in members)
        or all(member.open_set for member in members)
    ):
        return None
    if any(len(member.name) < 3 or _COLLECTIVE.search(member.name) for member in members):
        return None
    return _clause(members, [], [])


def _clause(members, times, notes, labelled=False) -> Clause:
    times += [(member.start, member.end) for member in members if _is_time(member.name)]
    members = [member for member in members if not _is_time(member.name)]
    return Clause(tuple(members), tuple(times), tuple(notes), labelled)


def _by_keywords(text, start, end, offset, role, notes):
    """Split at 牵头, 会同, 配合, 负责 and give every stretch its role; ``None`` if nothing proves that units are meant."""
    stop = _first_full_stop(text, start, end)
    left, right = _trim(text, stop + 1, end)
    if left < right:
        notes.append((offset + left, offset + right, "责任单位之后另有说明，请人工判断适用范围"))
    end = stop
    members: list[Member] = []
    has_lead = role == "lead"
    position, pending = start, None
    proven = bool(role)
    for word in _KEYWORDS.finditer(text, start, end):
        if _depth_at(text, start, word.start()):
            continue
        stretch = (position, word.start())
        position = word.end()
        meaning = word.group()
        if meaning == "会同":
            given: Role = "help" if has_lead else "lead"
            has_lead, pending, proven = True, "help", True
        elif "牵头" in meaning or meaning in ("主办", "主责"):
            given, pending, has_lead, proven = "lead", None, True, True
        elif re.search("配合|协办|协助|参与|参加", meaning) and "职责" not in meaning:
            given, pending = "help", None
            if stretch[0] == stretch[1] or not text[slice(*stretch)].strip(" ,;、"):
                pending = "help"
        else:
            given = pending or ("help" if has_lead or role == "help" else role or "plain")
            pending, proven = None, True
            alone = "、" not in text[slice(*stretch)] and not members
            if given == "plain" and meaning == "负责" and alone and text[position:end].strip(" ,;。"):
                given, has_lead = "lead", True  # 由A负责，B、C配合
        members += _members(text, *stretch, offset, given, notes)
    rest: Role = pending or ("help" if has_lead and role != "lead" else role or "plain")
    if position == start and not proven:
        return None
    members += _members(text, position, end, offset, rest, notes)
    return members if proven or has_lead else None


def _members(text, start, end, offset, role, notes):
    for left, right in _split(text, start, end):
        left, right = _trim(text, left, right)
        match = _FUNCTION.match(text, left, right)
        if match:
            left = match.end()
        tail = None if _ONGOING.search(text, left, right) else _TAIL.search(text, left, right)
        if tail and not _depth_at(text, left, tail.start()):
            left, right = _trim(text, left, tail.start())
        if left >= right:
            continue
        yield from _item(text, left, right, offset, role, notes)


def _item(text, left, right, offset, role, notes):
    """Read one item between separators; ``A等B`` is the unit A and the open set B."""
    for etc in _ETC.finditer(text, left, right):
        if _depth_at(text, left, etc.start()) or not looks_like_unit(text[left : etc.start()]):
            continue
        yield _member(text, left, etc.start(), offset, role)
        rest = _trim(text, etc.end(), right)
        if rest[0] < rest[1]:
            for piece in _split_and(text, *rest):
                yield _member(text, *_trim(text, *piece), offset, role, after_etc=True)
        else:
            notes.append((offset + left, offset + etc.end(), "名单以“等”结尾，没有写明还包括哪些单位"))
        return
    for piece in _split_and(text, left, right):
        yield _member(text, *_trim(text, *piece), offset, role)


def _member(text, left, right, offset, role, after_etc=False):
    name = text[left:right]
    starred = re.search(r"\((?:牵头|主办|牵头单位|牵头部门)\)$", name)
    if starred:
        role, right = "lead", left + starred.start()
        name = text[left:right]
    helping = re.search(r"\((?:配合|协办|参与|配合单位)\)$", name)
    if helping:
        role, right = "help", left + helping.start()
        name = text[left:right]
    if after_etc or is_open_set(name):
        return Member(name, offset + left, offset + right, role, True, True, "没有列全成员，按原文保留")
    sure = looks_like_unit(name)
    why = "" if sure else "不像单位名称，请核对"
    return Member(name, offset + left, offset + right, role, False, sure, why)


def _split(text, start, end):
    depth, left = 0, start
    for index in range(start, end):
        character = text[index]
        if character in "(〔[【":
            depth += 1
        elif character in ")〕]】":
            depth = max(0, depth - 1)
        elif depth == 0 and (
            character in "、,;/\n\t。" or (character == " " and looks_like_unit(text[left:index].strip()))
        ):
            yield left, index
            left = index + 1
    yield left, end


def _split_and(text, left, right):
    """Split at 及, 和, 与 only between two complete names, so that 自然资源和规划局 stays whole."""
    for word in _AND.finditer(text, left, right):
        if _depth_at(text, left, word.start()):
            continue
        before, after = text[left : word.start()], text[word.end() : right].lstrip()
        if not before or not after or not (_FIRM.search(before) or is_open_set(before)):
            continue
        # 部门和单位 is one wording, and a bare 办事处 is no name.
        if _BARE.match(after) or not (is_open_set(after) or (len(after) > 2 and looks_like_unit(after))):
            continue
        yield left, word.start()
        yield from _split_and(text, word.end(), right)
        return
    yield left, right


def _is_time(name: str) -> bool:
    return bool(re.search(r"\d{1,2}月|\d{4}年|年底|年内|季度|长期|持续|完成$", name)) and not looks_like_unit(
        name
    )


def _outside_brackets(name: str) -> str:
    return re.sub(r"\([^()]*\)", "", name)


def _depth_at(text: str, start: int, position: int) -> bool:
    """Tell whether ``position`` is inside a bracket opened after ``start``."""
    inside = text[start:position]
    return sum(map(inside.count, "(〔[【")) > sum(map(inside.count, ")〕]】"))


def _first_full_stop(text: str, start: int, end: int) -> int:
    depth = 0
    for index in range(start, end):
        if text[index] in "(〔[【":
            depth += 1
        elif text[index] in ")〕]】":
            depth = max(0, depth - 1)
        elif text[index] == "。" and depth == 0:
            return index
    return end


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    junk = " \t\n,;、。.:()*"
    while start < end and text[start] in junk and not (text[start] == "(" and ")" in text[start:end]):
        start += 1
    while start < end and text[end - 1] in junk and not (text[end - 1] == ")" and "(" in text[start:end]):
        end -= 1
    return start, end
