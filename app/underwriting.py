"""Underwriting: one application through score, compliance checks and policy, with the receipt that can be run again."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from compliance.check import Check, CheckResult, overall
from compliance.checks.case import Screening
from compliance.evaluate import evaluate
from compliance.rulebook import RuleBook
from compliance.subject import Consent, IdentityType, Instalment, LenderType, PartyKind, ProductBounds, Subject
from registry.domain.agreement import AgreementTerms
from registry.domain.money import Money
from registry.domain.origination import Assessment, CheckOutcome, Outcome
from registry.domain.product import Product, ProductCategory
from registry.domain.rate import effective_annual_rate
from registry.domain.schedule import build_schedule
from registry.ports import UnderwritingCase
from scoring.decision import Decision, DecisionInputs, decide
from scoring.features import Raw
from scoring.model import Model, Score
from scoring.policy import ChecksOutcome, Policy
from scoring.receipt import DecisionReceipt, Reproduction, reproduce

MONTHS_PER_YEAR = 12
OWN_CHANNEL = "OWN"  # applied for at the lender itself, unless the application says otherwise

# The project's product categories and purposes in the words of the scoring schema application@1.
_CATEGORY: Mapping[ProductCategory, str] = {
    ProductCategory.CONSUMER: "personal",
    ProductCategory.BUSINESS: "small_business",
    ProductCategory.MORTGAGE: "mortgage",
    ProductCategory.CAR: "auto",
    ProductCategory.GREEN: "other",
    ProductCategory.SCENARIO_INSTALMENT: "personal",
    ProductCategory.SUPPLY_CHAIN: "small_business",
}
_PURPOSE: Mapping[str, str] = {
    "DEBT_CONSOLIDATION": "debt_consolidation",
    "CREDIT_CARD": "debt_consolidation",
    "CAR": "car",
    "HOME_IMPROVEMENT": "home",
    "HOME_PURCHASE": "home",
    "EDUCATION": "education",
    "MEDICAL": "medical",
    "TRAVEL": "travel",
    "SMALL_BUSINESS": "business",
    "WORKING_CAPITAL": "business",
    "BUSINESS_EQUIPMENT": "business",
    "INVENTORY": "business",
    "TRADE": "business",
    "AGRICULTURE": "business",
    "CONSUMPTION": "household",
    "MAJOR_PURCHASE": "household",
    "MOVING": "household",
    "WEDDING": "household",
}


@dataclass(frozen=True, slots=True)
class Underwriting:
    """Implements `registry.ports.Underwriter` over one model, one policy and one rule book."""

    model: Model
    policy: Policy
    rules: RuleBook
    screener: Callable[[], Screening]

    def assess(self, case: UnderwritingCase) -> Assessment:
        """Price the application, check it at that price, then apply the policy to score and checks together."""
        inputs = decision_inputs(case, ChecksOutcome.PASS)
        priced = decide(inputs, self.model, self.policy)
        terms = case.terms or _terms(case, priced.outcome.offered_rate)
        checks = evaluate(
            subject_of(case, terms, priced.outcome.offered_rate),
            self.rules,
            _rules_day(case),
            screener=self.screener(),
            at=case.decided_at,
        )
        found = ChecksOutcome(overall(checks).value)
        decision = decide(replace(inputs, checks=found), self.model, self.policy)
        salt = secrets.token_bytes(32)
        receipt = DecisionReceipt.of(decision, salt, self.model, self.policy)
        return _assessment(decision, receipt, salt, checks)

    def reproduce(
        self, receipt: str, case: UnderwritingCase, salt: bytes, checks: tuple[CheckOutcome, ...]
    ) -> Reproduction:
        """Run a kept decision again from its sealed inputs; says exactly what differs when the bytes do."""
        results = [_as_check(check) for check in checks]
        found = ChecksOutcome(overall(results).value)
        return reproduce(receipt.encode(), decision_inputs(case, found), salt, self.model, self.policy)


def decision_inputs(case: UnderwritingCase, checks: ChecksOutcome) -> DecisionInputs:
    """What the score and the policy depend on, from an application's figures."""
    application = case.application
    given = case.inputs
    features: dict[str, Raw] = {
        name: value if value is None else str(value) for name, value in given.items() if name not in _NOT_FEATURES
    }
    features["amount"] = application.amount.major
    features["term_months"] = application.term_months
    features["product_category"] = _CATEGORY[case.product.category]
    features["purpose"] = _PURPOSE.get(application.purpose, "other")
    return DecisionInputs(features, application.amount, _yearly_income(case), checks)


# Figures that checks read and the score does not.
_NOT_FEATURES = frozenset({"monthly_debt_service", "income_verified", "channel"})


