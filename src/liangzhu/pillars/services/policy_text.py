"""Reads conditions, materials and ways out of the text of a policy, as a first draft for the editor. Pure.

What a rule does not understand stays as its own words, for a person to judge: nothing of a list of conditions is dropped.
"""

import re
from dataclasses import dataclass

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

_RULES: tuple[tuple[re.Pattern, str, str], ...] = (
    (re.compile(r"(?:从业|职工|员工)[人员数总]*(?:不少于|达到|在)?(\d+)(?:人|名)(?:以上|及以上)?"), "headcount", "ge"),
    (re.compile(r"参保(?:人数|职工|缴费人数)[^\d，。；]{0,6}?(\d+)(?:人|名)(?:以上|及以上)"), "insured", "ge"),
    (re.compile(r"(?:登记注册|注册登记|成立|登记|正常经营)(?:已|时间)?满(\d+|[一二两三])(年|个月)"), "established_on", "months"),
    (re.compile(r"(?:登记注册|注册登记|成立)(?:时间)?(?:不超过|未满|在)(\d+|[一二两三五])(年|个月)(?:以内|内)?"), "established_on", "within"),
    (re.compile(r"营业收入(?:不低于|达到|超过)?(\d+)万元(?:以上)?"), "turnover", "ge"),
    (re.compile(r"(?:小型微型企业|小微企业|小型、微型企业)"), "size", "in"),
    (re.compile(r"高新技术企业"), "qualifications", "in"),
    (re.compile(r"未(?:被)?(?:列入|纳入)[^，。；]{0,12}失信"), "dishonest", "is"),
)  # fmt: skip
_COUNTS = {"一": 1, "二": 2, "两": 2, "三": 3, "五": 5}
_FIXED = {"size": "small micro", "qualifications": "high_tech", "dishonest": "no"}
_HEDGED = re.compile(r"或|之一|除外|例外|的除|参照|优先|鼓励|可以|[、，；].*[、，；]")
"""Words after which one comparison would say more, or less, than the sentence: those are left to a person."""


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
    """One sentence as a condition: compared where exactly one rule fits all of it, else for a person to judge."""
    fits = [(found, fact, op) for rule, fact, op in _RULES if (found := rule.search(sentence))]
    if len(fits) != 1 or _HEDGED.search(sentence):
        return Criterion(sentence)
    found, fact, op = fits[0]
    if fact in _FIXED:
        return Criterion(sentence, fact, op, tuple(_FIXED[fact].split()))
    number = int(_COUNTS.get(found[1], found[1]))
    if fact == "established_on" and found[2] == "年":
        number *= 12
    return Criterion(sentence, fact, op, (str(number),))
