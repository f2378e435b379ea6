"""`import`, `simulate`, `lists`: how loans and sanctions lists come in."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, ClassVar

import orjson
import typer

from app.cli.config import chosen, open_registry
from app.cli.output import progress, say, show, show_table
from app.simulation.run import simulate as simulate_portfolio
from app.tape.importer import ImportReport, TapeInvalid
from app.tape.importer import import_tape as import_rows
from app.tape.mapping import load_mapping
from compliance.storage import import_demonstration_list, import_list, loaded_lists
from registry.domain.errors import NotFound
from registry.storage.engine import reading

lists = typer.Typer(help="Sanctions lists.", no_args_is_help=True)

ERRORS_SHOWN = 20


@dataclass(eq=False)
class LendersMissing(NotFound):
    """No lender is admitted that could make loans."""

    code: ClassVar[str] = "LENDERS_MISSING"

    def __str__(self) -> str:
        return "No lender is admitted yet; admit one with `loan-registry admit CODE NAME`."


def import_tape(
    tape: Annotated[Path, typer.Argument(help="CSV, gzipped CSV or Parquet file.")],
    mapping: Annotated[str, typer.Option(help="Mapping file, or the name of one that ships.")],
    lender: Annotated[int, typer.Option(help="The lender whose loans they are.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many rows.")] = None,
    decide: Annotated[bool, typer.Option(help="Score and check every loan.")] = True,
    errors: Annotated[Path | None, typer.Option(help="Write every wrong row to this file, as JSON lines.")] = None,
) -> int:
    """Import a loan tape: all of it, or, when any row is wrong, nothing."""
    registry = open_registry()
    with progress("Checking", limit) as checked, progress("Booking", limit) as booked:
        try:
            report = import_rows(
                registry,
                tape,
                load_mapping(mapping),
                lender,
                limit=limit,
                decide=decide,
                on_checked=checked,
                on_booked=booked,
            )
        except TapeInvalid as invalid:
            _show_errors(invalid, errors)
            raise
    _show_report(report)
    return 0


def simulate(
    loans: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many loans.")] = 1_000,
    seed: Annotated[int, typer.Option(help="Equal seeds draw equal portfolios.")] = 1,
    lender: Annotated[list[int] | None, typer.Option(help="Lenders that make them; default: all.")] = None,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day; default: today.")] = None,
) -> None:
    """Make a realistic portfolio; its model is described in docs/simulation.md."""
    registry = open_registry()
    today = registry.clock.now().date()
    until = as_of.date() if as_of is not None else today
    if until > today:
        raise typer.BadParameter(f"--as-of {until} is still to come; today is {today}")
    with registry.unit_of_work() as uow:
        lender = [uow.lenders.get(number).id for number in lender or ()] or [known.id for known in uow.lenders.all()]
    if not lender:
        raise LendersMissing
    with progress("Simulating", loans) as booked:
        report = simulate_portfolio(registry, lender, loans, seed, until, on_booked=booked)
    _show_report(report)


@lists.command("import")
def import_sanctions(
    path: Annotated[Path, typer.Argument(help="The list as published.", exists=True)],
    form: Annotated[str, typer.Option("--format", help="OFAC, UN or SIGNED.")],
) -> None:
    """Load a published list; the new version takes the place of the old one at once."""
    with open_registry().engine.begin() as connection:
        loaded = import_list(connection, path, form)
    show({name: getattr(loaded, name) for name in loaded.__dataclass_fields__}, as_json=chosen.json)


@lists.command("demo")
def import_demonstration() -> None:
    """Load the small demonstration list of invented names."""
    with open_registry().engine.begin() as connection:
        loaded = import_demonstration_list(connection)
    show({name: getattr(loaded, name) for name in loaded.__dataclass_fields__}, as_json=chosen.json)


@lists.command("show")
def show_lists() -> None:
    """The lists that screening uses now."""
    with reading(open_registry().engine).connect() as connection:
        found = loaded_lists(connection)
    rows = [tuple(getattr(version, name) for name in version.__dataclass_fields__) for version in found]
    columns = tuple(found[0].__dataclass_fields__) if found else ("list",)
    show_table(columns, rows, as_json=chosen.json)


def _show_report(report: ImportReport) -> None:
    named = {name: getattr(report, name) for name in report.__dataclass_fields__ if name != "skipped_lines"}
    show(named, as_json=chosen.json)


def _show_errors(invalid: TapeInvalid, file: Path | None) -> None:
    rows = [(error.line, error.column, error.problem) for error in invalid.errors]
    if file is not None:
        lines = [orjson.dumps({"line": line, "column": column, "problem": what}) for line, column, what in rows]
        file.write_bytes(b"\n".join(lines) + b"\n")
    if chosen.json:
        return
    show_table(("line", "column", "problem"), rows[:ERRORS_SHOWN], as_json=False)
    if len(rows) > ERRORS_SHOWN:
        say(f"… and {len(rows) - ERRORS_SHOWN} more")
