"""Access keys: a 256-bit random token is shown once, its SHA-256 is kept, and names who acts in which role."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import Connection, insert, select, update

from registry.domain.access import Actor, Role
from registry.domain.errors import InvalidInput, NotFound
from registry.storage.tables import access_keys

PREFIX = "lrk_"
TOKEN_BYTES = 32
TOKEN_LENGTH_MAX = 200


@dataclass(eq=False)
class KeyLenderMismatch(InvalidInput):
    """Lenders and partners act for one lender, auditors and administrators for none."""

    role: Role
    code: ClassVar[str] = "KEY_LENDER_MISMATCH"

    def __str__(self) -> str:
        needs = "needs a lender" if self.role in {Role.LENDER, Role.PARTNER} else "must not name a lender"
        return f"An access key with role {self.role.value} {needs}."


@dataclass(eq=False)
class AccessKeyUnknown(NotFound):
    """No access key has this id."""

    key_id: str
    code: ClassVar[str] = "ACCESS_KEY_UNKNOWN"

    def __str__(self) -> str:
        return f"There is no access key {self.key_id}; list the keys to see their ids."


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key as it may be listed: everything but the token."""

    id: str
    name: str
    role: Role
    lender_id: int | None
    created_at: datetime
    revoked_at: datetime | None


def issue(connection: Connection, name: str, role: Role, lender_id: int | None, now: datetime) -> str:
    """Make a key and return its token, which cannot be read again."""
    if (lender_id is None) == (role in {Role.LENDER, Role.PARTNER}):
        raise KeyLenderMismatch(role)
    token = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    row = {
        "id": secrets.token_hex(8),
        "name": name,
        "role": role.value,
        "lender_id": lender_id,
        "token_hash": _digest(token),
        "created_at": now,
        "revoked_at": None,
    }
    connection.execute(insert(access_keys), row)
    return token


def find(connection: Connection, token: str) -> Actor | None:
    """Who holds the token; None when it is unknown or revoked."""
    if not token.startswith(PREFIX) or len(token) > TOKEN_LENGTH_MAX:
        return None
    row = connection.execute(
        select(access_keys.c.name, access_keys.c.role, access_keys.c.lender_id).where(
            access_keys.c.token_hash == _digest(token), access_keys.c.revoked_at.is_(None)
        )
    ).one_or_none()
    return Actor(row.name, Role(row.role), row.lender_id) if row is not None else None


def revoke(connection: Connection, key_id: str, now: datetime) -> None:
    """End a key at once; ending it again changes nothing."""
    found = connection.execute(select(access_keys.c.id).where(access_keys.c.id == key_id)).one_or_none()
    if found is None:
        raise AccessKeyUnknown(key_id)
    connection.execute(
        update(access_keys).where(access_keys.c.id == key_id, access_keys.c.revoked_at.is_(None)).values(revoked_at=now)
    )


def listed(connection: Connection) -> list[AccessKey]:
    """All keys, oldest first."""
    names = ("id", "name", "role", "lender_id", "created_at", "revoked_at")
    rows = connection.execute(select(*(access_keys.c[name] for name in names)).order_by(access_keys.c.created_at))
    return [AccessKey(row.id, row.name, Role(row.role), row.lender_id, row.created_at, row.revoked_at) for row in rows]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
