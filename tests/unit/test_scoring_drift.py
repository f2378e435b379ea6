"""Stability indexes against the formula written out, and the states they ask for."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.application_schema import APPLICATION_1
from scoring.drift import (
    Drift,
    DriftState,
    drift_of,
    drift_text,
    score_drift,
    stability_of_categories,
    stability_of_numbers,
)
from scoring.matrix import TrainingFrame
from scoring.simulated import simulate_applicant


def test_the_index_of_categories_is_the_formula_written_out() -> None:
    before = np.array([b"a"] * 60 + [b"b"] * 40, dtype=object)
    now = np.array([b"a"] * 30 + [b"b"] * 70, dtype=object)

    expected = (0.3 - 0.6) * math.log(0.3 / 0.6) + (0.7 - 0.4) * math.log(0.7 / 0.4)

    assert stability_of_categories(before, now) == pytest.approx(expected)


def test_the_index_of_numbers_is_the_formula_over_deciles() -> None:
    before, now = np.arange(1000.0), np.concatenate([np.arange(1000.0), np.full(1000, 2000.0)])

    # Half of the rows now lie in the last decile: 0.55 there and 0.05 in each of the nine others.
    expected = 9 * (0.05 - 0.1) * math.log(0.05 / 0.1) + (0.55 - 0.1) * math.log(0.55 / 0.1)

    assert stability_of_numbers(before, now) == pytest.approx(expected, abs=0.01)


@given(st.lists(st.one_of(st.none(), st.integers(-50, 50)), min_size=1, max_size=200))
def test_a_population_has_not_drifted_from_itself(values: list[int | None]) -> None:
    numbers = np.array([np.nan if v is None else float(v) for v in values])

    assert stability_of_numbers(numbers, numbers) == pytest.approx(0, abs=1e-12)


def test_values_that_went_missing_are_drift() -> None:
    before, now = np.arange(100.0), np.where(np.arange(100) < 40, np.nan, np.arange(100.0))

    assert stability_of_numbers(before, now) > 0.25


@pytest.mark.parametrize(
    ("index", "state"),
    [(0.0, DriftState.STABLE), (0.1, DriftState.STABLE), (0.11, DriftState.WATCH), (0.25, DriftState.WATCH),
     (0.26, DriftState.ACT)],
)  # fmt: skip
def test_the_state_follows_the_customary_thresholds(index: float, state: DriftState) -> None:
    assert Drift("x", index).state is state


def test_the_summary_names_what_asks_for_attention_or_the_greatest() -> None:
    assert drift_text((Drift("a", 0.3), Drift("b", 0.15), Drift("c", 0.01))) == "a 0.3000 (ACT), b 0.1500 (WATCH)"
    assert drift_text((Drift("c", 0.01),)) == "none above 0.1; greatest c 0.0100"


def test_a_shifted_feature_is_named_first() -> None:
    rng = random.Random(4)
    rows = [simulate_applicant(rng) for _ in range(800)]
    frame = TrainingFrame.of(APPLICATION_1, rows, [0] * 800, ["2024-01"] * 800)
    column = [f.name for f in APPLICATION_1.numeric].index("debt_to_income")
    shifted = frame.numeric.copy()
    shifted[:, column] *= 2

    drifts = drift_of(frame, replace(frame, numeric=shifted))

    assert drifts[0].feature == "debt_to_income"
    assert drifts[0].state is DriftState.ACT
    assert all(d.index == pytest.approx(0, abs=1e-12) for d in drifts[1:])
    assert score_drift(np.linspace(0, 1, 50), np.linspace(0, 1, 50)).state is DriftState.STABLE
