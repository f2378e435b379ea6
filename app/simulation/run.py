"""Booking a simulated portfolio: each lender's loans in commits of some hundred."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date

from app.simulation.portfolio import draw_portfolio
from app.tape.importer import LOANS_PER_COMMIT, ImportReport
from app.wiring import Registry, operator
from registry.services.book_histories import LoanHistory, book_histories


def simulate(
    registry: Registry,
    lender_ids: Sequence[int],
    count: int,
    seed: int,
    as_of: date,
    *,
    on_booked: Callable[[int], object] = lambda _: None,
) -> ImportReport:
    """Draw and book `count` loans of these lenders; the same seed again changes nothing."""
    report = ImportReport()
    waiting: dict[int, list[LoanHistory]] = defaultdict(list)

    def book(lender_id: int) -> None:
        chunk = waiting.pop(lender_id)
        actor = operator("simulation", lender_id)
        booked = book_histories(registry.unit_of_work(), lender_id, chunk, actor, registry.facilities, decide=True)
        report.loans += booked.loans
        report.records += booked.records
        report.decisions += booked.decisions
        report.undecided += booked.undecided
        report.known += booked.skipped
        on_booked(len(chunk))

    for drawn in draw_portfolio(count, seed, len(lender_ids), as_of):
        report.rows += 1
        lender_id = lender_ids[drawn.lender]
        waiting[lender_id].append(drawn.history)
        if len(waiting[lender_id]) == LOANS_PER_COMMIT:
            book(lender_id)
    for lender_id in sorted(waiting):
        book(lender_id)
    return report
