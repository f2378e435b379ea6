"""Who acts, in which role and for which lender, and the request they make."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from registry.domain.errors import RuleRefused


class Role(StrEnum):
    """What an access key may do. A front end acts for one lender, a partner reads what it is shown."""

    LENDER = "LENDER"
    AUDITOR = "AUDITOR"
    PARTNER = "PARTNER"
    ADMINISTRATOR = "ADMINISTRATOR"


@dataclass(eq=False)
class NotPermitted(RuleRefused):
    """The actor's role or lender does not allow this."""

    actor: str
    wanted: str
    code: ClassVar[str] = "NOT_PERMITTED"

    def __str__(self) -> str:
        return f"{self.actor} may not {self.wanted}; use an access key whose role and lender allow it."


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or program known by an access key; auditors and administrators have no lender."""

    name: str
    role: Role
    lender_id: int | None = None

    @property
    def lender(self) -> int:
        """The lender this actor writes for, or `NotPermitted`: only a lender's front end writes."""
        if self.role is not Role.LENDER or self.lender_id is None:
            raise NotPermitted(self.name, "change a loan")
        return self.lender_id


@dataclass(frozen=True, slots=True)
class Request:
    """One asked-for change: the same lender, operation, key and body get the first answer again."""

    actor: Actor
    operation: str
    key: str
    body_hash: bytes
