"""A small loan tape with cash totals, and the mapping that reads it: tests take them as they are or break one thing."""

import csv
import gzip
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from app.tape.mapping import TapeMapping, load_mapping

MAPPING = """
id = "small"
version = 1
description = "Ten columns of terms and cash."
currency = "EUR"
product = "consumer-eur@1"
derived = ["Everything between the totals."]

[values]
reference = { column = "id" }
principal = { column = "amount", as = "money" }
annual_rate = { column = "rate", as = "decimal", scale = "0.01", places = 6 }
term_months = { column = "months", as = "integer" }
agreed_on = { column = "start", as = "month" }
purpose = { column = "why", map = { trip = "TRAVEL", car = "CAR" } }

[inputs]
annual_income = { column = "income", as = "decimal" }

[cash]
principal_received = { column = "principal_in", as = "money" }
interest_received = { column = "interest_in", as = "money" }
late_fees_received = { column = "late_in", as = "money" }
recovered = { column = "recovered", as = "money" }
last_received_on = { column = "last_on", as = "month" }
last_received = { column = "last_amount", as = "money" }
charged_off = { column = "status", map = { repaid = "no", lost = "yes" } }

[unavailable]
name = "the tape has no names"
"""
COLUMNS = (
    "id", "amount", "rate", "months", "start", "why", "income", "principal_in", "interest_in", "late_in", "recovered",
    "last_on", "last_amount", "status",
)  # fmt: skip
Row = Mapping[str, str]


def small_mapping(folder: Path, text: str = MAPPING) -> TapeMapping:
    """The mapping, read from a file as users give it."""
    path = folder / "small.toml"
    path.write_text(text)
    return load_mapping(str(path))


def a_row(number: int, **changed: str) -> dict[str, str]:
    """A loan that was repaid; every fourth one was lost after five instalments, with a recovery."""
    lost = number % 4 == 3
    values = {
        "id": f"L{number:05d}",
        "amount": f"{1_000 + 25 * number}",
        "rate": "12.5",
        "months": "12",
        "start": f"2016-{number % 12 + 1:02d}",
        "why": "car" if number % 2 else "trip",
        "income": "24000",
        "principal_in": "391.07" if lost else f"{1_000 + 25 * number}.0",
        "interest_in": "40.333" if lost else "68.005",
        "late_in": "5.0" if lost else "0.0",
        "recovered": "120.4549" if lost else "0.0",
        "last_on": "2016-06" if lost and number % 12 < 5 else "2018-02",
        "last_amount": "87.28" if lost else "95.0",
        "status": "lost" if lost else "repaid",
    }
    return values | changed


def write_tape(path: Path, rows: Iterable[Row], columns: Iterable[str] = COLUMNS) -> Path:
    """Rows as CSV, gzipped CSV or Parquet, as the name ends."""
    rows, columns = list(rows), list(columns)
    if path.suffix == ".parquet":
        pq.write_table(pa.table({name: [row[name] for row in rows] for name in columns}), path)
        return path
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path
