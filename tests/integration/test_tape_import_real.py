"""Real loan books, imported: what the registry says came in is what the tape says, to the cent, loan for loan.

The oracle reads the tape by itself, in exact fractions, and the registry's records from their table.
"""

import csv
import gzip
import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from pathlib import Path

import orjson
import pytest
from sqlalchemy import Row, select

from app.tape.importer import ImportReport, import_tape
from app.tape.mapping import load_mapping
from app.wiring import Registry
from registry.domain.kinds import LoanStatus, RecordKind
from registry.domain.origination import CheckOutcome
from registry.storage.tables import decisions, loan_records, loans
from tests.support.installation import unchained

DATA = Path(__file__).parents[3] / "shared" / "data"
ROWS = 250
NO_NAMES = "the tape has no borrower names"
NO_IDENTITY = "borrowers of the tape cannot be told apart without an identity number"


@dataclass
class Imported:
    """A registry with the first rows of a tape, and the rows as the tape has them."""

    registry: Registry
    report: ImportReport
    rows: dict[str, dict[str, str]]
    loans: dict[str, Row[tuple[object, ...]]]
    records: dict[str, list[Row[tuple[object, ...]]]]

    def sum_of(self, reference: str, kind: RecordKind) -> int:
        return sum(record.amount_minor or 0 for record in self.records[reference] if record.kind == kind)


def imported(name: str, key: str, home: Path) -> Imported:
    path = DATA / name / "loans.csv.gz"
    if not path.is_file():
        pytest.skip(f"the {name} sample is not beside the checkout: ../shared/data/{name}")
    registry = unchained(home, None)
    report = import_tape(registry, path, load_mapping(name), 1, limit=ROWS)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = {f"{name}:{row[key]}": row for row in islice(csv.DictReader(file), ROWS)}
    with registry.engine.connect() as connection:
        stored = {row.id: row for row in connection.execute(select(loans))}
        records = defaultdict(list)
        for row in connection.execute(select(loan_records).order_by(loan_records.c.sequence)):
            records[stored[row.loan_id].external_reference].append(row)
    return Imported(registry, report, rows, {row.external_reference: row for row in stored.values()}, records)


@pytest.fixture(scope="module")
def lendingclub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    found = imported("lendingclub_2007_2011", "id", tmp_path_factory.mktemp("lendingclub"))
    yield found
    found.registry.engine.dispose()


