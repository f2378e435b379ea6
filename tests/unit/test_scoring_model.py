"""A model file is the one that was approved or it decides nothing; the same application always gets the same score."""

import hashlib
import json
import math
import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoring.application_schema import APPLICATION_1
from scoring.calibration import Calibration
from scoring.features import FeatureVector, Kind
from scoring.lendingclub_schema import LENDINGCLUB_1
from scoring.model import DEFAULT_MODEL_PATH, Model
from scoring.model_errors import ModelCorrupt, ModelFeaturesDiffer, ModelMissing
from scoring.scale import Scale
from scoring.simulated import CATEGORIES, draw_category, simulate_applicant


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.load()


def applicants(count: int, seed: int = 7) -> list[FeatureVector]:
    rng = random.Random(seed)
    return [FeatureVector.build(APPLICATION_1, simulate_applicant(rng, draw_category(rng))) for _ in range(count)]


def test_a_model_is_identified_by_the_sha256_of_its_file(model: Model) -> None:
    found = hashlib.sha256(DEFAULT_MODEL_PATH.read_bytes()).hexdigest()

    assert model.hash == found
    assert Model.load(DEFAULT_MODEL_PATH, expected_sha256="0x" + found.upper()).version == "default-1"


def test_a_model_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing) as refusal:
        Model.load(tmp_path / "none.model.json")

    assert refusal.value.path == tmp_path / "none.model.json"


def test_a_file_other_than_the_expected_one_is_corrupt() -> None:
    with pytest.raises(ModelCorrupt) as refusal:
        Model.load(DEFAULT_MODEL_PATH, expected_sha256="00" * 32)

    assert "00" * 32 in refusal.value.expected
    assert hashlib.sha256(DEFAULT_MODEL_PATH.read_bytes()).hexdigest() in refusal.value.found


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, DEFAULT_MODEL_PATH.stat().st_size * 8 - 1))
def test_a_flipped_bit_is_noticed_even_without_an_expected_hash(tmp_path: Path, bit: int) -> None:
    data = bytearray(DEFAULT_MODEL_PATH.read_bytes())
    data[bit // 8] ^= 1 << (bit % 8)
    path = tmp_path / "flipped.model.json"
    path.write_bytes(data)

    with pytest.raises(ModelCorrupt):
        Model.load(path)


@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, -1])
def test_a_truncated_file_is_corrupt(tmp_path: Path, keep: float) -> None:
    data = DEFAULT_MODEL_PATH.read_bytes()
    path = tmp_path / "short.model.json"
    path.write_bytes(data[: int(keep * len(data)) if keep == 0.5 else int(keep)])

    with pytest.raises(ModelCorrupt):
        Model.load(path)


