"""Idempotency: the first answer to a request, kept for ever with a hash of its body."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import orjson
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from registry.domain.access import Request
from registry.domain.commitments import FieldValue
from registry.domain.errors import InvalidInput, Unavailable
from registry.storage.tables import requests


@dataclass(eq=False)
class KeyReused(InvalidInput):
    """An idempotency key came back with another body."""

    operation: str
    key: str
    code: ClassVar[str] = "IDEMPOTENCY_KEY_REUSED"

    def __str__(self) -> str:
        return f"Idempotency key {self.key!r} was used for another {self.operation}; use a fresh key for a new request."


@dataclass(eq=False)
class RequestInProgress(Unavailable):
    """The same request is being answered by another connection at this moment."""

    operation: str
    key: str
    code: ClassVar[str] = "REQUEST_IN_PROGRESS"

    def __str__(self) -> str:
        return f"The {self.operation} with key {self.key!r} is being answered now; ask again to get its answer."


class SqlRequests:
    """Implements `registry.ports.Requests`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def answered(self, request: Request) -> Mapping[str, Any] | None:
        row = self._connection.execute(
            select(requests.c.body_hash, requests.c.answer).where(
                requests.c.lender_id == _owner(request),
                requests.c.operation == request.operation,
                requests.c.key == request.key,
            )
        ).one_or_none()
        if row is None:
            return None
        if row.body_hash != request.body_hash:
            raise KeyReused(request.operation, request.key)
        answer: dict[str, Any] = orjson.loads(row.answer)
        return answer

    def answer(self, request: Request, answer: Mapping[str, FieldValue], at: datetime) -> None:
        row = {
            "lender_id": _owner(request),
            "operation": request.operation,
            "key": request.key,
            "body_hash": request.body_hash,
            "answer": orjson.dumps(answer).decode(),
            "answered_at": at,
        }
        try:
            self._connection.execute(insert(requests), row)
        except IntegrityError:
            raise RequestInProgress(request.operation, request.key) from None


def _owner(request: Request) -> int:
    return request.actor.lender_id or 0
