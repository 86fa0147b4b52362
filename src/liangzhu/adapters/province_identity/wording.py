"""How the province writes what it says: names of paths, parameters and claims, from the pack's ``identity.toml``.

No description of the interface is published: what stands there is OpenID Connect Core 1.0 with assumed names (待确认), so
that another wording is another file. Client and simulator read the same one. Works without Django.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

DEMO_CLIENT, DEMO_SECRET = "liangzhu-demo", "simulated-and-good-for-loopback-only"
"""What the simulator knows the product as; whoever uses this secret is served on loopback only."""


class WordingError(ValueError):
    """An ``identity.toml`` that cannot be used."""


@dataclass(frozen=True)
class Wording:
    """The names. ``levels`` and ``documents`` map the province's words to ours; ``claims`` and ``enterprise`` ours to the
    province's."""

    key: str
    title: str
    unconfirmed: bool
    algorithms: tuple[str, ...]
    scope: str
    level_parameter: str
    paths: dict[str, str]
    levels: dict[str, int]
    documents: dict[str, str]
    claims: dict[str, str]
    enterprise: dict[str, str]
    agent_word: str

    @classmethod
    def read(cls, given: dict) -> "Wording":
        """From the parsed file. Raises WordingError naming what is missing or weak."""
        try:
            found = cls(
                given["key"],
                given["title"],
                bool(given.get("unconfirmed")),
                tuple(given["algorithms"]),
                given["scope"],
                given["level_parameter"],
                dict(given["paths"]),
                {word: int(level) for level, word in given["levels"].items()},
                {word: kind for kind, word in given["documents"].items()},
                dict(given["claims"]),
                {name: word for name, word in given["enterprise"].items() if name != "agent_word"},
                given["enterprise"]["agent_word"],
            )
        except KeyError as missing:
            raise WordingError(f"identity.toml 缺少 {missing}") from None
        if weak := [one for one in found.algorithms if one[:2] not in ("RS", "ES", "PS")]:
            raise WordingError(f"identity.toml 的签名算法 {'、'.join(weak)} 不能用：只接受非对称签名")
        return found

    def word_of_level(self, level: int) -> str:
        """The province's word for a level."""
        return next(word for word, known in self.levels.items() if known == level)

    def word_of_document(self, kind: str) -> str:
        """The province's word for a kind of document."""
        return next(word for word, known in self.documents.items() if known == kind)


def read_wording(folder: Path) -> Wording:
    """The wording of a pack. Raises WordingError, OSError."""
    try:
        return Wording.read(tomllib.loads((folder / "identity.toml").read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise WordingError(f"identity.toml 写法有误：{error}") from None
