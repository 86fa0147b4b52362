"""What government itself issues (政府核发的证照、证明、批文): the catalogue that the once-only veto looks into.

Two parts: `documents.toml` of the pack, and the results of the district's own items. A material is recognised by its name,
whatever channel it was entered under: 营业执照复印件（加盖公章） is a business licence.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from liangzhu.kernel.pack import Pack, PackError, pack
from liangzhu.kernel.search import fold
from liangzhu.pillars.services.models import ItemMaterial

FILE = "documents.toml"
HOWS = {"certificate": "电子证照", "share": "数据共享", "verify": "部门核验"}
_ASIDE = re.compile(
    r"[（(【].*?[)）】]|复印件|原件|电子版|扫描件|正本|副本|有效|加盖公章|[\s、，,。；;：:《》“”\"]"
)


@dataclass(frozen=True)
class Document:
    """A document that government issues: who issues it, and how it is had without the applicant."""

    key: str
    title: str
    issuer: str
    how: str
    names: tuple[str, ...]
    apart: tuple[str, ...]
    source: str
    unconfirmed: bool = False

    @property
    def how_title(self) -> str:
        """How it is had, in words."""
        return HOWS[self.how]


def plain(name: str) -> str:
    """A material's name without what does not matter: brackets, copies, punctuation."""
    return _ASIDE.sub("", fold(name))


@lru_cache(maxsize=4)
def _documents(folder: str, mark: int) -> tuple[Document, ...]:
    return read(pack())


def read(district: Pack) -> tuple[Document, ...]:
    """The documents of a pack. Raises PackError naming the entry."""
    table = district.toml(FILE)
    found = []
    for row in table["document"]:
        if row.get("how", "verify") not in HOWS:
            raise PackError(f"{FILE}：{row['key']} 的 how 应为 {'、'.join(HOWS)}。")
        found.append(
            Document(
                row["key"],
                row["title"],
                row["issuer"],
                row.get("how", "verify"),
                tuple(plain(one) for one in (row["title"], *row.get("names", ()))),
                tuple(plain(one) for one in row.get("apart", ())),
                row.get("source", table["source"]),
                bool(row.get("unconfirmed", table.get("unconfirmed"))),
            )
        )
    if len({one.key for one in found}) != len(found):
        raise PackError(f"{FILE} 有重复的 key。")
    return tuple(found)


def documents() -> tuple[Document, ...]:
    """The documents of the pack in use."""
    district = pack()
    return _documents(str(district.folder), id(district))


def match(name: str) -> Document | None:
    """The issued document that a material's name means, the longest name first; None when government issues no such thing."""
    asked = plain(name)
    best: tuple[int, Document] | None = None
    for one in documents():
        if any(word in asked for word in one.apart):
            continue
        for known in one.names:
            if known in asked and (best is None or len(known) > best[0]):
                best = (len(known), one)
    return best[1] if best else None


def vetoed(row: ItemMaterial) -> str:
    """Who issues a material that may not be demanded without an exemption; "" where the veto does not reach.

    It reaches what was added here. What the upper level asks for is raised upwards instead.
    """
    if not row.local or row.spared or row.free == "promise":
        return ""
    document = match(row.name)
    if document is None and row.channel != ItemMaterial.GOVERNMENT:
        return ""
    return row.issuer or (document.issuer if document else "政府部门")


def by_key(key: str) -> Document | None:
    """A document by its key."""
    return next((one for one in documents() if one.key == key), None)
