"""The shape of each rule: one frozen dataclass per TOML file, rates as fractions of one a year."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class CapKind(StrEnum):
    """What a cap limits: a rate, a multiple of the one-year LPR, a sum; or that there is no cap."""

    FIXED = "FIXED"
    LPR_MULTIPLE = "LPR_MULTIPLE"
    AMOUNT = "AMOUNT"
    NONE = "NONE"


class AboveCap(StrEnum):
    """What exceeding a cap leads to."""

    FAIL = "FAIL"
    REFER = "REFER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What every rule version carries: its name in checks and the first day it applies."""

    version: str
    valid_from: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """One cap and whom it binds; an empty tuple binds everybody.

    FIXED carries `annual_rate`, LPR_MULTIPLE `multiple` (of the LPR on the agreement's day), AMOUNT `amount` in major
    units of the scope's currency. `above` is the result when the cap is exceeded.
    """

    id: str
    kind: CapKind
    above: AboveCap = AboveCap.FAIL
    lender_types: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    jurisdictions: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    unsecured_only: bool = False
    annual_rate: Decimal | None = None
    multiple: Decimal | None = None
    amount: Decimal | None = None

    def __post_init__(self) -> None:
        limits = {
            CapKind.FIXED: self.annual_rate,
            CapKind.LPR_MULTIPLE: self.multiple,
            CapKind.AMOUNT: self.amount,
        }
        given = {kind for kind, limit in limits.items() if limit is not None}
        if given != {self.kind} - {CapKind.NONE}:
            raise ValueError(f"cap {self.id} must carry the one limit of its kind {self.kind}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRule(Rule):
    """Reference 4.1: which person documents need an authority's confirmation because their place code is not public."""

    confirm_elsewhere: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeRule(Rule):
    """Civil Code Arts. 17-18 (capacity at 18) and the lender's own upper limit at maturity, in years."""

    minimum_age: int
    maximum_age_at_maturity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreeningRule(Rule):
    """Decision thresholds of name screening, scores between 0 and 1."""

    refer_from: Decimal
    match_from: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LprRule(Rule):
    """The one-year loan prime rate from this day on."""

    annual_rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCapRule(Rule):
    """Caps on the annual IRR over net disbursement, first match wins; tolerance of the check by substitution."""

    substitution_tolerance: Decimal
    cap: tuple[Cap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetDisbursementRule(Rule):
    """Civil Code Art. 670: interest may not be withheld from the principal; the share of fees withheld that refers."""

    refer_fee_share: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AffordabilityRule(Rule):
    """Debt service over net monthly income: above `refer_above` a human decides, above `fail_above` it fails."""

    refer_above: Decimal
    fail_above: Decimal
    unverified_income_haircut: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureRule(Rule):
    """Caps on the sum of what is owed over all lenders and the new loan."""

    cap: tuple[Cap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OverIndebtednessRule(Rule):
    """From so many open lenders, new lenders in 90 days, or above so many months of income, a human decides."""

    open_lenders_from: int
    new_lenders_90_days_from: int
    income_multiple_above: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class VelocityRule(Rule):
    """Most applications of one person before a human decides."""

    applications_24_hours_max: int
    applications_30_days_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRule(Rule):
    """Whether the bounds of the published product version bind; nothing to configure but its version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeRule(Rule):
    """Purposes a loan may and may not have; one in neither list is decided by a human."""

    allowed: tuple[str, ...]
    forbidden: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRule(Rule):
    """Purposes for which a consent in force is needed (PIPL 23, 29; credit reporting rules 18, 29)."""

    required: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MakerCheckerRule(Rule):
    """Four eyes; automata named here may prepare but never approve."""

    never_approve: tuple[str, ...]
