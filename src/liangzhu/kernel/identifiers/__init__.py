"""Identifiers of national standards: read, check, take apart, mask.

    check("person", "11010519491231002x").birth_date       # date(1949, 12, 31)
    check("enterprise", "91110000600037341N")               # IdentifierError: 校验位应为 L，现为 N

Nothing is ever corrected: blanks, full-width characters and lower case are brought to one form, everything
else that is wrong is named with its place, and a possible slip is only pointed out. Passing the checks does
not mean that the number was issued. No Django, no table and no clock in here; the day that a date may not
exceed is given by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from liangzhu.kernel.identifiers.base import LONGEST, Identifier, IdentifierError, normal_form, stars
from liangzhu.kernel.identifiers.bodies import Enterprise, Organisation
from liangzhu.kernel.identifiers.certificate import Certificate
from liangzhu.kernel.identifiers.document import DocumentNumber
from liangzhu.kernel.identifiers.item import Item
from liangzhu.kernel.identifiers.person import Person
from liangzhu.kernel.identifiers.region import Region

__all__ = [
    "KINDS",
    "Certificate",
    "DocumentNumber",
    "Enterprise",
    "Identifier",
    "IdentifierError",
    "Item",
    "Organisation",
    "Person",
    "Region",
    "check",
    "complete",
    "mask",
    "normal_form",
]

KINDS: Mapping[str, type[Identifier]] = MappingProxyType(
    {
        kind.kind: kind
        for kind in (Person, Enterprise, Organisation, Certificate, Item, Region, DocumentNumber)
    }
)
"""Kind to class; `KINDS[kind].label` is its Chinese name."""


def check(kind: str, value: str, *, not_after: date | None = None) -> Identifier:
    """Read `value` as an identifier of `kind`, a key of `KINDS`. Returns its parts, raises `IdentifierError`.

    `not_after`: the last day it may speak of, as a rule today. An unknown kind is a `KeyError`.
    """
    return KINDS[kind].parse(value, not_after=not_after)


def complete(kind: str, body: str) -> str:
    """Add the check characters: to the 17 digits of a person's number, to the 8 places before and the 8 of the main
    code of an enterprise's (for numbers that are made up), or to type, issuer, serial and version of a certificate,
    with dots between. Raises `IdentifierError` where the rest is wrong.
    """
    return check(kind, KINDS[kind].completed(body)).value


def mask(kind: str, value: str, *, public: bool = False) -> str:
    """Return `value` as it may be shown to somebody who has no need of all of it. Never raises for any text.

    A person's number keeps its first six and last four characters, in public (公示) only the last four; a
    certificate loses its serial; codes of bodies, items, regions and documents are public and stay. What does
    not have the form of its kind is hidden altogether: it may be a number of another kind in the wrong field.
    """
    cls = KINDS[kind]
    text = normal_form(value, upper=not cls.keeps_case)
    return stars(text) if len(text) > LONGEST else cls.masked(text, public=public)
