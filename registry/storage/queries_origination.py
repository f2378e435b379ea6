"""Applications, decisions and checks as the API reads them."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select

from registry.domain.origination import Application, ApplicationStatus, CheckOutcome, Decision
from registry.storage.applications import application_of, check_of, decision_of
from registry.storage.queries_keyset import KeyValues, Slice, SortKey, Window, sliced, windowed
from registry.storage.queries_loans import of_loans
from registry.storage.queries_sight import Sight, visible_applications, visible_decisions
from registry.storage.tables import applications, checks, decisions

Name = tuple[int, str]

APPLICATION_ORDER = (
    SortKey(applications.c.submitted_at, is_descending=True),
    SortKey(applications.c.id, is_descending=True),
)


def applications_by_id(connection: Connection, sight: Sight, names: Collection[Name]) -> dict[str, Application]:
    """The visible ones of these applications, by id."""
    rows = connection.execute(
        select(applications).where(
            visible_applications(sight), *of_loans(applications.c.lender_id, applications.c.id, names)
        )
    )
    return {row.id: application_of(row) for row in rows}


def page_of_applications(
    connection: Connection, sight: Sight, statuses: Collection[ApplicationStatus] | None, window: Window
) -> Slice:
    """Visible applications, newest first."""
    statement = windowed(_applications(sight, statuses), APPLICATION_ORDER, window)
    page = sliced(connection.execute(statement).all(), window)
    return Slice(tuple(application_of(row) for row in page.rows), page.has_next, page.has_previous)


def count_of_applications(connection: Connection, sight: Sight, statuses: Collection[ApplicationStatus] | None) -> int:
    found = _applications(sight, statuses).subquery()
    return int(connection.execute(select(func.count()).select_from(found)).scalar_one())


def application_key(application: Application) -> KeyValues:
    """Where an application stands in the order of `page_of_applications`."""
    return application.submitted_at, application.id


def decisions_by_id(connection: Connection, sight: Sight, names: Collection[Name]) -> dict[str, Decision]:
    """The visible ones of these decisions, with their checks, by id."""
    statement = _decisions(sight).where(*of_loans(decisions.c.lender_id, decisions.c.id, names))
    return {decision.id: decision for decision in _with_checks(connection, statement)}


def decisions_of_applications(connection: Connection, sight: Sight, names: Collection[Name]) -> dict[str, Decision]:
    """The newest visible decision on each of these applications, by application id."""
    statement = _decisions(sight).where(*of_loans(decisions.c.lender_id, decisions.c.application_id, names))
    found = _with_checks(connection, statement)
    return {decision.application_id: decision for decision in sorted(found, key=_made)}


def _made(decision: Decision) -> tuple[Any, str]:
    return decision.decided_at, decision.id


def _applications(sight: Sight, statuses: Collection[ApplicationStatus] | None) -> Select[Any]:
    statement = select(applications).where(visible_applications(sight))
    if statuses is not None:
        statement = statement.where(applications.c.status.in_([status.value for status in statuses]))
    return statement


def _decisions(sight: Sight) -> Select[Any]:
    of_application = and_(
        applications.c.lender_id == decisions.c.lender_id, applications.c.id == decisions.c.application_id
    )
    return select(decisions, applications.c.currency).join(applications, of_application).where(visible_decisions(sight))


def _with_checks(connection: Connection, statement: Select[Any]) -> list[Decision]:
    rows: Sequence[Any] = connection.execute(statement).all()
    names = [(row.lender_id, row.id) for row in rows]
    found: dict[str, list[CheckOutcome]] = {}
    for check in connection.execute(
        select(checks).where(*of_loans(checks.c.lender_id, checks.c.decision_id, names)).order_by(checks.c.position)
    ):
        found.setdefault(check.decision_id, []).append(check_of(check))
    return [decision_of(row, found.get(row.id, []), row.currency) for row in rows]
