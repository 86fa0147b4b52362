"""Search for items in everyday words (您想办什么事？): 开诊所, 想摆个早餐摊, 孩子上户口.

The catalogue is small (thousands) and public, so its index stands in memory, built again when a version comes into force:
the same on every database. A query and an item meet in three sorts of features: *pairs* of characters and words of letters
(the grams of `kernel.search`), *single* characters (which forgive a wrong one), and *meanings*: groups of words that people
use for the same thing (`words.toml` of the pack). A feature weighs the more the fewer items have it.

An item's score has two halves: how much of the query the item accounts for, and how much of the best single phrase of the
item (its name, a thing that people say) the query accounts for. What is asked is never stored.
"""

import math
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

from django.db.models import Count, Max

from liangzhu.kernel.pack import pack
from liangzhu.kernel.search import MAX_QUERY, fold, terms
from liangzhu.pillars.services.models import ItemVersion
from liangzhu.pillars.services.queries import items

FILE = "words.toml"
PAIR, SINGLE, MEANING = 1.0, 0.25, 1.6
"""Weights of the sorts of features, before rarity."""
ASKED, PHRASE = 0.62, 0.38
"""Weights of the two halves of a score."""
ENOUGH = 0.16
"""Scores below say that nothing was found."""
_CODE = 12


@dataclass(frozen=True)
class Found:
    """An item that was found: its version, its score (0 to 1), and the phrase that fits best."""

    version_id: int
    key: str
    name: str
    unit_id: int
    score: float
    phrase: str


@dataclass(frozen=True)
class Words:
    """The pack's everyday words: groups of one meaning, and words that say nothing."""

    groups: tuple[tuple[str, ...], ...]
    quiet: tuple[str, ...]

    def meanings(self, folded: str) -> set[int]:
        """The groups of which a text has a word."""
        return {number for number, group in enumerate(self.groups) if any(word in folded for word in group)}

    def loud(self, folded: str) -> str:
        """A query without the words that say nothing; all of it when nothing would be left."""
        left = folded
        for word in self.quiet:
            left = left.replace(word, " ")
        return left if left.strip() else folded


@lru_cache(maxsize=4)
def _words(folder: str) -> Words:
    table = pack().toml(FILE)
    quiet = sorted((fold(word) for word in table["quiet"]), key=len, reverse=True)
    return Words(tuple(tuple(fold(word) for word in group) for group in table["same"]), tuple(quiet))


@dataclass
class _Entry:
    version_id: int
    key: str
    name: str
    unit_id: int
    codes: tuple[str, ...]
    phrases: list[tuple[str, frozenset]]
    all: frozenset = field(default_factory=frozenset)


@dataclass
class _Index:
    entries: list[_Entry]
    weight: dict

    def weigh(self, features) -> float:
        """How much features say together."""
        return sum(self.weight.get(one, self.unknown) * SORTS[one[0]] for one in features)

    @property
    def unknown(self) -> float:
        """Rarity of what no item has: a query that speaks of something else is not wholly accounted for."""
        return math.log(2)


SORTS = {"p": PAIR, "s": SINGLE, "m": MEANING}


def _features(text: str, words: Words) -> frozenset:
    folded = fold(text)
    found = terms(folded)
    return frozenset(
        [("p", one) for one in found.stream]
        + [("s", one) for one in found.singles]
        + [("m", one) for one in words.meanings(folded)]
    )


@lru_cache(maxsize=2)
def _index(token: tuple, folder: str) -> _Index:
    words = _words(folder)
    entries = []
    for row in items.published():
        phrases = [row.name, *row.says.splitlines()]
        aside = f"{row.result} {row.person_topics} {row.organisation_topics}"
        known = [(phrase, _features(phrase, words)) for phrase in phrases if phrase.strip()]
        entries.append(
            _Entry(
                row.pk,
                row.item.key,
                row.name,
                row.item.unit_id,
                tuple(
                    code
                    for code in (row.catalog_code, row.task_code, row.handle_code, row.local_code)
                    if code
                ),
                known,
                frozenset().union(*(features for _, features in known), _features(aside, words)),
            )
        )
    seen: Counter = Counter()
    for entry in entries:
        seen.update(entry.all)
    total = len(entries) or 1
    weight = {one: math.log(1 + total / count) for one, count in seen.items()}
    return _Index(entries, weight)


def _token() -> tuple:
    state = items.published().order_by().aggregate(Max("pk"), Count("pk"), Max("released_at"))
    return tuple(state.values())


def forget() -> None:
    """Empty the index. For tests, where ids are given out again."""
    _index.cache_clear()


def find(text: str, *, limit: int = 10) -> list[Found]:
    """The items that a person may mean, the likeliest first; [] when nothing fits. A code finds its item only."""
    text = text[:MAX_QUERY].strip()
    if not text:
        return []
    folder = str(pack().folder)
    index, words = _index(_token(), folder), _words(folder)
    plain = fold(text).replace(" ", "")
    if len(plain) >= _CODE and plain.isascii():
        return [
            Found(one.version_id, one.key, one.name, one.unit_id, 1.0, one.name)
            for one in index.entries
            if plain.upper() in one.codes
        ][:limit]
    folded = words.loud(fold(text))
    asked = _features(folded, words) | {("m", one) for one in words.meanings(fold(text))}
    whole = index.weigh(asked)
    if not whole:
        return []
    light = {one for one in asked if one[0] == "s"}
    telling = len(light) < len(asked)
    found = []
    for entry in index.entries:
        common = asked & entry.all
        # Single characters forgive, but they say nothing alone: 核聚变装置 is not 装修垃圾处置核准.
        if not (common - light if telling else common):
            continue
        share = index.weigh(common) / whole
        best, phrase = max(
            (index.weigh(asked & features) / (index.weigh(features) or 1), said)
            for said, features in entry.phrases
        )
        score = ASKED * share + PHRASE * best
        if score >= ENOUGH:
            found.append(
                Found(entry.version_id, entry.key, entry.name, entry.unit_id, round(score, 4), phrase)
            )
    return sorted(found, key=lambda one: (-one.score, one.key))[:limit]


def rows(found: list[Found]) -> list[ItemVersion]:
    """The versions of what was found, in its order."""
    known = {row.pk: row for row in items.published().filter(pk__in=[one.version_id for one in found])}
    return [known[one.version_id] for one in found if one.version_id in known]
