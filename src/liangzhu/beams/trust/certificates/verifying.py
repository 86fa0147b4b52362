"""What anybody may learn of a certificate or paper: whether it is real, what state it is in, and its masked fields.

There is no list and no search: who asks has the address of the QR code, or number and check code, or the file.
"""

import hmac
import json
import re
import zlib
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from django.db.models import Q

from liangzhu.beams.trust.certificates.models import Certificate, Paper, Seal
from liangzhu.beams.trust.certificates.stamping import ALPHABET, FILE_KIND, plain_code
from liangzhu.beams.trust.certificates.states import STATES, VALID
from liangzhu.kernel import crypto, identifiers, keys, log, sealing
from liangzhu.kernel.errors import BadFile, TooLarge
from liangzhu.kernel.models import Key
from liangzhu.kernel.now import today

JSON_MAX = 512 * 1024
ATTACHMENTS_MAX = 20
_EMBEDDED = re.compile(rb"/EmbeddedFile[^\0]{0,400}?stream\r?\n")

WORDS = {
    "valid": ("有效", "ok"),
    "not_yet": ("未到生效日期", "near"),
    "expired": ("已过有效期", "over"),
    "held": ("暂扣", "over"),
    "ended": ("已失去效力", "law"),
    "changed": ("与发出的不一致", "law"),
    "unknown": ("不是本系统发出的", "none"),
    "gone": ("内容已依规删除", "none"),
}
"""What can be found: words, and the light that goes with them."""


@dataclass(frozen=True)
class Verdict:
    """What was found of one thing. ``state`` is a key of `WORDS`; ``row`` is None where nothing may be told."""

    state: str
    detail: str
    row: Certificate | Paper | None = None
    shown: dict = field(default_factory=dict)

    @property
    def title(self) -> str:
        """In a word or two."""
        return WORDS[self.state][0]

    @property
    def light(self) -> str:
        """The light of the design system."""
        return WORDS[self.state][1]

    @property
    def good(self) -> bool:
        """Whether it may be relied on today."""
        return self.state == "valid"

    def as_json(self) -> dict:
        """The same for programs."""
        found = {name: value for name, value in self.shown.items() if name not in ("id", "kind")}
        return {
            "state": self.state,
            "title": self.title,
            "detail": self.detail,
            "valid": self.good,
            "shown": found,
        }

    @property
    def is_certificate(self) -> bool:
        """Whether it is a certificate; else a paper."""
        return isinstance(self.row, Certificate)


UNKNOWN = Verdict(
    "unknown",
    "没有找到对应的证照或文书。请核对编号和核验码，或者向出示的人索取二维码；也可能是别的系统核发的。",
)
CHANGED = Verdict(
    "changed",
    "这个文件和我们发出的不是逐字节相同，内容可能被改过，不能采信。请扫文件上的二维码，看原来的内容。",
)


def by_ident(ident: str) -> Verdict:
    """What the address of a QR code leads to."""
    return _judge(_find(ident))


def _find(ident: str) -> Certificate | Paper | None:
    ident = ident.lower()
    if len(ident) != 26 or set(ident.upper()) - set(ALPHABET):
        return None
    for model in (Certificate, Paper):
        row = model.objects.select_related("leaf__detail", "seal").filter(ident=ident).first()
        if row is not None:
            return row
    return None


def by_number(number: str, code: str) -> Verdict:
    """What a number, an identifier (电子证照标识) or 文号 with its check code leads to. A wrong code and a number that
    does not exist are answered alike.
    """
    code, number = plain_code(code), number.strip()
    rows: list[Certificate | Paper] = []
    if number and len(code) == 8:
        forms = {number, identifiers.normal_form(number)}
        asked = Q(number__in=forms) | Q(identifier__in=forms)
        rows += Certificate.objects.select_related("leaf__detail", "seal").filter(asked).order_by("-id")[:20]
        rows += Paper.objects.select_related("leaf__detail", "seal").filter(number__in=forms)[:20]
    found = None
    for row in rows:
        if hmac.compare_digest(row.check_code.encode(), code.encode()):
            found = found or row
    return _judge(found)


