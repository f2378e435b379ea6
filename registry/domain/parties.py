"""The people and companies of a loan: lenders, borrowers with their sealed identity, consents."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

from registry.domain.commitments import FieldValue


@dataclass(frozen=True, slots=True)
class Lender:
    """A lender as the contract numbers it; `account` is the address (20 bytes) whose key signs for it."""

    id: int
    code: str
    name: str
    lei: str | None
    kind: str
    account: bytes
    active: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a borrower is: the personal data of the registry, stored only sealed.

    `kind` is PERSON or ORGANISATION; `identity_kind` names the document or register `number` comes from.
    """

    name: str
    kind: str
    identity_kind: str | None = None
    number: str | None = None
    born_on: date | None = None
    nationality: str | None = None

    def personal_fields(self) -> dict[str, FieldValue]:
        """The personal fields of an agreement record."""
        return {
            "borrower_name": self.name,
            "borrower_identity_kind": self.identity_kind,
            "borrower_identity": self.number,
            "borrower_born_on": self.born_on.isoformat() if self.born_on else None,
        }

    def to_values(self) -> dict[str, FieldValue]:
        return {
            "name": self.name,
            "kind": self.kind,
            "identity_kind": self.identity_kind,
            "number": self.number,
            "born_on": self.born_on.isoformat() if self.born_on else None,
            "nationality": self.nationality,
        }

    @classmethod
    def from_values(cls, values: dict[str, str | None]) -> Self:
        born_on = values.get("born_on")
        return cls(
            name=values["name"] or "",
            kind=values["kind"] or "PERSON",
            identity_kind=values.get("identity_kind"),
            number=values.get("number"),
            born_on=date.fromisoformat(born_on) if born_on else None,
            nationality=values.get("nationality"),
        )

    def normalised_number(self) -> bytes | None:
        """What the blind index is computed over; None when the source gives no identity number."""
        if self.number is None:
            return None
        return f"{self.identity_kind}:{self.number.replace(' ', '').upper()}".encode()


@dataclass(frozen=True, slots=True)
class Borrower:
    """A borrower as the file keeps it: sealed, findable only by the blind index of the identity number."""

    lender_id: int
    id: str
    kind: str
    key_id: str | None
    sealed: bytes | None
    blind_index: bytes | None
    external_reference: str | None
    created_at: datetime
    erased_at: datetime | None = None

    def associated_data(self) -> bytes:
        """What binds the ciphertext to its place, so that it cannot be moved to another row."""
        return f"{self.lender_id}|borrowers|{self.id}|sealed|1|{self.key_id}".encode()


@dataclass(frozen=True, slots=True)
class Consent:
    """A borrower's consent to one purpose, for one recipient (None: the lender itself), in one version of the text."""

    lender_id: int
    id: str
    borrower_id: str
    purpose: str
    recipient_lender_id: int | None
    text_version: str
    granted_at: datetime
    withdrawn_at: datetime | None = None
