"""`python -m scoring.train_default`: train the model that ships with the project, on the simulated portfolio."""

import argparse
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scoring.application_schema import APPLICATION_1
from scoring.drift import drift_of, drift_text
from scoring.evaluation import auc, evaluate
from scoring.features import Raw
from scoring.matrix import TrainingFrame
from scoring.model import DEFAULT_MODEL_PATH, Model
from scoring.model_card import ModelCard, segments_of
from scoring.simulated import default_probability, draw_category, draw_outcome, simulate_applicant
from scoring.training import Hyperparameters, Trained, time_parts, train

MODEL_VERSION = "default-1"
SEED = 20260101
APPLICANTS = 50_000
MONTHS = 30
STOP_FROM = "2024-01"
TEST_FROM = "2024-07"

HYPER = Hyperparameters(iterations=600, depth=3, learning_rate=0.1, l2_leaf_reg=10.0, row_share=0.8, patience=40)

LIMITS = (
    "Trained on simulated applicants (scoring/simulated.py), not on people: it shows the machinery and must be "
    "replaced by a model trained and approved on the lender's own loans before anybody is lent money by it.",
    "The simulated risk is a logistic function of the features, so its figures say nothing about real portfolios.",
    "Outcomes exist for every simulated applicant: there are no rejects and no reject inference.",
    "Protected attributes are neither simulated nor held; fairness by protected group is not measured.",
)


def simulated_rows(applicants: int = APPLICANTS, seed: int = SEED) -> tuple[list[dict[str, Raw]], list[int], list[str]]:
    """Raw features, outcomes and months (YYYY-MM) of the simulated portfolio, evenly over 30 months from 2022-07."""
    rng = random.Random(seed)  # noqa: S311 - a simulation, repeatable on purpose
    rows, outcomes, months = [], [], []
    for number in range(applicants):
        raw = simulate_applicant(rng, draw_category(rng))
        month = 6 + number * MONTHS // applicants
        rows.append(raw)
        outcomes.append(draw_outcome(rng, raw))
        months.append(f"{2022 + month // 12}-{month % 12 + 1:02d}")
    return rows, outcomes, months


def train_default(applicants: int = APPLICANTS, seed: int = SEED) -> tuple[Trained, ModelCard]:
    """The default model and its card; equal seeds and library versions give equal bytes."""
    rows, outcomes, months = simulated_rows(applicants, seed)
    frame = TrainingFrame.of(APPLICATION_1, rows, outcomes, months)
    trained = train(time_parts(frame, STOP_FROM, TEST_FROM), model_version=MODEL_VERSION, hyper=HYPER)
    model = Model.of(trained.bundle)
    later = np.flatnonzero(frame.months >= TEST_FROM)
    test = frame.take(later)
    probability = model.probabilities(test)
    truth = np.array([default_probability(rows[row]) for row in later])
    line = trained.bundle.calibration
    card = ModelCard(
        model_version=MODEL_VERSION,
        model_hash=model.hash,
        schema=APPLICATION_1,
        population="simulated applicants of seven product categories, equations in scoring/simulated.py",
        trained_on=f"{len(trained.frame)} simulated applicants, {trained.frame.period}",
        trees=trained.trees,
        performance={f"out of time, {test.period}": evaluate(test.target, probability)},
        segments=segments_of(test, probability),
        limits=LIMITS,
        trained_with=trained.bundle.trained_with,
        calibration=f"log-odds = {line.slope} * raw + {line.intercept}",
        notes={
            "AUC of the true probabilities on the same rows, the ceiling": f"{auc(test.target, truth):.4f}",
            "features whose PSI from training to the tested months asks for attention": drift_text(
                drift_of(trained.frame, test)
            ),
        },
    )
    return trained, card


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m scoring.train_default", description=__doc__)
    parser.add_argument("--out", type=Path, default=DEFAULT_MODEL_PATH.parent, help="folder for the model and its card")
    out: Path = parser.parse_args(arguments).out
    trained, card = train_default()
    out.mkdir(parents=True, exist_ok=True)
    (out / DEFAULT_MODEL_PATH.name).write_bytes(trained.bundle.to_bytes())
    card.write(out)
    sys.stdout.write(card.markdown())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
