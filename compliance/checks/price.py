"""What the loan costs: rate caps on the IRR over net disbursement, and what was withheld from it."""

from decimal import Decimal, localcontext

from compliance.check import CheckResult, Finding, failed, not_applicable, passed, referred
from compliance.checks.case import Case
from compliance.checks.scope import binding_cap
from compliance.rulebook import Cap, CapKind, LprRule, NetDisbursementRule, RateCapRule
from compliance.subject import Subject, present
from registry.domain.money import Money

_DAYS_A_YEAR = 365


def rate_cap(case: Case) -> Finding:
    """Reference 4.2 P3: contract, overdue and all-in rate at or under the cap that binds this lender on this day."""
    rule = case.rules.get("rate_cap", RateCapRule)
    subject = case.subject
    currency = present(subject.amount, "amount").currency
    cap = binding_cap(rule.cap, subject, currency)
    if cap is None:
        return referred("NO_RATE_RULE_FOR_LENDER")
    if cap.kind is CapKind.NONE:
        return not_applicable(cap.id)
    all_in = present(subject.effective_annual_rate, "effective_annual_rate")
    contract = present(subject.annual_rate, "annual_rate")
    limit = cap_rate(cap, case)
    rates = (all_in, contract, subject.overdue_annual_rate or contract)
    if max(rates) > limit:
        return Finding(CheckResult(cap.above), ("RATE_ABOVE_CAP", cap.id), {"cap": str(limit)})
    if not _confirmed(subject, all_in, rule.substitution_tolerance):
        return referred("EFFECTIVE_RATE_NOT_CONFIRMED")
    return Finding(CheckResult.PASS, (cap.id,), {"cap": str(limit)})


def cap_rate(cap: Cap, case: Case) -> Decimal:
    """The cap as a fraction of one a year on the day of the agreement."""
    if cap.kind is CapKind.LPR_MULTIPLE:
        return present(cap.multiple, "multiple") * case.rules.get("lpr", LprRule).annual_rate
    return present(cap.annual_rate, "annual_rate")


def _confirmed(subject: Subject, rate: Decimal, tolerance: Decimal) -> bool:
    """Put the rate into the dated flows, if there are any: their present value must equal what was paid out.

    Annual compounding over actual days / 365.
    """
    if not subject.instalments or subject.net_disbursed is None or subject.disbursed_on is None:
        return True
    if rate <= -1:
        return False
    paid_out = subject.net_disbursed
    with localcontext() as context:
        context.prec = 28
        value = Decimal(0)
        for instalment in subject.instalments:
            years = Decimal((instalment.due_on - subject.disbursed_on).days) / _DAYS_A_YEAR
            value += (Money.zero(paid_out.currency) + instalment.amount).minor / (1 + rate) ** years
        return abs(value - paid_out.minor) <= tolerance * paid_out.minor


def net_disbursement(case: Case) -> Finding:
    """Reference 4.2 P4: interest withheld from the principal fails; fees withheld above the rule's share refer."""
    rule = case.rules.get("net_disbursement", NetDisbursementRule)
    subject = case.subject
    amount = present(subject.amount, "amount")
    paid_out = present(subject.net_disbursed, "net_disbursed")
    interest = subject.interest_withheld or Money.zero(amount.currency)
    fees = subject.fees or Money.zero(amount.currency)
    if Money.zero(amount.currency) < interest:
        return Finding(
            CheckResult.FAIL, ("INTEREST_WITHHELD",), {"legal_principal": str(legal_principal(amount, interest))}
        )
    if amount < paid_out:
        return failed("DISBURSED_ABOVE_PRINCIPAL")
    withheld = amount - paid_out
    if fees < withheld:
        return referred("DISBURSED_BELOW_PRINCIPAL")
    if withheld.minor > rule.refer_fee_share * amount.minor:
        return referred("FEES_WITHHELD_HIGH")
    return passed()


def legal_principal(stated: Money, interest_withheld: Money) -> Money:
    """Civil Code Art. 670: interest withheld in advance is not part of the principal."""
    return stated - interest_withheld
