"""Outlets where codes are scanned (网点), and the licences that may come with a code: the pack's ``codes.toml``."""

from dataclasses import dataclass

from liangzhu.kernel.pack import pack


@dataclass(frozen=True)
class Outlet:
    """A hall or service point, and its devices."""

    key: str
    title: str
    unit: str
    devices: tuple[str, ...]
    unconfirmed: bool


@dataclass(frozen=True)
class LicenceKind:
    """A licence that may come with a code; ``of`` is person or enterprise."""

    key: str
    title: str
    of: str


def outlets() -> dict[str, Outlet]:
    """Every outlet by key. Raises PackError."""
    return {
        one["key"]: Outlet(
            one["key"], one["title"], one["unit"], tuple(one["devices"]), bool(one.get("unconfirmed"))
        )
        for one in pack().toml("codes.toml")["outlet"]
    }


def outlet_title(key: str) -> str:
    """What an outlet is called; its key where the pack knows it no more."""
    found = outlets().get(key)
    return found.title if found else key


def licence_kinds() -> dict[str, LicenceKind]:
    """Every licence by key. Raises PackError."""
    return {
        one["key"]: LicenceKind(one["key"], one["title"], one["of"])
        for one in pack().toml("codes.toml")["licence"]
    }


def number_of(name: str) -> int:
    """A number of the pack: life_seconds, skew_seconds, consent_days, keep_hours."""
    return int(pack().toml("codes.toml")[name])
