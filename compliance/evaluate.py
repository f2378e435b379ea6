"""Running every check over a subject, in a fixed order, so that nothing missing or broken can pass."""

import dataclasses
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import rfc8785

from compliance.check import Check, CheckResult, Finding, not_applicable, referred
from compliance.checks import authority, capacity, person, price, product
from compliance.checks.case import Case, Screening
from compliance.rulebook import RuleBook
from compliance.rulebook.book import NoRuleInForce
from compliance.subject import InputMissing, Subject


@dataclass(frozen=True, slots=True)
class Registered:
    """One check of the table: its function and the fields of the subject it reads.

    Without a field of `needs` it cannot pass; `reads` are the others it looks at when they are there.
    """

    rule: str
    run: Callable[[Case], Finding]
    needs: tuple[str, ...]
    reads: tuple[str, ...] = ()


CHECKS: tuple[Registered, ...] = (
    Registered(
        "identity", person.identity, ("id_type", "id_number"), ("birth_on", "sex", "id_expires_on", "applied_on")
    ),
    Registered("age", person.age, ("kind", "birth_on", "applied_on", "term_months")),
    Registered("screening", person.screening, ("name", "kind"), ("aliases", "birth_on", "nationality", "id_number")),
    Registered(
        "rate_cap",
        price.rate_cap,
        ("amount", "effective_annual_rate", "annual_rate", "lender_type"),
        (
            "kind", "jurisdiction", "channel", "secured", "overdue_annual_rate", "instalments", "net_disbursed",
            "disbursed_on",
        ),
    ),
    Registered("net_disbursement", price.net_disbursement, ("amount", "net_disbursed"), ("fees", "interest_withheld")),
    Registered(
        "affordability",
        capacity.affordability,
        ("kind", "monthly_income", "monthly_debt_service", "monthly_instalment"),
        ("instalments", "income_verified", "monthly_living_cost"),
    ),
    Registered(
        "exposure",
        capacity.exposure,
        ("amount", "total_outstanding", "kind", "secured"),
        ("lender_type", "jurisdiction", "channel"),
    ),
    Registered(
        "over_indebtedness",
        capacity.over_indebtedness,
        ("kind", "open_lenders", "open_loans", "total_outstanding", "amount", "monthly_income"),
        ("new_lenders_90_days",),
    ),
    Registered("velocity", capacity.velocity, ("applications_24_hours", "applications_30_days")),
    Registered("product", product.product, ("product", "amount", "term_months", "annual_rate", "purpose")),
    Registered("purpose", product.purpose, ("purpose",)),
    Registered("consent", authority.consent, ("consents",)),
    Registered("maker_checker", authority.maker_checker, ("maker", "checker")),
)  # fmt: skip


def evaluate(
    subject: Subject,
    rules: RuleBook,
    on: date,
    *,
    screener: Screening | None = None,
    at: datetime | None = None,
    hash_key: bytes = b"",
) -> tuple[Check, ...]:
    """Every check of the table under the rules of day `on`, in the table's order.

    Missing data is REFER, or NOT_APPLICABLE where `subject.unavailable` names the field; a check that raises is
    ERROR. `at` is the instant recorded (now, if not given). `hash_key` keys the inputs' hash.
    """
    case = Case(subject, rules.on(on), on, screener)
    evaluated_at = at or datetime.now(UTC)
    return tuple(_run(registered, case, evaluated_at, hash_key) for registered in CHECKS)


def _run(registered: Registered, case: Case, at: datetime, hash_key: bytes) -> Check:
    finding = _find(registered, case)
    return Check(
        rule=registered.rule,
        rule_version=case.rules.version(registered.rule),
        result=finding.result,
        reasons=finding.reasons,
        evaluated_at=at,
        inputs_hash=_inputs_hash(registered, case, hash_key),
        evidence=finding.evidence,
    )


def _find(registered: Registered, case: Case) -> Finding:
    try:
        return registered.run(case)
    except InputMissing as gap:
        return _gap(gap.field, case.subject.unavailable)
    except NoRuleInForce:
        return referred("NO_RULE_IN_FORCE")
    except Exception as cause:
        return Finding(CheckResult.ERROR, ("CHECK_RAISED", getattr(cause, "code", type(cause).__name__)))


def _gap(field: str, unavailable: Mapping[str, str]) -> Finding:
    if field in unavailable:
        return not_applicable(f"{field.upper()}_UNAVAILABLE", unavailable[field])
    return referred(f"{field.upper()}_MISSING")


def _inputs_hash(registered: Registered, case: Case, hash_key: bytes) -> bytes:
    inputs = {name: _plain(getattr(case.subject, name)) for name in registered.needs + registered.reads}
    document: Any = {
        "rule": registered.rule,
        "rule_version": case.rules.version(registered.rule),
        "on": case.on.isoformat(),
        "inputs": inputs,
    }
    try:
        return hmac.digest(hash_key, rfc8785.dumps(document), hashlib.sha256)
    except (rfc8785.CanonicalizationError, UnicodeError):
        # Text that is not Unicode has no canonical form; its escaped form still binds the inputs.
        return hmac.digest(hash_key, ascii(document).encode(), hashlib.sha256)


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: _plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value
