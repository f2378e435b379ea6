"""OFAC's SDN list in its delimited files: sdn.csv (12 columns), alt.csv, add.csv and sdn_comments.csv."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType

from compliance.lists.entry import Alias, DateRange, EntryKind, ListEntry, ListMalformed, ScreeningList

LIST_ID = "OFAC_SDN"
_NULL = "-0-"
_COLUMNS = {"sdn": 12, "alt": 5, "add": 6, "comments": 2}
_KINDS = {"individual": EntryKind.PERSON, "vessel": EntryKind.VESSEL, "aircraft": EntryKind.AIRCRAFT}
_DETAILS = ("title", "call_sign", "vessel_type", "tonnage", "grt", "vessel_flag", "vessel_owner")
_DATE = r"(?:circa )?(\d{1,2} [A-Z][a-z]{2} \d{4}|[A-Z][a-z]{2} \d{4}|\d{4})"
_BIRTH = re.compile(rf"(?:alt\. )?DOB {_DATE}(?: to {_DATE})?")
_WEAK_ALIAS = re.compile(r"a\.k\.a\. '([^']+)'")
_NATIONALITY = re.compile(r"(?:alt\. )?(?:nationality|citizen) ([A-Za-z ,'-]+?)[;.]")
_IDENTIFIER = re.compile(
    r"(?:Passport|National ID No\.|Identification Number|Tax ID No\.|Registration (?:ID|Number)|Chinese Commercial Code"
    r"|Unified Social Credit Code \(USCC\)|Vessel Registration Identification IMO|Registered Charity No\."
    r"|Citizen's Card Number|LE Number|D-U-N-S Number|SWIFT/BIC|Legal Entity Number|Organization Code"
    r"|Company Number|Business Registration Number)\s+([A-Z0-9][A-Z0-9/ -]*[A-Z0-9])"
)

Rows = dict[str, list[list[str | None]]]


def read_ofac(folder: Path, *, published_on: date | None = None) -> ScreeningList:
    """Read the files of one publication from `folder`; the version is the publication day.

    Without `published_on` the modification day of sdn.csv is taken. An alias or address of a party that is not in
    sdn.csv means that files of two publications were mixed: refused.
    """
    main = folder / "sdn.csv"
    if not main.exists():
        raise ListMalformed(LIST_ID, f"there is no sdn.csv in {folder.name}")
    texts = {"sdn": main, "alt": folder / "alt.csv", "add": folder / "add.csv", "comments": folder / "sdn_comments.csv"}
    day = published_on or datetime.fromtimestamp(main.stat().st_mtime).astimezone().date()
    contents = {part: _text(path) for part, path in texts.items()}
    return ScreeningList(LIST_ID, day.isoformat(), day, tuple(parse_ofac(**contents)))


def parse_ofac(sdn: str, alt: str = "", add: str = "", comments: str = "") -> Iterator[ListEntry]:
    """The entries in the four files' texts, in the order of sdn.csv."""
    aliases, addresses, overflow = (_by_uid(part, text) for part, text in zip(
        ("alt", "add", "comments"), (alt, add, comments), strict=True
    ))  # fmt: skip
    seen: set[str] = set()
    for row in _rows("sdn", sdn):
        uid = row[0] or ""
        if uid in seen:
            raise ListMalformed(LIST_ID, f"party {uid} stands twice in sdn.csv")
        seen.add(uid)
        more = "".join(extra[1] or "" for extra in overflow.get(uid, ()))
        yield _entry(row, aliases.get(uid, []), addresses.get(uid, []), more)
    for part, rows in (("alt", aliases), ("add", addresses), ("comments", overflow)):
        if strangers := sorted(rows.keys() - seen):
            raise ListMalformed(LIST_ID, f"{part} names party {strangers[0]}, which sdn.csv does not")
    if not seen:
        raise ListMalformed(LIST_ID, "sdn.csv holds no party")


def _entry(
    row: list[str | None], aliases: list[list[str | None]], addresses: list[list[str | None]], more: str
) -> ListEntry:
    remarks = ((row[11] or "") + more).strip() or None
    text = remarks or ""
    weak = {alias.casefold() for alias in _WEAK_ALIAS.findall(text)}
    named = [Alias(alias[3] or "", alias[2] or "aka") for alias in aliases if alias[3]]
    quoted = [Alias(name, "aka", weak=True) for name in _WEAK_ALIAS.findall(text)]
    known = {alias.name.casefold() for alias in named}
    countries = _NATIONALITY.findall(text) + [address[4] for address in addresses if address[4]]
    return ListEntry(
        entry_id=row[0] or "",
        kind=_KINDS.get((row[2] or "").lower(), EntryKind.ORGANISATION),
        name=row[1] or "",
        aliases=tuple(
            [Alias(a.name, a.kind, weak=a.name.casefold() in weak) for a in named]
            + [alias for alias in quoted if alias.name.casefold() not in known]
        ),
        births=tuple(span for match in _BIRTH.finditer(text) if (span := _span(match)) is not None),
        countries=tuple(dict.fromkeys(countries)),
        identifiers=tuple(dict.fromkeys(match.strip() for match in _IDENTIFIER.findall(text))),
        programs=tuple(part.strip(" []") for part in (row[3] or "").split("] [") if part.strip(" []")),
        remarks=remarks,
        addresses=tuple((address[2], address[3], address[4]) for address in addresses),
        details=MappingProxyType(
            {name: value for name, value in zip(_DETAILS, row[4:11], strict=True) if value is not None}
        ),
    )


def _span(match: re.Match[str]) -> DateRange | None:
    first = _day(match[1])
    last = _day(match[2]) if match[2] else first
    return DateRange(first.first, last.last) if first and last else None


def _day(text: str) -> DateRange | None:
    parts = text.split()
    try:
        if len(parts) == 1:
            return DateRange.of_year(int(parts[0]))
        if len(parts) == 2:
            return DateRange.of_year(int(parts[1]))
        day = datetime.strptime(text, "%d %b %Y").date()  # noqa: DTZ007  a day, not an instant
    except ValueError:
        return None
    return DateRange(day, day)


def _by_uid(part: str, text: str) -> dict[str, list[list[str | None]]]:
    grouped: dict[str, list[list[str | None]]] = defaultdict(list)
    for row in _rows(part, text):
        grouped[row[0] or ""].append(row)
    return grouped


def _rows(part: str, text: str) -> Iterator[list[str | None]]:
    for number, cells in enumerate(csv.reader(io.StringIO(text)), start=1):
        # The published files end with a DOS end-of-file byte.
        if not cells or cells == ["\x1a"]:
            continue
        if len(cells) != _COLUMNS[part]:
            raise ListMalformed(LIST_ID, f"line {number} of {part} has {len(cells)} columns, not {_COLUMNS[part]}")
        if not cells[0].strip().isdigit():
            raise ListMalformed(LIST_ID, f"line {number} of {part} does not begin with a party's number")
        yield [None if cell.strip() == _NULL else cell.strip() for cell in cells]


def _text(path: Path) -> str:
    if not path.exists():
        return ""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
