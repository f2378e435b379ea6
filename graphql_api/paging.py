"""Pages: sizes with their bounds, and cursors that name a place in an order rather than a position in a list."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, ClassVar

import orjson

from graphql_api.context import Limits
from registry.domain.errors import InvalidInput
from registry.storage.queries_keyset import KeyValues, Window

CURSOR_LENGTH_MAX = 400
YEARS = range(1900, 3000)  # of instants that databases and time zones can tell


@dataclass(eq=False)
class PageTooLarge(InvalidInput):
    """More rows were asked for in one page than one answer holds."""

    given: int
    most: int
    code: ClassVar[str] = "PAGE_TOO_LARGE"

    def __str__(self) -> str:
        return f"A page of {self.given} was asked for; ask for 1 to {self.most} and go on with the cursor."


@dataclass(eq=False)
class PageInvalid(InvalidInput):
    """The page arguments contradict each other or make no page."""

    rule: str
    code: ClassVar[str] = "PAGE_INVALID"

    def __str__(self) -> str:
        return f"These page arguments cannot be used: {self.rule}."


@dataclass(eq=False)
class CursorInvalid(InvalidInput):
    """A cursor is not one this connection gave, or belongs to another order."""

    given: str
    code: ClassVar[str] = "CURSOR_INVALID"

    def __str__(self) -> str:
        return f"Cursor {self.given[:40]!r} is not of this connection and order; start again without it."


def page_size(limits: Limits, given: int | None) -> int:
    """The size of a page, the default if none is given."""
    size = limits.page_default if given is None else given
    if size > limits.page_max:
        raise PageTooLarge(size, limits.page_max)
    if size < 1:
        raise PageInvalid("a page has at least one row")
    return size


def encode_cursor(order: str, key: KeyValues) -> str:
    """A cursor for a place in an order; days, instants and bytes keep their type."""
    packed = orjson.dumps([order, *(_packed(value) for value in key)])
    return urlsafe_b64encode(packed).decode().rstrip("=")


def decode_cursor(order: str, kinds: tuple[type, ...], given: str) -> KeyValues:
    """The place a cursor names; `kinds` are the types of its parts."""
    if not given.isascii() or len(given) > CURSOR_LENGTH_MAX:
        raise CursorInvalid(given)
    try:
        name, *parts = orjson.loads(urlsafe_b64decode(given + "=" * (-len(given) % 4)))
        key = tuple(_unpacked(kind, part) for kind, part in zip(kinds, parts, strict=True))
    except (ValueError, TypeError):
        raise CursorInvalid(given) from None
    if name != order:
        raise CursorInvalid(given)
    return key


def forward(limits: Limits, order: str, kinds: tuple[type, ...], first: int | None, after: str | None) -> Window:
    """The window of a connection that only goes forward."""
    return Window(page_size(limits, first), _place(order, kinds, after))


def both_ways(
    limits: Limits,
    order: str,
    kinds: tuple[type, ...],
    *,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> Window:
    """The window of a connection that goes forward with `first` and backward with `last`."""
    if first is not None and last is not None:
        raise PageInvalid("give either first or last")
    return Window(
        size=page_size(limits, first if last is None else last),
        after=_place(order, kinds, after),
        before=_place(order, kinds, before),
        is_backward=last is not None,
    )


def _place(order: str, kinds: tuple[type, ...], cursor: str | None) -> KeyValues | None:
    if cursor is None:
        return None
    key = decode_cursor(order, kinds, cursor)
    if any(isinstance(part, str) and "\x00" in part for part in key):  # PostgreSQL refuses such text
        raise CursorInvalid(cursor)
    return key


def _packed(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, date) else value


def _unpacked(kind: type, part: Any) -> Any:
    if part is None:
        return None
    if kind is int and type(part) is int and -(2**63) <= part < 2**63:
        return part
    if not isinstance(part, str):
        raise TypeError
    if kind is str:
        return part
    if kind is int:
        raise ValueError
    if kind is bytes:
        return bytes.fromhex(part)
    return _instant(part) if kind is datetime else date.fromisoformat(part)


def _instant(part: str) -> datetime:
    found = datetime.fromisoformat(part)
    if found.tzinfo is None or found.year not in YEARS:
        raise ValueError
    return found.astimezone(UTC)
