"""A trained model, identified by the SHA-256 of its file; scoring is single-threaded and repeats bit for bit."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from scoring.attribution import Attribution, ObliviousTree
from scoring.bundle import ModelBundle
from scoring.features import FeatureSchema, FeatureVector
from scoring.matrix import TrainingFrame, arrays_of, pool_of
from scoring.model_errors import ModelCorrupt, ModelFeaturesDiffer
from scoring.schemas import SCHEMAS

if TYPE_CHECKING:
    from catboost import CatBoost

DEFAULT_MODEL_PATH = Path(__file__).parent / "models" / "default" / "default-1.model.json"

_MICRO = 10**6


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one feature added to the log-odds of default (6 places); above zero is adverse."""

    feature: str
    value: str | None
    effect: Decimal


@dataclass(frozen=True, slots=True)
class Score:
    """A probability of default (6 places) with its points, grade, origin and parts.

    `baseline` plus the effects of `contributions` is the log-odds of `probability`, up to rounding.
    """

    probability: Decimal
    points: int
    grade: str
    model_version: str
    model_hash: str
    baseline: Decimal
    contributions: tuple[Contribution, ...]


class Model:
    """A model file made ready to score."""

    def __init__(self, bundle: ModelBundle, file_sha256: str, path: Path) -> None:
        self._bundle = bundle
        self._trees = _load_trees(bundle, path)
        self.hash = file_sha256
        self.schema = _schema_of(bundle)
        self._attribution = _attribution_of(bundle, self._trees, len(self.schema.modelled), path)

    @classmethod
    def load(cls, path: Path = DEFAULT_MODEL_PATH, expected_sha256: str | None = None) -> Self:
        """Load the model file at `path`, refusing bytes other than `expected_sha256` (hex)."""
        bundle, found = ModelBundle.read(Path(path), expected_sha256)
        return cls(bundle, found, Path(path))

    @classmethod
    def of(cls, bundle: ModelBundle) -> Self:
        """The model a bundle would be once written to a file."""
        return cls(bundle, hashlib.sha256(bundle.to_bytes()).hexdigest(), Path(bundle.version))

    @property
    def version(self) -> str:
        return self._bundle.version

    @property
    def bundle(self) -> ModelBundle:
        return self._bundle

    def score(self, vector: FeatureVector) -> Score:
        """The score of one application."""
        return self.score_many([vector])[0]

    def score_many(self, vectors: Sequence[FeatureVector]) -> tuple[Score, ...]:
        """The scores of many applications, each the same as `score` gives alone."""
        if not vectors:
            return ()
        for vector in vectors:
            self._require_schema(vector.schema)
        pool = pool_of(self.schema, *arrays_of(vectors))
        raw = self._trees.predict(pool, prediction_type="RawFormulaVal", thread_count=1)
        leaves = self._trees.calc_leaf_indexes(pool, thread_count=1)
        return tuple(self._score(v, float(r), row) for v, r, row in zip(vectors, raw, leaves, strict=True))

    def probabilities(self, frame: TrainingFrame) -> NDArray[np.float64]:
        """Calibrated probabilities (n,) of a frame in binary floats: for measuring the model, never for deciding."""
        self._require_schema(frame.schema)
        raw = self._trees.predict(frame.pool(), prediction_type="RawFormulaVal", thread_count=1)
        return self._bundle.calibration.apply(np.asarray(raw, dtype=np.float64))

    def _score(self, vector: FeatureVector, raw: float, leaves: NDArray[np.uint32]) -> Score:
        calibration, scale = self._bundle.calibration, self._bundle.scale
        log_odds = calibration.log_odds(raw)
        probability, points, grade = scale.read(log_odds)
        slope = float(calibration.slope)
        effects = np.rint(self._attribution.effects(leaves) * slope * _MICRO).astype(np.int64).tolist()
        contributions = tuple(
            Contribution(feature.name, vector.values[feature.name], Decimal(effect).scaleb(-6))
            for feature, effect in zip(self.schema.modelled, effects, strict=True)
        )
        baseline = Decimal(round((self._attribution.base * slope + float(calibration.intercept)) * _MICRO)).scaleb(-6)
        return Score(probability, points, grade, self.version, self.hash, baseline, contributions)

    def _require_schema(self, given: FeatureSchema) -> None:
        if given is not self.schema and given.digest != self.schema.digest:
            raise ModelFeaturesDiffer(given.version, self.schema.version, given.version)


def _load_trees(bundle: ModelBundle, path: Path) -> "CatBoost":
    from catboost import CatBoost, CatBoostError  # noqa: PLC0415  slow to load: only who scores should need it

    trees = CatBoost()
    try:
        trees.load_model(blob=bundle.trees)
    except CatBoostError as broken:
        raise ModelCorrupt(path, "a CatBoost model", "not readable as one") from broken
    return trees


def _schema_of(bundle: ModelBundle) -> FeatureSchema:
    schema = SCHEMAS.get(bundle.schema_version)
    if schema is None or schema.digest != bundle.schema_digest:
        here = "absent" if schema is None else schema.digest
        raise ModelFeaturesDiffer(bundle.schema_version, bundle.schema_digest, here)
    return schema


def _attribution_of(bundle: ModelBundle, trees: "CatBoost", feature_count: int, path: Path) -> Attribution:
    values, weights = trees.get_leaf_values(), trees.get_leaf_weights()
    counts = trees.get_tree_leaf_counts()
    fits = len(counts) == len(bundle.tree_features) and all(
        count == 2 ** len(features) for count, features in zip(counts, bundle.tree_features, strict=False)
    )
    if not fits or any(not 0 <= f < feature_count for features in bundle.tree_features for f in features):
        raise ModelCorrupt(path, "splits of its own trees", "a bundle whose splits and trees differ")
    scale, bias = trees.get_scale_and_bias()
    ends = np.cumsum(counts)
    built = [
        ObliviousTree(features, scale * values[end - count : end], weights[end - count : end])
        for features, count, end in zip(bundle.tree_features, counts, ends, strict=True)
    ]
    return Attribution(built, feature_count, float(bias))
