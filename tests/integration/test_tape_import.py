"""Importing a tape on both databases: all of it or nothing, with line and column of what is wrong, never twice."""

import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.tape import importer
from app.tape.history import RowError
from app.tape.importer import ImportReport, TapeInvalid, import_tape
from app.tape.mapping import TapeMapping
from app.tape.source import TapeUnreadable
from app.wiring import Registry
from registry.domain.errors import RegistryError
from registry.domain.kinds import LoanStatus
from registry.domain.product import ProductUnknown
from registry.storage.lenders import LenderUnknown
from registry.storage.tables import loan_records, loans, outbox
from tests.support.installation import counts, unchained
from tests.support.postgres import PostgresServer, postgres
from tests.support.small_tape import MAPPING, a_row, small_mapping, write_tape

__all__ = ["postgres"]

ROWS = 250  # two commits


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """One registry of each kind for all tests here; what a test imports it imports under references of its own."""
    url = None
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    made = unchained(tmp_path_factory.mktemp("home"), url)
    yield made
    made.engine.dispose()


@dataclass
class Tape:
    """A tape in a folder of its own; its references begin with the test's number, so that they are new."""

    folder: Path
    prefix: str

    @property
    def mapping(self) -> TapeMapping:
        return small_mapping(self.folder, MAPPING.replace('id = "small"', f'id = "{self.prefix}"'))

    def write(self, count: int, wrong: dict[int, dict[str, str]] | None = None, name: str = "tape.csv") -> Path:
        rows = [a_row(number, **(wrong or {}).get(number, {})) for number in range(count)]
        return write_tape(self.folder / name, rows)

    def load(self, registry: Registry, path: Path, on_booked: Callable[[int], object] = lambda _: None) -> ImportReport:
        return import_tape(registry, path, self.mapping, 1, decide=False, on_booked=on_booked)


@pytest.fixture
def tape(tmp_path: Path, request: pytest.FixtureRequest) -> Tape:
    return Tape(tmp_path, request.node.name)


def refused(registry: Registry, tape: Tape, path: Path) -> RegistryError:
    """Why the import is refused; and nothing in any table of the file has changed."""
    before = counts(registry)
    with pytest.raises(RegistryError) as refusal:
        tape.load(registry, path)
    assert counts(registry) == before
    return refusal.value


