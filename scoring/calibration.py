"""Platt calibration: a straight line on the log-odds, held as exact numbers.

Source: Platt (1999), "Probabilistic outputs for support vector machines". A line with a positive slope keeps the
order of scores and every monotone constraint, which isotonic steps would flatten.
"""

from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

SLOPE_LOW = 0.9
SLOPE_HIGH = 1.1
PLACES = Decimal("0.000001")
PROBABILITY_LEAST = Decimal("0.000001")
PROBABILITY_MOST = Decimal("0.999999")

_NEWTON_STEPS_MAX = 100
_NEWTON_TOLERANCE = 1e-12
# Digits of the decimal arithmetic: a double has 17, the rest is guard. Decimal.exp is correctly rounded everywhere.
_PRECISION = 28


@dataclass(frozen=True, slots=True)
class Calibration:
    """log-odds = slope * raw + intercept."""

    slope: Decimal = Decimal(1)
    intercept: Decimal = Decimal(0)

    @classmethod
    def fit(cls, target: NDArray[Any], raw: NDArray[np.float64]) -> Self:
        """The identity while the held-out slope lies in 0.9 to 1.1, otherwise the fitted line to 6 places."""
        intercept, slope = logistic_line(target, raw)
        if SLOPE_LOW <= slope <= SLOPE_HIGH:
            return cls()
        return cls(Decimal(repr(slope)).quantize(PLACES), Decimal(repr(intercept)).quantize(PLACES))

    def centred(self, target: NDArray[Any], raw: NDArray[np.float64]) -> Self:
        """The same slope, with the intercept that makes the mean probability of these rows their default rate.

        Trees under monotone constraints are projected onto them, which leaves the mean a little off.
        """
        line, shift = float(self.slope) * raw, float(self.intercept)
        for _ in range(_NEWTON_STEPS_MAX):
            fitted = 1.0 / (1.0 + np.exp(-(line + shift)))
            step = float((target - fitted).sum() / (fitted * (1.0 - fitted)).sum())
            shift += step
            if abs(step) < _NEWTON_TOLERANCE:
                break
        return replace(self, intercept=Decimal(repr(shift)).quantize(PLACES))

    def log_odds(self, raw: float) -> Decimal:
        """The calibrated log-odds of default for one raw model output."""
        with localcontext(prec=_PRECISION):
            return self.slope * Decimal(raw) + self.intercept

    def apply(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities for many raw outputs, in binary floats: for measuring, never for deciding."""
        probabilities: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-(float(self.slope) * raw + float(self.intercept))))
        return probabilities


def probability_of(log_odds: Decimal) -> Decimal:
    """1 / (1 + e^-log_odds) to 6 places, never exactly 0 or 1."""
    with localcontext(prec=_PRECISION):
        probability = 1 / (1 + (-log_odds).exp())
    return min(max(probability.quantize(PLACES), PROBABILITY_LEAST), PROBABILITY_MOST)


def logistic_line(target: NDArray[Any], x: NDArray[np.float64]) -> tuple[float, float]:
    """Intercept and slope of the logistic regression of `target` (n,) on `x` (n,), by Newton's method."""
    design = np.column_stack([np.ones_like(x), x])
    weights = np.zeros(2)
    for _ in range(_NEWTON_STEPS_MAX):
        fitted = 1.0 / (1.0 + np.exp(-design @ weights))
        curvature = design.T @ (design * (fitted * (1.0 - fitted))[:, None])
        step = np.linalg.solve(curvature, design.T @ (target - fitted))
        weights = weights + step
        if float(np.abs(step).max()) < _NEWTON_TOLERANCE:
            break
    return float(weights[0]), float(weights[1])