def by_file(name: str, body: bytes) -> Verdict:
    """What an uploaded PDF or JSON is. One byte that differs makes it `CHANGED`. Raises BadFile, TooLarge."""
    is_pdf = body[:5] == b"%PDF-"
    text = _attached(body) if is_pdf else body
    if text is None:
        return UNKNOWN
    if len(text) > JSON_MAX:
        raise TooLarge("核验文件过大。")
    try:
        given = json.loads(text)
        statement = given["statement"]
        ident = json.loads(statement)["id"]
        signature, key = bytes.fromhex(given["signature"]), given["key"]
        known = given["kind"] == FILE_KIND and isinstance(key, str)
    except (ValueError, KeyError, TypeError, RecursionError):
        if is_pdf:
            return CHANGED
        raise BadFile(
            "读不懂这个文件。", todo="请上传下载得到的 PDF 或 JSON 原件，不要用截图或另存的文件。"
        ) from None
    row = _find(str(ident)) if known else None
    if row is None:
        return UNKNOWN
    same = statement.encode() and crypto.sm3_hex(statement.encode()) == row.digest and key == row.key
    if not same or not keys.verify(row.key, statement.encode(), signature):
        return CHANGED
    if is_pdf and crypto.sm3_hex(body) != row.file_print:
        return CHANGED
    return _judge(row)


def _attached(body: bytes) -> bytes | None:
    """The sealed file inside a PDF of ours, None when there is none. Never unpacks more than it may."""
    for found in islice(_EMBEDDED.finditer(body), ATTACHMENTS_MAX):
        try:
            text = zlib.decompressobj().decompress(body[found.end() :], JSON_MAX + 1)
        except zlib.error:
            continue
        if FILE_KIND.encode() in text:
            return text
    return None


def _judge(row: Certificate | Paper | None) -> Verdict:
    if row is None:
        return UNKNOWN
    if sealing.is_gone(row.shown) or not row.sealed_key:
        return Verdict("gone", "这份证照或文书的内容已依规删除，只能证明它曾经发出过。", row)
    if not _as_logged(row):
        return Verdict("changed", "登记内容与日志不符，不能采信。请向出具单位核实。")
    shown = json.loads(row.shown)
    if isinstance(row, Paper):
        return Verdict("valid", "本文书由出具单位加盖印章发出，内容以原件为准。", row, shown)
    state, detail = standing(row, today())
    return Verdict(state, detail, row, shown)


def _as_logged(row: Certificate | Paper) -> bool:
    """Whether the row still is what its leaf committed to; details destroyed by rule are no fault."""
    holds = row.leaf is not None and log.holds(row.leaf)
    if holds is None:
        return True
    return bool(holds) and json.loads(row.leaf.detail.body)["digest"] == row.digest


def standing(row: Certificate, day: date) -> tuple[str, str]:
    """How a certificate stands on a day: key of `WORDS`, and in words."""
    if row.state == VALID:
        if row.valid_from > day:
            return "not_yet", f"{row.valid_from:%Y-%m-%d} 起生效。"
        if row.valid_until and row.valid_until < day:
            return "expired", f"有效期至 {row.valid_until:%Y-%m-%d}。"
        until = f"有效期至 {row.valid_until:%Y-%m-%d}。" if row.valid_until else "长期有效。"
        return "valid", until
    if row.state == "05" and row.valid_until and row.valid_until < day:
        return "expired", f"有效期至 {row.valid_until:%Y-%m-%d}。"
    state = "held" if row.state == "02" else "ended"
    return state, f"证照状态：{STATES[row.state]}。"


def public_keys() -> list[dict]:
    """The public keys of all seals that were ever in use, of every version."""
    rows = Seal.objects.exclude(state__in=[Seal.PROPOSED, Seal.REFUSED]).order_by("pk")
    seals = {row.purpose: row for row in rows}
    return [
        {
            "unit": seals[key.purpose].legend,
            "use": seals[key.purpose].get_use_display(),
            "number": seals[key.purpose].number,
            "state": seals[key.purpose].get_state_display(),
            "key": key.id_text,
            "public_key": bytes(key.public).hex(),
        }
        for key in Key.objects.filter(purpose__in=seals).order_by("id")
    ]
