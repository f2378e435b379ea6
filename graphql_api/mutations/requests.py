"""How a mutation runs: once for each idempotency key, answering with what it changed, or why it did not."""

import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar

import strawberry

from graphql_api.mutations.refusals import AnyRefusal, refusal_of
from graphql_api.mutations.text import check_texts
from graphql_api.request_context import context_of
from registry.domain import commitments
from registry.domain.access import Request
from registry.domain.agreement import plain
from registry.domain.commitments import FieldValue
from registry.domain.errors import InvalidInput, RegistryError
from registry.ports import Facilities, UnitOfWork, Vault
from registry.storage.unit_of_work import SqlUnitOfWork

KEY_LENGTH_MAX = 120
KEY_FIELD = "idempotency_key"

UseCase = Callable[[UnitOfWork, Request, Facilities], dict[str, Any]]


@dataclass(eq=False)
class IdempotencyKeyInvalid(InvalidInput):
    """The idempotency key is empty or too long."""

    code: ClassVar[str] = "IDEMPOTENCY_KEY_INVALID"

    def __str__(self) -> str:
        return f"An idempotency key has 1 to {KEY_LENGTH_MAX} characters; use a fresh random one for each new request."


@dataclass(eq=False)
class InputInexact(InvalidInput):
    """A JSON value in the input is a binary float or not JSON."""

    field: str
    code: ClassVar[str] = "INPUT_INEXACT"

    def __str__(self) -> str:
        return f"{self.field} holds a number with a fraction; give it as a decimal string, which is exact."


async def perform(info: strawberry.Info, operation: str, given: Any, use_case: UseCase) -> dict[str, Any] | AnyRefusal:
    """The use case's answer, the first one if the request was made before, or why it is refused."""
    context = context_of(info)
    try:
        check_texts(given)
        request = Request(
            context.actor,
            operation,
            checked_key(given.idempotency_key),
            _keyed_hash(context.api.facilities.vault, given),
        )
        uow, facilities = SqlUnitOfWork(context.api.engine), context.api.facilities
        answer = await context.work(use_case, uow, request, facilities)
    except RegistryError as refusal:
        shown = refusal_of(refusal)
        if shown is None:
            raise
        return shown
    context.renew()
    return answer


def checked_key(key: str) -> str:
    if not 1 <= len(key) <= KEY_LENGTH_MAX or not key.strip():
        raise IdempotencyKeyInvalid
    return key


def _keyed_hash(vault: Vault, given: Any) -> bytes:
    """The body's hash under a key of the vault: inputs hold names and identity numbers, a plain hash can be guessed."""
    return vault.blind_index(b"request-body/" + body_hash(given))


def body_hash(given: Any) -> bytes:
    """SHA-256 over the canonical JSON (RFC 8785) of everything in the input but the key; what is null is left out."""
    body = {
        field.name: plain_value(value, field.name)
        for field in dataclasses.fields(given)
        if field.name != KEY_FIELD and (value := getattr(given, field.name)) is not None
    }
    return hashlib.sha256(commitments.canonical(body)).digest()


def plain_value(value: Any, name: str) -> FieldValue:
    """An input value as exact JSON."""
    match value:
        case None | bool():
            return value
        case Enum():
            return value.name
        case str():
            return str(value)
        case int():
            return str(value)
        case Decimal():
            return plain(value)
        case bytes():
            return value.hex()
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case list():
            return [plain_value(item, name) for item in value]
        case dict():
            return {str(key): plain_value(item, f"{name}.{key}") for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        items = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {key: plain_value(item, key) for key, item in items if item is not None}
    raise InputInexact(name)
