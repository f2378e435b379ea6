"""Metrics against oracles that share no code with them: counting pairs, definitions written out, score equations."""

import math
from decimal import Decimal
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scoring.calibration import Calibration, logistic_line, probability_of
from scoring.evaluation import (
    auc,
    auc_interval,
    brier,
    calibration_line,
    evaluate,
    expected_calibration_error,
    kolmogorov_smirnov,
)
from scoring.folds import stratified_folds

outcomes_and_scores = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 12).map(lambda k: k / 13 + 0.01)), min_size=4, max_size=60
)


def split(rows: list[tuple[int, float]]) -> tuple[np.ndarray, np.ndarray, list[float], list[float]]:
    bad = [s for y, s in rows if y == 1]
    good = [s for y, s in rows if y == 0]
    assume(len(bad) > 1 and len(good) > 1)
    return np.array([y for y, _ in rows]), np.array([s for _, s in rows]), bad, good


def pair(bad: float, good: float) -> float:
    return 1.0 if bad > good else 0.5 if bad == good else 0.0


@given(outcomes_and_scores)
def test_auc_is_the_share_of_pairs_ranked_right(rows: list[tuple[int, float]]) -> None:
    target, score, bad, good = split(rows)

    pairs = [pair(b, g) for b, g in product(bad, good)]

    assert auc(target, score) == pytest.approx(sum(pairs) / len(pairs), abs=1e-12)


@given(outcomes_and_scores)
def test_the_interval_is_delongs_variance_written_out(rows: list[tuple[int, float]]) -> None:
    target, score, bad, good = split(rows)
    area = sum(pair(b, g) for b, g in product(bad, good)) / (len(bad) * len(good))
    per_bad = [sum(pair(b, g) for g in good) / len(good) for b in bad]
    per_good = [sum(pair(b, g) for b in bad) / len(bad) for g in good]
    variance = sum((v - area) ** 2 for v in per_bad) / (len(bad) - 1) / len(bad)
    variance += sum((v - area) ** 2 for v in per_good) / (len(good) - 1) / len(good)

    found, low, high = auc_interval(target, score)

    assert found == pytest.approx(area, abs=1e-12)
    assert low == pytest.approx(max(0.0, area - 1.959963984540054 * math.sqrt(variance)), abs=1e-9)
    assert high == pytest.approx(min(1.0, area + 1.959963984540054 * math.sqrt(variance)), abs=1e-9)


@given(outcomes_and_scores)
def test_ks_is_the_widest_gap_over_every_cut_off(rows: list[tuple[int, float]]) -> None:
    target, score, bad, good = split(rows)
    gaps = [
        abs(sum(b <= cut for b in bad) / len(bad) - sum(g <= cut for g in good) / len(good)) for cut in {*bad, *good}
    ]

    assert kolmogorov_smirnov(target, score) == pytest.approx(max(gaps), abs=1e-12)


@given(outcomes_and_scores)
def test_auc_turns_over_with_the_score_and_ignores_its_scale(rows: list[tuple[int, float]]) -> None:
    target, score, _, _ = split(rows)

    assert auc(target, -score) == pytest.approx(1 - auc(target, score), abs=1e-12)
    assert auc(target, np.exp(3 * score)) == pytest.approx(auc(target, score), abs=1e-12)


def test_brier_is_the_mean_squared_gap() -> None:
    assert brier(np.array([1, 0, 0]), np.array([0.5, 0.5, 0.2])) == pytest.approx((0.25 + 0.25 + 0.04) / 3)


def test_expected_calibration_error_weighs_the_gaps_of_its_groups() -> None:
    probability = np.array([0.1, 0.1, 0.5, 0.5])

    assert expected_calibration_error(np.array([0, 0, 1, 0]), probability, bins=2) == pytest.approx(0.05)
    assert expected_calibration_error(np.array([1, 1, 1, 1]), probability, bins=2) == pytest.approx(0.7)


def test_the_logistic_line_solves_its_score_equations() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=4000)
    target = (rng.random(4000) < 1 / (1 + np.exp(-(0.3 + 1.7 * x)))).astype(int)

    intercept, slope = logistic_line(target, x)

    residual = target - 1 / (1 + np.exp(-(intercept + slope * x)))
    assert abs(residual.sum()) < 1e-6
    assert abs((residual * x).sum()) < 1e-6
    assert slope == pytest.approx(1.7, abs=0.15)


def test_perfect_probabilities_have_slope_one_and_intercept_zero() -> None:
    rng = np.random.default_rng(8)
    probability = rng.uniform(0.02, 0.6, 60_000)
    target = (rng.random(60_000) < probability).astype(int)

    intercept, slope = calibration_line(target, probability)

    assert intercept == pytest.approx(0, abs=0.04)
    assert slope == pytest.approx(1, abs=0.04)
    assert expected_calibration_error(target, probability) < 0.01


@pytest.mark.parametrize(("sharpness", "recalibrated"), [(1.0, False), (1.05, False), (0.5, True), (2.0, True)])
def test_calibration_is_applied_only_when_the_slope_leaves_the_band(sharpness: float, *, recalibrated: bool) -> None:
    rng = np.random.default_rng(3)
    raw = rng.normal(-1.5, 1.0, 40_000)
    target = (rng.random(40_000) < 1 / (1 + np.exp(-sharpness * raw))).astype(int)

    calibration = Calibration.fit(target, raw)

    assert (calibration != Calibration()) == recalibrated
    if recalibrated:
        assert float(calibration.slope) == pytest.approx(sharpness, rel=0.08)
        assert calibration_line(target, calibration.apply(raw))[1] == pytest.approx(1, abs=1e-3)


def test_a_centred_calibration_is_right_on_average() -> None:
    rng = np.random.default_rng(4)
    raw = rng.normal(-2, 1, 5000)
    target = (rng.random(5000) < 0.3).astype(int)

    centred = Calibration().centred(target, raw)

    assert centred.apply(raw).mean() == pytest.approx(target.mean(), abs=1e-6)


def test_exact_and_measuring_arithmetic_of_a_calibration_agree() -> None:
    calibration = Calibration(Decimal("1.25"), Decimal("-0.3"))
    for raw in (-7.5, -1.0, 0.0, 0.1, 3.25):
        exact = probability_of(calibration.log_odds(raw))
        assert float(exact) == pytest.approx(float(calibration.apply(np.array([raw]))[0]), abs=5.1e-7)


def test_performance_figures_are_written_with_four_places() -> None:
    rng = np.random.default_rng(1)
    probability = rng.uniform(0.05, 0.5, 500)
    target = (rng.random(500) < probability).astype(int)

    figures = evaluate(target, probability).figures()

    assert figures["rows"] == "500"
    assert figures["auc"] == f"{auc(target, probability):.4f}"


@given(st.lists(st.integers(0, 1), min_size=20, max_size=200), st.integers(0, 99))
def test_folds_are_stratified_and_repeatable(labels: list[int], seed: int) -> None:
    target = np.array(labels)
    assume(5 <= target.sum() <= len(labels) - 5)

    folds = stratified_folds(target, 5, seed)

    assert (folds == stratified_folds(target, 5, seed)).all()
    for label in (0, 1):
        counts = np.bincount(folds[target == label], minlength=5)
        assert counts.max() - counts.min() <= 1
