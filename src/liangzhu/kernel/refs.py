"""Ref: how one part of the house names a thing that belongs to another part, without a foreign key."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """``kind`` and ``id`` of a thing, printed ``kind:id``."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Ref":
        """Read ``kind:id``. Raises ValueError."""
        kind, colon, ident = text.partition(":")
        if not (kind and colon and ident):
            raise ValueError(f"not a reference: {text!r}")
        return cls(kind, ident)


@dataclass(frozen=True, slots=True)
class RefKind:
    """What is known of a kind of reference: its Chinese title, and how ids become (label, url)."""

    kind: str
    title: str
    resolve: Callable[[Iterable[str], object], dict[str, tuple[str, str]]]


_kinds: dict[str, RefKind] = {}


def register_ref(kind: str, title: str, resolve: Callable) -> None:
    """Register a kind; ``resolve(ids, actor)`` returns {id: (label, url)} for those the actor may see."""
    if kind in _kinds and _kinds[kind].resolve is not resolve:
        raise ValueError(f"reference kind {kind} is registered twice")
    _kinds[kind] = RefKind(kind, title, resolve)


def ref_kinds() -> dict[str, RefKind]:
    """All registered kinds."""
    return dict(_kinds)


def describe(refs: Iterable[Ref], actor: object) -> dict[Ref, tuple[str, str]]:
    """Labels and addresses of many references at once; what the actor may not see keeps its bare name, no address."""
    by_kind: dict[str, set[str]] = {}
    refs = set(refs)
    for ref in refs:
        by_kind.setdefault(ref.kind, set()).add(ref.id)
    found: dict[Ref, tuple[str, str]] = {}
    for kind, ids in by_kind.items():
        known = _kinds.get(kind)
        for ident, pair in (known.resolve(ids, actor) if known else {}).items():
            found[Ref(kind, str(ident))] = pair
    for ref in refs - found.keys():
        known = _kinds.get(ref.kind)
        found[ref] = (f"{known.title if known else ref.kind} {ref.id}", "")
    return found
