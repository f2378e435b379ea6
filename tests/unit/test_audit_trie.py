"""Keccak, RLP and the proof walker, held against published values and other packages."""

import pytest
import rlp as rlp_package
import sha3
from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie

from audit import rlp
from audit.keccak import keccak_256, keccak_256_plain
from audit.trie import EMPTY_ROOT, ProofRejected, proven

KNOWN = {
    b"": "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
    b"abc": "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
    b"transfer(address,uint256)": "a9059cbb2ab09eb219583f4a59a5d0623ade346d962bcd4e46b11da047c9049b",
}

items = st.recursive(st.binary(max_size=80), lambda inner: st.lists(inner, max_size=6), max_leaves=12)
keys = st.binary(min_size=1, max_size=6)
contents = st.dictionaries(keys, st.binary(min_size=1, max_size=50), min_size=0, max_size=25)


@pytest.mark.parametrize("data", KNOWN)
def test_keccak_gives_the_published_digests(data: bytes) -> None:
    assert keccak_256_plain(data).hex() == KNOWN[data]
    assert keccak_256(data).hex() == KNOWN[data]


@given(st.binary(max_size=600))
@settings(max_examples=40, deadline=None)
def test_plain_keccak_agrees_with_another_implementation(data: bytes) -> None:
    assert keccak_256_plain(data) == sha3.keccak_256(data).digest()


@given(items)
def test_what_another_package_encodes_is_decoded(item: object) -> None:
    assert rlp.decode(rlp_package.encode(item)) == item


@given(st.one_of(st.binary(max_size=100), items.map(rlp_package.encode)), st.data())
def test_only_the_canonical_encoding_is_accepted(encoded: bytes, data: st.DataObject) -> None:
    if encoded:
        at = data.draw(st.integers(0, len(encoded) - 1))
        encoded = encoded[:at] + bytes([data.draw(st.integers(0, 255))]) + encoded[at + 1 :]
    try:
        item = rlp.decode(encoded)
    except rlp.NotCanonical:
        return
    assert rlp_package.encode(item) == encoded


@pytest.mark.parametrize(
    "encoded",
    [
        b"", b"\x81\x05", b"\xb8\x01a", b"\xb8\x37" + b"a" * 55, b"\xb9\x00\x38" + b"a" * 56, b"\xb8", b"\xf8\x01\x80",
        b"\x80\x80", b"\xc2\x80", b"\xc1\x82", b"\x83ab", b"\xc1" * 40 + b"\xc0", b"\xbf" + b"\xff" * 8,
    ],
)  # fmt: skip
def test_an_encoding_that_is_not_canonical_is_refused(encoded: bytes) -> None:
    with pytest.raises(rlp.NotCanonical):
        rlp.decode(encoded)


@pytest.mark.parametrize("item", [b"\x00", b"\x00\x01", [b"\x01"]])
def test_a_scalar_has_no_leading_zero(item: rlp.Item) -> None:
    with pytest.raises(rlp.NotCanonical):
        rlp.integer(item)


def _trie(values: dict[bytes, bytes]) -> HexaryTrie:
    trie = HexaryTrie({})
    for key, value in values.items():
        trie[key] = value
    return trie


def _proof(trie: HexaryTrie, key: bytes) -> list[bytes]:
    """The nodes an Ethereum node hands over: those that stand under a hash, root first."""
    nodes = [rlp_package.encode(node) for node in trie.get_proof(key)]
    return [node for position, node in enumerate(nodes) if node != b"\x80" and (position == 0 or len(node) >= 32)]


@given(contents, keys)
@settings(max_examples=120, deadline=None)
def test_the_walker_agrees_with_another_trie_on_presence_and_absence(values: dict[bytes, bytes], other: bytes) -> None:
    trie = _trie(values)
    for key in [*values, other]:
        assert proven(trie.root_hash, key, _proof(trie, key)) == values.get(key)


@given(contents.filter(bool), st.data())
@settings(max_examples=80, deadline=None)
def test_a_proof_with_a_node_too_many_too_few_or_altered_proves_nothing(
    values: dict[bytes, bytes], data: st.DataObject
) -> None:
    trie = _trie(values)
    key = data.draw(st.sampled_from(sorted(values)))
    nodes = _proof(trie, key)
    at = data.draw(st.integers(0, len(nodes) - 1))
    byte = data.draw(st.integers(0, len(nodes[at]) - 1))
    flipped = nodes[at][:byte] + bytes([nodes[at][byte] ^ 1]) + nodes[at][byte + 1 :]
    extra = data.draw(st.sampled_from([nodes[at], b"\x80", b"\xc0", b""]))
    for forged in (
        nodes[:at] + nodes[at + 1 :],
        [*nodes[:at], flipped, *nodes[at + 1 :]],
        [*nodes[:at], extra, *nodes[at:]],
        [*nodes, extra],
    ):
        with pytest.raises((ProofRejected, rlp.NotCanonical)):
            proven(trie.root_hash, key, forged)


def test_an_empty_trie_holds_nothing_and_needs_no_nodes() -> None:
    assert HexaryTrie({}).root_hash == EMPTY_ROOT
    assert proven(EMPTY_ROOT, b"key", []) is None
    assert proven(EMPTY_ROOT, b"key", [b"\x80"]) is None
    for nodes in ([b"\x80", b"\x80"], [b"\xc0"], [b""]):
        with pytest.raises((ProofRejected, rlp.NotCanonical)):
            proven(EMPTY_ROOT, b"key", nodes)


@given(st.binary(min_size=32, max_size=32), keys, st.lists(st.binary(max_size=60), max_size=4))
def test_random_nodes_are_refused_and_never_crash_the_walker(root: bytes, key: bytes, nodes: list[bytes]) -> None:
    if nodes:
        root = keccak_256(nodes[0])
    try:
        value = proven(root, key, nodes)
    except (ProofRejected, rlp.NotCanonical):
        return
    assert value is None or value
