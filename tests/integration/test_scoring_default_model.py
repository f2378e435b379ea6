"""The shipped model is the one its script trains, and it is quick enough for a batch."""

import json
import random
import time

import pytest

from scoring.application_schema import APPLICATION_1
from scoring.features import FeatureVector
from scoring.libraries import libraries
from scoring.model import DEFAULT_MODEL_PATH, Model
from scoring.simulated import draw_category, simulate_applicant
from scoring.train_default import train_default


def test_training_again_gives_the_shipped_file_byte_for_byte() -> None:
    trained_with = Model.load().bundle.trained_with
    if any(trained_with[name] != version for name, version in libraries().items()):
        pytest.skip(f"the shipped model was trained with {trained_with}, here is {libraries()}")

    trained, card = train_default()

    assert trained.bundle.to_bytes() == DEFAULT_MODEL_PATH.read_bytes()
    assert card.markdown() == (DEFAULT_MODEL_PATH.parent / "MODEL_CARD.md").read_text("utf-8")


def test_the_shipped_card_belongs_to_the_shipped_model() -> None:
    card = json.loads((DEFAULT_MODEL_PATH.parent / "MODEL_CARD.json").read_text("utf-8"))

    assert card["model"]["sha256"] == Model.load().hash
    assert card["schema"] == {"version": "application@1", "sha256": APPLICATION_1.digest}


def test_a_thousand_applications_are_scored_in_a_second() -> None:
    rng = random.Random(2)
    raw = [simulate_applicant(rng, draw_category(rng)) for _ in range(1000)]
    model = Model.load()

    started = time.perf_counter()
    scores = model.score_many([FeatureVector.build(APPLICATION_1, r) for r in raw])
    elapsed = time.perf_counter() - started

    assert len(scores) == 1000
    assert elapsed < 1
