"""The decision policy: from score, amount, income and compliance to an outcome, a rate and a limit."""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from registry.domain.money import MINOR_DIGITS, AmountInvalid, Money
from scoring.model import Score
from scoring.policy_errors import GradeNotInPolicy, PolicyInvalid, PolicyMissing, PolicyNotInForce

POLICY_FOLDER = Path(__file__).parent / "policies"
STANDARD = "standard"
RATE_PLACES = Decimal("0.0001")


class Outcome(StrEnum):
    """What is decided; REFER means that a person decides."""

    APPROVE = "APPROVE"
    REFER = "REFER"
    DECLINE = "DECLINE"


class ChecksOutcome(StrEnum):
    """What the compliance checks of an application came to, taken together."""

    PASS = "PASS"  # noqa: S105 - the name of a result
    REFER = "REFER"
    FAIL = "FAIL"
    ERROR = "ERROR"
    NOT_APPLICABLE = "NOT_APPLICABLE"


class PolicyReason(StrEnum):
    """Why the policy did not simply approve."""

    CHECKS_NOT_PASSED = "CHECKS_NOT_PASSED"
    CHECKS_NEED_REVIEW = "CHECKS_NEED_REVIEW"
    RISK_TOO_HIGH = "RISK_TOO_HIGH"
    RISK_NEEDS_REVIEW = "RISK_NEEDS_REVIEW"
    INCOME_NOT_STATED = "INCOME_NOT_STATED"
    AMOUNT_ABOVE_LIMIT = "AMOUNT_ABOVE_LIMIT"


_ENDS_IN: dict[PolicyReason, Outcome] = {
    PolicyReason.CHECKS_NOT_PASSED: Outcome.DECLINE,
    PolicyReason.RISK_TOO_HIGH: Outcome.DECLINE,
    PolicyReason.CHECKS_NEED_REVIEW: Outcome.REFER,
    PolicyReason.RISK_NEEDS_REVIEW: Outcome.REFER,
    PolicyReason.INCOME_NOT_STATED: Outcome.REFER,
    PolicyReason.AMOUNT_ABOVE_LIMIT: Outcome.REFER,
}


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """An outcome with its terms: annual rate as a fraction (None when declined), limit, and the policy's reasons."""

    outcome: Outcome
    offered_rate: Decimal | None
    limit: Money
    reasons: tuple[PolicyReason, ...]


