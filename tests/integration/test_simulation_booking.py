"""Booking a simulated portfolio on both databases: all that was drawn, once, and in the status drawn."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from sqlalchemy import select

from app.simulation.portfolio import Drawn, draw_portfolio
from app.simulation.run import simulate
from app.tape.importer import ImportReport
from app.wiring import Registry
from registry.domain.kinds import LoanStatus, RecordKind
from registry.storage.tables import liens, loan_records, loans
from tests.support.installation import counts, unchained
from tests.support.postgres import PostgresServer, postgres

__all__ = ["postgres"]

LOANS, SEED = 90, 11
AS_OF = datetime.now(UTC).date() - timedelta(days=1)
STATUS = {
    RecordKind.SETTLEMENT: LoanStatus.SETTLED,
    RecordKind.CHARGE_OFF: LoanStatus.CHARGED_OFF,
    RecordKind.RECOVERY: LoanStatus.CHARGED_OFF,
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    url = None
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    made = unchained(tmp_path_factory.mktemp("home"), url)
    yield made
    made.engine.dispose()


@pytest.fixture(scope="module")
def drawn() -> list[Drawn]:
    return list(draw_portfolio(LOANS, SEED, 2, AS_OF))


@pytest.fixture(scope="module")
def report(registry: Registry) -> ImportReport:
    return simulate(registry, [1, 2], LOANS, SEED, AS_OF)


def test_as_many_loans_and_records_are_booked_as_were_drawn(
    registry: Registry, drawn: list[Drawn], report: ImportReport
) -> None:
    records = sum(1 + len(one.history.events) for one in drawn)  # the agreement and what happened

    found = counts(registry)

    assert (report.rows, report.loans, report.records, report.known) == (LOANS, LOANS, records, 0)
    assert (found["loans"], found["loan_records"], found["applications"]) == (LOANS, records, LOANS)
    assert report.decisions + report.undecided == LOANS
    assert found["decisions"] == report.decisions > LOANS * 0.9


def test_every_loan_has_its_events_in_order_with_their_amounts(
    registry: Registry, drawn: list[Drawn], report: ImportReport
) -> None:
    assert report.loans == LOANS
    with registry.engine.connect() as connection:
        stored = {row.external_reference: row for row in connection.execute(select(loans))}
        records = connection.execute(
            select(loan_records).order_by(loan_records.c.loan_id, loan_records.c.sequence)
        ).all()
    for one in drawn:
        history = one.history
        loan = stored[history.external_reference]
        found = [row for row in records if row.loan_id == loan.id][1:]
        assert [(row.kind, str(row.effective_on)) for row in found] == [
            (event.kind, event.on.isoformat()) for event in history.events
        ]
        assert [row.amount_minor for row in found if row.kind == RecordKind.REPAYMENT] == [
            event.amount.minor for event in history.events if event.kind is RecordKind.REPAYMENT and event.amount
        ]
        assert loan.status == STATUS.get(history.events[-1].kind, LoanStatus.ACTIVE)
        assert loan.lender_id == one.lender + 1


def test_the_asset_of_a_running_loan_is_pledged_and_of_a_settled_one_free(
    registry: Registry, drawn: list[Drawn], report: ImportReport
) -> None:
    assert report.loans == LOANS
    expected = Counter(
        one.history.events[-1].kind is RecordKind.SETTLEMENT for one in drawn if one.history.asset is not None
    )
    with registry.engine.connect() as connection:
        found = Counter(row.released_at is not None for row in connection.execute(select(liens)))
    assert found == expected
    assert found[False] > 0


def test_the_same_seed_again_changes_nothing(registry: Registry, report: ImportReport) -> None:
    assert report.loans == LOANS
    before = counts(registry)

    again = simulate(registry, [1, 2], LOANS, SEED, AS_OF)

    assert (again.rows, again.loans, again.records, again.known) == (LOANS, 0, 0, LOANS)
    assert counts(registry) | {"audit_entries": 0} == before | {"audit_entries": 0}


def test_a_simulation_that_was_cut_short_is_completed_by_the_same_seed(
    registry: Registry, report: ImportReport
) -> None:
    assert report.loans == LOANS
    part = simulate(registry, [1, 2], 20, SEED + 1, AS_OF)

    whole = simulate(registry, [1, 2], 30, SEED + 1, AS_OF)

    assert (part.loans, whole.known, whole.loans) == (20, 20, 10)


def test_loans_of_one_lender_can_be_drawn_alone(registry: Registry, report: ImportReport) -> None:
    assert report.loans == LOANS
    simulate(registry, [2], 5, SEED + 2, AS_OF)

    references = [one.history.external_reference for one in islice(draw_portfolio(5, SEED + 2, 1, AS_OF), 5)]
    with registry.engine.connect() as connection:
        found = connection.execute(
            select(loans.c.lender_id).where(loans.c.external_reference.in_(references))
        ).scalars()
        assert list(found) == [2] * 5
