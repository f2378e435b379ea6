"""The UN Security Council consolidated list in its one XML file, read as a stream."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import IO, Any, cast
from xml.etree import ElementTree as ET
from xml.parsers import expat

from compliance.lists.entry import Alias, DateRange, EntryKind, ListEntry, ListMalformed, ScreeningList

LIST_ID = "UN_CONSOLIDATED"
_Events = Iterator[tuple[str, ET.Element]]
_CHUNK_BYTES = 65_536
_KINDS = {"INDIVIDUAL": EntryKind.PERSON, "ENTITY": EntryKind.ORGANISATION}
_NAME_PARTS = ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME")
_CHILDREN = {"INDIVIDUALS": "INDIVIDUAL", "ENTITIES": "ENTITY"}


def read_un(path: Path) -> ScreeningList:
    """Read the consolidated list; its version is the day in the root's `dateGenerated`."""
    with path.open("rb") as file:
        generated, entries = parse_un(file)
    return ScreeningList(LIST_ID, generated.isoformat(), generated, entries)


def parse_un(file: IO[bytes]) -> tuple[date, tuple[ListEntry, ...]]:
    """The list's day and entries; a document type declaration, and so any entity, is refused."""
    entries: list[ListEntry] = []
    generated: date | None = None
    seen: set[str] = set()
    path: list[str] = []
    for event, element in _events(file):
        if event == "start":
            if element.tag == "CONSOLIDATED_LIST":
                generated = _date(element.get("dateGenerated"))
            # A renamed element would otherwise lose every party without a word.
            if path and _CHILDREN.get(path[-1], element.tag) != element.tag:
                raise ListMalformed(LIST_ID, f"{path[-1]} holds {element.tag}, which is not known")
            path.append(element.tag)
            continue
        path.pop()
        if element.tag in _KINDS:
            entry = _entry(element)
            if not entry.name or entry.entry_id in seen:
                raise ListMalformed(LIST_ID, f"an entry has no name or a repeated DATAID ({entry.entry_id})")
            seen.add(entry.entry_id)
            entries.append(entry)
            element.clear()
    if generated is None:
        raise ListMalformed(LIST_ID, "the root is not CONSOLIDATED_LIST with a dateGenerated")
    if not entries:
        raise ListMalformed(LIST_ID, "it holds no INDIVIDUAL or ENTITY")
    return generated, tuple(entries)


def _events(file: IO[bytes]) -> Iterator[tuple[str, ET.Element]]:
    guard = expat.ParserCreate()
    guard.StartDoctypeDeclHandler = _refuse_document_type
    parser: ET.XMLPullParser[Any] = ET.XMLPullParser(("start", "end"))
    try:
        while chunk := file.read(_CHUNK_BYTES):
            # The guard sees every byte first, so a declared entity never reaches the tree.
            guard.Parse(chunk)
            parser.feed(chunk)
            yield from cast("_Events", parser.read_events())
        guard.Parse(b"", True)
        parser.close()
    except (expat.ExpatError, ET.ParseError) as cause:
        raise ListMalformed(LIST_ID, f"it is not well-formed XML ({cause})") from cause
    yield from cast("_Events", parser.read_events())


def _refuse_document_type(*_: object) -> None:
    raise ListMalformed(LIST_ID, "it has a document type declaration, which the publisher's file never has")


def _entry(element: ET.Element) -> ListEntry:
    kind = _KINDS[element.tag]
    prefix = element.tag
    aliases = [
        Alias(name, _text(alias, "QUALITY") or "aka", weak=(_text(alias, "QUALITY") or "").lower() == "low")
        for alias in element.findall(f"{prefix}_ALIAS")
        if (name := _text(alias, "ALIAS_NAME"))
    ]
    if native := _text(element, "NAME_ORIGINAL_SCRIPT"):
        aliases.append(Alias(native, "original script"))
    return ListEntry(
        entry_id=_text(element, "DATAID") or "",
        kind=kind,
        name=" ".join(part for tag in _NAME_PARTS if (part := _text(element, tag))),
        aliases=tuple(aliases),
        births=tuple(
            span for birth in element.findall(f"{prefix}_DATE_OF_BIRTH") if (span := _birth(birth)) is not None
        ),
        countries=tuple(dict.fromkeys(_countries(element, prefix))),
        identifiers=tuple(
            number for document in element.findall(f"{prefix}_DOCUMENT") if (number := _text(document, "NUMBER"))
        ),
        programs=tuple(program for program in (_text(element, "UN_LIST_TYPE"),) if program),
        listed_on=_date(_text(element, "LISTED_ON")),
        remarks=_text(element, "COMMENTS1"),
        addresses=tuple(
            (_text(place, "STREET"), _text(place, "CITY"), _text(place, "COUNTRY"))
            for place in element.findall(f"{prefix}_ADDRESS")
        ),
        details={"reference": reference} if (reference := _text(element, "REFERENCE_NUMBER")) else {},
    )


def _countries(element: ET.Element, prefix: str) -> Iterator[str]:
    for nationality in element.findall("NATIONALITY"):
        yield from (value.text.strip() for value in nationality.findall("VALUE") if value.text)
    for place in element.findall(f"{prefix}_ADDRESS"):
        if country := _text(place, "COUNTRY"):
            yield country


def _birth(element: ET.Element) -> DateRange | None:
    """Dates come as a day, a year, or a span of years (TYPE_OF_DATE EXACT, APPROXIMATELY, BETWEEN)."""
    if day := _date(_text(element, "DATE")):
        return DateRange(day, day)
    first, last = _text(element, "FROM_YEAR"), _text(element, "TO_YEAR")
    year = _text(element, "YEAR")
    try:
        if first and last:
            return DateRange(date(int(first), 1, 1), date(int(last), 12, 31))
        return DateRange.of_year(int(year)) if year else None
    except ValueError:
        return None


def _text(element: ET.Element, tag: str) -> str | None:
    return (element.findtext(tag) or "").strip() or None


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None
