"""Which cap binds a subject: the first whose scope fits; a fact the scope needs must be there."""

from collections.abc import Iterable

from compliance.rulebook import Cap
from compliance.subject import InputMissing, Subject


def binding_cap(caps: Iterable[Cap], subject: Subject, currency: str) -> Cap | None:
    """The first cap that fits; InputMissing when that cannot be told without a missing fact."""
    return next((cap for cap in caps if _fits(cap, subject, currency)), None)


def _fits(cap: Cap, subject: Subject, currency: str) -> bool:
    facts: tuple[tuple[tuple[str, ...], str | None, str], ...] = (
        (cap.currencies, currency, "amount"),
        (cap.lender_types, subject.lender_type, "lender_type"),
        (cap.kinds, subject.kind, "kind"),
        (cap.jurisdictions, subject.jurisdiction, "jurisdiction"),
        (cap.channels, subject.channel, "channel"),
    )
    if any(allowed and given is not None and given not in allowed for allowed, given, _ in facts):
        return False
    if cap.unsecured_only and subject.secured:
        return False
    for allowed, given, name in facts:
        if allowed and given is None:
            raise InputMissing(name)
    if cap.unsecured_only and subject.secured is None:
        raise InputMissing("secured")
    return True