@dataclass(frozen=True)
class Policy:
    """One version of the policy, identified by the SHA-256 (hex) of its file.

    Rates are annual fractions; multiples are of annual income, by product category and grade.
    """

    version: str
    valid_from: date
    hash: str
    approve_below: Decimal
    decline_from: Decimal
    rate_base: Decimal
    rate_ceiling: Decimal
    rate_margins: Mapping[str, Decimal]
    limit_multiples: Mapping[str, Mapping[str, Decimal]]
    limit_step_major: int

    @classmethod
    def shipped(cls, version: str = "default-1") -> Self:
        """A policy of the package, by version."""
        return cls.load(POLICY_FOLDER / f"{version}.toml")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a policy file; what it leaves out or contradicts is refused here, not at the first decision."""
        if not path.is_file():
            raise PolicyMissing(path.name)
        data = path.read_bytes()
        try:
            policy = cls._of(tomllib.loads(data.decode("utf-8")), hashlib.sha256(data).hexdigest())
        except (KeyError, TypeError, ValueError, InvalidOperation, AttributeError) as broken:
            raise PolicyInvalid(path.name, f"it is not a complete policy ({broken!r})") from broken
        policy.check(path.name)
        return policy

    def check(self, name: str) -> None:
        """Refuse a policy that contradicts itself; `name` is what the refusal calls it."""
        if not 0 < self.approve_below <= self.decline_from <= 1:
            raise PolicyInvalid(name, "cut-offs must rise: 0 < approve_below <= decline_from <= 1")
        if STANDARD not in self.limit_multiples or self.limit_step_major < 1:
            raise PolicyInvalid(name, f"it needs limits for {STANDARD!r} and a rounding step of at least 1")
        if any(set(table) != set(self.rate_margins) for table in self.limit_multiples.values()):
            raise PolicyInvalid(name, "every limit table must name exactly the grades that have a rate margin")

    def decide(
        self,
        score: Score,
        amount: Money,
        income: Money | None,
        checks_outcome: ChecksOutcome,
        *,
        product_category: str = STANDARD,
    ) -> PolicyOutcome:
        """Decide on `amount`; `income` is a year's, in the same currency.

        Compliance that failed declines; compliance that is open, broken or did not apply leaves a person to decide.
        """
        if amount.minor <= 0:
            raise AmountInvalid(str(amount), "an application must ask for more than nothing")
        rate = self._rate(score.grade)
        limit = self._limit(score.grade, income, amount.currency, product_category)
        reasons = (
            *self._from_checks(ChecksOutcome(checks_outcome)),
            *self._from_risk(score.probability),
            *self._from_amount(amount, income, limit),
        )
        outcome = _worst(reasons)
        if outcome is Outcome.DECLINE:
            return PolicyOutcome(outcome, None, Money.zero(amount.currency), reasons)
        return PolicyOutcome(outcome, rate, limit, reasons)

    def _from_checks(self, checks: ChecksOutcome) -> tuple[PolicyReason, ...]:
        if checks is ChecksOutcome.PASS:
            return ()
        failed = checks is ChecksOutcome.FAIL
        return (PolicyReason.CHECKS_NOT_PASSED if failed else PolicyReason.CHECKS_NEED_REVIEW,)

    def _from_risk(self, probability: Decimal) -> tuple[PolicyReason, ...]:
        if probability >= self.decline_from:
            return (PolicyReason.RISK_TOO_HIGH,)
        return () if probability < self.approve_below else (PolicyReason.RISK_NEEDS_REVIEW,)

    def _from_amount(self, amount: Money, income: Money | None, limit: Money) -> tuple[PolicyReason, ...]:
        if income is None or income.minor <= 0:
            return (PolicyReason.INCOME_NOT_STATED,)
        return () if amount <= limit else (PolicyReason.AMOUNT_ABOVE_LIMIT,)

    def _rate(self, grade: str) -> Decimal:
        if grade not in self.rate_margins:
            raise GradeNotInPolicy(grade, self.version)
        return min(self.rate_base + self.rate_margins[grade], self.rate_ceiling).quantize(RATE_PLACES)

    def _limit(self, grade: str, income: Money | None, currency: str, product_category: str) -> Money:
        multiples = self.limit_multiples.get(product_category, self.limit_multiples[STANDARD])
        if income is None or income.minor <= 0:
            return Money.zero(currency)
        # Adding zero of the amount's currency refuses an income in another one.
        exact = multiples[grade] * (Money.zero(currency) + income).minor
        step = self.limit_step_major * 10 ** MINOR_DIGITS[currency]
        return Money(int((exact / step).to_integral_value(ROUND_FLOOR)) * step, currency)

    @classmethod
    def _of(cls, body: dict[str, Any], file_hash: str) -> Self:
        multiples = body["limit"]["multiple_of_income"]
        return cls(
            version=_text(body["version"]),
            valid_from=_day(body["valid_from"]),
            hash=file_hash,
            approve_below=_exact(body["cutoffs"]["approve_below"]),
            decline_from=_exact(body["cutoffs"]["decline_from"]),
            rate_base=_exact(body["rate"]["base"]),
            rate_ceiling=_exact(body["rate"]["ceiling"]),
            rate_margins={grade: _exact(margin) for grade, margin in body["rate"]["margin"].items()},
            limit_multiples={
                category: {grade: _exact(multiple) for grade, multiple in table.items()}
                for category, table in multiples.items()
            },
            limit_step_major=int(body["limit"]["round_down_to_major"]),
        )


def policy_in_force(policies: Iterable[Policy], on: date) -> Policy:
    """The policy that started last on or before the day `on`."""
    started = [policy for policy in policies if policy.valid_from <= on]
    if not started:
        raise PolicyNotInForce(on)
    return max(started, key=lambda policy: (policy.valid_from, policy.version))


def _worst(reasons: tuple[PolicyReason, ...]) -> Outcome:
    ends = {_ENDS_IN[reason] for reason in reasons}
    if Outcome.DECLINE in ends:
        return Outcome.DECLINE
    return Outcome.REFER if ends else Outcome.APPROVE


def _exact(value: object) -> Decimal:
    """A decimal written as text: a TOML float would already have lost digits."""
    number = Decimal(_text(value))
    if not number.is_finite() or number < 0:
        raise ValueError(f"{value!r} is not a finite decimal of at least 0")
    return number


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} must be written as text")
    return value


def _day(value: object) -> date:
    if type(value) is not date:
        raise TypeError(f"{value!r} must be a day such as 2026-01-01")
    return value
