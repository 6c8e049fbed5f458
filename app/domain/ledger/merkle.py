"""Merkle tree hash, right edge, inclusion and consistency proofs of RFC 6962, section 2.1."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data): 32 bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right): 32 bytes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def push(edge: list[bytes], size: int, leaf: bytes) -> int:
    """Append `leaf` to the right edge of a tree of `size` leaves, in place; the new size.

    The edge holds one hash per set bit of `size`, largest subtree first.
    """
    if len(edge) != size.bit_count():
        raise ValueError(f"an edge of {len(edge)} hashes does not fit {size} leaves")
    value, rest = leaf, size
    while rest & 1:
        value = node_hash(edge.pop(), value)
        rest >>= 1
    edge.append(value)
    return size + 1


def root_of_edge(edge: Sequence[bytes]) -> bytes:
    """The tree's root from its right edge."""
    if not edge:
        return EMPTY_ROOT
    value = edge[-1]
    for left in reversed(edge[:-1]):
        value = node_hash(left, value)
    return value


def root(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes."""
    edge: list[bytes] = []
    for size, leaf in enumerate(leaves):
        push(edge, size, leaf)
    return root_of_edge(edge)


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """PATH(index, leaves) of RFC 6962, 2.1.1. IndexError when there is no such leaf."""
    size = len(leaves)
    if not 0 <= index < size:
        raise IndexError(index)
    if size == 1:
        return []
    k = _split(size)
    if index < k:
        return [*inclusion_proof(leaves[:k], index), root(leaves[k:])]
    return [*inclusion_proof(leaves[k:], index - k), root(leaves[:k])]


def consistency_proof(leaves: Sequence[bytes], old: int) -> list[bytes]:
    """PROOF(old, leaves) of RFC 6962, 2.1.2, for 0 < old <= len(leaves)."""
    if not 0 < old <= len(leaves):
        raise IndexError(old)

    def sub(m: int, part: Sequence[bytes], whole: bool) -> list[bytes]:
        n = len(part)
        if m == n:
            return [] if whole else [root(part)]
        k = _split(n)
        if m <= k:
            return [*sub(m, part[:k], whole), root(part[k:])]
        return [*sub(m - k, part[k:], False), root(part[:k])]

    return sub(old, leaves, True)


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes
) -> bool:
    """Does `proof` show that `leaf` is at `index` of the tree? (RFC 9162, 2.1.3.2)"""
    if not 0 <= index < size or len(leaf) != 32:
        return False
    fn, sn, value = index, size - 1, leaf
    for step in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            value = node_hash(step, value)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            value = node_hash(value, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and value == expected_root


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Is the tree of `old` leaves a prefix of the tree of `new`? (RFC 9162, 2.1.4.2)"""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root and (old > 0 or old_root == EMPTY_ROOT)
    if old == 0:  # every tree extends the empty one: such a proof says nothing
        return False
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = path[0]
    for step in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = node_hash(step, first), node_hash(step, second)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and first == old_root and second == new_root
