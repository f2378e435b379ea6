"""The LendingClub tape: CSV rows to application-time inputs, outcome and issue month."""

import csv
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import ClassVar, TextIO

from registry.domain.errors import InvalidInput, NotFound
from scoring.features import Feature, FeatureSchema, Kind, Raw
from scoring.matrix import TrainingFrame

TARGET = "default"
ISSUED = "issue_d"
OLDEST_LINE = "earliest_cr_line"

_EMPLOYMENT = {"< 1 year": "0", "1 year": "1", "10+ years": "10"} | {
    f"{years} years": str(years) for years in range(2, 10)
}


@dataclass(eq=False)
class TapeMissing(NotFound):
    """There is no tape at this path."""

    path: Path
    code: ClassVar[str] = "TAPE_MISSING"

    def __str__(self) -> str:
        return f"No loan tape at {self.path}; give the path of a loans.csv.gz."


@dataclass(eq=False)
class TapeInvalid(InvalidInput):
    """A tape lacks a column or holds a value that is none."""

    where: str
    rule: str
    code: ClassVar[str] = "TAPE_INVALID"

    def __str__(self) -> str:
        return f"The tape cannot be read at {self.where}: {self.rule}."


def read_tape(path: Path, schema: FeatureSchema, every: int = 1) -> TrainingFrame:
    """Every `every`-th row of a tape as a training frame; only the schema's own inputs are taken from it."""
    if not path.is_file():
        raise TapeMissing(path)
    with _opened(path) as file:
        reader = csv.DictReader(file)
        _require_columns(reader.fieldnames or (), schema)
        chosen = [row for number, row in enumerate(reader) if number % every == 0]
    return TrainingFrame.of(
        schema,
        (application_of(row, schema) for row in chosen),
        [int(row[TARGET]) for row in chosen],
        [row[ISSUED] for row in chosen],
    )


def application_of(row: Mapping[str, str], schema: FeatureSchema) -> dict[str, Raw]:
    """The inputs of one tape row as they stood at application."""
    return {feature.name: _value(row, feature) for feature in schema.inputs}


def months_between(earlier: str, later: str) -> int:
    """Whole months from one YYYY-MM to another."""
    return (int(later[:4]) - int(earlier[:4])) * 12 + int(later[5:7]) - int(earlier[5:7])


def _value(row: Mapping[str, str], feature: Feature) -> Raw:
    if feature.name == "credit_history_months":
        return max(months_between(row[OLDEST_LINE], row[ISSUED]), 0) if row[OLDEST_LINE] else None
    text = row[feature.name].strip()
    if feature.name == "emp_length":
        return _employment(text)
    if not text or feature.kind is Kind.CATEGORICAL:
        return text or None
    try:
        return round(Decimal(text), feature.places)
    except InvalidOperation as broken:
        raise TapeInvalid(f"column {feature.name}", f"{text[:40]!r} is no number") from broken


def _employment(text: str) -> str | None:
    if text in {"", "n/a"}:
        return None
    if text not in _EMPLOYMENT:
        raise TapeInvalid("column emp_length", f"{text[:40]!r} is no length of employment")
    return _EMPLOYMENT[text]


def _require_columns(present: Sequence[str], schema: FeatureSchema) -> None:
    needed = {f.name for f in schema.inputs} - {"credit_history_months"} | {TARGET, ISSUED, OLDEST_LINE}
    if absent := sorted(needed - set(present)):
        raise TapeInvalid("its header", f"columns {', '.join(absent)} are absent")


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")
