"""电子证照标识: identifiers of electronic certificates, GB/T 36904-2018.

    1.2.156.3005.2.<type 21>.<issuer 18>.<serial>.<version 3>.<check 1>

The check character is ISO/IEC 7064 MOD 37,36 over type, issuer, serial and version, without root and dots.
Letters count A = 10 to Z = 35; software that counts A = 11 has been in use and makes identifiers that fail
here, and so do some examples in published interface descriptions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Self

from liangzhu.kernel.identifiers.base import (
    ALPHANUMERIC,
    DIGITS,
    VALUE_OF,
    Field,
    Frame,
    Identifier,
    IdentifierError,
    normal_form,
    stars,
)
from liangzhu.kernel.identifiers.bodies import Enterprise

ROOT = "1.2.156.3005.2"
"""Object identifier of electronic certificates (电子证照根节点)."""

_FORM = f"{ROOT}.证照类型代码.颁发机构代码.流水号.版本号.校验位"
_SERIAL = re.compile(
    rf"({re.escape(ROOT)}\.[0-9A-Z]{{21}}\.(?:[0-9A-Z]{{18}}|[0-9]{{6}}))\.([0-9A-Z]+)\.([0-9]{{3}})\.[0-9A-Z]"
)
_SEQUENCE = (Field("type.sequence", "证照类型顺序号", 3, DIGITS, "数字"),)
_REGION = (Field("issuer", "颁发机构代码", 6, DIGITS, "数字"),)
_VERSION = (Field("version", "版本号", 3, DIGITS, "数字"),)
_CHECK = (Field("check", "校验位", 1, ALPHANUMERIC, "数字和字母"),)


@dataclass(frozen=True, slots=True, repr=False)
class Certificate(Identifier):
    """An electronic certificate identifier (电子证照标识).

    `type` is the certificate type code (证照类型代码): the code of the body that defined the type, and
    three digits. `issuer` is the unified social credit code of the issuing body; older certificates have a
    six-digit region there. `serial` has any length; `version` grows with each change of the same
    certificate.
    """

    kind: ClassVar[str] = "certificate"
    label: ClassVar[str] = "电子证照标识"

    value: str
    type: str
    issuer: str
    serial: str
    version: str
    check: str

    @property
    def definer(self) -> Enterprise:
        """The body that defined the certificate type (证照定义机构)."""
        return Enterprise.parse(self.type[:18])

    @property
    def issuing_body(self) -> Enterprise | None:
        """The issuing body (颁发机构), None for an older certificate that names only its region."""
        return Enterprise.parse(self.issuer) if len(self.issuer) == 18 else None

    @classmethod
    def read(cls, frame: Frame, text: str, not_after: date | None) -> Self:
        """See `Identifier.read`."""
        if not text.startswith(f"{ROOT}."):
            place = (1, min(len(ROOT) + 1, len(text)))
            raise frame.error("root", f"应以 {ROOT}. 开头", f"完整写法是 {_FORM}。", place)
        pieces = text[len(ROOT) + 1 :].split(".")
        if len(pieces) != 5:
            raise frame.error(
                "length", f"根节点之后应有 5 段，用点隔开，现为 {len(pieces)} 段", f"完整写法是 {_FORM}。"
            )
        type_code, issuer, serial, version, check = pieces

        here = frame.after(len(ROOT) + 1)
        if len(type_code) != 21:
            raise _segment(here, "type", "证照类型代码", type_code, "21 位")
        Enterprise.read(here.nested("type", "证照定义机构代码"), type_code[:18], not_after)
        here.after(18).read(type_code[18:], _SEQUENCE)

        here = here.after(len(type_code) + 1)
        if len(issuer) == 6:
            here.read(issuer, _REGION)
        elif len(issuer) == 18:
            Enterprise.read(here.nested("issuer", "颁发机构代码"), issuer, not_after)
        else:
            raise _segment(here, "issuer", "颁发机构代码", issuer, "18 位（早期证照可为 6 位区划代码）")

        here = here.after(len(issuer) + 1)
        if not serial:
            raise here.error("serial", "缺少流水号", f"完整写法是 {_FORM}。", (1, 1))
        here.read(serial, (Field("serial", "流水号", len(serial), ALPHANUMERIC, "数字和字母"),))

        here = here.after(len(serial) + 1)
        if len(version) != 3:
            raise _segment(here, "version", "版本号", version, "3 位")
        here.read(version, _VERSION)

        here = here.after(len(version) + 1)
        if len(check) != 1:
            raise _segment(here, "check", "校验位", check, "1 位")
        here.read(check, _CHECK)
        right = _check(type_code + issuer + serial + version)
        if check != right:
            raise here.wrong_check(1, right, check)
        return cls(text, type_code, issuer, serial, version, check)

    @classmethod
    def completed(cls, body: str) -> str:
        """See `Identifier.completed`: ``body`` is type, issuer, serial and version with dots between, or all of it up
        to the version.
        """
        pieces = normal_form(body).removeprefix(f"{ROOT}.").split(".")
        return f"{ROOT}.{'.'.join(pieces)}.{_check(''.join(pieces)) if _made_of_known(pieces) else '?'}"

    @classmethod
    def masked(cls, text: str, *, public: bool) -> str:
        """Hide the serial up to its last four characters (in public all of it) and the check character."""
        match = _SERIAL.fullmatch(text)
        if match is None:
            return stars(text)
        head, serial, version = match.groups()
        return f"{head}.{stars(serial, 0, 0 if public else 4)}.{version}.*"


def _segment(here: Frame, part: str, label: str, segment: str, right: str) -> IdentifierError:
    what = f"{label}应为 {right}，现为 {len(segment)} 位"
    return here.error(part, what, f"完整写法是 {_FORM}。", (1, max(len(segment), 1)))


def _made_of_known(pieces: list[str]) -> bool:
    """Whether a check character can be computed; reading names what is wrong where it cannot."""
    return all(character in VALUE_OF for piece in pieces for character in piece)


def _check(body: str) -> str:
    product = 36
    for character in body:
        product = ((product + VALUE_OF[character]) % 36 or 36) * 2 % 37
    return ALPHANUMERIC[(37 - product) % 36]
