"""What is lent and for what: the bounds of the published product, and the purpose."""

from compliance.check import Finding, failed, passed, referred
from compliance.checks.case import Case
from compliance.rulebook import ProductRule, PurposeRule
from compliance.subject import present


def product(case: Case) -> Finding:
    """Reference 4.2 P1: amount, term, rate and purpose inside the published version, which is active."""
    case.rules.get("product", ProductRule)
    subject = case.subject
    bounds = present(subject.product, "product")
    amount = present(subject.amount, "amount")
    term = present(subject.term_months, "term_months")
    rate = present(subject.annual_rate, "annual_rate")
    purpose = present(subject.purpose, "purpose")
    reasons = []
    if not bounds.active:
        reasons.append("PRODUCT_INACTIVE")
    if amount < bounds.amount_min or bounds.amount_max < amount:
        reasons.append("AMOUNT_OUTSIDE_PRODUCT")
    if not bounds.term_months_min <= term <= bounds.term_months_max:
        reasons.append("TERM_OUTSIDE_PRODUCT")
    if not bounds.annual_rate_min <= rate <= bounds.annual_rate_max:
        reasons.append("RATE_OUTSIDE_PRODUCT")
    if bounds.purposes and purpose not in bounds.purposes:
        reasons.append("PURPOSE_OUTSIDE_PRODUCT")
    return failed(*reasons) if reasons else passed()


def purpose(case: Case) -> Finding:
    """Reference 4.2 P2: not a forbidden purpose; one the rule book does not know is for a human."""
    rule = case.rules.get("purpose", PurposeRule)
    purpose = present(case.subject.purpose, "purpose")
    if purpose in rule.forbidden:
        return failed("PURPOSE_FORBIDDEN")
    return passed() if purpose in rule.allowed else referred("PURPOSE_UNKNOWN")
