"""On the real tape: every column that leaks is refused by name, and training out of time works on a sample."""

import csv
import gzip
import re
from pathlib import Path

import pytest

from scoring.feature_errors import FeatureNotKnownAtApplication
from scoring.features import FeatureVector
from scoring.lendingclub_schema import LENDINGCLUB_1
from scoring.matrix import TrainingFrame
from scoring.model import Model
from scoring.tape import TapeInvalid, TapeMissing, application_of, read_tape
from scoring.train import split_out_of_time, train_from_tape
from scoring.training import Hyperparameters

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "lendingclub_2007_2011"
TAPE = FOLDER / "loans.csv.gz"

needs_tape = pytest.mark.skipif(not TAPE.is_file(), reason="../shared/data/lendingclub_2007_2011 is not here")


def leaking_columns() -> list[str]:
    """The columns that the tape's own README lists as leakage, with its wildcards filled in from the header."""
    text = (FOLDER / "README.md").read_text("utf-8")
    listed = re.search(r"Not known at application \(leakage\): (.*?)\. The lender's own", text, re.DOTALL)
    assert listed is not None
    patterns = [re.escape(item.strip()).replace(r"\*", ".*") for item in listed.group(1).split(",")]
    with gzip.open(TAPE, "rt", encoding="utf-8") as file:
        header = next(csv.reader(file))
    return [column for column in header if any(re.fullmatch(pattern, column) for pattern in patterns)]


@needs_tape
def test_every_column_the_tape_lists_as_leakage_is_refused_by_name() -> None:
    with gzip.open(TAPE, "rt", encoding="utf-8") as file:
        row = next(csv.DictReader(file))
    clean = application_of(row, LENDINGCLUB_1)
    columns = leaking_columns()

    assert len(columns) > 35
    for column in [*columns, "default", "grade", "sub_grade", "int_rate", "installment"]:
        with pytest.raises(FeatureNotKnownAtApplication) as refusal:
            FeatureVector.build(LENDINGCLUB_1, clean | {column: row[column] or None})
        assert refusal.value.feature == column
        with pytest.raises(FeatureNotKnownAtApplication):
            TrainingFrame.of(LENDINGCLUB_1, [clean, clean | {column: row[column] or None}], [0, 1], ["2007-06"] * 2)


@needs_tape
def test_training_out_of_time_on_a_sample_ranks_later_months(tmp_path: Path) -> None:
    hyper = Hyperparameters(iterations=150, depth=3, learning_rate=0.1, patience=30)

    result = train_from_tape(TAPE, tmp_path, hyper=hyper, every=5)

    written = Model.load(tmp_path / f"{result.bundle.version}.model.json", expected_sha256=result.card.model_hash)
    assert written.schema is LENDINGCLUB_1
    assert result.test.rows > 1500
    assert 0.60 < result.test.auc < 0.80
    assert "out of time, 2011-01 to 2011-06" in (tmp_path / "MODEL_CARD.md").read_text("utf-8")


@needs_tape
def test_no_tested_month_is_trained_on() -> None:
    frame = read_tape(TAPE, LENDINGCLUB_1, every=10)

    parts, test = split_out_of_time(frame)

    assert max(parts.fit.months.tolist()) < min(parts.stop.months.tolist())
    assert max(parts.stop.months.tolist()) < min(test.months.tolist())
    assert len(parts.fit) + len(parts.stop) + len(test) == len(frame)


def test_a_tape_that_is_not_there_or_lacks_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TapeMissing):
        read_tape(tmp_path / "none.csv.gz", LENDINGCLUB_1)
    short = tmp_path / "short.csv"
    short.write_text("loan_amnt,default\n1,0\n", encoding="utf-8")
    with pytest.raises(TapeInvalid):
        read_tape(short, LENDINGCLUB_1)
