"""Points and grades: the log-odds of default on a scale people read, by versioned boundaries."""

import tomllib
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from importlib.resources import files
from typing import Any, Self

from scoring.calibration import probability_of

_PRECISION = 28


@dataclass(frozen=True, slots=True)
class Scale:
    """points = base_points + points_to_double_odds * log2(odds / base_odds), odds = good : bad.

    Source: the usual scorecard scaling (Siddiqi, "Credit Risk Scorecards", 2006). `grades` are (grade, highest
    probability of default) in rising order; the last one is open upwards.
    """

    version: str
    base_points: int
    base_odds: Decimal
    points_to_double_odds: int
    points_min: int
    points_max: int
    grades: tuple[tuple[str, Decimal], ...]

    @classmethod
    def shipped(cls, version: str = "scale-1") -> Self:
        """The scale of this version from the package's policy folder."""
        return cls.of(tomllib.loads(files("scoring").joinpath("policies", f"{version}.toml").read_text("utf-8")))

    @classmethod
    def of(cls, body: dict[str, Any]) -> Self:
        return cls(
            body["version"],
            body["base_points"],
            Decimal(body["base_odds"]),
            body["points_to_double_odds"],
            body["points_min"],
            body["points_max"],
            tuple((row["grade"], Decimal(row["probability_max"])) for row in body["grades"]),
        )

    def body(self) -> dict[str, Any]:
        """The scale as plain JSON values; `of` reads it back."""
        return {
            "version": self.version,
            "base_points": self.base_points,
            "base_odds": str(self.base_odds),
            "points_to_double_odds": self.points_to_double_odds,
            "points_min": self.points_min,
            "points_max": self.points_max,
            "grades": [{"grade": grade, "probability_max": str(bound)} for grade, bound in self.grades],
        }

    def points(self, log_odds_of_default: Decimal) -> int:
        """More points for less risk, rounded to whole points and kept within the scale."""
        with localcontext(prec=_PRECISION):
            doublings = (-log_odds_of_default - self.base_odds.ln()) / Decimal(2).ln()
            exact = self.base_points + self.points_to_double_odds * doublings
            whole = int(exact.to_integral_value(ROUND_HALF_EVEN))
        return min(max(whole, self.points_min), self.points_max)

    def grade(self, probability: Decimal) -> str:
        """The first grade whose boundary the probability of default does not exceed."""
        for grade, bound in self.grades[:-1]:
            if probability <= bound:
                return grade
        return self.grades[-1][0]

    def read(self, log_odds_of_default: Decimal) -> tuple[Decimal, int, str]:
        """Probability of default (6 places), points and grade."""
        probability = probability_of(log_odds_of_default)
        return probability, self.points(log_odds_of_default), self.grade(probability)
