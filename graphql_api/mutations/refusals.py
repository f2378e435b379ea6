"""Refusals a client can act on: members of every mutation's union, one type for each kind of answer it calls for."""

from collections.abc import Callable
from typing import TypeAlias

import strawberry

from graphql_api.infrastructure import told
from registry.domain import errors
from registry.services.record_money import RepaymentRefused


@strawberry.interface(description="Why a change was not made; nothing of it was kept.")
class Refusal:
    """A refusal with its stable code."""

    code: str = strawberry.field(description="The stable, machine-readable reason.")
    message: str = strawberry.field(description="What is wrong and what to do, for people.")
    retryable: bool = strawberry.field(description="Whether the same request may succeed later.")


@strawberry.type(name="InvalidInput", description="Something given is malformed or out of range; change it.")
class InvalidInputRefusal(Refusal):
    """The input is wrong in itself."""


@strawberry.type(name="NotFound", description="What is named does not exist, or the key may not know that it does.")
class NotFoundRefusal(Refusal):
    """The thing named is not there."""


@strawberry.type(name="RuleRefused", description="A rule of lending, of the ledger, of policy or of access forbids it.")
class RuleRefusedRefusal(Refusal):
    """A rule stands against it."""


@strawberry.type(
    name="Unavailable", description="A part that is needed is not ready; send the same request again later."
)
class UnavailableRefusal(Refusal):
    """Try again later, with the same idempotency key."""


AnyRefusal: TypeAlias = InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal

_TYPES: tuple[tuple[type[errors.RegistryError], Callable[..., AnyRefusal]], ...] = (
    (errors.InvalidInput, InvalidInputRefusal),
    (errors.NotFound, NotFoundRefusal),
    (errors.RuleRefused, RuleRefusedRefusal),
    (errors.Unavailable, UnavailableRefusal),
    (errors.WrongChain, UnavailableRefusal),
)


def refusal_of(refusal: errors.RegistryError) -> AnyRefusal | None:
    """The union member for a refusal; None for one of no known kind, which is a fault of ours."""
    cause = refusal.cause if isinstance(refusal, RepaymentRefused) else refusal
    for branch, shown in _TYPES:
        if isinstance(cause, branch):
            return shown(code=refusal.code, message=told(refusal), retryable=cause.retryable)
    return None
