"""What the borrower can bear: affordability, exposure and indebtedness over all lenders, speed of applying."""

from collections import defaultdict
from decimal import Decimal

from compliance.check import CheckResult, Finding, failed, not_applicable, passed, referred
from compliance.checks.case import Case
from compliance.checks.scope import binding_cap
from compliance.rulebook import AffordabilityRule, CapKind, ExposureRule, OverIndebtednessRule, VelocityRule
from compliance.subject import InputMissing, PartyKind, Subject, present
from registry.domain.money import AmountInvalid, CurrencyMismatch, Money


def affordability(case: Case) -> Finding:
    """Reference 4.2 C1: existing and new monthly debt service over net monthly income."""
    rule = case.rules.get("affordability", AffordabilityRule)
    subject = case.subject
    if present(subject.kind, "kind") is PartyKind.ORGANISATION:
        return not_applicable("NOT_A_PERSON")
    income = present(subject.monthly_income, "monthly_income")
    service = _owed(subject.monthly_debt_service, "monthly_debt_service") + new_monthly_service(subject)
    counted = Decimal(income.minor) * (1 if subject.income_verified else 1 - rule.unverified_income_haircut)
    _same_currency(income, service)
    if counted <= 0:
        return failed("NO_INCOME")
    if service.minor > rule.fail_above * counted:
        return failed("DEBT_SERVICE_ABOVE_LIMIT")
    if service.minor > rule.refer_above * counted:
        return referred("DEBT_SERVICE_HIGH")
    if subject.monthly_living_cost is not None and income < service + subject.monthly_living_cost:
        return referred("NOTHING_LEFT_TO_LIVE_ON")
    return passed()


def new_monthly_service(subject: Subject) -> Money:
    """The new loan's instalment a month: as given, or what falls due in its heaviest calendar month."""
    if subject.monthly_instalment is not None:
        return _owed(subject.monthly_instalment, "monthly_instalment")
    if not subject.instalments:
        raise InputMissing("monthly_instalment")
    currency = subject.instalments[0].amount.currency
    by_month: dict[tuple[int, int], Money] = defaultdict(lambda: Money.zero(currency))
    for instalment in subject.instalments:
        by_month[instalment.due_on.year, instalment.due_on.month] += instalment.amount
    return max(by_month.values(), key=lambda due: due.minor)


def exposure(case: Case) -> Finding:
    """Reference 4.2 C2: what is owed to all lenders and the new loan together stay under the cap."""
    rule = case.rules.get("exposure", ExposureRule)
    subject = case.subject
    amount = present(subject.amount, "amount")
    cap = binding_cap(rule.cap, subject, amount.currency)
    if cap is None:
        return referred("NO_EXPOSURE_RULE_FOR_LENDER")
    if cap.kind is CapKind.NONE:
        return not_applicable(cap.id)
    owed = _owed(subject.total_outstanding, "total_outstanding") + amount
    limit = Money.of(present(cap.amount, "amount"), amount.currency)
    if limit < owed:
        return Finding(CheckResult(cap.above), ("EXPOSURE_ABOVE_CAP", cap.id), {"cap": str(limit)})
    return passed(cap.id)


def over_indebtedness(case: Case) -> Finding:
    """Reference 4.2 C3: many lenders, many new lenders, or debt of many months of income."""
    rule = case.rules.get("over_indebtedness", OverIndebtednessRule)
    subject = case.subject
    if present(subject.kind, "kind") is PartyKind.ORGANISATION:
        return not_applicable("NOT_A_PERSON")
    lenders = _count(subject.open_lenders, "open_lenders")
    loans = _count(subject.open_loans, "open_loans")
    owed = _owed(subject.total_outstanding, "total_outstanding") + present(subject.amount, "amount")
    income = present(subject.monthly_income, "monthly_income")
    owed - income
    reasons = []
    if lenders > loans:
        reasons.append("EXPOSURE_COUNTS_DISAGREE")
    if lenders >= rule.open_lenders_from:
        reasons.append("MANY_OPEN_LENDERS")
    if (subject.new_lenders_90_days or 0) >= rule.new_lenders_90_days_from:
        reasons.append("MANY_NEW_LENDERS")
    if owed.minor > rule.income_multiple_above * income.minor:
        reasons.append("DEBT_OVER_INCOME_HIGH")
    return referred(*reasons) if reasons else passed()


def velocity(case: Case) -> Finding:
    """Reference 4.2 A6: how many applications the person has made, here and elsewhere."""
    rule = case.rules.get("velocity", VelocityRule)
    subject = case.subject
    day = _count(subject.applications_24_hours, "applications_24_hours")
    month = _count(subject.applications_30_days, "applications_30_days")
    reasons = []
    if day > rule.applications_24_hours_max:
        reasons.append("MANY_APPLICATIONS_24_HOURS")
    if month > rule.applications_30_days_max:
        reasons.append("MANY_APPLICATIONS_30_DAYS")
    return referred(*reasons) if reasons else passed()


def _same_currency(one: Money, other: Money) -> None:
    """Refuse to put amounts of two currencies into one ratio."""
    if one.currency != other.currency:
        raise CurrencyMismatch(one.currency, other.currency)


def _owed(amount: Money | None, name: str) -> Money:
    """What somebody owes; less than nothing would hide other debt."""
    owed = present(amount, name)
    if owed.minor < 0:
        raise AmountInvalid(str(owed), f"{name} is not negative")
    return owed


def _count(number: int | None, name: str) -> int:
    count = present(number, name)
    if count < 0:
        raise AmountInvalid(str(count), f"{name} is not negative")
    return count
