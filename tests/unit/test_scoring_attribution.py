"""SHAP values against Shapley's own definition, and against CatBoost's where those are independent of the batch."""

import random
from itertools import permutations
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.application_schema import APPLICATION_1
from scoring.attribution import Attribution, ObliviousTree
from scoring.matrix import TrainingFrame
from scoring.simulated import draw_category, draw_outcome, simulate_applicant
from scoring.training import Hyperparameters, fit, split_features


def walked(tree: ObliviousTree, leaf: int, known: set[int]) -> float:
    """E[tree | known] by walking from the root (highest bit), averaging by training weight where not known."""

    def weight(prefix: int, depth: int) -> float:
        bits = len(tree.features)
        return float(sum(tree.weights[i] for i in range(2**bits) if i >> (bits - depth) == prefix))

    def walk(prefix: int, depth: int) -> float:
        if depth == len(tree.features):
            return float(tree.values[prefix])
        bit = len(tree.features) - 1 - depth
        if tree.features[bit] in known:
            return walk(prefix * 2 + ((leaf >> bit) & 1), depth + 1)
        left, right = weight(prefix * 2, depth + 1), weight(prefix * 2 + 1, depth + 1)
        share = right / (left + right) if left + right else 0.5
        return walk(prefix * 2, depth + 1) * (1 - share) + walk(prefix * 2 + 1, depth + 1) * share

    return walk(0, 0)


def shapley_by_orders(tree: ObliviousTree, leaf: int, count: int) -> list[float]:
    """Shapley's definition: the mean change when features become known in every order."""
    players = sorted(set(tree.features))
    effects = [0.0] * count
    for order in permutations(players):
        known: set[int] = set()
        for player in order:
            before = walked(tree, leaf, known)
            known.add(player)
            effects[player] += (walked(tree, leaf, known) - before) / factorial(len(players))
    return effects


@st.composite
def trees(draw: st.DrawFn) -> ObliviousTree:
    features = tuple(draw(st.lists(st.integers(0, 4), min_size=0, max_size=4)))
    size = 2 ** len(features)
    values = draw(st.lists(st.integers(-50, 50), min_size=size, max_size=size))
    weights = draw(st.lists(st.integers(0, 9), min_size=size, max_size=size))
    return ObliviousTree(features, np.array(values) / 10.0, np.array(weights, dtype=float))


@given(trees())
def test_effects_are_shapleys_mean_over_every_order(tree: ObliviousTree) -> None:
    effects, base = tree.shapley(5)

    for leaf in range(tree.values.size):
        assert effects[leaf] == pytest.approx(shapley_by_orders(tree, leaf, 5), abs=1e-9)
        assert base + effects[leaf].sum() == pytest.approx(tree.values[leaf], abs=1e-9)


def a_frame(rows: int) -> TrainingFrame:
    rng = random.Random(11)
    raw = [simulate_applicant(rng, draw_category(rng)) for _ in range(rows)]
    return TrainingFrame.of(APPLICATION_1, raw, [draw_outcome(rng, r) for r in raw], ["2024-01"] * rows)


def test_without_monotone_constraints_the_effects_are_catboosts_own() -> None:
    frame = a_frame(3000)
    model = fit(frame, Hyperparameters(iterations=40, depth=4, learning_rate=0.2, monotone=False))
    values, weights = model.get_leaf_values(), model.get_leaf_weights()
    scale, bias = model.get_scale_and_bias()
    features, ends = split_features(model, APPLICATION_1), np.cumsum(model.get_tree_leaf_counts())
    starts = [0, *ends[:-1]]
    built = [
        ObliviousTree(f, scale * values[a:b], weights[a:b]) for f, a, b in zip(features, starts, ends, strict=True)
    ]
    attribution = Attribution(built, len(APPLICATION_1.modelled), float(bias))

    theirs = model.get_feature_importance(frame.pool(), type="ShapValues", thread_count=1)
    leaves = model.calc_leaf_indexes(frame.pool(), thread_count=1)

    for row in range(0, 3000, 100):
        assert attribution.effects(leaves[row]) == pytest.approx(theirs[row, :-1], abs=1e-9)
        assert attribution.base == pytest.approx(theirs[row, -1], abs=1e-9)
