"""The SQL unit of work: one connection, one transaction, all repositories on it."""

from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine

from registry.storage.applications import SqlApplications
from registry.storage.audit_trail import SqlAuditTrail
from registry.storage.bindings import SqlBindings
from registry.storage.borrowers import SqlBorrowers
from registry.storage.claims import SqlClaims
from registry.storage.lenders import SqlLenders
from registry.storage.loans import SqlLoans
from registry.storage.outbox import SqlOutbox
from registry.storage.products import SqlProducts
from registry.storage.requests import SqlRequests


class SqlUnitOfWork:
    """Implements `registry.ports.UnitOfWork`; leaving it without `commit` undoes everything."""

    connection: Connection
    requests: SqlRequests
    lenders: SqlLenders
    bindings: SqlBindings
    products: SqlProducts
    borrowers: SqlBorrowers
    applications: SqlApplications
    loans: SqlLoans
    claims: SqlClaims
    outbox: SqlOutbox
    audit: SqlAuditTrail

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> Self:
        self.connection = connection = self._engine.connect()
        self._transaction = connection.begin()
        self.requests = SqlRequests(connection)
        self.lenders = SqlLenders(connection)
        self.bindings = SqlBindings(connection)
        self.products = SqlProducts(connection)
        self.borrowers = SqlBorrowers(connection)
        self.applications = SqlApplications(connection)
        self.loans = SqlLoans(connection)
        self.claims = SqlClaims(connection)
        self.outbox = SqlOutbox(connection)
        self.audit = SqlAuditTrail(connection)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._transaction.is_active:
            self._transaction.rollback()
        self.connection.close()

    def commit(self) -> None:
        self._transaction.commit()
