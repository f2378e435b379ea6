"""Seeded, single-threaded CatBoost training: equal rows and seed give an equal model file, byte for byte.

CatBoost writes the time, a random identifier and its parameters into its file; these are stripped.
"""

import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from catboost import CatBoost
from numpy.typing import NDArray

from scoring.bundle import ModelBundle
from scoring.calibration import Calibration
from scoring.features import FeatureSchema
from scoring.folds import FOLDS, stratified_folds
from scoring.libraries import libraries
from scoring.matrix import TrainingFrame
from scoring.scale import Scale

_METADATA_THAT_DIFFERS = ("train_finish_time", "model_guid", "training", "params", "output_options")
# Above the number of categories of any feature, so that every category is compared by itself: no target statistics
# that depend on row order, and a plain answer to what a category did.
_ONE_HOT_MAX = 128


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """What training may be told. Shares are of rows and columns; `patience` counts rounds without improvement."""

    seed: int = 42
    iterations: int = 1500
    depth: int = 5
    learning_rate: float = 0.03
    l2_leaf_reg: float = 30.0
    column_share: float = 0.5
    row_share: float = 0.6
    patience: int = 100
    monotone: bool = True


@dataclass(frozen=True)
class Parts:
    """Rows to train on, in time order: `fit`, and the later `stop` that chooses the number of trees."""

    fit: TrainingFrame
    stop: TrainingFrame


@dataclass(frozen=True)
class Trained:
    """A trained bundle, the trees it kept, and every row it was fitted and calibrated on."""

    bundle: ModelBundle
    trees: int
    frame: TrainingFrame


def train(
    parts: Parts, *, model_version: str, hyper: Hyperparameters | None = None, scale: Scale | None = None
) -> Trained:
    """Choose the number of trees on the later `stop` rows, then fit on all rows with that number and calibrate.

    The slope is judged on out-of-fold scores of all rows: a window of a few months alone is too noisy to judge it
    by. The intercept makes the mean probability of all rows their default rate.
    """
    hyper = hyper or Hyperparameters()
    trees = int(fit(parts.fit, hyper, stop=parts.stop).tree_count_)
    chosen = replace(hyper, iterations=trees)
    everything = joined(parts.fit, parts.stop)
    final = fit(everything, chosen)
    line = Calibration.fit(everything.target, out_of_fold_scores(everything, chosen))
    calibration = line.centred(everything.target, raw_scores(final, everything))
    schema = everything.schema
    bundle = ModelBundle(
        version=model_version,
        schema_version=schema.version,
        schema_digest=schema.digest,
        trees=trees_bytes(final),
        tree_features=split_features(final, schema),
        calibration=calibration,
        scale=scale or Scale.shipped(),
        trained_with=libraries() | {name: str(value) for name, value in asdict(hyper).items()},
    )
    return Trained(bundle, int(final.tree_count_), everything)


def joined(first: TrainingFrame, second: TrainingFrame) -> TrainingFrame:
    """The rows of two frames of one schema, one after the other."""
    return TrainingFrame(
        first.schema,
        np.concatenate([first.numeric, second.numeric]),
        np.concatenate([first.categorical, second.categorical]),
        np.concatenate([first.target, second.target]),
        np.concatenate([first.months, second.months]),
    )


def fit(frame: TrainingFrame, hyper: Hyperparameters, *, stop: TrainingFrame | None = None) -> CatBoost:
    """One CatBoost model of log-loss, with the schema's monotone constraints."""
    signs = {f.name: f.monotone for f in frame.schema.numeric if f.monotone} if hyper.monotone else {}
    model = CatBoost(
        {
            "loss_function": "Logloss",
            "iterations": hyper.iterations,
            "depth": hyper.depth,
            "learning_rate": hyper.learning_rate,
            "l2_leaf_reg": hyper.l2_leaf_reg,
            "rsm": hyper.column_share,
            "bootstrap_type": "Bernoulli",
            "subsample": hyper.row_share,
            "boosting_type": "Plain",
            "grow_policy": "SymmetricTree",
            "one_hot_max_size": _ONE_HOT_MAX,
            "monotone_constraints": signs,
            "random_seed": hyper.seed,
            "thread_count": 1,
            "verbose": False,
            "allow_writing_files": False,
        }
    )
    if stop is None:
        model.fit(frame.pool())
    else:
        model.fit(frame.pool(), eval_set=stop.pool(), early_stopping_rounds=hyper.patience, use_best_model=True)
    return model


def out_of_fold_scores(frame: TrainingFrame, hyper: Hyperparameters) -> NDArray[np.float64]:
    """Uncalibrated log-odds (n,) of every row by a model that was not fitted on it (stratified 5-fold)."""
    fold_of = stratified_folds(frame.target, seed=hyper.seed)
    scores = np.empty(len(frame))
    for fold in range(FOLDS):
        held = fold_of == fold
        scores[held] = raw_scores(fit(frame.take(~held), hyper), frame.take(held))
    return scores


def raw_scores(model: CatBoost, frame: TrainingFrame) -> NDArray[np.float64]:
    """Uncalibrated log-odds (n,)."""
    raw: NDArray[np.float64] = model.predict(frame.pool(), prediction_type="RawFormulaVal", thread_count=1)
    return raw


def trees_bytes(model: CatBoost) -> bytes:
    """The .cbm bytes without what differs from one run to the next."""
    metadata = model.get_metadata()
    for key in _METADATA_THAT_DIFFERS:
        if key in metadata.keys():  # noqa: SIM118 - CatBoost's metadata object has no `in`
            del metadata[key]
    return _saved(model, "cbm")


def split_features(model: CatBoost, schema: FeatureSchema) -> tuple[tuple[int, ...], ...]:
    """For each tree the matrix column of each split, from CatBoost's JSON form of the model."""
    body = json.loads(_saved(model, "json"))
    numeric_count = len(schema.numeric)
    return tuple(
        tuple(_column(split, numeric_count) for split in tree["splits"] or ()) for tree in body["oblivious_trees"]
    )


def time_parts(frame: TrainingFrame, stop_from: str, until: str) -> Parts:
    """Split by issue month (YYYY-MM): earlier than `stop_from` to fit, from there to before `until` to stop on."""
    months = frame.months
    return Parts(frame.take(months < stop_from), frame.take((months >= stop_from) & (months < until)))


def _saved(model: CatBoost, form: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        model.save_model(str(path), format=form)
        return path.read_bytes()


def _column(split: dict[str, Any], numeric_count: int) -> int:
    if split["split_type"] == "FloatFeature":
        return int(split["float_feature_index"])
    # One-hot only: target statistics of categories are switched off by `_ONE_HOT_MAX`.
    return numeric_count + int(split["cat_feature_index"])
