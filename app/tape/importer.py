"""Importing a tape: every row is read and checked first; only a tape without a wrong row is booked.

Booking goes in commits of some hundred loans. Each loan is known by its reference in the tape, so an import that was
interrupted is finished by running it again, and running it twice changes nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import ClassVar

from app.tape.history import RowError, RowSkipped, history_of
from app.tape.mapping import TapeMapping
from app.tape.source import TapeRow, TapeUnreadable, rows_of
from app.wiring import Registry, operator
from registry.domain.errors import InvalidInput
from registry.domain.product import Product
from registry.services.book_histories import LoanHistory, book_histories

LOANS_PER_COMMIT = 200
ERRORS_MAX = 1_000


@dataclass(eq=False)
class TapeInvalid(InvalidInput):
    """Some rows of a tape are wrong; nothing was imported. `errors` holds the first of them."""

    errors: tuple[RowError, ...]
    wrong: int
    rows: int
    code: ClassVar[str] = "TAPE_INVALID"

    def __str__(self) -> str:
        first = self.errors[0]
        where = f"line {first.line}" + (f", column {first.column}" if first.column else "")
        return (
            f"{self.wrong} of {self.rows} rows cannot be imported, so none was; "
            f"the first is {where}: {first.problem.rstrip('.')}. Correct them and import again."
        )


@dataclass(slots=True)
class ImportReport:
    """What an import did. `known` loans were there already; `undecided` could not be scored."""

    rows: int = 0
    skipped: int = 0
    loans: int = 0
    records: int = 0
    decisions: int = 0
    undecided: int = 0
    known: int = 0
    skipped_lines: list[int] = field(default_factory=list)


def import_tape(
    registry: Registry,
    tape: Path,
    mapping: TapeMapping,
    lender_id: int,
    *,
    limit: int | None = None,
    decide: bool = True,
    on_checked: Callable[[int], object] = lambda _: None,
    on_booked: Callable[[int], object] = lambda _: None,
) -> ImportReport:
    """Check the whole tape, then book it; raises `TapeInvalid` with what is wrong in which line and column."""
    with registry.unit_of_work() as uow:
        product = uow.products.get(mapping.product)
        uow.lenders.get(lender_id)
    today = registry.clock.now().date()
    report = check_tape(tape, mapping, product, today, limit, on_checked)
    actor = operator("import", lender_id)
    histories = _histories(tape, mapping, product, today, limit)
    while chunk := list(islice(histories, LOANS_PER_COMMIT)):
        booked = book_histories(registry.unit_of_work(), lender_id, chunk, actor, registry.facilities, decide=decide)
        report.loans += booked.loans
        report.records += booked.records
        report.decisions += booked.decisions
        report.undecided += booked.undecided
        report.known += booked.skipped
        on_booked(len(chunk))
    return report


def check_tape(
    tape: Path,
    mapping: TapeMapping,
    product: Product,
    today: date,
    limit: int | None = None,
    on_checked: Callable[[int], object] = lambda _: None,
) -> ImportReport:
    """Read every row and derive its history without booking anything."""
    report, seen = ImportReport(), set[str]()
    errors: list[RowError] = []
    wrong = 0
    for row in rows_of(tape, limit):
        if report.rows == 0:
            _check_columns(tape, mapping, row)
        report.rows += 1
        told = history_of(row, mapping, product, today)
        if isinstance(told, LoanHistory):
            if told.external_reference in seen:
                told = RowError(row.line, mapping.values["reference"].column or "", "the reference stands twice")
            else:
                seen.add(told.external_reference)
        if isinstance(told, RowSkipped):
            report.skipped += 1
            report.skipped_lines.append(told.line)
        elif isinstance(told, RowError):
            wrong += 1
            errors.extend([told] if wrong <= ERRORS_MAX else [])
        on_checked(1)
    if report.rows == 0:
        raise TapeUnreadable(tape.name, "it has no rows")
    if errors:
        raise TapeInvalid(tuple(errors), wrong, report.rows)
    return report


def _histories(
    tape: Path, mapping: TapeMapping, product: Product, today: date, limit: int | None
) -> Iterator[LoanHistory]:
    for row in rows_of(tape, limit):
        told = history_of(row, mapping, product, today)
        if isinstance(told, LoanHistory):
            yield told


def _check_columns(tape: Path, mapping: TapeMapping, row: TapeRow) -> None:
    missing = sorted(mapping.columns - row.cells.keys())
    if missing:
        raise TapeUnreadable(tape.name, f"mapping {mapping.id} needs the columns {', '.join(missing)}")
