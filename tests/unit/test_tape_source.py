"""Files of a tape: the same rows from each form, the line of each row, and files that cannot be read."""

import gzip
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.tape.history import history_of
from app.tape.source import TapeMissing, TapeUnreadable, rows_of
from registry.domain.product import shipped_product
from registry.services.book_histories import LoanHistory
from tests.support.small_tape import COLUMNS, a_row, small_mapping, write_tape

TODAY = date(2026, 1, 1)
cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)


def unreadable(path: Path) -> str:
    with pytest.raises(TapeUnreadable) as refused:
        list(rows_of(path))
    assert refused.value.exit_code == 2
    return str(refused.value)


@pytest.mark.parametrize("name", ["tape.csv", "tape.csv.gz", "tape.parquet"])
def test_every_form_of_a_tape_tells_the_same_histories(tmp_path: Path, name: str) -> None:
    mapping, product = small_mapping(tmp_path), shipped_product("consumer-eur")
    rows = [a_row(number) for number in range(24)]
    expected = [history_of(row, mapping, product, TODAY) for row in rows_of(write_tape(tmp_path / "x.csv", rows))]

    found = [history_of(row, mapping, product, TODAY) for row in rows_of(write_tape(tmp_path / name, rows))]

    assert len(found) == 24
    assert all(isinstance(history, LoanHistory) for history in found)
    assert found == expected


def test_typed_cells_of_parquet_tell_the_same_history_as_text(tmp_path: Path) -> None:
    mapping, product = small_mapping(tmp_path), shipped_product("consumer-eur")
    row = a_row(1)
    typed = {name: [row[name]] for name in COLUMNS} | {
        "amount": [1025],
        "rate": [12.5],
        "months": [12.0],
        "start": [datetime(2016, 2, 1)],  # noqa: DTZ001 - as a table without zones has it
        "last_on": [date(2018, 2, 1)],
        "late_in": pa.array([None], pa.float64()),
        "recovered": [float("nan")],
    }
    pq.write_table(pa.table(typed), tmp_path / "typed.parquet")
    (from_parquet,) = rows_of(tmp_path / "typed.parquet")
    (from_csv,) = rows_of(write_tape(tmp_path / "x.csv", [row | {"late_in": "", "recovered": ""}]))

    assert history_of(from_parquet, mapping, product, TODAY) == history_of(from_csv, mapping, product, TODAY)


@settings(max_examples=60)
@given(rows=st.lists(st.fixed_dictionaries({"a": cells, "b": cells, "c": st.just("x")}), min_size=1, max_size=5))
def test_whatever_stands_in_a_cell_comes_out_of_every_form_alike(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("forms")

    for name in ("t.csv", "t.csv.gz", "t.parquet"):
        assert [row.cells for row in rows_of(write_tape(folder / name, rows, "abc"))] == rows


def test_rows_are_numbered_by_the_line_they_end_on(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('a,b\n1,2\n\n3,"two\nlines"\n5,6\n')

    assert [(row.line, row.cells["a"]) for row in rows_of(path)] == [(2, "1"), (5, "3"), (6, "5")]


def test_a_byte_order_mark_and_other_line_ends_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbfa,b\r\n1,2\r\n")

    assert [row.cells for row in rows_of(tmp_path / "t.csv")] == [{"a": "1", "b": "2"}]


def test_a_column_without_a_name_is_a_column(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(",a\n0,1\n")

    assert [row.cells for row in rows_of(tmp_path / "t.csv")] == [{"": "0", "a": "1"}]


def test_only_the_first_rows_are_read_when_asked(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\nragged\n")

    assert [row.cells["a"] for row in rows_of(tmp_path / "t.csv", 2)] == ["1", "3"]


@pytest.mark.parametrize("row", ["1", "1,2,3", '"1,2'])
def test_a_row_of_another_width_is_refused_with_its_line(tmp_path: Path, row: str) -> None:
    (tmp_path / "t.csv").write_text(f"a,b\n1,2\n{row}\n")

    assert "line 3 has" in unreadable(tmp_path / "t.csv")


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,a\n1,2,3\n")

    assert "more than one column 'a'" in unreadable(tmp_path / "t.csv")


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "gb18030"])
def test_a_file_in_another_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "t.csv").write_bytes("a,b\n1,Müller\n".encode(encoding))

    assert "cannot be read as CSV" in unreadable(tmp_path / "t.csv")


def test_a_gzip_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = write_tape(tmp_path / "whole.csv.gz", [a_row(number) for number in range(40)]).read_bytes()

    for length in (len(whole) // 4, len(whole) // 2, len(whole) - 9, len(whole) - 1):
        (tmp_path / "cut.csv.gz").write_bytes(whole[:length])
        assert "cut.csv.gz cannot be read" in unreadable(tmp_path / "cut.csv.gz")


def test_a_gzip_file_with_a_flipped_byte_is_refused(tmp_path: Path) -> None:
    whole = write_tape(tmp_path / "whole.csv.gz", [a_row(number) for number in range(40)]).read_bytes()

    for at in range(10, len(whole) - 4, 7):
        (tmp_path / "t.csv.gz").write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        unreadable(tmp_path / "t.csv.gz")


@pytest.mark.parametrize("name", ["t.csv.gz", "t.parquet"])
@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"PAR1", gzip.compress(b"\xff", mtime=0)[:5]])
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)

    assert name in unreadable(tmp_path / name)


def test_no_file_and_a_folder_are_no_tape(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(TapeMissing) as missing:
            list(rows_of(path))
        assert missing.value.exit_code == 4
