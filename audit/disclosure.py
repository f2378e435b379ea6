"""Who evidence is made for, and which fields of a record they are shown."""

from enum import StrEnum

from registry.domain.kinds import RecordKind
from registry.domain.records import PERSONAL_FIELDS


class DisclosureProfile(StrEnum):
    """What is opened; everything else stays as its digest, and PUBLIC leaves the digests out too."""

    AUDITOR = "AUDITOR"  # everything that can still be opened
    PARTNER = "PARTNER"  # no personal fields, and not what lenders agreed between themselves
    BORROWER = "BORROWER"  # all but what lenders agreed between themselves
    PUBLIC = "PUBLIC"  # kinds, commitments and heads


_BETWEEN_LENDERS = {RecordKind.TRANSFER: frozenset({"amount_minor", "currency", "price_minor"})}


def opens(profile: DisclosureProfile, kind: RecordKind, name: str) -> bool:
    """Whether `profile` is shown the field `name` of a record of `kind`."""
    if profile is DisclosureProfile.PUBLIC:
        return False
    if profile is DisclosureProfile.AUDITOR:
        return True
    if name in _BETWEEN_LENDERS.get(kind, ()):
        return False
    return profile is DisclosureProfile.BORROWER or name not in PERSONAL_FIELDS[kind]
