"""A decision: application through the door, score, policy and reasons, with the receipt that lets it be repeated."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

import rfc8785

from registry.domain.errors import InvalidInput
from registry.domain.money import Money
from scoring.features import FeatureVector, Raw
from scoring.model import Model, Score
from scoring.policy import STANDARD, ChecksOutcome, Outcome, Policy, PolicyOutcome, PolicyReason
from scoring.reasons import REASONS_MAX, Reason, adverse_reasons, reasons_of

_RISK = (PolicyReason.RISK_TOO_HIGH, PolicyReason.RISK_NEEDS_REVIEW)


@dataclass(eq=False)
class InputsDisagree(InvalidInput):
    """A feature and the amount or income decided on are not the same figure."""

    feature: str
    scored: str
    decided_on: str
    code: ClassVar[str] = "INPUTS_DISAGREE"

    def __str__(self) -> str:
        return f"Feature {self.feature!r} is {self.scored}, but the decision is on {self.decided_on}; give one figure."


@dataclass(frozen=True)
class DecisionInputs:
    """Everything a decision depends on beside model and policy: raw features, amount, a year's income, compliance."""

    features: Mapping[str, Raw]
    amount: Money
    income: Money | None
    checks: ChecksOutcome

    def request_hash(self, salt: bytes) -> bytes:
        """sha256(salt || RFC 8785 JSON of amount, income and compliance outcome)."""
        body = {"amount": _money(self.amount), "income": _money(self.income), "checks": self.checks.value}
        return hashlib.sha256(salt + rfc8785.dumps(body)).digest()


@dataclass(frozen=True)
class Decision:
    """What was decided and on what grounds."""

    inputs: DecisionInputs
    vector: FeatureVector
    score: Score
    outcome: PolicyOutcome
    reasons: tuple[Reason, ...]


def decide(inputs: DecisionInputs, model: Model, policy: Policy) -> Decision:
    """Score the application by the model's own schema and apply the policy; nothing is looked up or stored."""
    vector = FeatureVector.build(model.schema, inputs.features)
    _require_one_figure(vector, "amount", inputs.amount)
    _require_one_figure(vector, "annual_income", inputs.income)
    score = model.score(vector)
    category = vector.values.get("product_category") or STANDARD
    outcome = policy.decide(score, inputs.amount, inputs.income, inputs.checks, product_category=category)
    return Decision(inputs, vector, score, outcome, _principal_reasons(score, outcome, model.schema.version))


def _principal_reasons(score: Score, outcome: PolicyOutcome, schema_version: str) -> tuple[Reason, ...]:
    """Failed compliance alone is named; risk is replaced by what made it high, as "your score" explains nothing."""
    if outcome.outcome is Outcome.APPROVE:
        return ()
    if PolicyReason.CHECKS_NOT_PASSED in outcome.reasons:
        return reasons_of((PolicyReason.CHECKS_NOT_PASSED,), schema_version)
    risk = [reason for reason in outcome.reasons if reason in _RISK]
    named = reasons_of((r for r in outcome.reasons if r not in _RISK), schema_version)
    if not risk:
        return named[:REASONS_MAX]
    behind = adverse_reasons(score, schema_version, REASONS_MAX - len(named))
    return named + (behind or reasons_of(risk, schema_version))


def _require_one_figure(vector: FeatureVector, feature: str, figure: Money | None) -> None:
    """What is scored must be what is decided on, where the schema asks for it in the loan's currency."""
    scored = vector.inputs.get(feature)
    if scored is not None and figure is not None and Decimal(scored) != figure.major:
        raise InputsDisagree(feature, scored, str(figure))


def _money(amount: Money | None) -> dict[str, str] | None:
    return None if amount is None else {"minor": str(amount.minor), "currency": amount.currency}
