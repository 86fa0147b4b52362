"""The Merkle tree of the log: the shape of RFC 9162 (2.1) with SM3, kept as tiles. Pure: no Django, no database.

A tile holds 256 neighbouring hashes of one level: level 0 the leaves, level 1 the roots of 256 leaves each, and so
on. Nothing between the levels is kept, it is hashed again when it is needed: a proof at ten million leaves reads six tiles.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from liangzhu.kernel.crypto import sm3

HASH = 32
WIDTH = 256
BITS = 8
"""A tile is 2**8 wide."""

Tile: TypeAlias = tuple[int, int]
"""Level and index of a tile."""
Tiles: TypeAlias = Mapping[Tile, bytes]
Span: TypeAlias = tuple[int, int]
"""Leaves from the first up to, not including, the second: what one hash of a proof stands for."""

EMPTY_ROOT = sm3(b"")


class TreeDamaged(Exception):
    """The kept tiles are not those of a tree of that size. A fault of the store, or somebody's hand in it."""


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf's canonical bytes (RFC 9162, 2.1.1)."""
    return sm3(b"\x00" + leaf)


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbours (RFC 9162, 2.1.1)."""
    return sm3(b"\x01" + left + right)


def _split(count: int) -> int:
    """The largest power of two that is smaller than ``count``."""
    return 1 << (count - 1).bit_length() - 1


# Proofs, as the spans whose hashes they list ---------------------------------------------------------------------------


def inclusion(number: int, size: int) -> list[Span]:
    """The spans of the proof that leaf ``number`` stands in a tree of ``size`` leaves (2.1.3.1), nearest first.

    Raises IndexError unless ``0 <= number < size``.
    """
    if not 0 <= number < size:
        raise IndexError(f"no leaf {number} in a tree of {size}")
    spans, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if number < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return spans[::-1]


def consistency(old: int, new: int) -> list[Span]:
    """The spans of the proof that a tree of ``new`` leaves continues one of ``old`` (2.1.4.1); none when they are equal.

    Raises IndexError unless ``0 < old <= new``.
    """
    if not 0 < old <= new:
        raise IndexError(f"no proof from {old} to {new}")
    spans, start, end, whole = [], 0, new, True
    while old < end:
        middle = start + _split(end - start)
        if old <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start, whole = middle, False
    if not whole:
        spans.append((start, end))
    return spans[::-1]


# Tiles -----------------------------------------------------------------------------------------------------------------


def _cover(span: Span) -> list[tuple[int, int]]:
    """The complete subtrees (height, index) that make up a span, left to right."""
    start, end = span
    found = []
    while start < end:
        height = (end - start).bit_length() - 1
        found.append((height, start >> height))
        start += 1 << height
    return found


def _place(node: tuple[int, int]) -> tuple[Tile, int, int]:
    """The tile in which a subtree is found, its first entry there, and how many entries it has."""
    height, index = node
    level, rest = divmod(height, BITS)
    first = index << rest
    return (level, first // WIDTH), first % WIDTH, 1 << rest


def tiles_of(spans: Iterable[Span]) -> set[Tile]:
    """The tiles that the hashes of these spans are computed from."""
    return {_place(node)[0] for span in spans for node in _cover(span)}


def root_of(hashes: list[bytes]) -> bytes:
    """The root over a power of two of neighbouring hashes."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def _cut(blob: bytes) -> list[bytes]:
    return [blob[i : i + HASH] for i in range(0, len(blob), HASH)]


def _subtree(node: tuple[int, int], tiles: Tiles) -> bytes:
    tile, first, count = _place(node)
    blob = tiles.get(tile, b"")[first * HASH : (first + count) * HASH]
    if len(blob) != count * HASH:
        raise TreeDamaged(f"tile {tile[0]}/{tile[1]} lacks entries {first} to {first + count - 1}")
    return root_of(_cut(blob))


def span_hash(span: Span, tiles: Tiles) -> bytes:
    """The hash over a span of leaves. Raises TreeDamaged when a tile is missing or short."""
    *left, last = [_subtree(node, tiles) for node in _cover(span)]
    for each in reversed(left):
        last = node_hash(each, last)
    return last


def edge(size: int) -> list[Tile]:
    """The unfinished tiles of a tree of ``size`` leaves: all that is needed to continue it, and for its root."""
    return [
        (level, size >> BITS * (level + 1))
        for level in range(0, (size.bit_length() + BITS - 1) // BITS)
        if (size >> BITS * level) % WIDTH
    ]


def root(size: int, tiles: Tiles) -> bytes:
    """The root of a tree of ``size`` leaves, from its edge. Raises TreeDamaged."""
    return span_hash((0, size), tiles) if size else EMPTY_ROOT


def extend(size: int, tiles: Tiles, added: Iterable[bytes]) -> dict[Tile, bytes]:
    """The tiles that change when leaf hashes are added to a tree of ``size`` leaves whose edge is given.

    Raises TreeDamaged when the edge is not as long as the size says.
    """
    changed: dict[Tile, bytes] = {}
    level, hashes = 0, list(added)
    while hashes:
        before = size >> BITS * level
        index, taken = divmod(before, WIDTH)
        blob = tiles.get((level, index), b"")[: taken * HASH] if taken else b""
        if len(blob) != taken * HASH:
            raise TreeDamaged(f"tile {level}/{index} has {len(blob) // HASH} entries, not {taken}")
        blob += b"".join(hashes)
        hashes = []
        for start in range(0, len(blob), WIDTH * HASH):
            part = blob[start : start + WIDTH * HASH]
            changed[level, index] = part
            if len(part) == WIDTH * HASH:
                hashes.append(root_of(_cut(part)))
            index += 1
        level += 1
    return changed


class Edge:
    """The root of a tree that grows leaf by leaf, in memory of the tree's height. For walks over the whole log."""

    def __init__(self, size: int = 0, parts: tuple[bytes, ...] = ()):
        self.size = size
        self._parts = list(parts)

    def copy(self) -> "Edge":
        """Another edge that stands where this one stands."""
        return Edge(self.size, tuple(self._parts))

    def add(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        at = self.size
        while at & 1:
            leaf = node_hash(self._parts.pop(), leaf)
            at >>= 1
        self._parts.append(leaf)
        self.size += 1

    @property
    def root(self) -> bytes:
        """The root of the leaves added so far."""
        if not self._parts:
            return EMPTY_ROOT
        *left, last = self._parts
        for each in reversed(left):
            last = node_hash(each, last)
        return last


# What whoever holds a proof computes -----------------------------------------------------------------------------------


def verify_inclusion(leaf: bytes, number: int, size: int, path: list[bytes], head: bytes) -> bool:
    """Whether the leaf hash stands at ``number`` in the tree of ``size`` leaves with that root (RFC 9162, 2.1.3.2)."""
    if not 0 <= number < size:
        return False
    here, last, found = number, size - 1, leaf
    for each in path:
        if last == 0:
            return False
        if here & 1 or here == last:
            found = node_hash(each, found)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            found = node_hash(found, each)
        here, last = here >> 1, last >> 1
    return last == 0 and found == head


def verify_consistency(old: int, new: int, path: list[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether the tree with ``new_root`` continues the one with ``old_root`` (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    path = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not path:
        return False
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    first = second = path[0]
    for each in path[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            first, second = node_hash(each, first), node_hash(each, second)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            second = node_hash(second, each)
        here, last = here >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root
