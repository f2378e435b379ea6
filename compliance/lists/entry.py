"""One listed party, in the one form every list is turned into."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar, Self

from registry.domain.errors import InvalidInput


@dataclass(eq=False)
class ListMalformed(InvalidInput):
    """A list file cannot be trusted to be whole: its form, its counts or its signatures are wrong."""

    list_id: str
    rule: str
    code: ClassVar[str] = "LIST_MALFORMED"

    def __str__(self) -> str:
        return f"Screening list {self.list_id} was not imported: {self.rule}. Fetch the file again from its publisher."


class EntryKind(StrEnum):
    """What a listed party is."""

    PERSON = "PERSON"
    ORGANISATION = "ORGANISATION"
    VESSEL = "VESSEL"
    AIRCRAFT = "AIRCRAFT"


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name of a listed party; a weak one is too common to block anybody alone."""

    name: str
    kind: str = "aka"
    weak: bool = False


@dataclass(frozen=True, slots=True)
class DateRange:
    """A birth date as lists give it: first equals last for a day; a year or a span of years otherwise."""

    first: date
    last: date

    @classmethod
    def of_year(cls, year: int) -> Self:
        return cls(date(year, 1, 1), date(year, 12, 31))

    @property
    def exact(self) -> bool:
        return self.first == self.last


@dataclass(frozen=True, slots=True)
class ListEntry:
    """A listed party: names, birth dates, countries as written, identifiers, and what else the list says."""

    entry_id: str
    kind: EntryKind
    name: str
    aliases: tuple[Alias, ...] = ()
    births: tuple[DateRange, ...] = ()
    countries: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    listed_on: date | None = None
    remarks: str | None = None
    addresses: tuple[tuple[str | None, str | None, str | None], ...] = ()
    details: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def to_json(self) -> dict[str, object]:
        """The entry as plain JSON values."""
        return {
            "entry_id": self.entry_id,
            "kind": self.kind.value,
            "name": self.name,
            "aliases": [[alias.name, alias.kind, alias.weak] for alias in self.aliases],
            "births": [[span.first.isoformat(), span.last.isoformat()] for span in self.births],
            "countries": list(self.countries),
            "identifiers": list(self.identifiers),
            "programs": list(self.programs),
            "listed_on": self.listed_on.isoformat() if self.listed_on else None,
            "remarks": self.remarks,
            "addresses": [list(address) for address in self.addresses],
            "details": dict(self.details),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, object]) -> Self:
        """The entry that `to_json` wrote."""
        values = _Reader(content)
        listed_on = values.text("listed_on")
        return cls(
            entry_id=values.text("entry_id") or "",
            kind=EntryKind(values.text("kind") or ""),
            name=values.text("name") or "",
            aliases=tuple(Alias(str(n), str(k), bool(w)) for n, k, w in values.rows("aliases")),
            births=tuple(
                DateRange(date.fromisoformat(str(first)), date.fromisoformat(str(last)))
                for first, last in values.rows("births")
            ),
            countries=values.texts("countries"),
            identifiers=values.texts("identifiers"),
            programs=values.texts("programs"),
            listed_on=date.fromisoformat(listed_on) if listed_on else None,
            remarks=values.text("remarks"),
            addresses=tuple((_or_none(a), _or_none(b), _or_none(c)) for a, b, c in values.rows("addresses")),
            details=MappingProxyType(values.mapping("details")),
        )


@dataclass(frozen=True, slots=True)
class ScreeningList:
    """One version of one list, whole."""

    list_id: str
    version: str
    published_on: date
    entries: tuple[ListEntry, ...]


class _Reader:
    """Typed reads of a JSON object; a missing key reads as empty."""

    def __init__(self, content: Mapping[str, object]) -> None:
        self._content = content

    def text(self, key: str) -> str | None:
        return _or_none(self._content.get(key))

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._content.get(key) or []
        return tuple(str(item) for item in value) if isinstance(value, list) else ()

    def rows(self, key: str) -> list[list[object]]:
        value = self._content.get(key) or []
        return [row for row in value if isinstance(row, list)] if isinstance(value, list) else []

    def mapping(self, key: str) -> dict[str, str]:
        value = self._content.get(key) or {}
        return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else {}


def _or_none(value: object) -> str | None:
    return None if value is None else str(value)
