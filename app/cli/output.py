"""How commands speak: results to standard output, messages to standard error, JSON when asked for."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

# Text is shown as it is: what looks like markup in a cell of a tape is none.
console = Console(stderr=True, markup=False, emoji=False, highlight=False)
# Off a terminal nothing may be folded: the lines are read by programs.
UNFOLDED = 100_000
_out = Console(width=None if sys.stdout.isatty() else UNFOLDED, markup=False, emoji=False, highlight=False)


def show(result: Mapping[str, Any], *, as_json: bool) -> None:
    """Write one result: JSON on one line, or a line for each name."""
    if as_json:
        write_json(result)
        return
    width = max((len(name) for name in result), default=0)
    for name, value in result.items():
        _out.print(f"{name.replace('_', ' '):<{width}}  {value}", soft_wrap=True)


def show_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, as_json: bool) -> None:
    """Write rows: a JSON array of objects, or a table."""
    if as_json:
        write_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    _out.print(table)


def write_json(result: Any) -> None:
    sys.stdout.buffer.write(orjson.dumps(result, default=str) + b"\n")
    sys.stdout.buffer.flush()


def say(message: str) -> None:
    """A message for the person at the terminal."""
    console.print(message, soft_wrap=True)


def show_error(code: str, message: str, *, as_json: bool) -> None:
    """One line to standard error: the stable code, then what is wrong and what to do."""
    if as_json:
        sys.stderr.buffer.write(orjson.dumps({"error": code, "message": message}) + b"\n")
        sys.stderr.buffer.flush()
    else:
        console.print(f"{code}: {message}", style="red", soft_wrap=True)


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Any]:
    """A progress bar on a terminal, nothing elsewhere; yields a function that takes how many were done."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    with bar:
        task = bar.add_task(title, total=total)

        def advance(count: int = 1) -> None:
            bar.advance(task, count)

        yield advance
