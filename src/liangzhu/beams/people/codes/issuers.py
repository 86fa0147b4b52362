"""Who issues codes (发码方): adapters register here; this app knows none of them by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from liangzhu.kernel.actors import Actor
from liangzhu.kernel.refs import Ref

PERSON, ENTERPRISE, AGENT = "person", "enterprise", "agent"


@dataclass(frozen=True)
class Code:
    """A code as it was read, before anybody was asked. ``number`` is what makes it one; the QR code and its typed form have the
    same. ``issued`` and ``seconds`` (UTC, seconds of life) where it tells them. ``raw`` is what was scanned."""

    number: str
    province: str
    title: str
    raw: str
    typed: bool
    issued: datetime | None = None
    seconds: int = 0


@dataclass(frozen=True)
class Operator:
    """The member of staff who asks, as the issuer must be told."""

    account: str
    name: str
    identity_number: str
    role: str
    unit: str
    unit_code: str
    division: str
    division_code: str


@dataclass(frozen=True)
class Asked:
    """What a code is checked for: one case, one item, named licences, by whom, on which device."""

    case: str
    item: str
    title: str
    licences: tuple[str, ...]
    operator: Operator
    outlet: str
    device: str
    request_id: str


@dataclass(frozen=True)
class Party:
    """A person or an enterprise as the issuer asserts it; ``document_kind`` is one of the register's, or "uscc"."""

    kind: str
    name: str
    document_kind: str
    number: str


@dataclass(frozen=True)
class Agency:
    """That ``person`` shows the code for its holder. ``scope`` names kinds of business or one case; empty: anything.

    ``until`` is the instant at which it ends, None for an open end.
    """

    person: Party
    scope: tuple[str, ...]
    granted_on: date
    until: datetime | None


@dataclass(frozen=True)
class Licence:
    """A licence that came with a code. ``fields`` are values by our names; ``pdf`` may be empty."""

    key: str
    title: str
    number: str
    status: str
    valid: bool
    holder_name: str
    holder_number: str
    issuer: str
    issued_on: str
    fields: Mapping[str, str] = field(default_factory=dict)
    pdf: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What the issuer says of a code that holds. ``bearer`` is the legal representative who shows an enterprise's own code.

    ``consented`` are (source, fields) that the holder agreed to for this case.
    """

    holder: Party
    bearer: Party | None = None
    agency: Agency | None = None
    consented: tuple[tuple[str, tuple[str, ...]], ...] = ()
    licences: tuple[Licence, ...] = ()


@dataclass(frozen=True)
class ShowFor:
    """For whom a code is wanted: the person who holds the phone, and whom he acts for. ``session`` goes on with an earlier
    showing: then persons need not be told again. ``consented`` as in `Answer`, for licences."""

    session: str = ""
    kind: str = PERSON
    person: Party | None = None
    principal: Party | None = None
    scope: tuple[str, ...] = ()
    granted_on: date | None = None
    until: date | None = None
    licences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Issued:
    """A code to be shown: the content of the QR code, its typed form, seconds it is good for, the session to go on with."""

    content: str
    typed: str
    seconds: int
    session: str


class Issuer(Protocol):
    """What an adapter offers."""

    def read(self, raw: str) -> Code | None:
        """Without asking anybody: the code, None for what is not one of its codes. Raises CodeUnknown, CodeForged, CodeNotAccepted."""

    def present(self, code: Code, asked: Asked) -> Answer:
        """Ask the issuer. Raises CodeForged, CodeExpired, CodeReplaced, CodeUsed, CodeUnknown, CodeEmpty, IssuerDown, IssuerWrong."""

    def issue(self, wanted: ShowFor) -> Issued:
        """A fresh code. Raises SessionOver, IssuerDown, IssuerWrong."""


class SessionOver(Exception):
    """The issuer knows the session of a showing no more; a new one has to begin."""


@dataclass(frozen=True)
class Known:
    """An issuer that is switched on; ``simulated`` says that it is a simulator, and pages say so too."""

    key: str
    title: str
    issuer: Issuer
    simulated: bool = False

    @property
    def actor(self) -> Actor:
        """The issuer as actor: whom it asserts is registered in its name."""
        return Actor(ref=Ref("code_issuer", self.key), label=self.title)


_issuers: dict[str, Known] = {}


def register_issuer(key: str, title: str, issuer: Issuer, *, simulated: bool = False) -> None:
    """Register an issuer. Raises ValueError for a key registered twice."""
    if key in _issuers:
        raise ValueError(f"code issuer {key} is registered twice")
    _issuers[key] = Known(key, title, issuer, simulated)


def drop_issuer(key: str) -> None:
    """Forget an issuer: for tests, and for an adapter that is switched off."""
    _issuers.pop(key, None)


def all_issuers() -> dict[str, Known]:
    """Every issuer by key."""
    return dict(_issuers)
