"""Days past due turned into an asset class and a reporting bucket, by dated rules that ship as configuration."""

import tomllib
from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar

from registry.domain.errors import NotFound

FIVE_CLASS = "cn-five-class"
MONTH_BUCKETS = "cn-m"


class AssetClass(IntEnum):
    """The five classes of credit risk, from good to bad; the last three are non-performing."""

    NORMAL = 1
    SPECIAL_MENTION = 2
    SUBSTANDARD = 3
    DOUBTFUL = 4
    LOSS = 5

    @property
    def is_non_performing(self) -> bool:
        return self >= AssetClass.SUBSTANDARD


@dataclass(eq=False)
class NoRuleInForce(NotFound):
    """No version of the rules named was in force on the day."""

    rules: str
    on: date
    code: ClassVar[str] = "NO_RULE_IN_FORCE"

    def __str__(self) -> str:
        return f"No version of {self.rules} was in force on {self.on}; add one to the catalogue."


@dataclass(frozen=True, slots=True)
class ClassificationRules:
    """One version of the floors: `from_days[k]` days past due make an asset at least `classes[k]`.

    `basis` is LAW, or POLICY where the lender applies the scale without being bound to.
    """

    id: str
    version: str
    source: str
    basis: str
    in_force_from: date
    technical_days_max: int
    from_days: tuple[int, ...]
    classes: tuple[AssetClass, ...]

    def classify(self, days_past_due: int, *, technical: bool = False) -> AssetClass:
        """The least bad class allowed; `technical` marks an overdue of operational cause."""
        if technical and days_past_due <= self.technical_days_max:
            return AssetClass.NORMAL
        passed = bisect_right(self.from_days, days_past_due)
        return self.classes[passed - 1] if passed else AssetClass.NORMAL


@dataclass(frozen=True, slots=True)
class Buckets:
    """One version of the reporting buckets: bucket `names[k]` begins at `from_days[k]` days past due."""

    id: str
    version: str
    in_force_from: date
    from_days: tuple[int, ...]
    names: tuple[str, ...]

    def bucket_of(self, days_past_due: int) -> str:
        return self.names[bisect_right(self.from_days, days_past_due) - 1]


def classification_rules(as_of: date, rules: str = FIVE_CLASS) -> ClassificationRules:
    """The version in force on a day."""
    versions = [version for version in _catalogue()[0] if version.id == rules and version.in_force_from <= as_of]
    if not versions:
        raise NoRuleInForce(rules, as_of)
    return max(versions, key=lambda version: version.in_force_from)


def classify(days_past_due: int, as_of: date, *, rules: str = FIVE_CLASS, technical: bool = False) -> AssetClass:
    """The asset class floor for a number of days past due, by the rules in force on that day."""
    return classification_rules(as_of, rules).classify(days_past_due, technical=technical)


def buckets(as_of: date, rules: str = MONTH_BUCKETS) -> Buckets:
    """The reporting buckets in force on a day."""
    versions = [version for version in _catalogue()[1] if version.id == rules and version.in_force_from <= as_of]
    if not versions:
        raise NoRuleInForce(rules, as_of)
    return max(versions, key=lambda version: version.in_force_from)


@cache
def _catalogue() -> tuple[tuple[ClassificationRules, ...], tuple[Buckets, ...]]:
    text = files("registry.domain.catalogue").joinpath("classification.toml").read_text(encoding="utf-8")
    given = tomllib.loads(text)
    return tuple(map(_rules, given["rules"])), tuple(map(_buckets, given["buckets"]))


def _rules(given: dict[str, Any]) -> ClassificationRules:
    floors = sorted(given.pop("floors"), key=lambda floor: floor["from_days"])
    return ClassificationRules(
        **given,
        from_days=tuple(floor["from_days"] for floor in floors),
        classes=tuple(AssetClass[floor["class"]] for floor in floors),
    )


def _buckets(given: dict[str, Any]) -> Buckets:
    starts = sorted(given.pop("starts"), key=lambda start: start["from_days"])
    return Buckets(
        **given,
        from_days=tuple(start["from_days"] for start in starts),
        names=tuple(start["name"] for start in starts),
    )