@pytest.fixture(scope="module")
def bondora(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    found = imported("bondora", "row_id", tmp_path_factory.mktemp("bondora"))
    yield found
    found.registry.engine.dispose()


def cents(text: str) -> int:
    """An amount of the tape in cents, half up; the tape has binary fractions such as 29.999999999842."""
    return math.floor(Fraction(text) * 100 + Fraction(1, 2))


def test_every_loan_of_the_sample_is_there_once(lendingclub: Imported) -> None:
    assert set(lendingclub.loans) == set(lendingclub.rows)
    assert len(lendingclub.rows) == ROWS == lendingclub.report.loans
    assert lendingclub.report.records == sum(map(len, lendingclub.records.values()))


def test_the_repayments_of_a_loan_are_the_cash_of_the_tape_to_the_cent(lendingclub: Imported) -> None:
    for reference, row in lendingclub.rows.items():
        received = sum(cents(row[name]) for name in ("total_rec_prncp", "total_rec_int", "total_rec_late_fee"))
        assert lendingclub.sum_of(reference, RecordKind.REPAYMENT) == received, reference


def test_a_repayment_is_split_into_its_parts_without_a_rest(lendingclub: Imported) -> None:
    parts = ("principal_minor", "interest_minor", "fees_minor", "penalty_minor", "unallocated_minor")
    repayments = [row for found in lendingclub.records.values() for row in found if row.kind == RecordKind.REPAYMENT]

    assert len(repayments) > 3_000
    for row in repayments:
        fields = orjson.loads(row.fields)
        assert sum(int(fields[part]) for part in parts) == row.amount_minor


def test_late_fees_are_the_penalties_of_the_tape_up_to_the_payment_they_came_with(lendingclub: Imported) -> None:
    late = 0
    for reference, row in lendingclub.rows.items():
        records = lendingclub.records[reference]
        charged = [
            record.amount_minor
            for record in records
            if record.kind == RecordKind.FEE and orjson.loads(record.fields)["component"] == "PENALTY"
        ]
        paid = [record.amount_minor for record in records if record.kind == RecordKind.REPAYMENT]
        said = cents(row["total_rec_late_fee"])
        assert charged == ([min(said, paid[-1])] if said else []), reference
        late += bool(charged)
    assert late > 3


def test_recoveries_are_those_of_the_tape_up_to_what_was_left_of_the_claim(lendingclub: Imported) -> None:
    capped = 0
    for reference, row in lendingclub.rows.items():
        recovered, said = lendingclub.sum_of(reference, RecordKind.RECOVERY), cents(row["recoveries"])
        if recovered != said:
            capped += 1
            # Above the claim: at least the whole written-off principal came back before the cap bit.
            assert lendingclub.sum_of(reference, RecordKind.CHARGE_OFF) <= recovered < said
    assert capped <= ROWS // 100


def test_a_loan_ends_as_the_tape_says(lendingclub: Imported) -> None:
    seen: Counter[int] = Counter()
    for reference, row in lendingclub.rows.items():
        lost = "Charged Off" in row["loan_status"]
        kinds = [record.kind for record in lendingclub.records[reference]]
        assert lendingclub.loans[reference].status == (LoanStatus.CHARGED_OFF if lost else LoanStatus.SETTLED)
        assert kinds.count(RecordKind.CHARGE_OFF) == lost
        assert kinds.count(RecordKind.SETTLEMENT) == (not lost)
        assert kinds[:2] == [RecordKind.AGREEMENT, RecordKind.DISBURSEMENT]
        seen[lost] += 1
    assert min(seen[True], seen[False]) > 20


def test_principal_is_paid_back_or_written_off_or_forgiven_and_nothing_else(lendingclub: Imported) -> None:
    for reference, row in lendingclub.rows.items():
        paid = held = 0
        for record in lendingclub.records[reference]:
            if record.kind == RecordKind.REPAYMENT:
                fields = orjson.loads(record.fields)
                paid += int(fields["principal_minor"])
                held += int(fields["unallocated_minor"])
        forgiven = lendingclub.sum_of(reference, RecordKind.SETTLEMENT)
        left = cents(row["funded_amnt"]) - paid - lendingclub.sum_of(reference, RecordKind.CHARGE_OFF)
        assert 0 <= left <= forgiven + held, reference


def test_the_last_repayment_is_in_the_month_of_the_tape(lendingclub: Imported) -> None:
    for reference, row in lendingclub.rows.items():
        paid = [record.effective_on for record in lendingclub.records[reference] if record.kind == RecordKind.REPAYMENT]
        if paid and row["last_pymnt_d"]:
            first_due = following_month(row["issue_d"])
            assert max(paid) == max(date.fromisoformat(f"{row['last_pymnt_d']}-01"), first_due)


def following_month(month: str) -> date:
    year, number = map(int, month.split("-"))
    return date(year + number // 12, number % 12 + 1, 1)


def test_the_agreed_terms_are_those_of_the_tape(lendingclub: Imported) -> None:
    for reference, row in lendingclub.rows.items():
        terms = orjson.loads(lendingclub.loans[reference].terms)
        assert int(terms["principal_minor"]) == cents(row["funded_amnt"])
        assert Fraction(terms["annual_rate"]) == Fraction(
            math.floor(Fraction(row["int_rate"]) * 10**6 + Fraction(1, 2)), 10**6
        )
        assert (terms["term_months"], terms["currency"]) == (row["term"], "USD")
        assert terms["disbursed_on"] == f"{row['issue_d']}-01"


def checks_of(found: Imported) -> list[dict[str, CheckOutcome]]:
    """The compliance checks of each decision, by rule."""
    with found.registry.engine.connect() as connection:
        ids = connection.execute(select(decisions.c.id)).scalars().all()
    with found.registry.unit_of_work() as uow:
        return [{check.rule: check for check in uow.applications.decision(1, key).assessment.checks} for key in ids]


def test_loans_are_decided_unless_the_tape_lacks_what_the_model_needs(lendingclub: Imported) -> None:
    needed = ("annual_inc", "dti", "delinq_2yrs", "inq_last_6mths", "open_acc", "pub_rec", "home_ownership")
    lacking = sum(any(not row[name] for name in needed) for row in lendingclub.rows.values())

    assert lendingclub.report.undecided == lacking
    assert lendingclub.report.decisions == ROWS - lacking == len(checks_of(lendingclub))


@pytest.mark.parametrize(
    ("rule", "reasons"),
    [
        ("identity", ("ID_TYPE_UNAVAILABLE", "the tape has no identity numbers")),
        ("age", ("BIRTH_ON_UNAVAILABLE", "the tape has no birth dates")),
        ("screening", ("NAME_UNAVAILABLE", NO_NAMES)),
        ("over_indebtedness", ("OPEN_LENDERS_UNAVAILABLE", NO_IDENTITY)),
        ("velocity", ("APPLICATIONS_24_HOURS_UNAVAILABLE", NO_IDENTITY)),
        pytest.param(
            "consent",
            ("CONSENTS_UNAVAILABLE", "the tape has no consents"),
        ),
        pytest.param(
            "maker_checker",
            ("MAKER_UNAVAILABLE", "the tape does not say who prepared and who approved a loan"),
        ),
    ],
)
def test_a_check_that_needs_what_the_tape_cannot_say_does_not_apply_and_says_why(
    lendingclub: Imported, rule: str, reasons: tuple[str, ...]
) -> None:
    found = {(checks[rule].result, checks[rule].reasons) for checks in checks_of(lendingclub)}

    assert found == {("NOT_APPLICABLE", reasons)}


def test_a_check_that_the_tape_has_the_figures_for_is_made(lendingclub: Imported) -> None:
    for checks in checks_of(lendingclub):
        assert {checks["affordability"].result, checks["product"].result} <= {"PASS", "FAIL", "REFER"}


def test_a_tape_without_cash_has_agreements_and_payouts_only(bondora: Imported) -> None:
    skipped = [reference for reference in bondora.rows if reference not in bondora.loans]

    assert bondora.report.loans + bondora.report.skipped == ROWS
    assert len(skipped) == bondora.report.skipped > 0
    for reference in skipped:
        assert not any(float(cell) for name, cell in bondora.rows[reference].items() if name.startswith("duration."))
    for reference, loan in bondora.loans.items():
        assert [record.kind for record in bondora.records[reference]] == [RecordKind.AGREEMENT, RecordKind.DISBURSEMENT]
        assert loan.status == LoanStatus.ACTIVE


def test_amounts_given_as_logarithms_are_whole_cents_again(bondora: Imported) -> None:
    for reference, loan in bondora.loans.items():
        row = bondora.rows[reference]
        terms = orjson.loads(loan.terms)
        amount = Decimal(terms["principal_minor"]) / 100
        assert abs(float(amount) - math.exp(float(row["log.amount"]))) <= 0.0051
        assert row[f"duration.{int(terms['term_months']):02d}"] == "1"
        assert Fraction(terms["annual_rate"]) == Fraction(row["Interest"]) / 100
