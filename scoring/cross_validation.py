"""Stratified k-fold cross-validation, the like-for-like protocol of published figures; it flatters, so read it
beside the out-of-time figures."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.evaluation import auc
from scoring.matrix import TrainingFrame
from scoring.training import Hyperparameters, fit, raw_scores

FOLDS = 5
SEED = 42
STOP_SHARE = 0.125


@dataclass(frozen=True, slots=True)
class FoldFigures:
    """AUC of every fold; `mean` and population standard deviation `spread` over folds."""

    areas: tuple[float, ...]

    @property
    def mean(self) -> float:
        return float(np.mean(self.areas))

    @property
    def spread(self) -> float:
        return float(np.std(self.areas))


def cross_validate(frame: TrainingFrame, hyper: Hyperparameters, folds: int = FOLDS, seed: int = SEED) -> FoldFigures:
    """Train on all folds but one, stopping early on an eighth of the training rows, and measure on the one left."""
    fold_of = stratified_folds(frame.target, folds, seed)
    areas = []
    for fold in range(folds):
        training, held = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        shuffled = np.random.RandomState(seed + fold).permutation(training)
        stop_rows = int(len(shuffled) * STOP_SHARE)
        model = fit(frame.take(shuffled[stop_rows:]), hyper, stop=frame.take(shuffled[:stop_rows]))
        tested = frame.take(held)
        areas.append(auc(tested.target, raw_scores(model, tested)))
    return FoldFigures(tuple(areas))


def stratified_folds(target: NDArray[Any], folds: int = FOLDS, seed: int = SEED) -> NDArray[np.int64]:
    """The fold (n,) of every row, by the allocation of scikit-learn's StratifiedKFold(shuffle=True, random_state=seed).

    Numpy's legacy generator is used because the published figures were drawn with it.
    """
    generator = np.random.RandomState(seed)
    _, first, inverse = np.unique(target, return_index=True, return_inverse=True)
    classes = np.argsort(np.argsort(first))[inverse]
    count = int(classes.max()) + 1
    ordered = np.sort(classes)
    allocation = np.array([np.bincount(ordered[fold::folds], minlength=count) for fold in range(folds)])
    fold_of = np.empty(len(target), dtype=np.int64)
    for label in range(count):
        assigned = np.arange(folds).repeat(allocation[:, label])
        generator.shuffle(assigned)
        fold_of[classes == label] = assigned
    return fold_of
