"""A decoder for Ethereum's RLP (Yellow Paper, appendix B) that accepts the one canonical encoding and nothing else."""

from typing import TypeAlias

Item: TypeAlias = "bytes | list[Item]"

DEPTH_MAX = 16  # a trie node nests inline children a few deep; a header not at all


class NotCanonical(ValueError):
    """The bytes are not the canonical RLP of anything."""


def decode(data: bytes) -> Item:
    """The item that `data` is the encoding of, all of it."""
    item, end = _item(data, 0, len(data), 0)
    if end != len(data):
        raise NotCanonical("bytes follow the item")
    return item


def decode_list(data: bytes) -> list[Item]:
    """The list that `data` encodes."""
    item = decode(data)
    if isinstance(item, bytes):
        raise NotCanonical("a list was expected")
    return item


def integer(item: Item) -> int:
    """A scalar: big-endian without leading zeros, zero as the empty string."""
    if not isinstance(item, bytes) or item[:1] == b"\x00":
        raise NotCanonical("not a scalar")
    return int.from_bytes(item, "big")


def _item(data: bytes, at: int, end: int, depth: int) -> tuple[Item, int]:
    if at >= end:
        raise NotCanonical("an item is missing")
    prefix = data[at]
    if prefix < 0x80:
        return data[at : at + 1], at + 1
    start, stop = _payload(data, at, end, prefix - (0x80 if prefix < 0xC0 else 0xC0))
    if prefix < 0xC0:
        if stop - start == 1 and data[start] < 0x80:
            raise NotCanonical("a single byte below 0x80 stands for itself")
        return data[start:stop], stop
    if depth >= DEPTH_MAX:
        raise NotCanonical("lists are nested too deep")
    items: list[Item] = []
    while start < stop:
        item, start = _item(data, start, stop, depth + 1)
        items.append(item)
    return items, stop


def _payload(data: bytes, at: int, end: int, length: int) -> tuple[int, int]:
    """Where the payload starts and stops; a `length` above 55 says how many bytes its length takes."""
    start = at + 1
    if length > 55:
        size = data[start : start + length - 55]
        length_bytes, start = length - 55, start + length - 55
        length = int.from_bytes(size, "big")
        if len(size) != length_bytes or size[0] == 0 or length <= 55:
            raise NotCanonical("a length is not in its shortest form")
    if start + length > end:
        raise NotCanonical("an item runs past its end")
    return start, start + length
