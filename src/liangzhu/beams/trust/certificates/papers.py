"""Sealed papers (文书): the vouchers and decisions of a case, each with number, seal and date.

    papers.sealed_document(act, template="acceptance", context={…}, unit_id=…, matter=matter.ref)

Law: 行政许可法 §32 (受理、不予受理、补正: written, dated, with a seal), §38 (reasons, remedies), §42, §44, §45.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.trust.certificates import kinds, stamping
from liangzhu.beams.trust.certificates.events import PaperIssued
from liangzhu.beams.trust.certificates.models import Paper, Seal
from liangzhu.kernel import masking
from liangzhu.kernel.actions import Act
from liangzhu.kernel.errors import Invalid
from liangzhu.kernel.now import now, today
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.releases import next_number
from liangzhu.kernel.rows import insert, update

TEXT_MAX, LIST_MAX = 2000, 100


@dataclass(frozen=True)
class Template:
    """A kind of paper: its title, what it must be told, what it may be told, and which of that are days or lists."""

    key: str
    title: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """Everything that it may be told."""
        return (*self.required, *self.optional)


_COMMON = ("applicant", "item")
_MORE = ("case_number", "contact")
_REMEDIES = ("case_number", "review_body", "court")
TEMPLATES = {
    one.key: one
    for one in [
        Template(
            "acceptance",
            "受理通知书",
            (*_COMMON, "received_on", "accepted_on", "limit"),
            (*_MORE, "due_on", "materials"),
            days=("received_on", "accepted_on", "due_on"),
            lists=("materials",),
        ),
        Template(
            "correction",
            "补正告知书",
            (*_COMMON, "received_on", "missing"),
            (*_MORE, "until"),
            days=("received_on", "until"),
            lists=("missing",),
        ),
        Template(
            "not_accepted",
            "不予受理决定书",
            (*_COMMON, "received_on", "reason"),
            (*_REMEDIES, "where"),
            days=("received_on",),
        ),
        Template(
            "special_procedure",
            "特别程序告知书",
            (*_COMMON, "procedure", "reason", "starts_on", "expected"),
            _MORE,
            days=("starts_on",),
        ),
        Template(
            "hearing_right",
            "听证告知书",
            (*_COMMON, "told", "interest", "until"),
            _MORE,
            days=("until",),
        ),
        Template(
            "extension",
            "延期告知书",
            (*_COMMON, "reason", "basis"),
            (*_MORE, "due_on"),
            days=("due_on",),
        ),
        Template(
            "no_need", "不受理告知书", (*_COMMON, "received_on", "reason"), _MORE, days=("received_on",)
        ),
        Template("notice", "办理结果告知书", (*_COMMON, "decision"), (*_MORE, "basis", "certificate")),
        Template(
            "granted", "准予行政许可决定书", (*_COMMON, "basis", "decision"), (*_REMEDIES, "certificate")
        ),
        Template("refused", "不予行政许可决定书", (*_COMMON, "basis", "facts", "reason"), _REMEDIES),
        Template(
            "delivery",
            "送达回证",
            (*_COMMON, "documents", "method", "delivered_on", "recipient"),
            ("case_number", "place", "remark"),
            days=("delivered_on",),
            lists=("documents",),
        ),
    ]
}


def sealed_document(
    act: Act,
    *,
    template: str,
    context: Mapping[str, Any],
    unit_id: int,
    matter: Ref | None,
    seal_kind: str = Seal.APPROVAL,
    number: str = "",
) -> Paper:
    """Issue a paper of a unit inside the caller's action: the next number of its series, the seal, today's date.

    The statement is signed at once; the PDF is drawn by the worker, or when somebody first asks for it
    (`files.paper_file`), and is then attached to the matter. Raises Invalid, NotIssuer, NoSeal.
    """
    what = TEMPLATES.get(template)
    if what is None:
        raise Invalid({"template": f"没有这种文书；可用：{'、'.join(TEMPLATES)}。"})
    content = _content(what, context)
    issuer = kinds.issuer_of(unit_id)
    seal = stamping.seal_in_use(unit_id, seal_kind)
    statement = {
        "kind": "liangzhu-paper-1",
        "id": stamping.new_ident(),
        "template": what.key,
        "title": what.title,
        "number": number or _number(what, issuer),
        "issuer": {"name": directory.units().get(unit_id).name, "code": issuer.code},
        "matter": str(matter or ""),
        "content": content,
        "issued_on": today().isoformat(),
    }
    # Whoever scans learns that the paper is real, not what it says.
    shown = {name: value for name, value in statement.items() if name != "content"}
    shown["to"] = masking.name(content["applicant"])
    row = insert(
        Paper(
            **stamping.stamp(act, seal, statement, shown),
            template=what.key,
            title=what.title,
            number=statement["number"],
            unit_id=unit_id,
            matter=str(matter or ""),
            issued_at=now(),
            issued_on=today(),
        )
    )
    row.leaf = act.log(
        row.ref, digest=row.digest, key=row.key, number=row.number, template=what.key, matter=row.matter
    )
    update(row, "leaf")
    act.emit(PaperIssued(row.ref, template=what.key, matter=row.matter))
    return row


def _number(what: Template, issuer: kinds.Issuer) -> str:
    """机关代字 + 文种代字 +〔年份〕+ 序号 + 号."""
    mark = kinds.catalogue().papers.get(what.key)
    if mark is None:
        raise Invalid({"template": f"地区资料包没有写{what.title}的文种代字。"})
    series = f"{issuer.mark}{mark}"
    return f"{series}〔{today().year}〕{next_number(f'paper:{issuer.unit}.{what.key}')}号"


def _content(what: Template, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the paper says: texts, days as ISO text, lists of texts. Raises Invalid beside the names."""
    wrong = {name: f"{what.title}没有这一项。" for name in sorted(set(given) - set(what.known))}
    content: dict[str, Any] = {}
    for name in what.known:
        value = given.get(name)
        try:
            if name in what.lists:
                content[name] = [_text(each) for each in value or ()][:LIST_MAX]
            elif name in what.days and value:
                content[name] = (
                    value if isinstance(value, date) else date.fromisoformat(str(value))
                ).isoformat()
            else:
                content[name] = _text(value)
        except ValueError as fault:
            wrong[name] = str(fault) if name not in what.days else "应为日期。"
            continue
        if name in what.required and not content[name]:
            wrong[name] = f"{what.title}缺少这一项。"
    if wrong:
        raise Invalid(wrong)
    return {name: value for name, value in content.items() if value}


def _text(value: Any) -> str:
    text = " ".join(str(value or "").split()).rstrip("。")
    if len(text) > TEXT_MAX:
        raise ValueError(f"最多 {TEXT_MAX} 个字。")
    return text
