"""Who allowed it: the borrower's consents, and two different people inside the lender."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from compliance.check import Finding, failed, passed
from compliance.checks.case import Case
from compliance.rulebook import ConsentRule, MakerCheckerRule
from compliance.subject import Consent, present


def consent(case: Case) -> Finding:
    """Reference 4.2 Q1: for every purpose the rule names, a consent in force on the day."""
    rule = case.rules.get("consent", ConsentRule)
    consents = present(case.subject.consents, "consents")
    missing = [need for need in rule.required if not _in_force(consents, need, case.on)]
    return failed(*(f"CONSENT_{need}_MISSING" for need in missing)) if missing else passed()


def _in_force(consents: Iterable[Consent], purpose: str, on: date) -> bool:
    end_of_day = datetime.combine(on, time(), UTC) + timedelta(days=1)
    return any(
        given.purpose == purpose
        and given.given_at < end_of_day
        and (given.withdrawn_at is None or given.withdrawn_at >= end_of_day)
        and (given.expires_on is None or given.expires_on >= on)
        for given in consents
    )


def maker_checker(case: Case) -> Finding:
    """Reference 4.2 G1: who approves is not who prepared, and not an automaton."""
    rule = case.rules.get("maker_checker", MakerCheckerRule)
    maker = present(case.subject.maker, "maker").strip().casefold()
    checker = present(case.subject.checker, "checker").strip().casefold()
    if not maker or not checker:
        return failed("MAKER_OR_CHECKER_EMPTY")
    if maker == checker:
        return failed("MAKER_IS_CHECKER")
    if checker in {name.casefold() for name in rule.never_approve}:
        return failed("CHECKER_NOT_ALLOWED")
    return passed()
