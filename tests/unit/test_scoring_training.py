"""Training repeats byte for byte, takes nothing that leaks, and the simulated portfolio is what it says."""

import math
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scoring.application_schema import APPLICATION_1
from scoring.evaluation import evaluate
from scoring.feature_errors import FeatureNotKnownAtApplication, FeatureUnknown
from scoring.features import FeatureVector
from scoring.matrix import TrainingFrame
from scoring.model import Model
from scoring.model_card import ModelCard, segments_of
from scoring.simulated import (
    CATEGORIES,
    CATEGORY_WEIGHTS,
    HOME_RISK,
    HOME_WEIGHTS,
    PURPOSE_RISK,
    default_probability,
    draw_category,
    draw_outcome,
    simulate_applicant,
)
from scoring.training import Hyperparameters, time_parts, train

SMALL = Hyperparameters(iterations=30, depth=3, learning_rate=0.2, patience=10)


def a_frame(rows: int = 1500, seed: int = 3) -> TrainingFrame:
    rng = random.Random(seed)
    raw = [simulate_applicant(rng, draw_category(rng)) for _ in range(rows)]
    months = [f"2024-{1 + number * 12 // rows:02d}" for number in range(rows)]
    return TrainingFrame.of(APPLICATION_1, raw, [draw_outcome(rng, r) for r in raw], months)


def test_equal_rows_and_seed_give_an_equal_file_byte_for_byte() -> None:
    parts = time_parts(a_frame(), "2024-09", "2024-11")

    first = train(parts, model_version="t", hyper=SMALL).bundle.to_bytes()
    again = train(parts, model_version="t", hyper=SMALL).bundle.to_bytes()

    assert first == again


def test_another_seed_gives_another_model() -> None:
    parts = time_parts(a_frame(), "2024-09", "2024-11")
    first = train(parts, model_version="t", hyper=SMALL).bundle
    other = train(parts, model_version="t", hyper=replace(SMALL, seed=43)).bundle

    assert first.trees != other.trees


@pytest.mark.parametrize("column", ["loan_status", "total_pymnt", "recoveries", "hardship_flag", "default"])
def test_a_leaked_column_in_a_training_frame_raises(column: str) -> None:
    rng = random.Random(1)
    rows: list[dict[str, Any]] = [simulate_applicant(rng) for _ in range(5)]
    rows[3][column] = "1"

    with pytest.raises(FeatureNotKnownAtApplication) as refusal:
        TrainingFrame.of(APPLICATION_1, rows, [0, 1, 0, 1, 0], ["2024-01"] * 5)

    assert refusal.value.feature == column


def test_a_column_nobody_defined_in_a_training_frame_raises() -> None:
    with pytest.raises(FeatureUnknown):
        TrainingFrame.of(APPLICATION_1, [simulate_applicant(random.Random(1)) | {"hunch": 1}], [0], ["2024-01"])


def test_parts_are_in_time_order_and_leave_the_test_months_out() -> None:
    frame = a_frame()

    parts = time_parts(frame, "2024-09", "2024-11")

    assert parts.fit.period == "2024-01 to 2024-08"
    assert parts.stop.period == "2024-09 to 2024-10"
    assert len(parts.fit) + len(parts.stop) == int((frame.months < "2024-11").sum())


def test_the_trained_model_is_right_on_average_over_its_own_rows() -> None:
    trained = train(time_parts(a_frame(), "2024-09", "2024-11"), model_version="t", hyper=SMALL)

    probability = Model.of(trained.bundle).probabilities(trained.frame)

    assert probability.mean() == pytest.approx(trained.frame.target.mean(), abs=1e-5)


def test_measuring_and_deciding_agree_on_the_probability() -> None:
    rng = random.Random(5)
    raw = [simulate_applicant(rng, draw_category(rng)) for _ in range(100)]
    model = Model.load()
    frame = TrainingFrame.of(APPLICATION_1, raw, [0] * 100, ["2024-01"] * 100)

    decided = model.score_many([FeatureVector.build(APPLICATION_1, r) for r in raw])

    assert [float(s.probability) for s in decided] == pytest.approx(model.probabilities(frame), abs=5.1e-7)


def test_a_model_card_says_what_the_model_is_and_is_not_for() -> None:
    trained = train(time_parts(a_frame(), "2024-09", "2024-11"), model_version="t", hyper=SMALL)
    model, frame = Model.of(trained.bundle), trained.frame
    probability = model.probabilities(frame)
    card = ModelCard(
        "t", model.hash, APPLICATION_1, "simulated", "1250 rows", trained.trees,
        {"all": evaluate(frame.target, probability)}, segments_of(frame, probability),
        ("Not for lending.",), trained.bundle.trained_with, "none",
    )  # fmt: skip

    text = card.markdown()

    assert model.hash in text
    assert "Not for lending." in text
    assert all(feature.name in text for feature in APPLICATION_1.modelled)
    assert f"{evaluate(frame.target, probability).auc:.4f}" in text
    assert card.body()["performance"]["all"]["rows"] == str(len(frame))
    for segment in card.segments:
        column = [f.name for f in APPLICATION_1.categorical].index(segment.feature)
        assert segment.rows == int((frame.categorical[:, column] == segment.value.encode()).sum())


def test_an_applicant_is_drawn_again_from_the_same_seed_and_passes_the_door() -> None:
    for category in CATEGORIES:
        first = simulate_applicant(random.Random(9), category)
        assert first == simulate_applicant(random.Random(9), category)
        vector = FeatureVector.build(APPLICATION_1, first)
        assert vector.inputs["product_category"] == category
        assert 0 < default_probability(first) < 1


def test_the_simulated_risk_is_the_equation_in_the_documentation() -> None:
    raw: dict[str, Any] = {
        "amount": 50_000, "term_months": 48, "annual_income": 100_000, "debt_to_income": "0.38",
        "employment_years": None, "home_ownership": "rent", "purpose": "medical", "product_category": "personal",
        "prior_delinquencies_24m": 7, "inquiries_6m": 3, "open_accounts": 9, "public_records": 1,
        "revolving_utilisation": "0.65", "credit_history_months": 96,
    }  # fmt: skip
    log_odds = -3.05 + 0.55 * math.log(0.5) + 0.010 * 2 + 1.1 * 0.10 + 0.55 * 4 + 0.17 * 3 + 0.60 + 1.1 * 0.20
    log_odds += -0.025 * (0 - 5) - 0.35 * math.log(1.0) + 0.15 + 0.20 + 0.0

    assert default_probability(raw) == pytest.approx(1 / (1 + math.exp(-log_odds)), abs=1e-12)


def test_drawn_outcomes_follow_the_true_probability() -> None:
    rng = random.Random(21)
    raw = [simulate_applicant(rng, draw_category(rng)) for _ in range(20_000)]
    truth = np.array([default_probability(r) for r in raw])
    outcomes = np.array([draw_outcome(rng, r) for r in raw])

    error = math.sqrt(float((truth * (1 - truth)).sum())) / len(raw)
    assert abs(outcomes.mean() - truth.mean()) < 4 * error
    assert 0.04 < truth.mean() < 0.09


def test_the_simulation_speaks_the_schemas_categories_only() -> None:
    allowed = {f.name: set(f.categories) for f in APPLICATION_1.categorical}

    assert set(CATEGORIES) == set(CATEGORY_WEIGHTS) == allowed["product_category"]
    assert set(HOME_RISK) == set(HOME_WEIGHTS) == allowed["home_ownership"]
    assert {p for c in CATEGORIES.values() for p in c.purposes} <= set(PURPOSE_RISK) == allowed["purpose"]
