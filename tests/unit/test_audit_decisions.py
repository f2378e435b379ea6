"""A decision is the one its anchored receipt tells of, whoever made it and whatever was erased since."""

import hashlib
import random
from collections.abc import Iterator

import pytest
from sqlalchemy import update

from audit.decision_check import compare
from audit.finding import Rule, Severity
from audit.loan_file import FileDecision
from audit.loan_result import LoanResult
from registry.storage import tables
from tests.support.audit_decisions import a_decision
from tests.support.audit_evidence import LOANS, file_loan
from tests.support.audit_mutations import Portfolio, a_portfolio
from tests.support.audit_portfolio import MadeLoan


@pytest.fixture(scope="module")
def portfolio() -> Iterator[Portfolio]:
    made = a_portfolio(4_711, loans=40)
    yield made
    made.connection.close()


def decided(portfolio: Portfolio, *, is_erased: bool = False, by: str | None = None) -> MadeLoan:
    return next(
        loan
        for loan in portfolio.loans
        if loan.decision
        and (loan.borrower["key_id"] is None) == is_erased
        and (by is None or (loan.decision["decided_by"] == "policy") == (by == "policy"))
    )


def found(portfolio: Portfolio, loan: MadeLoan, **cells: object) -> list[tuple[Rule, Severity, str, str]]:
    """What is found in the loan once these cells of its decision are altered."""
    assert loan.decision is not None
    here = tables.decisions.c.id == loan.decision["id"]
    portfolio.connection.execute(update(tables.decisions).where(here).values(cells))
    findings = portfolio.findings(portfolio.sources())
    portfolio.connection.rollback()
    assert {finding.loan_id for finding in findings} <= {loan.row["id"]}
    return [(finding.rule, finding.severity, finding.table, finding.field) for finding in findings]


def altered(*names: str) -> list[tuple[Rule, Severity, str, str]]:
    return [(Rule.DECISION_ALTERED, Severity.ERROR, "decisions", name) for name in names]


def test_a_receipt_rewritten_with_its_commitment_is_not_the_one_that_was_anchored(portfolio: Portfolio) -> None:
    loan = decided(portfolio)
    assert loan.decision is not None
    forged = loan.decision["receipt"].replace('"points":', '"points":9')
    commitment = hashlib.sha256(b"\x15" + forged.encode()).digest()
    assert found(portfolio, loan, receipt=forged) == altered("receipt")
    assert found(portfolio, loan, receipt=forged, receipt_commitment=commitment) == altered(
        "receipt", "receipt_commitment"
    )


def test_only_a_person_may_decide_otherwise_than_the_policy_and_only_what_it_referred(portfolio: Portfolio) -> None:
    assert found(portfolio, decided(portfolio, by="person"), outcome="DECLINE") == []
    assert found(portfolio, decided(portfolio, by="person"), decided_by="policy") == altered("outcome")
    by_policy = decided(portfolio, by="policy")
    assert by_policy.decision is not None
    other = "DECLINE" if by_policy.decision["outcome"] == "APPROVE" else "APPROVE"
    assert found(portfolio, by_policy, outcome=other) == altered("outcome")
    assert found(portfolio, by_policy, outcome=other, decided_by="officer 7") == altered("outcome")


def test_what_only_an_erasure_takes_away_may_be_gone_only_after_one(portfolio: Portfolio) -> None:
    gone = {"score": None, "limit_minor": None, "inputs_salt": bytes(32)}
    kept, erased = decided(portfolio), decided(portfolio, is_erased=True)
    assert found(portfolio, kept, **gone) == altered("limit_minor", "score", "inputs_salt")
    assert found(portfolio, erased, **gone) == []
    assert erased.decision is not None
    assert found(portfolio, erased, limit_minor=1, model_hash=bytes(32)) == altered("limit_minor", "model_hash")


def test_a_loan_that_names_another_decision_is_found(portfolio: Portfolio) -> None:
    one = decided(portfolio, is_erased=False)
    other = next(
        loan
        for loan in portfolio.loans
        if loan is not one and loan.decision and loan.row["lender_id"] == one.row["lender_id"]
    )
    assert other.decision is not None
    here = tables.loans.c.id == one.row["id"]
    portfolio.connection.execute(update(tables.loans).where(here).values(decision_id=other.decision["id"]))
    findings = portfolio.findings(portfolio.sources())
    portfolio.connection.rollback()
    assert {(finding.rule, finding.loan_id) for finding in findings} == {(Rule.DECISION_ALTERED, one.row["id"])}


def test_an_anchored_receipt_of_another_form_is_a_warning() -> None:
    made = next(loan for loan in LOANS if loan.decision)
    assert made.decision is not None
    for receipt in ("{}", "[]", "no JSON", '{"format":"another"}'):
        commitment = hashlib.sha256(b"\x15" + receipt.encode()).digest()
        row = made.decision | {"receipt": receipt, "receipt_commitment": commitment}
        result = LoanResult(1, made.row["id"], made.row["loan_key"])
        filed = FileDecision(**{name: row[name] for name in FileDecision._fields})
        compare(file_loan(made), filed, {"decision_receipt": commitment.hex()}, result)
        (finding,) = result.findings
        assert (finding.rule, finding.severity) == (Rule.DECISION_UNREADABLE, Severity.WARNING)


def test_a_score_is_not_repeated_in_a_finding(portfolio: Portfolio) -> None:
    loan = decided(portfolio)
    assert loan.decision is not None
    here = tables.decisions.c.id == loan.decision["id"]
    other = a_decision(random.Random(1), 1, "DC-other", is_erased=False)
    portfolio.connection.execute(update(tables.decisions).where(here).values(score=other["score"]))
    (finding,) = portfolio.findings(portfolio.sources())
    portfolio.connection.rollback()
    assert (finding.rule, finding.field) == (Rule.DECISION_ALTERED, "score")
    assert finding.expected.startswith("0x")
    assert finding.found.startswith("0x")
