"""Who the borrower is: identity number, age and capacity, sanctions lists."""

from datetime import date

from compliance.check import CheckResult, Finding, failed, not_applicable, passed, referred
from compliance.checks.case import Case
from compliance.identity import IdentityReading, read_lei, read_resident_id, read_uscc
from compliance.rulebook import AgeRule, IdentityRule, ScreeningRule
from compliance.screening import Decision, Query
from compliance.subject import IdentityType, PartyKind, Subject, present

_READERS = {
    IdentityType.CN_RESIDENT_ID: read_resident_id,
    IdentityType.CN_USCC: read_uscc,
    IdentityType.LEI: read_lei,
}
_MONTHS_A_YEAR = 12


def identity(case: Case) -> Finding:
    """Reference 4.2 K1: the number is well formed, not expired, and agrees with the declared birth date and sex."""
    rule = case.rules.get("identity", IdentityRule)
    subject = case.subject
    id_type = present(subject.id_type, "id_type")
    number = present(subject.id_number, "id_number")
    if subject.id_expires_on is not None and subject.id_expires_on < (subject.applied_on or case.on):
        return failed("ID_EXPIRED")
    if id_type in rule.confirm_elsewhere:
        return referred("ID_NOT_VERIFIABLE_HERE")
    reading = _READERS[id_type](number)
    if not reading.valid:
        return failed(f"ID_{reading.reason}_INVALID")
    if disagreement := _disagreement(reading, subject, case.on):
        return disagreement
    return referred("ID_CONFIRM_WITH_AUTHORITY") if reading.confirm_elsewhere else passed()


def _disagreement(reading: IdentityReading, subject: Subject, on: date) -> Finding | None:
    if reading.birth_on is None:
        return None
    if reading.birth_on > on:
        return failed("ID_BIRTH_DATE_IN_FUTURE")
    if present(subject.birth_on, "birth_on") != reading.birth_on:
        return referred("ID_BIRTH_DATE_DIFFERS")
    if subject.sex is not None and subject.sex != reading.sex:
        return referred("ID_SEX_DIFFERS")
    return None


def age(case: Case) -> Finding:
    """Reference 4.2 K2: of full age at application, and within the policy's limit when the loan matures."""
    rule = case.rules.get("age", AgeRule)
    subject = case.subject
    if present(subject.kind, "kind") is PartyKind.ORGANISATION:
        return not_applicable("NOT_A_PERSON")
    born = present(subject.birth_on, "birth_on")
    applied = present(subject.applied_on, "applied_on")
    months = present(subject.term_months, "term_months")
    if born > applied:
        return failed("BIRTH_DATE_AFTER_APPLICATION")
    if full_years(born, applied) < rule.minimum_age:
        return failed("BORROWER_UNDER_AGE")
    # Whole years at maturity: age in months at application plus the term.
    if (full_months(born, applied) + months) // _MONTHS_A_YEAR > rule.maximum_age_at_maturity:
        return failed("BORROWER_OVER_AGE_AT_MATURITY")
    return passed()


def full_months(born: date, on: date) -> int:
    """Completed months of life; born on 29 February counts from 1 March in a common year (Civil Code Art. 200-204)."""
    return (on.year - born.year) * _MONTHS_A_YEAR + on.month - born.month - (on.day < born.day)


def full_years(born: date, on: date) -> int:
    return full_months(born, on) // _MONTHS_A_YEAR


def screening(case: Case) -> Finding:
    """Reference 4.2 S1 and S2: nobody on a loaded list; the lists' versions are part of the evidence."""
    rule = case.rules.get("screening", ScreeningRule)
    subject = case.subject
    name = present(subject.name, "name")
    kind = present(subject.kind, "kind")
    if case.screener is None:
        return referred("LIST_NOT_LOADED")
    result = case.screener.screen(
        Query(
            name=name,
            aliases=subject.aliases,
            kind=kind,
            birth_on=subject.birth_on,
            countries=(subject.nationality,) if subject.nationality else (),
            identifiers=(subject.id_number,) if subject.id_number else (),
            refer_from=float(rule.refer_from),
            match_from=float(rule.match_from),
        )
    )
    outcomes = {
        Decision.NOT_LOADED: (CheckResult.REFER, ("LIST_NOT_LOADED",)),
        Decision.MATCH: (CheckResult.FAIL, ("SANCTIONS_MATCH",)),
        Decision.POSSIBLE: (CheckResult.REFER, ("SANCTIONS_POSSIBLE_MATCH",)),
        Decision.NOT_COMPARABLE: (CheckResult.REFER, ("NAME_NOT_COMPARABLE",)),
        Decision.CLEAR: (CheckResult.PASS, ()),
    }
    outcome, reasons = outcomes[result.decision]
    return Finding(outcome, reasons, result.evidence())
