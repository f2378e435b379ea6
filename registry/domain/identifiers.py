"""Identifiers of the file: each begins with the lender that keeps the thing, so its rows are found at once."""

import re
import secrets
import time
from dataclasses import dataclass
from typing import ClassVar

from registry.domain.errors import InvalidInput

_FORM = re.compile(r"([1-9][0-9]{0,9})\.[0-9a-f]{24}")


@dataclass(eq=False)
class IdMalformed(InvalidInput):
    """An identifier does not have the registry's form."""

    given: str
    code: ClassVar[str] = "ID_MALFORMED"

    def __str__(self) -> str:
        return f"{self.given[:60]!r} is not an id of this registry; use an id as the registry gave it."


def new_id(lender_id: int) -> str:
    """A fresh identifier: lender, then milliseconds and randomness in hex, so that ids made later sort later."""
    milliseconds = time.time_ns() // 1_000_000
    return f"{lender_id}.{milliseconds & (2**44 - 1):011x}{secrets.token_hex(7)[:13]}"


def lender_of(identifier: str) -> int:
    """The lender that keeps the thing, from its identifier."""
    match = _FORM.fullmatch(identifier)
    if match is None:
        raise IdMalformed(identifier)
    return int(match.group(1))
