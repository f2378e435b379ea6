"""How good a score is: ranking (AUC, KS), sharpness (Brier) and calibration, each with its source."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.calibration import logistic_line

NORMAL_95 = 1.959963984540054
ECE_BINS = 10

_PROBABILITY_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class Performance:
    """Figures of one set of rows; `auc_low` and `auc_high` are DeLong's 95 % interval."""

    rows: int
    default_rate: float
    auc: float
    auc_low: float
    auc_high: float
    ks: float
    brier: float
    calibration_slope: float
    calibration_intercept: float
    expected_calibration_error: float

    def figures(self) -> dict[str, str]:
        """Every figure as text: rows as they are, the rest to 4 places."""
        return {name: str(value) if isinstance(value, int) else f"{value:.4f}" for name, value in asdict(self).items()}


def evaluate(target: NDArray[Any], probability: NDArray[np.float64]) -> Performance:
    """All figures for outcomes (n,) of 0 or 1 and probabilities of default (n,)."""
    area, low, high = auc_interval(target, probability)
    intercept, slope = calibration_line(target, probability)
    return Performance(
        rows=int(target.size),
        default_rate=float(target.mean()),
        auc=area,
        auc_low=low,
        auc_high=high,
        ks=kolmogorov_smirnov(target, probability),
        brier=brier(target, probability),
        calibration_slope=slope,
        calibration_intercept=intercept,
        expected_calibration_error=expected_calibration_error(target, probability),
    )


def midranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1, ties sharing their average."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: NDArray[np.float64] = (last - (counts - 1) / 2.0)[inverse]
    return ranks


def auc(target: NDArray[Any], score: NDArray[np.float64]) -> float:
    """Area under the ROC curve: the chance that a defaulter scores above a payer, ties half (Mann-Whitney)."""
    bad = target == 1
    n_bad = int(bad.sum())
    n_good = int(target.size) - n_bad
    return float((midranks(score)[bad].sum() - n_bad * (n_bad + 1) / 2.0) / (n_bad * n_good))


def auc_interval(target: NDArray[Any], score: NDArray[np.float64]) -> tuple[float, float, float]:
    """AUC with its 95 % interval by DeLong's variance, in the midrank form of Sun and Xu (2014)."""
    bad, good = score[target == 1], score[target == 0]
    ranks = midranks(np.concatenate([bad, good]))
    above_good = (ranks[: bad.size] - midranks(bad)) / good.size
    below_bad = 1.0 - (ranks[bad.size :] - midranks(good)) / bad.size
    area = float(above_good.mean())
    error = math.sqrt(float(above_good.var(ddof=1)) / bad.size + float(below_bad.var(ddof=1)) / good.size)
    return area, max(0.0, area - NORMAL_95 * error), min(1.0, area + NORMAL_95 * error)


def kolmogorov_smirnov(target: NDArray[Any], score: NDArray[np.float64]) -> float:
    """The largest gap between the score distributions of payers and defaulters."""
    levels = np.unique(score)
    bad, good = np.sort(score[target == 1]), np.sort(score[target == 0])
    gap = np.searchsorted(good, levels, "right") / good.size - np.searchsorted(bad, levels, "right") / bad.size
    return float(np.abs(gap).max())


def brier(target: NDArray[Any], probability: NDArray[np.float64]) -> float:
    """Mean squared error of the probability (Brier, 1950)."""
    return float(np.mean((probability - target) ** 2))


def calibration_line(target: NDArray[Any], probability: NDArray[np.float64]) -> tuple[float, float]:
    """Intercept and slope of the outcome on the log-odds given (Cox, 1958); 0 and 1 are perfect."""
    inside = np.clip(probability, _PROBABILITY_LEAST, 1.0 - _PROBABILITY_LEAST)
    return logistic_line(target, np.log(inside / (1.0 - inside)))


def expected_calibration_error(target: NDArray[Any], probability: NDArray[np.float64], bins: int = ECE_BINS) -> float:
    """Mean gap between probability and default rate over `bins` groups of equal size, weighted by rows."""
    order = np.argsort(probability, kind="stable")
    groups = [group for group in np.array_split(order, bins) if group.size]
    gaps = [abs(float(probability[g].mean()) - float(target[g].mean())) * g.size for g in groups]
    return sum(gaps) / int(target.size)
