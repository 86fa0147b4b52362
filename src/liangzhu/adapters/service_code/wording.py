"""How the province writes what it says: paths, answers, prefixes and keys of ``data_fields``, from the pack's ``codes.toml``.

Field names of the three calls stand in `wire` (domain: seen in public code); the rest is not published (待确认). Works without
Django.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from liangzhu.adapters.service_code.texts import ALPHABET

DEMO_APP, DEMO_SECRET = "liangzhu-demo", "simulated-and-good-for-loopback-only"
"""What the simulator knows the product as; whoever uses this secret is served on loopback only."""

CODES = ("ok", "forged", "expired", "replaced", "used", "unknown", "empty", "session")


class WordingError(ValueError):
    """A ``codes.toml`` that cannot be used."""


@dataclass(frozen=True)
class Province:
    """Whose codes one may meet at a counter. ``accepted``: this district takes them."""

    key: str
    title: str
    prefix: str
    mark: str
    accepted: bool


@dataclass(frozen=True)
class Wording:
    """The names. ``answers`` maps the province's return codes to ours, ``documents`` ours to the province's, ``fields`` the
    keys of ``data_fields`` to ours, ``licences`` our keys to (title, the province's type code)."""

    key: str
    title: str
    unconfirmed: bool
    scope: str
    life: int
    paths: dict[str, str]
    answers: dict[str, str]
    documents: dict[str, str]
    fields: dict[str, str]
    provinces: tuple[Province, ...]
    licences: dict[str, tuple[str, str]]

    @classmethod
    def read(cls, given: dict) -> "Wording":
        """From the parsed file. Raises WordingError naming what is missing or wrong."""
        try:
            found = cls(
                given["key"],
                given["title"],
                bool(given.get("unconfirmed")),
                given["scope"],
                int(given["life_seconds"]),
                {name: given["paths"][name] for name in ("token", "validate", "licences", "issue")},
                {given["answers"][name]: name for name in CODES},
                dict(given["documents"]),
                dict(given["fields"]),
                tuple(
                    Province(one["key"], one["title"], one["prefix"], one["mark"], bool(one["accepted"]))
                    for one in given["province"]
                ),
                {one["key"]: (one["title"], one["code"]) for one in given["licence"]},
            )
        except KeyError as missing:
            raise WordingError(f"codes.toml 缺少 {missing}") from None
        for name, values in (
            ("mark", [one.mark for one in found.provinces]),
            ("prefix", [one.prefix for one in found.provinces]),
            ("code", [code for _, code in found.licences.values()]),
        ):
            if len(set(values)) != len(values):
                raise WordingError(f"codes.toml 的 {name} 有重复")
        if any(one.mark not in ALPHABET or len(one.mark) != 1 for one in found.provinces):
            raise WordingError(f"codes.toml 的 mark 只能是 {ALPHABET} 中的一个")
        return found

    @property
    def marks(self) -> dict[str, str]:
        """Mark to prefix of every province."""
        return {one.mark: one.prefix for one in self.provinces}

    def province_of(self, prefix: str) -> Province:
        """The province of a prefix."""
        return next(one for one in self.provinces if one.prefix == prefix)

    @property
    def own(self) -> Province:
        """The province that issues here: the first."""
        return self.provinces[0]

    def document_of(self, word: str) -> str:
        """Our kind of document for the province's word, "other" where it is none of them."""
        return next((kind for kind, known in self.documents.items() if known == word), "other")

    def licence_of(self, code: str) -> str | None:
        """Our key for the province's type code."""
        return next((key for key, (_, known) in self.licences.items() if known == code), None)

    def answer(self, name: str) -> str:
        """The province's return code for ours."""
        return next(code for code, known in self.answers.items() if known == name)


def read_wording(folder: Path) -> Wording:
    """The wording of a pack. Raises WordingError, OSError."""
    try:
        return Wording.read(tomllib.loads((folder / "codes.toml").read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise WordingError(f"codes.toml 写法有误：{error}") from None
