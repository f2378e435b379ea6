"""Seeded, single-threaded CatBoost training: equal rows and seed give an equal model file, byte for byte.

CatBoost writes the time, a random identifier and its parameters into its file; these are stripped.
"""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from catboost import CatBoost
from numpy.typing import NDArray

from scoring.bundle import ModelBundle
from scoring.calibration import Calibration
from scoring.features import FeatureSchema
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
    depth: int = 4
    learning_rate: float = 0.03
    l2_leaf_reg: float = 10.0
    column_share: float = 0.5
    row_share: float = 0.8
    patience: int = 100
    monotone: bool = True


@dataclass(frozen=True)
class Parts:
    """Rows by what they are for, in time order: fitting, stopping early, calibrating."""

    fit: TrainingFrame
    stop: TrainingFrame
    calibrate: TrainingFrame

    def joined(self) -> TrainingFrame:
        """All three parts, for the last fit with the number of trees already chosen."""
        parts = (self.fit, self.stop, self.calibrate)
        return TrainingFrame(
            self.fit.schema,
            np.concatenate([p.numeric for p in parts]),
            np.concatenate([p.categorical for p in parts]),
            np.concatenate([p.target for p in parts]),
            np.concatenate([p.months for p in parts]),
        )


@dataclass(frozen=True)
class Trained:
    """A trained bundle and how it came about: trees kept after early stopping, rows, first and last month."""

    bundle: ModelBundle
    trees: int
    rows: int
    period: str


def train(
    parts: Parts, *, model_version: str, hyper: Hyperparameters | None = None, scale: Scale | None = None
) -> Trained:
    """Choose the number of trees on `stop`, the calibration on `calibrate`, then fit once more on all three parts.

    The slope is judged on rows the first model has not seen; the intercept makes the last fit right on average.
    """
    hyper = hyper or Hyperparameters()
    chosen = fit(parts.fit, hyper, stop=parts.stop)
    calibration = Calibration.fit(parts.calibrate.target, raw_scores(chosen, parts.calibrate))
    everything = parts.joined()
    final = fit(everything, replace(hyper, iterations=int(chosen.tree_count_)))
    calibration = calibration.centred(everything.target, raw_scores(final, everything))
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
    return Trained(bundle, int(final.tree_count_), len(everything), everything.period)


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


def time_parts(frame: TrainingFrame, stop_months: Sequence[str], calibrate_months: Sequence[str]) -> Parts:
    """Split by issue month: everything before the first stopping month is for fitting."""
    months = frame.months
    return Parts(
        frame.take(months < min(stop_months)),
        frame.take(np.isin(months, stop_months)),
        frame.take(np.isin(months, calibrate_months)),
    )


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
