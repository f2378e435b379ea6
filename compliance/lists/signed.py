"""Our own list format, for lists that are published as web pages or paper: JSON, released by two people."""

import json
from collections.abc import Mapping
from datetime import date
from importlib import resources
from pathlib import Path
from typing import cast

from compliance.lists.entry import Alias, DateRange, EntryKind, ListEntry, ListMalformed, ScreeningList

_HEAD = {"list_id", "version", "published_at", "entry_count", "released_by", "entries"}
_ENTRY = {
    "entry_id", "kind", "name", "aliases", "births", "countries", "identifiers", "programs", "listed_on", "remarks",
}  # fmt: skip


def read_signed(path: Path) -> ScreeningList:
    """Read a released list; two different people must have released it and the entries must be as many as stated."""
    try:
        return parse_signed(path.read_text(encoding="utf-8"), path.name)
    except UnicodeDecodeError:
        raise ListMalformed(path.name, "it is not UTF-8") from None


def demonstration_list() -> ScreeningList:
    """A list of invented parties, version `demo`, to show screening with; never to be used for real decisions."""
    text = resources.files("compliance.lists").joinpath("demo.json").read_text(encoding="utf-8")
    return parse_signed(text, "demo.json")


def parse_signed(text: str, source: str) -> ScreeningList:
    """The list in `text`: list_id, version, published_at, entry_count, released_by and entries."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError as cause:
        raise ListMalformed(source, f"it is not JSON ({cause.msg})") from cause
    if not isinstance(content, dict) or content.keys() != _HEAD:
        raise ListMalformed(source, f"it needs exactly {', '.join(sorted(_HEAD))}")
    released_by = content["released_by"]
    if not isinstance(released_by, list) or len({str(name).strip().casefold() for name in released_by}) < 2:
        raise ListMalformed(source, "two different people must have released it")
    rows = content["entries"]
    if not isinstance(rows, list) or not rows or len(rows) != content["entry_count"]:
        raise ListMalformed(source, "entry_count is not the number of entries")
    entries = tuple(_entry(row, source) for row in rows)
    if len({entry.entry_id for entry in entries}) != len(entries):
        raise ListMalformed(source, "an entry_id stands twice")
    published = _day(content["published_at"], source)
    return ScreeningList(str(content["list_id"]), str(content["version"]), published, entries)


def _entry(row: object, source: str) -> ListEntry:
    if not isinstance(row, dict) or row.keys() - _ENTRY or not row.get("entry_id") or not row.get("name"):
        raise ListMalformed(source, "an entry has unknown keys, or neither entry_id nor name")
    content = cast("Mapping[str, object]", row)
    try:
        kind = EntryKind(str(content.get("kind")))
    except ValueError:
        raise ListMalformed(source, f"entry {content['entry_id']} has an unknown kind") from None
    listed_on = content.get("listed_on")
    return ListEntry(
        entry_id=str(content["entry_id"]),
        kind=kind,
        name=str(content["name"]),
        aliases=tuple(Alias(name) for name in _texts(content, "aliases", source)),
        births=tuple(_span(text, source) for text in _texts(content, "births", source)),
        countries=_texts(content, "countries", source),
        identifiers=_texts(content, "identifiers", source),
        programs=_texts(content, "programs", source),
        listed_on=_day(listed_on, source) if listed_on else None,
        remarks=str(content["remarks"]) if content.get("remarks") else None,
    )


def _texts(content: Mapping[str, object], key: str, source: str) -> tuple[str, ...]:
    value = content.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ListMalformed(source, f"{key} is not a list of texts")
    return tuple(value)


def _span(text: str, source: str) -> DateRange:
    if len(text) == 4 and text.isdigit() and int(text):
        return DateRange.of_year(int(text))
    day = _day(text, source)
    return DateRange(day, day)


def _day(value: object, source: str) -> date:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise ListMalformed(source, f"{value!r} is not a date") from None
