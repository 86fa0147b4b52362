"""Which article of a revised text is which article of the text before: by wording, not by number.

An article that was moved or renumbered keeps its wording, one that was retitled keeps most of it. Pure functions.
"""

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

SAME = 0.4
"""Likeness from which two articles count as one; below it the old one is gone and the new one is new."""

TITLE_WEIGHT = 0.6
SAME_NUMBER = 0.05
MOST_PAIRS = 40_000
"""Beyond this many pairs left over, two texts have nothing to do with each other, and only equal titles count."""

_NOISE = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Wording:
    """An article as it is compared; ``key`` is whatever the caller knows it by, ``text`` may be empty."""

    key: Hashable
    no: int
    title: str
    text: str = ""


def match(before: Sequence[Wording], after: Sequence[Wording]) -> dict[Hashable, Hashable]:
    """Keys of ``before`` with the keys of the same articles in ``after``; articles that are gone are absent.

    Articles with equal title and text are paired first, in their order; the rest by likeness, the best pair first.
    """
    found: dict[Hashable, Hashable] = {}
    equal: dict[tuple[str, str], list[Wording]] = {}
    for new in after:
        equal.setdefault((_plain(new.title), _plain(new.text)), []).append(new)
    left = []
    for old in before:
        same = equal.get((_plain(old.title), _plain(old.text)))
        if same:
            found[old.key] = same.pop(0).key
        else:
            left.append(old)
    taken = set(found.values())
    free = [new for new in after if new.key not in taken]
    only_titles = len(left) * len(free) > MOST_PAIRS
    grams = {id(one): (_grams(one.title), _grams(one.text)) for one in [*left, *free]}
    pairs = []
    for old in left:
        for new in free:
            if only_titles and _plain(old.title) != _plain(new.title):
                continue
            likeness = _likeness(old, new, grams)
            if likeness >= SAME:
                pairs.append((-likeness, abs(old.no - new.no), old.no, new.no, old.key, new.key))
    for *_, old_key, new_key in sorted(pairs, key=lambda pair: pair[:4]):
        if old_key not in found and new_key not in taken:
            found[old_key] = new_key
            taken.add(new_key)
    return found


def _likeness(old: Wording, new: Wording, grams: dict) -> float:
    """0 to 1, and a little more for the same number, which decides between articles that are equally like."""
    (old_title, old_text), (new_title, new_text) = grams[id(old)], grams[id(new)]
    titles = _dice(old_title, new_title)
    if old.text and new.text:
        titles = TITLE_WEIGHT * titles + (1 - TITLE_WEIGHT) * _dice(old_text, new_text)
    return titles + SAME_NUMBER * (old.no == new.no)


def _plain(text: str) -> str:
    return _NOISE.sub("", text)


def _grams(text: str) -> Counter:
    plain = _plain(text)
    return Counter(plain[place : place + 2] for place in range(max(1, len(plain) - 1)) if plain)


def _dice(one: Counter, other: Counter) -> float:
    """Twice what is common over all there is: 1 for equal texts, 0 for texts without a common pair of characters."""
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 0.0


@dataclass(frozen=True)
class Goal:
    """A quantified target as it is compared; ``amount`` in the unit ``measure``."""

    key: Hashable
    name: str
    op: str
    amount: object
    measure: str


def match_goals(before: Sequence[Goal], after: Sequence[Goal]) -> dict[Hashable, Hashable]:
    """Keys of targets before with the keys of the same targets after: by name, then by figure, then by a like name."""
    found: dict[Hashable, Hashable] = {}
    for same in (
        lambda old, new: (old.name, old.measure) == (new.name, new.measure),
        lambda old, new: (old.op, old.amount, old.measure) == (new.op, new.amount, new.measure),
        lambda old, new: old.measure == new.measure and _dice(_grams(old.name), _grams(new.name)) >= SAME,
    ):
        for old in before:
            if old.key in found:
                continue
            new = next((one for one in after if one.key not in found.values() and same(old, one)), None)
            if new is not None:
                found[old.key] = new.key
    return found
