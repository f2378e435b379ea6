"""The rows of a tape, one at a time: CSV, gzipped CSV, or Parquet; every cell as text, with the line it stands on."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TextIO, cast

import pyarrow.parquet as pq

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
    for count, row in enumerate(rows):
        if limit is not None and count >= limit:
            return
        yield row


def _csv(path: Path) -> Iterator[TapeRow]:
    try:
        with _opened(path) as file:
            reader = csv.DictReader(file, restkey="", restval=None)
            for cells in reader:
                if "" in cells or None in cells.values():
                    raise TapeUnreadable(path.name, f"line {reader.line_num} has not as many cells as the header")
                yield TapeRow(reader.line_num, cells)
    except (UnicodeDecodeError, csv.Error, gzip.BadGzipFile, EOFError) as fault:
        raise TapeUnreadable(path.name, str(fault)) from None


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return path.open(encoding="utf-8-sig", newline="")


def _parquet(path: Path) -> Iterator[TapeRow]:
    try:
        with pq.ParquetFile(path) as file:
            line = HEADER_LINE
            for batch in file.iter_batches(batch_size=PARQUET_ROWS):
                for values in batch.to_pylist():
                    line += 1
                    yield TapeRow(line, {name: "" if cell is None else str(cell) for name, cell in values.items()})
    except OSError as fault:
        raise TapeUnreadable(path.name, str(fault)) from None
