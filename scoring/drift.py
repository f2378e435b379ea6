"""Drift of a population since training: the population stability index of every feature and of the score.

PSI = sum over bins of (now - before) * ln(now / before), in shares of rows. Above 0.1 watch, above 0.25 act: the
customary thresholds (Siddiqi, "Credit Risk Scorecards", 2006).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.matrix import TrainingFrame

BINS = 10
WATCH_ABOVE = 0.1
ACT_ABOVE = 0.25
SCORE = "score"

# An empty bin would make the index infinite; this share stands for it.
_SHARE_LEAST = 1e-4


class DriftState(StrEnum):
    """What a stability index asks for."""

    STABLE = "STABLE"
    WATCH = "WATCH"
    ACT = "ACT"


@dataclass(frozen=True, slots=True)
class Drift:
    """The stability index of one feature, or of the score."""

    feature: str
    index: float

    @property
    def state(self) -> DriftState:
        if self.index > ACT_ABOVE:
            return DriftState.ACT
        return DriftState.WATCH if self.index > WATCH_ABOVE else DriftState.STABLE


def drift_of(before: TrainingFrame, now: TrainingFrame) -> tuple[Drift, ...]:
    """Every modelled feature's drift from one frame to another, the greatest first."""
    schema = before.schema
    found = [
        Drift(feature.name, stability_of_numbers(before.numeric[:, column], now.numeric[:, column]))
        for column, feature in enumerate(schema.numeric)
    ] + [
        Drift(feature.name, stability_of_categories(before.categorical[:, column], now.categorical[:, column]))
        for column, feature in enumerate(schema.categorical)
    ]
    return tuple(sorted(found, key=lambda drift: -drift.index))


def drift_text(drifts: tuple[Drift, ...]) -> str:
    """The drifts that ask for attention, in one line; the greatest when none does."""
    named = [drift for drift in drifts if drift.state is not DriftState.STABLE]
    if not named:
        return f"none above {WATCH_ABOVE}; greatest {drifts[0].feature} {drifts[0].index:.4f}"
    return ", ".join(f"{drift.feature} {drift.index:.4f} ({drift.state.value})" for drift in named)


def score_drift(before: NDArray[np.float64], now: NDArray[np.float64]) -> Drift:
    """Drift of the probabilities of default (n,) themselves."""
    return Drift(SCORE, stability_of_numbers(before, now))


def stability_of_numbers(before: NDArray[Any], now: NDArray[Any], bins: int = BINS) -> float:
    """PSI over the quantile bins of `before`; absent values (NaN) are a bin of their own."""
    present = before[~np.isnan(before)]
    edges = np.unique(np.quantile(present, np.linspace(0, 1, bins + 1)[1:-1])) if present.size else np.empty(0)
    return _index(_binned(before, edges), _binned(now, edges))


def stability_of_categories(before: NDArray[Any], now: NDArray[Any]) -> float:
    """PSI over the categories seen on either side."""
    names = sorted(set(before.tolist()) | set(now.tolist()))
    return _index(*(np.array([np.count_nonzero(side == name) for name in names]) for side in (before, now)))


def _binned(values: NDArray[Any], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    present = values[~np.isnan(values)]
    # An edge is the top of its bin, so that whole numbers keep to one bin.
    counts = np.bincount(np.searchsorted(edges, present, side="left"), minlength=len(edges) + 1)
    return np.append(counts, values.size - present.size)


def _index(before: NDArray[np.int64], now: NDArray[np.int64]) -> float:
    shares_before = np.maximum(before / before.sum(), _SHARE_LEAST)
    shares_now = np.maximum(now / now.sum(), _SHARE_LEAST)
    return float(((shares_now - shares_before) * np.log(shares_now / shares_before)).sum())