def subject_of(case: UnderwritingCase, terms: AgreementTerms | None, offered: Decimal | None) -> Subject:
    """What the compliance checks may read about a case; figures nobody gave stay missing."""
    application, identity, exposure = case.application, case.identity, case.exposure
    currency = application.amount.currency
    income = _yearly_income(case)
    monthly = Money(income.minor // MONTHS_PER_YEAR, currency) if income is not None else None
    rate = terms.annual_rate if terms is not None else offered
    rows = build_schedule(terms) if terms is not None else ()
    instalments = tuple(
        Instalment(row.due_on, Money(row.principal_minor + row.interest_minor + row.fees_minor, currency))
        for row in rows
    )
    owed = [money for money in exposure.outstanding if money.currency == currency] if exposure else []
    return Subject(
        lender_type=LenderType(case.lender.kind),
        channel=str(case.inputs.get("channel") or OWN_CHANNEL),
        applied_on=_rules_day(case),
        amount=application.amount,
        term_months=application.term_months,
        annual_rate=rate,
        effective_annual_rate=effective_annual_rate(terms).rate if terms is not None else None,
        fees=Money(terms.upfront_fee_minor, currency) if terms is not None else None,
        interest_withheld=Money.zero(currency),
        disbursed_on=terms.disbursed_on if terms is not None else None,
        net_disbursed=terms.net_disbursement if terms is not None else None,
        instalments=instalments or None,
        secured=case.product.secured,
        purpose=application.purpose,
        product=_bounds(case.product, currency),
        name=identity.name or None,
        kind=PartyKind(identity.kind),
        id_type=IdentityType(identity.identity_kind) if identity.identity_kind else None,
        id_number=identity.number,
        birth_on=identity.born_on,
        nationality=identity.nationality,
        monthly_income=monthly,
        income_verified=_flag(case.inputs.get("income_verified")),
        monthly_debt_service=_debt_service(case, monthly),
        monthly_instalment=max((row.amount for row in instalments), key=lambda money: money.minor, default=None),
        open_loans=exposure.open_loans if exposure else None,
        open_lenders=exposure.open_lenders if exposure else None,
        new_lenders_90_days=exposure.new_lenders_90_days if exposure else None,
        total_outstanding=(owed[0] if owed else Money.zero(currency)) if exposure else None,
        applications_24_hours=exposure.applications_24_hours if exposure else None,
        applications_30_days=exposure.applications_30_days if exposure else None,
        consents=None if "consents" in case.unavailable else _consents(case),
        maker=None if "maker" in case.unavailable else case.maker,
        checker=None if "checker" in case.unavailable else case.checker,
        unavailable=case.unavailable,
    )


def score_values(score: Score) -> dict[str, object]:
    """A score as it is stored: exact decimals as strings."""
    return {
        "probability": str(score.probability),
        "points": score.points,
        "grade": score.grade,
        "model_version": score.model_version,
        "model_hash": score.model_hash,
        "contributions": [
            {"feature": part.feature, "value": part.value, "effect": str(part.effect)} for part in score.contributions
        ],
    }


def _assessment(decision: Decision, receipt: DecisionReceipt, salt: bytes, checks: tuple[Check, ...]) -> Assessment:
    outcome = decision.outcome
    return Assessment(
        outcome=Outcome(outcome.outcome.value),
        score=score_values(decision.score),  # type: ignore[arg-type]
        checks=tuple(
            CheckOutcome(check.rule, check.rule_version, check.result.value, check.reasons, check.evaluated_at)
            for check in checks
        ),
        reasons=tuple(reason.code for reason in decision.reasons),
        offered_rate=outcome.offered_rate,
        limit=outcome.limit,
        policy_version=str(receipt.body["policy"]["version"]),
        model_hash=bytes.fromhex(decision.score.model_hash),
        inputs_hash=decision.vector.inputs_hash(salt),
        inputs_salt=salt,
        receipt=receipt.canonical.decode(),
        receipt_commitment=receipt.commitment,
    )


def _consents(case: UnderwritingCase) -> tuple[Consent, ...]:
    return tuple(
        Consent(given.purpose, given.granted_at, given.withdrawn_at, text_version=given.text_version)
        for given in case.consents
    )


def _as_check(outcome: CheckOutcome) -> Check:
    return Check(
        outcome.rule, outcome.rule_version, CheckResult(outcome.result), outcome.reasons, outcome.evaluated_at, b""
    )


def _terms(case: UnderwritingCase, rate: Decimal | None) -> AgreementTerms | None:
    """The terms the application would get at the offered rate, within the product's bounds; None when declined."""
    if rate is None:
        return None
    product, application = case.product, case.application
    within = min(max(rate, product.annual_rate_min), product.annual_rate_max)
    return product.terms_for(application.amount, application.term_months, within, case.decided_at.date())


def _rules_day(case: UnderwritingCase) -> date:
    """Rules are those of the day of the agreement, where it was made already; else of the decision."""
    return case.terms.disbursed_on if case.terms is not None else case.decided_at.date()


def _yearly_income(case: UnderwritingCase) -> Money | None:
    given = case.inputs.get("annual_income")
    return Money.of(Decimal(str(given)), case.application.amount.currency) if given is not None else None


def _debt_service(case: UnderwritingCase, monthly_income: Money | None) -> Money | None:
    """What the borrower pays on other debts a month: given, or the declared share of income."""
    currency = case.application.amount.currency
    given = case.inputs.get("monthly_debt_service")
    if given is not None:
        return Money.of(Decimal(str(given)), currency)
    share = case.inputs.get("debt_to_income")
    if share is None or monthly_income is None:
        return None
    return Money(int(Decimal(str(share)) * monthly_income.minor), currency)


def _flag(given: object) -> bool | None:
    return None if given is None else given in {True, "true", "yes", "1"}


def _bounds(product: Product, currency: str) -> ProductBounds:
    low, high = product.amount_bounds(currency)
    return ProductBounds(
        version=product.id,
        active=True,
        amount_min=low,
        amount_max=high,
        term_months_min=product.term_months_min,
        term_months_max=product.term_months_max,
        annual_rate_min=product.annual_rate_min,
        annual_rate_max=product.annual_rate_max,
        purposes=product.purposes,
    )
