"""Stratified k-fold cross-validation, the like-for-like protocol of published figures; it flatters, so read it
beside the out-of-time figures."""

from dataclasses import dataclass

import numpy as np

from scoring.evaluation import auc
from scoring.folds import FOLDS, SEED, stratified_folds
from scoring.matrix import TrainingFrame
from scoring.training import Hyperparameters, fit, raw_scores

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