def rewritten(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The default model with its body changed and its inner digest made right again."""
    body = json.loads(DEFAULT_MODEL_PATH.read_bytes())["body"]
    change(body)
    path.write_bytes(rfc8785.dumps({"body": body, "sha256": hashlib.sha256(rfc8785.dumps(body)).hexdigest()}))
    return path


def test_a_model_of_other_features_is_refused_when_loaded(tmp_path: Path) -> None:
    path = rewritten(tmp_path / "m.json", lambda body: body["schema"].update(sha256="11" * 32))

    with pytest.raises(ModelFeaturesDiffer):
        Model.load(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.pop("calibration"),
        lambda body: body["calibration"].update(slope="one"),
        lambda body: body.update(trees="!!!"),
        lambda body: body.update(trees="AAAA"),
        lambda body: body["tree_features"].pop(),
        lambda body: body["tree_features"][0].append(0),
        lambda body: body["tree_features"][0].__setitem__(0, 99),
        lambda body: body.update(format="other/1"),
    ],
)
def test_a_model_file_that_contradicts_itself_is_corrupt(
    tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    with pytest.raises(ModelCorrupt):
        Model.load(rewritten(tmp_path / "m.json", change))


def test_a_vector_of_another_schema_is_not_scored(model: Model) -> None:
    raw: dict[str, Any] = {"loan_amnt": 1000, "term": 36, "home_ownership": "RENT", "purpose": "car"}

    with pytest.raises(ModelFeaturesDiffer):
        model.score(FeatureVector.build(LENDINGCLUB_1, raw))


def test_scoring_many_gives_each_the_score_it_has_alone(model: Model) -> None:
    vectors = applicants(300)

    together = model.score_many(vectors)

    assert together == tuple(model.score(v) for v in vectors)
    assert together[::-1] == model.score_many(vectors[::-1])
    assert model.score_many([]) == ()


def test_a_model_loaded_again_gives_the_same_scores(model: Model) -> None:
    vectors = applicants(50, seed=8)

    assert Model.load().score_many(vectors) == model.score_many(vectors)


@pytest.mark.parametrize("line", [None, Calibration(Decimal("1.3"), Decimal("0.25"))])
def test_baseline_and_effects_add_up_to_the_log_odds(model: Model, line: Calibration | None) -> None:
    if line is not None:
        model = Model.of(replace(model.bundle, calibration=line))
    for score in model.score_many(applicants(200)):
        probability = float(score.probability)
        total = float(score.baseline + sum(c.effect for c in score.contributions))
        # The probability is rounded to 1e-6, every one of the fifteen terms to 1e-6.
        slack = 0.5e-6 / (probability * (1 - probability)) + 8e-6
        assert total == pytest.approx(math.log(probability / (1 - probability)), abs=slack)
        assert [c.feature for c in score.contributions] == [f.name for f in APPLICATION_1.modelled]


def test_figures_of_a_score_are_exact_decimals_of_six_places(model: Model) -> None:
    for score in model.score_many(applicants(50)):
        assert Decimal(0) < score.probability < Decimal(1)
        numbers = [score.probability, score.baseline, *(c.effect for c in score.contributions)]
        assert all(number.as_tuple().exponent == -6 for number in numbers)


STEPS: dict[str, list[Any]] = {
    "debt_to_income": ["0", "0.1", "0.3", "0.6", "1", "3"],
    "employment_years": ["0", "1", "3", "7", "15", "40"],
    "prior_delinquencies_24m": [0, 1, 2, 4, 9],
    "inquiries_6m": [0, 1, 3, 6, 20],
    "public_records": [0, 1, 2, 5],
    "revolving_utilisation": ["0", "0.2", "0.5", "0.9", "2"],
    "credit_history_months": [0, 12, 60, 120, 400],
    "amount": [1000, 5000, 20000, 90000, 400000],
}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**9), st.sampled_from(sorted(CATEGORIES)), st.sampled_from(sorted(STEPS)))
def test_no_constrained_feature_ever_moves_the_probability_the_wrong_way(seed: int, category: str, name: str) -> None:
    raw = simulate_applicant(random.Random(seed), category) | {"term_months": 24, "annual_income": 60000}
    sign = next((f.monotone for f in APPLICATION_1.features if f.name == name), 0) or 1

    scores = _MODEL.score_many([FeatureVector.build(APPLICATION_1, raw | {name: step}) for step in STEPS[name]])

    moved = [s.probability * sign for s in scores]
    assert moved == sorted(moved)


_MODEL = Model.load()


def test_every_constrained_feature_of_the_schema_is_walked() -> None:
    constrained = {f.name for f in APPLICATION_1.features if f.monotone and f.derive is None and f.kind is Kind.NUMERIC}

    assert constrained <= STEPS.keys()


def test_points_double_the_odds_as_the_scale_states() -> None:
    scale = Scale.shipped()
    base = -scale.base_odds.ln()

    assert scale.points(base) == scale.base_points
    assert scale.points(base - Decimal(2).ln()) == scale.base_points + scale.points_to_double_odds
    assert scale.points(base + Decimal(4).ln()) == scale.base_points - 2 * scale.points_to_double_odds
    assert scale.points(Decimal(1000)) == scale.points_min
    assert scale.points(Decimal(-1000)) == scale.points_max


@given(st.decimals(min_value=-15, max_value=15, places=4), st.decimals(min_value=-15, max_value=15, places=4))
def test_more_risk_never_earns_more_points_or_a_better_grade(first: Decimal, second: Decimal) -> None:
    scale, grades = Scale.shipped(), [grade for grade, _ in Scale.shipped().grades]
    safer, riskier = sorted((first, second))

    less, more = scale.read(safer), scale.read(riskier)

    assert less[0] <= more[0]
    assert less[1] >= more[1]
    assert grades.index(less[2]) <= grades.index(more[2])


@pytest.mark.parametrize(
    ("probability", "grade"),
    [
        ("0.000001", "A"),
        ("0.02", "A"),
        ("0.020001", "B"),
        ("0.07", "C"),
        ("0.2", "E"),
        ("0.200001", "F"),
        ("0.99", "F"),
    ],
)
def test_a_grade_ends_at_its_boundary(probability: str, grade: str) -> None:
    assert Scale.shipped().grade(Decimal(probability)) == grade
