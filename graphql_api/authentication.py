"""Access keys of HTTP requests: `Authorization: Bearer lrk_…`, looked up by the hash of the token."""

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Engine
from starlette.requests import Request

from registry.domain.access import Actor
from registry.domain.errors import InvalidInput
from registry.storage import access_keys
from registry.storage.engine import reading


@dataclass(eq=False)
class KeyMissing(InvalidInput):
    """The request carries no access key."""

    code: ClassVar[str] = "ACCESS_KEY_MISSING"

    def __str__(self) -> str:
        return "Send an access key: Authorization: Bearer lrk_…"


@dataclass(eq=False)
class KeyRejected(InvalidInput):
    """The access key is unknown or revoked."""

    code: ClassVar[str] = "ACCESS_KEY_REJECTED"

    def __str__(self) -> str:
        return "This access key is unknown or revoked; ask your administrator for a new one."


def bearer_token(request: Request) -> str:
    """The token of the Authorization header, or `KeyMissing`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise KeyMissing
    return token.strip()


def authenticated(engine: Engine, token: str) -> Actor:
    """Who holds the token, or `KeyRejected`."""
    with reading(engine).connect() as connection:
        actor = access_keys.find(connection, token)
    if actor is None:
        raise KeyRejected
    return actor
