"""How commands speak: results to standard output, messages to standard error, JSON when asked for."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from typer.exceptions import TyperException

console = Console(stderr=True)
# Off a terminal nothing may be folded: the lines are read by programs.
_out = Console(width=None if sys.stdout.isatty() else 400)


def show(result: Mapping[str, Any], *, as_json: bool) -> None:
    """Write one result: JSON on one line, or a line for each name."""
    if as_json:
        write_json(result)
        return
    width = max((len(name) for name in result), default=0)
    for name, value in result.items():
        _out.print(f"{name.replace('_', ' '):<{width}}  {value}", highlight=False, markup=False, soft_wrap=True)


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
    console.print(message, highlight=False, markup=False, soft_wrap=True)


def show_usage_error(misused: TyperException) -> None:
    say(f"USAGE: {misused.format_message()}")


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
