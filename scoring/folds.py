"""Stratified folds: every fold holds the same share of defaults."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FOLDS = 5
SEED = 42


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
