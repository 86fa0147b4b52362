"""The Merkle tree of the log against a slow and obvious one written from RFC 9162, 2.1."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liangzhu.kernel.crypto import sm3
from liangzhu.kernel.log import tree


class Plain:
    """The definitions of RFC 9162, word for word."""

    @staticmethod
    def k(n):
        k = 1
        while k * 2 < n:
            k *= 2
        return k

    @classmethod
    def mth(cls, leaves):
        if not leaves:
            return sm3(b"")
        if len(leaves) == 1:
            return leaves[0]
        k = cls.k(len(leaves))
        return sm3(b"\x01" + cls.mth(leaves[:k]) + cls.mth(leaves[k:]))

    @classmethod
    def path(cls, m, leaves):
        if len(leaves) == 1:
            return []
        k = cls.k(len(leaves))
        if m < k:
            return [*cls.path(m, leaves[:k]), cls.mth(leaves[k:])]
        return [*cls.path(m - k, leaves[k:]), cls.mth(leaves[:k])]

    @classmethod
    def proof(cls, m, leaves):
        return cls.subproof(m, leaves, True)

    @classmethod
    def subproof(cls, m, leaves, whole):
        if m == len(leaves):
            return [] if whole else [cls.mth(leaves)]
        k = cls.k(len(leaves))
        if m <= k:
            return [*cls.subproof(m, leaves[:k], whole), cls.mth(leaves[k:])]
        return [*cls.subproof(m - k, leaves[k:], False), cls.mth(leaves[:k])]


LEAVES = [tree.leaf_hash(b"leaf %d" % n) for n in range(70)]


def grown(leaves, cuts=()):
    """The tiles of a tree that grew in batches which end at ``cuts``."""
    tiles, size = {}, 0
    for end in [*sorted(cuts), len(leaves)]:
        edge = {tile: tiles[tile] for tile in tree.edge(size)}
        tiles |= tree.extend(size, edge, leaves[size:end])
        size = end
    return tiles


def hashes(spans, tiles):
    needed = {tile: tiles[tile] for tile in tree.tiles_of(spans)}
    return [tree.span_hash(span, needed) for span in spans]


def test_leaves_and_nodes_are_told_apart_by_their_first_byte():
    assert tree.leaf_hash(b"abc") == sm3(b"\x00abc")
    assert tree.node_hash(b"a" * 32, b"b" * 32) == sm3(b"\x01" + b"a" * 32 + b"b" * 32)
    assert tree.root(0, {}) == tree.EMPTY_ROOT == sm3(b"") == tree.Edge().root


@pytest.mark.parametrize("size", range(1, 71))
def test_every_small_tree_gives_the_roots_and_proofs_of_the_standard(size):
    leaves = LEAVES[:size]
    tiles, root = grown(leaves), Plain.mth(leaves)
    assert tree.root(size, tiles) == root
    for number in range(size):
        path = hashes(tree.inclusion(number, size), tiles)
        assert path == Plain.path(number, leaves)
        assert tree.verify_inclusion(leaves[number], number, size, path, root)
    for old in range(1, size + 1):
        path = hashes(tree.consistency(old, size), tiles)
        assert path == Plain.proof(old, leaves)
        assert tree.verify_consistency(old, size, path, Plain.mth(leaves[:old]), root)


def test_the_proofs_of_the_example_in_the_standard_have_its_shape():
    """RFC 9162, 2.1.5: the tree of seven leaves d0 to d6, its nodes a to l, and hash0 to hash2."""
    d = LEAVES[:7]
    a, b, c, f, j = *d[:3], d[5], d[6]
    g, h, i = tree.node_hash(d[0], d[1]), tree.node_hash(d[2], d[3]), tree.node_hash(d[4], d[5])
    k, low = tree.node_hash(g, h), tree.node_hash(i, j)
    tiles = grown(d)
    assert hashes(tree.inclusion(0, 7), tiles) == [b, h, low]
    assert hashes(tree.inclusion(3, 7), tiles) == [c, g, low]
    assert hashes(tree.inclusion(4, 7), tiles) == [f, j, k]
    assert hashes(tree.inclusion(6, 7), tiles) == [i, k]
    assert hashes(tree.consistency(3, 7), tiles) == [c, d[3], g, low]
    assert hashes(tree.consistency(4, 7), tiles) == [low]
    assert hashes(tree.consistency(6, 7), tiles) == [i, j, k]
    assert tree.root(7, tiles) == tree.node_hash(k, low)
    assert a == d[0]


MANY = [tree.leaf_hash(b"%d" % n) for n in range(70_000)]


def test_a_walk_leaf_by_leaf_comes_to_the_same_roots():
    walk, tiles = tree.Edge(), grown(MANY)
    for leaf in MANY:
        walk.add(leaf)
        if walk.size % 97 == 0 or walk.size in (65535, 65536, 65537):
            assert walk.root == tree.root(walk.size, tiles)
    assert walk.root == Plain.mth(MANY)
    assert walk.copy().root == walk.root


@settings(max_examples=8)
@given(st.data())
def test_a_large_tree_is_the_same_however_it_grew(data):
    size = data.draw(st.one_of(st.integers(1, 1500), st.just(65793)))
    cuts = data.draw(st.lists(st.integers(0, size), max_size=5))
    tiles = grown(MANY[:size], cuts)
    assert tiles == grown(MANY[:size])
    edge = {tile: tiles[tile] for tile in tree.edge(size)}
    root = tree.root(size, edge)
    number, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    old_root = tree.root(old, tiles)
    path = hashes(tree.inclusion(number, size), tiles)
    assert tree.verify_inclusion(MANY[number], number, size, path, root)
    assert not tree.verify_inclusion(MANY[number + 1], number, size, path, root)
    path = hashes(tree.consistency(old, size), tiles)
    assert tree.verify_consistency(old, size, path, old_root, root)


@settings(max_examples=40)
@given(st.integers(1, 300), st.data())
def test_no_other_leaf_place_size_path_or_root_passes(size, data):
    leaves = MANY[:size]
    tiles, root = grown(leaves), Plain.mth(leaves)
    number, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    path = hashes(tree.inclusion(number, size), tiles)
    for other in range(-1, size + 2):
        if other != number:
            assert not tree.verify_inclusion(leaves[number], other, size, path, root)
    assert not tree.verify_inclusion(leaves[number], number, size, path, MANY[-1])
    assert not tree.verify_inclusion(leaves[number], number, size, [*path, root], root)
    if path:
        assert not tree.verify_inclusion(leaves[number], number, size, path[:-1], root)
        spot = data.draw(st.integers(0, len(path) - 1))
        wrong = [*path[:spot], MANY[-1], *path[spot + 1 :]]
        assert not tree.verify_inclusion(leaves[number], number, size, wrong, root)
    proof, old_root = hashes(tree.consistency(old, size), tiles), Plain.mth(leaves[:old])
    assert not tree.verify_consistency(old, size, proof, MANY[-1], root)
    assert not tree.verify_consistency(old, size, proof, old_root, MANY[-1])
    assert not tree.verify_consistency(old, size, [*proof, root], old_root, root)
    if proof:
        spot = data.draw(st.integers(0, len(proof) - 1))
        wrong = [*proof[:spot], MANY[-1], *proof[spot + 1 :]]
        assert not tree.verify_consistency(old, size, wrong, old_root, root)
        assert not tree.verify_consistency(old, size, proof[:-1], old_root, root)


@pytest.mark.parametrize(("number", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_inclusion_proof_outside_the_tree(number, size):
    with pytest.raises(IndexError):
        tree.inclusion(number, size)
    assert not tree.verify_inclusion(LEAVES[0], number, size, [], LEAVES[0])


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3), (-1, 3)])
def test_there_is_no_consistency_proof_backwards_or_from_nothing(old, new):
    with pytest.raises(IndexError):
        tree.consistency(old, new)
    assert not tree.verify_consistency(old, new, [], LEAVES[0], LEAVES[0])


def test_a_proof_at_ten_million_leaves_reads_a_handful_of_tiles():
    for number in (0, 1, 4_999_999, 9_999_998, 9_999_999):
        assert len(tree.tiles_of(tree.inclusion(number, 10_000_000))) <= 6
        assert len(tree.tiles_of(tree.consistency(number + 1, 10_000_000))) <= 6


def test_a_missing_or_short_tile_is_named():
    tiles = grown(MANY[:600])
    with pytest.raises(tree.TreeDamaged, match="tile 0/2"):
        tree.extend(600, {}, LEAVES)
    with pytest.raises(tree.TreeDamaged, match="tile 1/0"):
        tree.root(600, {key: blob for key, blob in tiles.items() if key != (1, 0)})
    with pytest.raises(tree.TreeDamaged, match="tile 0/0"):
        tree.span_hash((0, 4), {(0, 0): tiles[0, 0][:64]})
