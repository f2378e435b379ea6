"""Applications, decisions and the checks that went into them."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import orjson
from sqlalchemy import Connection, Row, insert, select, update

from registry.domain.errors import NotFound
from registry.domain.money import Money
from registry.domain.origination import Application, ApplicationStatus, Assessment, CheckOutcome, Decision, Outcome
from registry.storage.tables import applications, checks, decisions


@dataclass(eq=False)
class ApplicationUnknown(NotFound):
    """The lender has no application of this id."""

    application_id: str
    code: ClassVar[str] = "APPLICATION_UNKNOWN"

    def __str__(self) -> str:
        return f"There is no application {self.application_id} at this lender."


@dataclass(eq=False)
class DecisionMissing(NotFound):
    """The application has not been decided yet, or there is no such decision."""

    given: str
    code: ClassVar[str] = "DECISION_UNKNOWN"

    def __str__(self) -> str:
        return f"There is no decision {self.given}; decide the application first, or check the id."


class SqlApplications:
    """Implements `registry.ports.Applications`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, lender_id: int, application_id: str) -> Application:
        row = self._connection.execute(
            select(applications)
            .where(applications.c.lender_id == lender_id, applications.c.id == application_id)
            .with_for_update()
        ).one_or_none()
        if row is None:
            raise ApplicationUnknown(application_id)
        return application_of(row)

    def add(self, new: Iterable[Application]) -> None:
        rows = [_row(application) for application in new]
        if rows:
            self._connection.execute(insert(applications), rows)

    def save(self, application: Application) -> None:
        self._connection.execute(
            update(applications)
            .where(applications.c.lender_id == application.lender_id, applications.c.id == application.id)
            .values(status=application.status.value)
        )

    def decide(self, made: Iterable[Decision]) -> None:
        made = list(made)
        if not made:
            return
        self._connection.execute(insert(decisions), [_decision_row(decision) for decision in made])
        rows = [row for decision in made for row in _check_rows(decision)]
        if rows:
            self._connection.execute(insert(checks), rows)

    def decision_of(self, lender_id: int, application_id: str) -> Decision:
        """The newest decision on an application."""
        row = self._connection.execute(
            select(decisions)
            .where(decisions.c.lender_id == lender_id, decisions.c.application_id == application_id)
            .order_by(decisions.c.decided_at.desc(), decisions.c.id.desc())
            .limit(1)
        ).one_or_none()
        if row is None:
            raise DecisionMissing(application_id)
        return self._decision(row)

    def decision(self, lender_id: int, decision_id: str) -> Decision:
        row = self._connection.execute(
            select(decisions).where(decisions.c.lender_id == lender_id, decisions.c.id == decision_id)
        ).one_or_none()
        if row is None:
            raise DecisionMissing(decision_id)
        return self._decision(row)

    def _decision(self, row: Row[Any]) -> Decision:
        application = self.get(row.lender_id, row.application_id)
        check_rows = self._connection.execute(
            select(checks)
            .where(checks.c.lender_id == row.lender_id, checks.c.decision_id == row.id)
            .order_by(checks.c.position)
        )
        return decision_of(row, [check_of(check) for check in check_rows], application.amount.currency)


def application_of(row: Row[Any]) -> Application:
    return Application(
        lender_id=row.lender_id,
        id=row.id,
        borrower_id=row.borrower_id,
        product_id=row.product_id,
        amount=Money(row.amount_minor, row.currency),
        term_months=row.term_months,
        purpose=row.purpose,
        sealed=row.sealed,
        status=ApplicationStatus(row.status),
        submitted_by=row.submitted_by,
        submitted_at=row.submitted_at,
    )


def check_of(row: Row[Any]) -> CheckOutcome:
    return CheckOutcome(row.rule, row.rule_version, row.result, tuple(orjson.loads(row.reasons)), row.evaluated_at)


def decision_of(row: Row[Any], found: list[CheckOutcome], currency: str) -> Decision:
    assessment = Assessment(
        outcome=Outcome(row.outcome),
        score=orjson.loads(row.score) if row.score is not None else None,
        checks=tuple(found),
        reasons=tuple(orjson.loads(row.reasons)),
        offered_rate=Decimal(row.offered_rate) if row.offered_rate is not None else None,
        limit=Money(row.limit_minor, currency) if row.limit_minor is not None else None,
        policy_version=row.policy_version,
        model_hash=row.model_hash,
        inputs_hash=row.inputs_hash,
        inputs_salt=row.inputs_salt,
        receipt=row.receipt,
        receipt_commitment=row.receipt_commitment,
    )
    return Decision(
        row.lender_id, row.id, row.application_id, assessment, Outcome(row.outcome), row.decided_by, row.decided_at
    )


def _row(application: Application) -> dict[str, Any]:
    return {
        "lender_id": application.lender_id,
        "id": application.id,
        "borrower_id": application.borrower_id,
        "product_id": application.product_id,
        "amount_minor": application.amount.minor,
        "currency": application.amount.currency,
        "term_months": application.term_months,
        "purpose": application.purpose,
        "sealed": application.sealed,
        "status": application.status.value,
        "submitted_by": application.submitted_by,
        "submitted_at": application.submitted_at,
    }


def _decision_row(decision: Decision) -> dict[str, Any]:
    made = decision.assessment
    return {
        "lender_id": decision.lender_id,
        "id": decision.id,
        "application_id": decision.application_id,
        "outcome": decision.outcome.value,
        "score": _text(made.score) if made.score is not None else None,
        "reasons": _text(list(made.reasons)),
        "offered_rate": format(made.offered_rate, "f") if made.offered_rate is not None else None,
        "limit_minor": made.limit.minor if made.limit else None,
        "policy_version": made.policy_version,
        "decided_by": decision.decided_by,
        "decided_at": decision.decided_at,
        "receipt": made.receipt,
        "receipt_commitment": made.receipt_commitment,
        "inputs_hash": made.inputs_hash,
        "inputs_salt": made.inputs_salt,
        "model_hash": made.model_hash,
    }


def _check_rows(decision: Decision) -> list[dict[str, Any]]:
    return [
        {
            "lender_id": decision.lender_id,
            "decision_id": decision.id,
            "position": position,
            "rule": check.rule,
            "rule_version": check.rule_version,
            "result": check.result,
            "reasons": _text(list(check.reasons)),
            "evaluated_at": check.evaluated_at,
        }
        for position, check in enumerate(decision.assessment.checks)
    ]


def _text(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