def booked(registry: Registry, tape: Tape) -> dict[str, tuple[str, int, int]]:
    """Loan id, status and number of records, by reference, of the loans of this tape."""
    with registry.engine.connect() as connection:
        rows = connection.execute(
            select(loans.c.external_reference, loans.c.id, loans.c.status, loans.c.next_sequence).where(
                loans.c.external_reference.startswith(f"{tape.prefix}:")
            )
        ).all()
    found = {row.external_reference: (row.id, row.status, row.next_sequence) for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize("name", ["tape.csv", "tape.csv.gz", "tape.parquet"])
def test_a_tape_is_imported_whole_from_any_form(registry: Registry, tape: Tape, name: str) -> None:
    before = counts(registry)
    report = tape.load(registry, tape.write(8, name=name))
    after = counts(registry)

    assert (report.rows, report.loans, report.known, report.skipped) == (8, 8, 0, 0)
    assert after["loans"] - before["loans"] == 8
    assert after["loan_records"] - before["loan_records"] == report.records == after["outbox"] - before["outbox"]
    found = booked(registry, tape)
    assert sorted(found) == [f"{tape.prefix}:L{number:05d}" for number in range(8)]
    assert [found[reference][1] for reference in sorted(found)] == [
        LoanStatus.CHARGED_OFF if number % 4 == 3 else LoanStatus.SETTLED for number in range(8)
    ]
    assert sum(records for _, _, records in found.values()) == report.records


def test_the_same_tape_again_changes_nothing(registry: Registry, tape: Tape) -> None:
    path = tape.write(5)
    tape.load(registry, path)
    before = counts(registry)

    again = tape.load(registry, path)

    assert (again.loans, again.records, again.known) == (0, 0, 5)
    assert counts(registry) | {"audit_entries": 0} == before | {"audit_entries": 0}


WRONG: dict[str, tuple[dict[str, str], str, str]] = {
    "no amount": ({"amount": "ten"}, "amount", "'ten' is not a number"),
    "empty amount": ({"amount": ""}, "amount", "it is empty"),
    "negative amount": ({"amount": "-5"}, "amount", "negative"),
    "amount above the product's": ({"amount": "90000"}, "amount", "outside"),
    "rate above the product's": ({"rate": "9999"}, "rate", "outside"),
    "term above the product's": ({"months": "240"}, "months", "outside"),
    "half a month": ({"months": "12.5"}, "months", "not a whole number"),
    "no month": ({"start": "2016-13"}, "start", "not a day"),
    "still to come": ({"start": "2998-01", "last_on": "2999-01"}, "start", "still to come"),
    "last payment to come": ({"last_on": "2999-01"}, "start", "still to come"),
    "unknown purpose": ({"why": "war"}, "why", "'war' is not in the mapping"),
    "unknown status": ({"status": "current"}, "status", "'current' is not in the mapping"),
    "no status": ({"status": ""}, "status", "it is empty"),
    "cash without a day": ({"last_on": ""}, "last_on", "cash came in"),
    "broken income": ({"income": "nan"}, "income", "'nan' is not a number"),
    "no reference": ({"id": ""}, "id", "it is empty"),
    "reference twice": ({"id": "L00001"}, "id", "stands twice"),
}


@pytest.mark.parametrize(("change", "column", "said"), WRONG.values(), ids=WRONG.keys())
def test_one_wrong_cell_is_told_with_line_and_column_and_nothing_is_imported(
    registry: Registry, tape: Tape, change: dict[str, str], column: str, said: str
) -> None:
    number = 230  # in what would have been the second commit
    refusal = refused(registry, tape, tape.write(ROWS, {number: change}))

    assert isinstance(refusal, TapeInvalid)
    (error,) = refusal.errors
    assert (error.line, error.column) == (number + 2, column)
    assert said in error.problem
    assert (refusal.code, refusal.exit_code, refusal.wrong, refusal.rows) == ("TAPE_INVALID", 2, 1, ROWS)
    assert f"line {number + 2}, column {column}" in str(refusal)


def test_every_wrong_row_is_told(registry: Registry, tape: Tape) -> None:
    wrong = {2: {"amount": "x"}, 3: {"months": "y"}, 7: {"start": "z"}}

    refusal = refused(registry, tape, tape.write(9, wrong))

    assert isinstance(refusal, TapeInvalid)
    assert [(error.line, error.column) for error in refusal.errors] == [(4, "amount"), (5, "months"), (9, "start")]
    assert str(refusal).startswith("3 of 9 rows cannot be imported, so none was; the first is line 4, column amount:")


def test_of_very_many_wrong_rows_the_first_are_kept_and_all_are_counted(
    registry: Registry, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "ERRORS_MAX", 4)

    refusal = refused(registry, tape, tape.write(9, {number: {"amount": "x"} for number in range(9)}))

    assert isinstance(refusal, TapeInvalid)
    assert [error.line for error in refusal.errors] == [2, 3, 4, 5]
    assert str(refusal).startswith("9 of 9 rows")


def test_a_missing_column_is_named(registry: Registry, tape: Tape) -> None:
    path = write_tape(tape.folder / "t.csv", [a_row(0)], [name for name in a_row(0) if name not in {"late_in", "rate"}])

    refusal = refused(registry, tape, path)

    assert isinstance(refusal, TapeUnreadable)
    assert "needs the columns late_in, rate" in str(refusal)


@pytest.mark.parametrize("spoil", ["ragged", "truncated", "encoding", "empty", "header only"])
def test_a_file_that_breaks_off_or_is_something_else_is_refused_whole(
    registry: Registry, tape: Tape, spoil: str
) -> None:
    whole = tape.write(ROWS).read_bytes()
    path = tape.folder / ("t.csv.gz" if spoil == "truncated" else "t.csv")
    path.write_bytes(
        {
            "ragged": whole + b"L99999,1000,12.5\r\n",
            "truncated": gzip.compress(whole)[:-40],
            "encoding": whole.replace(b"L00249", "L0024ß".encode("latin-1")),
            "empty": b"",
            "header only": whole.split(b"\r\n")[0] + b"\r\n",
        }[spoil]
    )

    refusal = refused(registry, tape, path)

    assert (refusal.code, refusal.exit_code) == ("TAPE_UNREADABLE", 2)
    if spoil == "ragged":
        assert f"line {ROWS + 2} has 3 cells, the header 14" in str(refusal)


def test_an_unknown_lender_or_product_is_refused(registry: Registry, tape: Tape) -> None:
    path, before = tape.write(3), counts(registry)
    unpublished = small_mapping(tape.folder, MAPPING.replace("consumer-eur@1", "consumer-eur@9"))

    with pytest.raises(LenderUnknown):
        import_tape(registry, path, tape.mapping, 99)
    with pytest.raises(ProductUnknown):
        import_tape(registry, path, unpublished, 1)

    assert counts(registry) == before


def test_an_interrupted_import_is_completed_by_running_it_again(registry: Registry, tape: Tape) -> None:
    path, before = tape.write(ROWS), counts(registry)

    def die(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tape.load(registry, path, on_booked=die)
    part = booked(registry, tape)
    done: list[int] = []
    report = tape.load(registry, path, on_booked=done.append)
    whole, after = booked(registry, tape), counts(registry)

    assert len(part) == importer.LOANS_PER_COMMIT == report.known
    assert done == [200, 50]
    assert report.loans == ROWS - len(part)
    assert len(whole) == after["loans"] - before["loans"] == ROWS
    assert part.items() <= whole.items()
    assert after["loan_records"] - before["loan_records"] == sum(records for _, _, records in whole.values())
    assert_each_record_is_queued_once(registry)


def assert_each_record_is_queued_once(registry: Registry) -> None:
    with registry.engine.connect() as connection:
        (records,) = connection.execute(select(func.count()).select_from(loan_records)).one()
        queued = connection.execute(select(outbox.c.loan_id, outbox.c.sequence)).all()
    assert len(queued) == len(set(queued)) == records


def test_a_limit_takes_the_first_rows_only(registry: Registry, tape: Tape) -> None:
    path = tape.write(6, {5: {"amount": "x"}})

    report = import_tape(registry, path, tape.mapping, 1, limit=5, decide=False)

    assert (report.rows, report.loans) == (5, 5)


def test_a_row_the_mapping_says_to_skip_is_counted_and_not_imported(registry: Registry, tape: Tape) -> None:
    path = tape.write(4, {2: {"months": ""}})
    text = MAPPING.replace('id = "small"', f'id = "{tape.prefix}"').replace(
        "version = 1", 'version = 1\nskip_without = ["term_months"]'
    )

    report = import_tape(registry, path, small_mapping(tape.folder, text), 1, decide=False)

    assert (report.rows, report.loans, report.skipped, report.skipped_lines) == (4, 3, 1, [4])


def test_errors_are_facts_with_a_place() -> None:
    refusal = TapeInvalid((RowError(7, "", "the amount is outside"),), 1, 12)

    assert str(refusal).startswith("1 of 12 rows cannot be imported, so none was; the first is line 7: the amount")
