"""A walker over Merkle-Patricia proofs (Yellow Paper, appendix D) that leaves nothing of a proof unused."""

from collections.abc import Sequence

from audit import rlp
from audit.keccak import keccak_256

_NOTHING = b"\x80"  # the RLP of the empty string
EMPTY_ROOT = keccak_256(_NOTHING)


class ProofRejected(ValueError):
    """The nodes do not prove anything about this key under this root."""


def proven(root: bytes, key: bytes, nodes: Sequence[bytes]) -> bytes | None:
    """The value at `key` in the trie with this root hash, or None when `nodes` prove that it holds none.

    The nodes must be exactly those on the path, root first: each hashes to what its parent says, none is left over.
    """
    if root == EMPTY_ROOT and list(nodes) in ([], [_NOTHING]):  # nodes differ in how they prove an empty trie
        return None
    value, used = _walk(root, _nibbles(key), nodes)
    if used != len(nodes):
        raise ProofRejected(f"{len(nodes) - used} of the proof's nodes are not on the path")
    return value


def _walk(root: bytes, path: list[int], nodes: Sequence[bytes]) -> tuple[bytes | None, int]:
    """The value and how many nodes were read on the way to it."""
    child: rlp.Item = root
    used = at = 0
    while True:
        if isinstance(child, list):
            node = child  # shorter than a hash, so it stands in its parent
        elif child == b"":
            return None, used
        else:
            node, used = _resolve(child, nodes, used), used + 1
        if len(node) == 17:
            if at == len(path):
                return _value(node[16]) or None, used
            child, at = node[path[at]], at + 1
            continue
        stretch, is_leaf = _stretch(node)
        if is_leaf:
            return (_leaf(node[1]) if path[at:] == stretch else None), used
        if path[at : at + len(stretch)] != stretch:
            return None, used
        child, at = node[1], at + len(stretch)
        if child == b"":
            raise ProofRejected("an extension leads nowhere")


def _resolve(reference: bytes, nodes: Sequence[bytes], used: int) -> list[rlp.Item]:
    if len(reference) != 32:
        raise ProofRejected("a reference is neither a hash nor a node")
    if used == len(nodes):
        raise ProofRejected("the proof ends before its path does")
    if keccak_256(nodes[used]) != reference:
        raise ProofRejected(f"node {used} does not hash to what its parent says")
    return rlp.decode_list(nodes[used])


def _stretch(node: list[rlp.Item]) -> tuple[list[int], bool]:
    """The nibbles of a two-item node, and whether it is a leaf: hex-prefix encoding, appendix C."""
    if len(node) != 2 or not isinstance(node[0], bytes) or not node[0]:
        raise ProofRejected("a node has neither 2 nor 17 items, or no path")
    flag, *nibbles = _nibbles(node[0])
    if flag > 3:
        raise ProofRejected("a path begins with an unknown flag")
    if not flag & 1 and nibbles.pop(0) != 0:
        raise ProofRejected("an even path is not padded with zero")
    if flag < 2 and not nibbles:
        raise ProofRejected("an extension is empty")
    return nibbles, flag >= 2


def _leaf(item: rlp.Item) -> bytes:
    value = _value(item)
    if not value:
        raise ProofRejected("a leaf is empty")
    return value


def _value(item: rlp.Item) -> bytes:
    if not isinstance(item, bytes):
        raise ProofRejected("a value is a list")
    return item


def _nibbles(data: bytes) -> list[int]:
    return [nibble for byte in data for nibble in (byte >> 4, byte & 15)]
