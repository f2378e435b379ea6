"""Sealing personal data: the borrower's identity, an application's figures, the personal fields of an agreement."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

import orjson

from registry.domain import commitments
from registry.domain.commitments import FieldValue
from registry.domain.errors import RuleRefused
from registry.domain.identifiers import lender_of
from registry.domain.kinds import RecordKind
from registry.domain.origination import Application
from registry.domain.parties import Borrower, Identity
from registry.domain.records import personal_digests
from registry.ports import Vault

_SECRET_INFO = b"loan-registry/personal/v1"


@dataclass(eq=False)
class BorrowerErased(RuleRefused):
    """The borrower's data was erased; what needs it cannot be done any more."""

    borrower_id: str
    code: ClassVar[str] = "BORROWER_ERASED"

    def __str__(self) -> str:
        return f"The personal data of borrower {self.borrower_id} was erased and cannot be read or used again."


@dataclass(frozen=True, slots=True)
class SealedAgreement:
    """The personal part of an agreement record: its random secret, the digests, and the ciphertext."""

    secret: bytes
    digests: tuple[bytes, ...]
    sealed: bytes


def new_borrower(
    vault: Vault, key_id: str, borrower_id: str, identity: Identity, reference: str | None, now: datetime
) -> Borrower:
    """A borrower sealed under `key_id`, a data key of its own."""
    lender_id = lender_of(borrower_id)
    number = identity.normalised_number()
    empty = Borrower(
        lender_id=lender_id,
        id=borrower_id,
        kind=identity.kind,
        key_id=key_id,
        sealed=None,
        blind_index=vault.blind_index(number) if number is not None else None,
        external_reference=reference,
        created_at=now,
    )
    plaintext = commitments.canonical(identity.to_values())
    return replace(empty, sealed=vault.seal(key_id, plaintext, empty.associated_data()))


def identity_of(vault: Vault, borrower: Borrower) -> Identity:
    """The borrower's identity in clear, or `BorrowerErased`."""
    if borrower.key_id is None or borrower.sealed is None:
        raise BorrowerErased(borrower.id)
    return Identity.from_values(orjson.loads(vault.open(borrower.key_id, borrower.sealed, borrower.associated_data())))


def seal_inputs(
    vault: Vault, borrower: Borrower, application: Application, inputs: Mapping[str, FieldValue]
) -> Application:
    """The application with its figures sealed under the borrower's key."""
    key_id = _key(borrower)
    plaintext = commitments.canonical(dict(inputs))
    return replace(application, sealed=vault.seal(key_id, plaintext, application.associated_data(key_id)))


def inputs_of(vault: Vault, borrower: Borrower, application: Application) -> dict[str, FieldValue]:
    key_id = _key(borrower)
    if application.sealed is None:
        raise BorrowerErased(borrower.id)
    opened: dict[str, FieldValue] = orjson.loads(
        vault.open(key_id, application.sealed, application.associated_data(key_id))
    )
    return opened


def seal_agreement(
    vault: Vault, borrower: Borrower, loan_id: str, loan_key: bytes, identity: Identity
) -> SealedAgreement:
    """The personal fields of the agreement record: the data key makes the salts and can erase them."""
    key_id = _key(borrower)
    secret = secrets.token_bytes(32)
    fields = identity.personal_fields()
    digests = personal_digests(RecordKind.AGREEMENT, fields, personal_secret(vault, key_id, loan_key, 0, secret))
    associated = agreement_associated_data(borrower.lender_id, loan_id, key_id)
    return SealedAgreement(secret, digests, vault.seal(key_id, commitments.canonical(fields), associated))


def personal_secret(vault: Vault, key_id: str, loan_key: bytes, sequence: int, record_secret: bytes) -> bytes:
    """The secret the salts of a record's personal fields expand from."""
    return vault.derive(key_id, _SECRET_INFO + loan_key + sequence.to_bytes(8, "big") + record_secret)


def agreement_associated_data(lender_id: int, loan_id: str, key_id: str) -> bytes:
    return f"{lender_id}|loan_records|{loan_id}|0|sealed|1|{key_id}".encode()


def _key(borrower: Borrower) -> str:
    if borrower.key_id is None:
        raise BorrowerErased(borrower.id)
    return borrower.key_id
