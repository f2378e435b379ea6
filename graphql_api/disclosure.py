"""Which evidence an actor may have made: never more than it may see of the loan."""

from dataclasses import dataclass
from typing import ClassVar

from audit.disclosure import DisclosureProfile
from registry.domain.access import Actor
from registry.domain.errors import RuleRefused
from registry.storage.queries_sight import Access

_WITHOUT_PEOPLE = frozenset({DisclosureProfile.PARTNER, DisclosureProfile.PUBLIC})


@dataclass(eq=False)
class ProfileNotPermitted(RuleRefused):
    """The evidence asked for would open more than the actor may see."""

    actor: str
    profile: DisclosureProfile
    code: ClassVar[str] = "NOT_PERMITTED"

    def __str__(self) -> str:
        return f"{self.actor} may not have {self.profile.value} evidence of this loan; ask for PARTNER or PUBLIC."


def check_profile(actor: Actor, access: Access, profile: DisclosureProfile) -> None:
    """Refuse a profile that opens personal data of a loan that is only shared."""
    if access is Access.SHARED and profile not in _WITHOUT_PEOPLE:
        raise ProfileNotPermitted(actor.name, profile)
