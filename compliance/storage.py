"""The screening lists in SQL, written only here: one version of each list, replaced as a whole."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Date,
    DateTime,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
)

from compliance.lists import ListMalformed, ScreeningList, demonstration_list, read_ofac, read_signed, read_un
from compliance.lists.entry import ListEntry
from compliance.screening import ListVersion, Screener
from registry.domain.errors import RuleRefused

metadata = MetaData()

screening_lists = Table(
    "screening_lists",
    metadata,
    Column("list_id", String(64), primary_key=True),
    Column("version", String(64), nullable=False),
    Column("published_on", Date, nullable=False),
    Column("imported_at", DateTime(timezone=True), nullable=False),
    Column("entry_count", Integer, nullable=False),
)

screening_entries = Table(
    "screening_entries",
    metadata,
    Column("list_id", String(64), ForeignKey("screening_lists.list_id", ondelete="CASCADE"), primary_key=True),
    Column("entry_id", String(64), primary_key=True),
    Column("content", JSON, nullable=False),
)

FORMATS: dict[str, Callable[[Path], ScreeningList]] = {"ofac": read_ofac, "un": read_un, "signed": read_signed}
_ROWS_A_STATEMENT = 1_000
# A publisher delists a few parties at a time; half a list is a truncated file.
_SHRINK_DIVISOR_MAX = 2


@dataclass(eq=False)
class ListShrunk(RuleRefused):
    """A new version has so few entries that the file is more likely cut off than right."""

    list_id: str
    given: int
    before: int
    code: ClassVar[str] = "LIST_SHRUNK"

    def __str__(self) -> str:
        return (
            f"List {self.list_id} came with {self.given} entries where {self.before} are in place; fetch it again,"
            " or import it with allow_shrink if the publisher really removed so many."
        )


@dataclass(frozen=True, slots=True)
class ListImported:
    """What an import put in place, and the version it replaced."""

    list_id: str
    version: str
    entry_count: int
    replaced_version: str | None


def import_list(
    connection: Connection,
    path: Path,
    format: str,  # noqa: A002  the word of the command
    *,
    allow_shrink: bool = False,
) -> ListImported:
    """Read the list at `path` (`ofac`: a folder, `un` and `signed`: a file) and put it in place of its last version."""
    if format not in FORMATS:
        raise ListMalformed(path.name, f"format {format!r} is unknown; use one of {', '.join(FORMATS)}")
    return replace_list(connection, FORMATS[format](path), allow_shrink=allow_shrink)


def import_demonstration_list(connection: Connection) -> ListImported:
    """Put the built-in list of invented parties in place."""
    return replace_list(connection, demonstration_list())


def replace_list(connection: Connection, screening_list: ScreeningList, *, allow_shrink: bool = False) -> ListImported:
    """Replace a list as a whole, or leave it as it was: a savepoint inside the caller's transaction."""
    with connection.begin_nested():
        before = connection.execute(
            select(screening_lists.c.version, screening_lists.c.entry_count).where(
                screening_lists.c.list_id == screening_list.list_id
            )
        ).one_or_none()
        given = len(screening_list.entries)
        if before and not allow_shrink and given * _SHRINK_DIVISOR_MAX < before.entry_count:
            raise ListShrunk(screening_list.list_id, given, before.entry_count)
        for table in (screening_entries, screening_lists):
            connection.execute(delete(table).where(table.c.list_id == screening_list.list_id))
        connection.execute(
            insert(screening_lists).values(
                list_id=screening_list.list_id,
                version=screening_list.version,
                published_on=screening_list.published_on,
                imported_at=datetime.now(UTC),
                entry_count=given,
            )
        )
        rows = [
            {"list_id": screening_list.list_id, "entry_id": entry.entry_id, "content": entry.to_json()}
            for entry in screening_list.entries
        ]
        for start in range(0, len(rows), _ROWS_A_STATEMENT):
            connection.execute(insert(screening_entries), rows[start : start + _ROWS_A_STATEMENT])
    return ListImported(screening_list.list_id, screening_list.version, given, before.version if before else None)


def loaded_lists(connection: Connection) -> tuple[ListVersion, ...]:
    """The list versions in place, by list."""
    rows = connection.execute(
        select(screening_lists.c.list_id, screening_lists.c.version, screening_lists.c.entry_count).order_by(
            screening_lists.c.list_id
        )
    )
    return tuple(ListVersion(row.list_id, row.version, row.entry_count) for row in rows)


def load_screener(connection: Connection) -> Screener:
    """A screener over every list in place; over none, it answers that no list is loaded."""
    versions = loaded_lists(connection)
    rows = connection.execute(
        select(screening_entries.c.list_id, screening_entries.c.content).order_by(
            screening_entries.c.list_id, screening_entries.c.entry_id
        )
    )
    return Screener(((row.list_id, ListEntry.from_json(row.content)) for row in rows), versions)
