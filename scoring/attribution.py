"""SHAP values of oblivious trees, from leaf weights alone: a row's reasons never depend on who is scored beside it.

CatBoost's own ShapValues change with the batch once monotone constraints are used (catboost issue 1956), so the
values are tabulated here once per leaf. Definition: path-dependent TreeSHAP (Lundberg et al., 2020, "From local
explanations to global understanding"), with CatBoost's split order: the highest bit of a leaf index is the root.
"""

from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ObliviousTree:
    """One tree: the feature of each split (bit i of the leaf index is split i), leaf values and training weights."""

    features: tuple[int, ...]
    values: NDArray[np.float64]
    weights: NDArray[np.float64]

    def expectation(self, known: frozenset[int]) -> NDArray[np.float64]:
        """E[tree | the features in `known`], for each leaf a row may fall into: shape (leaves,)."""
        leaves = np.arange(self.values.size)
        expected = np.broadcast_to(self.values, (leaves.size, leaves.size)).copy()
        weights = self.weights.astype(np.float64)
        # Fold the lowest bit first: after each step the table is (leaf of the row) x (node one level up).
        for bit, feature in enumerate(self.features):
            left, right = expected[:, 0::2], expected[:, 1::2]
            if feature in known:
                goes_right = ((leaves >> bit) & 1).astype(bool)[:, None]
                expected = np.where(goes_right, right, left)
            else:
                total = weights[0::2] + weights[1::2]
                # A node no training row reached has no weights to go by: both sides count alike.
                share = np.where(total > 0, weights[1::2] / np.where(total > 0, total, 1.0), 0.5)
                expected = left * (1.0 - share) + right * share
            weights = weights[0::2] + weights[1::2]
        return expected[:, 0]

    def shapley(self, feature_count: int) -> tuple[NDArray[np.float64], float]:
        """Effects (leaves, features) and the expectation knowing nothing; they add up to the leaf's value."""
        players = sorted(set(self.features))
        worth = {
            frozenset(subset): self.expectation(frozenset(subset))
            for size in range(len(players) + 1)
            for subset in combinations(players, size)
        }
        effects = np.zeros((self.values.size, feature_count))
        for player in players:
            for coalition, value in worth.items():
                if player in coalition:
                    continue
                share = (
                    factorial(len(coalition)) * factorial(len(players) - len(coalition) - 1) / factorial(len(players))
                )
                effects[:, player] += share * (worth[coalition | {player}] - value)
        return effects, float(worth[frozenset()][0])


class Attribution:
    """The effect of every feature on a row's raw score, looked up by the leaves the row falls into."""

    def __init__(self, trees: list[ObliviousTree], feature_count: int, bias: float) -> None:
        tables = [tree.shapley(feature_count) for tree in trees]
        self.base = bias + sum(expected for _, expected in tables)
        self._offsets = np.cumsum([0, *(tree.values.size for tree in trees[:-1])])
        self._table = np.concatenate([effects for effects, _ in tables])

    def effects(self, leaves: NDArray[Any]) -> NDArray[np.float64]:
        """Raw-score effects (features,) for one row's leaf indexes (trees,); `base` plus their sum is the raw score."""
        effects: NDArray[np.float64] = self._table[self._offsets + leaves].sum(axis=0)
        return effects
