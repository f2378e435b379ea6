"""Keyset pages in both directions: no row is skipped or shown twice while others are added, at any depth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, nulls_first, nulls_last, or_

KeyValues = tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SortKey:
    """One column of an order; rows without a value come last."""

    column: ColumnElement[Any]
    is_descending: bool = False
    is_nullable: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """At most `size` rows after and before the given keys, from the front or, with `is_backward`, from the end."""

    size: int
    after: KeyValues | None = None
    before: KeyValues | None = None
    is_backward: bool = False


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of one page in the order asked for, and whether there are others beyond either end."""

    rows: tuple[Any, ...]
    has_next: bool
    has_previous: bool


def windowed(statement: Select[Any], keys: Sequence[SortKey], window: Window) -> Select[Any]:
    """The statement ordered and cut to the window, with one row more to tell whether there are further ones."""
    if window.after is not None:
        statement = statement.where(_beyond(keys, window.after, is_backward=False))
    if window.before is not None:
        statement = statement.where(_beyond(keys, window.before, is_backward=True))
    return statement.order_by(*(_order(key, window.is_backward) for key in keys)).limit(window.size + 1)


def sliced(rows: Sequence[Any], window: Window) -> Slice:
    """The page out of the rows that `windowed` fetched."""
    more = len(rows) > window.size
    kept = list(rows[: window.size])
    if window.is_backward:
        return Slice(tuple(reversed(kept)), window.before is not None, more)
    return Slice(tuple(kept), more, window.after is not None)


def _order(key: SortKey, is_backward: bool) -> Any:  # noqa: FBT001 - internal
    direction = key.column.desc() if key.is_descending != is_backward else key.column.asc()
    if not key.is_nullable:
        return direction
    return nulls_first(direction) if is_backward else nulls_last(direction)


def _beyond(keys: Sequence[SortKey], values: KeyValues, *, is_backward: bool) -> ColumnElement[bool]:
    """Rows that come after the given one in the order, or before it when going backward."""
    alternatives: list[ColumnElement[bool]] = []
    same: list[ColumnElement[bool]] = []
    for key, value in zip(keys, values, strict=True):
        alternatives.append(and_(*same, _past(key, value, is_backward=is_backward)))
        same.append(key.column.is_(None) if value is None else key.column == value)
    return or_(*alternatives)


def _past(key: SortKey, value: Any, *, is_backward: bool) -> ColumnElement[bool]:
    column = key.column
    if value is None:
        return column.is_not(None) if is_backward else false()
    past = column < value if key.is_descending != is_backward else column > value
    return or_(past, column.is_(None)) if key.is_nullable and not is_backward else past
