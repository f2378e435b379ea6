"""A record: one append-only entry of a loan, as an ordered list of salted fields and the hashes made of them.

Version and kind fix the list of field names and their order; an absent field is null. Personal fields have a secret of
their own, derived from the borrower's data key, so that erasing the key leaves their digests and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from registry.domain import commitments
from registry.domain.commitments import FieldValue
from registry.domain.errors import InvalidInput
from registry.domain.kinds import RecordKind
from registry.domain.money import Money

_COMMON = ("effective_on", "posted_at", "amount_minor", "currency", "reference")

_FINANCIAL: dict[RecordKind, tuple[str, ...]] = {
    RecordKind.AGREEMENT: (
        "lender_id",
        "product_code",
        "product_version",
        "annual_rate",
        "term_months",
        "terms",
        "schedule_sha256",
        "disclosed_apr",
        "decision_receipt",
        "external_reference",
    ),
    RecordKind.DISBURSEMENT: ("net_minor", "fees_withheld_minor", "channel"),
    RecordKind.REPAYMENT: (
        "principal_minor",
        "interest_minor",
        "fees_minor",
        "penalty_minor",
        "unallocated_minor",
        "outstanding_minor",
        "channel",
    ),
    RecordKind.REVERSAL: ("reverses_sequence", "reverses_commitment", "reason"),
    RecordKind.FEE: ("component", "reason"),
    RecordKind.AMENDMENT: ("changes", "reason"),
    RecordKind.RESTRUCTURE: ("changes", "reason"),
    RecordKind.CHARGE_OFF: ("days_past_due", "reason"),
    RecordKind.RECOVERY: ("channel", "reason"),
    RecordKind.SETTLEMENT: ("reason",),
    RecordKind.CANCELLATION: ("reason",),
    RecordKind.REOPENING: ("reason",),
    RecordKind.TRANSFER: ("from_lender_id", "to_lender_id", "price_minor"),
    RecordKind.DISPUTE: ("disputed_sequence", "reason"),
    RecordKind.ERASURE: ("key_id", "reason"),
    RecordKind.OTHER: ("reason",),
}
_PERSONAL: dict[RecordKind, tuple[str, ...]] = {
    RecordKind.AGREEMENT: (
        "borrower_name",
        "borrower_identity_kind",
        "borrower_identity",
        "borrower_born_on",
    ),
}

FINANCIAL_FIELDS: Mapping[RecordKind, tuple[str, ...]] = {kind: _COMMON + names for kind, names in _FINANCIAL.items()}
PERSONAL_FIELDS: Mapping[RecordKind, tuple[str, ...]] = {kind: _PERSONAL.get(kind, ()) for kind in RecordKind}


def field_names(kind: RecordKind) -> tuple[str, ...]:
    """All field names of a record of `kind` in the order of its commitment: financial ones first, then personal."""
    return FINANCIAL_FIELDS[kind] + PERSONAL_FIELDS[kind]


@dataclass(eq=False)
class FieldNotInKind(InvalidInput):
    """A record was given a field that its kind does not have."""

    kind: RecordKind
    name: str
    code: ClassVar[str] = "FIELD_NOT_IN_KIND"

    def __str__(self) -> str:
        return (
            f"A {self.kind.name} record has no field {self.name!r}; its fields are {', '.join(field_names(self.kind))}."
        )


@dataclass(frozen=True, slots=True)
class Allocated:
    """How a repayment was split when it was booked, in minor units; the parts sum to the amount."""

    principal_minor: int
    interest_minor: int
    fees_minor: int
    penalty_minor: int
    unallocated_minor: int


@dataclass(frozen=True, slots=True)
class LoanRecord:
    """One entry of a loan's history with everything needed to recompute its commitment.

    `fields` holds the financial values by name; `sealed` the personal ones as ciphertext, None when the kind has
    none or they were erased. `personal_digests` (32 bytes each, in field order) outlives them.
    """

    loan_id: str
    loan_key: bytes
    sequence: int
    kind: RecordKind
    effective_on: date
    posted_at: datetime
    amount: Money | None
    fields: Mapping[str, FieldValue]
    sealed: bytes | None
    personal_digests: tuple[bytes, ...]
    secret: bytes
    commitment: bytes
    previous_head: bytes | None
    head: bytes

    @property
    def allocation(self) -> Allocated | None:
        if self.kind is not RecordKind.REPAYMENT:
            return None
        return Allocated(*(int(str(self.fields[name])) for name in _FINANCIAL[RecordKind.REPAYMENT][:5]))

    @property
    def reverses(self) -> int | None:
        """The sequence of the record this one reverses, if it is a reversal."""
        given = self.fields.get("reverses_sequence")
        return int(str(given)) if given is not None else None


def financial_digests(kind: RecordKind, fields: Mapping[str, FieldValue], secret: bytes) -> list[bytes]:
    """The digests of the financial fields, in order; an absent field counts as null."""
    return _digests(FINANCIAL_FIELDS[kind], fields, secret)


def personal_digests(kind: RecordKind, personal: Mapping[str, FieldValue], secret: bytes) -> tuple[bytes, ...]:
    """The digests of the personal fields under the secret derived from the borrower's data key."""
    return tuple(_digests(PERSONAL_FIELDS[kind], personal, secret))


def record_commitment(
    key: bytes,
    sequence: int,
    kind: RecordKind,
    fields: Mapping[str, FieldValue],
    secret: bytes,
    personal: tuple[bytes, ...],
) -> bytes:
    """The commitment of a record from its financial values and secret and the digests of its personal fields."""
    digests = financial_digests(kind, fields, secret)
    digests.extend(personal)
    return commitments.commitment(key, sequence, kind, digests)


def check_fields(kind: RecordKind, fields: Mapping[str, FieldValue], personal: Mapping[str, FieldValue]) -> None:
    """Refuse a value under a name the kind does not have."""
    for names, given in ((FINANCIAL_FIELDS[kind], fields), (PERSONAL_FIELDS[kind], personal)):
        for name in given:
            if name not in names:
                raise FieldNotInKind(kind, name)


def instant_text(moment: datetime) -> str:
    """An instant as it is hashed: UTC, microseconds, `Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _digests(names: tuple[str, ...], values: Mapping[str, FieldValue], secret: bytes) -> list[bytes]:
    extracted = commitments.extract(secret)
    return [
        commitments.field_digest(commitments.field_salt(extracted, name), name, commitments.canonical(values.get(name)))
        for name in names
    ]
