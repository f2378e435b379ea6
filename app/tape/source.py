"""The rows of a tape, one at a time: CSV, gzipped CSV, or Parquet; every cell as text, with the line it stands on."""

import csv
import gzip
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, TextIO, cast

from registry.domain.errors import InvalidInput, NotFound

PARQUET_ROWS = 1_000
HEADER_LINE = 1


@dataclass(eq=False)
class TapeMissing(NotFound):
    """There is no file at that path."""

    path: str
    code: ClassVar[str] = "TAPE_MISSING"

    def __str__(self) -> str:
        return f"There is no tape at {self.path}."


@dataclass(eq=False)
class TapeUnreadable(InvalidInput):
    """The file is not a table in a form that can be read."""

    path: str
    reason: str
    code: ClassVar[str] = "TAPE_UNREADABLE"

    def __str__(self) -> str:
        return f"{self.path} cannot be read as CSV, gzipped CSV or Parquet: {self.reason}."


@dataclass(frozen=True, slots=True)
class TapeRow:
    """One row: its line in the file (the header is line 1; in Parquet, the row number plus 1) and its cells as text."""

    line: int
    cells: dict[str, str]


def rows_of(path: Path, limit: int | None = None) -> Iterator[TapeRow]:
    """The first `limit` rows of a tape, or all, read as they are needed."""
    if not path.is_file():
        raise TapeMissing(str(path))
    rows = _parquet(path) if path.suffix == ".parquet" else _csv(path)
    yield from islice(rows, limit)


def _csv(path: Path) -> Iterator[TapeRow]:
    try:
        with _opened(path) as file:
            reader = csv.reader(file)
            header = _distinct(path, next(reader, []))
            for cells in filter(None, reader):
                if len(cells) != len(header):
                    counted = f"line {reader.line_num} has {len(cells)} cells, the header {len(header)}"
                    raise TapeUnreadable(path.name, counted)
                yield TapeRow(reader.line_num, dict(zip(header, cells, strict=True)))
    except (UnicodeDecodeError, csv.Error, OSError, EOFError, zlib.error) as fault:
        raise TapeUnreadable(path.name, str(fault)) from None


def _distinct(path: Path, names: Sequence[str]) -> Sequence[str]:
    """The column names, each there once: a second column of a name would hide the first."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TapeUnreadable(path.name, f"it has more than one column {', '.join(map(repr, twice))}")
    return names


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return path.open(encoding="utf-8-sig", newline="")


def _parquet(path: Path) -> Iterator[TapeRow]:
    import pyarrow.parquet as pq  # noqa: PLC0415  slow to load: only for tapes of this form
    from pyarrow.lib import ArrowException  # noqa: PLC0415

    try:
        with pq.ParquetFile(path) as file:
            _distinct(path, file.schema_arrow.names)
            line = HEADER_LINE
            for batch in file.iter_batches(batch_size=PARQUET_ROWS):
                for values in batch.to_pylist():
                    line += 1
                    yield TapeRow(line, {name: _text(cell) for name, cell in values.items()})
    except (OSError, ArrowException) as fault:
        raise TapeUnreadable(path.name, str(fault)) from None


def _text(cell: Any) -> str:
    """A typed cell as a CSV file would have it: no value and not-a-number are an empty cell, midnight is a day."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, datetime) and cell.time() == time.min:
        return cell.date().isoformat()
    return str(cell)
