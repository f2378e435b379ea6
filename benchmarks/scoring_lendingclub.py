"""Scoring on the real LendingClub tape: ranking and calibration out of time and in cross-validation, and speed.

Run from the checkout: `python benchmarks/scoring_lendingclub.py [--tape PATH] [--out FOLDER]`. Takes a few minutes.
"""

import argparse
import random
import time
from pathlib import Path

from scoring.features import FeatureVector
from scoring.folds import FOLDS
from scoring.model import Model
from scoring.simulated import simulate_applicant
from scoring.train import REFERENCE, TapeTraining, train_from_tape

TAPE = Path(__file__).resolve().parents[2] / "shared" / "data" / "lendingclub_2007_2011" / "loans.csv.gz"
VARIANTS: dict[str, dict[str, bool]] = {
    "application time, no price": {},
    "plus state of residence": {"with_state": True},
    "plus the lender's price": {"with_price": True},
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tape", type=Path, default=TAPE)
    parser.add_argument("--out", type=Path, default=None, help="folder for the models and their cards")
    given = parser.parse_args()
    if not given.tape.is_file():
        print(f"no tape at {given.tape}; give one with --tape")
        return 4
    print(f"Reference on these rows: {REFERENCE}\n")
    print("| variables | out of time AUC (95 %) | KS | Brier | slope | intercept | ECE | 5-fold AUC, seed 42 | s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, variant in VARIANTS.items():
        started = time.perf_counter()
        folder = None if given.out is None else given.out / name.replace(" ", "_")
        result = train_from_tape(given.tape, folder, folds=FOLDS, **variant)
        print(row_of(name, result, time.perf_counter() - started), flush=True)
    print_speed()
    return 0


def row_of(name: str, result: TapeTraining, seconds: float) -> str:
    """One line of the table."""
    test, folds = result.test, result.cross_validated
    crossed = "" if folds is None else f"{folds.mean:.4f} ± {folds.spread:.4f}"
    return (
        f"| {name} | {test.auc:.4f} ({test.auc_low:.4f} to {test.auc_high:.4f}) | {test.ks:.4f} | {test.brier:.4f} "
        f"| {test.calibration_slope:.3f} | {test.calibration_intercept:.3f} | {test.expected_calibration_error:.4f} "
        f"| {crossed} | {seconds:.0f} |"
    )


def print_speed(applicants: int = 5000) -> None:
    """Applications a second through the shipped model: door, score, contributions."""
    model, rng = Model.load(), random.Random(1)
    rows = [simulate_applicant(rng) for _ in range(applicants)]
    started = time.perf_counter()
    vectors = [FeatureVector.build(model.schema, row) for row in rows]
    built = time.perf_counter()
    model.score_many(vectors)
    scored = time.perf_counter()
    for vector in vectors[:500]:
        model.score(vector)
    single = time.perf_counter()
    print(
        f"\nShipped model, one thread: {applicants / (built - started):,.0f} vectors/s built, "
        f"{applicants / (scored - built):,.0f} scores/s in a batch, {500 / (single - scored):,.0f} scores/s one by one"
    )


if __name__ == "__main__":
    raise SystemExit(main())
