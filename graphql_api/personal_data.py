"""Personal data opened for those who may see it; for everybody else, and after erasure, there is none."""

from collections.abc import Collection, Mapping, Sequence

import orjson
from sqlalchemy import Connection

from compliance.vault import KeyDestroyed, mask_identity
from registry.domain.commitments import FieldValue
from registry.domain.parties import Borrower, Identity
from registry.domain.records import PERSONAL_FIELDS
from registry.ports import Vault
from registry.services.personal import BorrowerErased, agreement_associated_data, identity_of
from registry.storage.queries_parties import borrowers_by_id
from registry.storage.queries_records import FiledRecord
from registry.storage.queries_sight import Access, Sight

__all__ = ["identities_of", "mask_identity", "personal_fields_of"]


def identities_of(
    connection: Connection, sight: Sight, vault: Vault, names: Collection[tuple[int, str]]
) -> dict[str, Identity]:
    """The identities of the visible borrowers among these that were not erased, by borrower id."""
    found: dict[str, Identity] = {}
    for borrower in borrowers_by_id(connection, sight, names).values():
        identity = _identity(vault, borrower)
        if identity is not None:
            found[borrower.id] = identity
    return found


def personal_fields_of(
    connection: Connection, sight: Sight, vault: Vault, records: Sequence[FiledRecord]
) -> dict[tuple[str, int], Mapping[str, FieldValue]]:
    """The personal fields of these records in clear, by loan id and sequence; left out where they may not be seen."""
    sealed = [
        filed
        for filed in records
        if filed.access is Access.FULL and filed.record.sealed is not None and PERSONAL_FIELDS[filed.record.kind]
    ]
    if not sealed:
        return {}
    people = borrowers_by_id(connection, sight, {(filed.lender_id, filed.borrower_id) for filed in sealed})
    found: dict[tuple[str, int], Mapping[str, FieldValue]] = {}
    for filed in sealed:
        borrower = people.get(filed.borrower_id)
        opened = _opened(vault, filed, borrower) if borrower is not None else None
        if opened is not None:
            found[filed.record.loan_id, filed.record.sequence] = opened
    return found


def _identity(vault: Vault, borrower: Borrower) -> Identity | None:
    try:
        return identity_of(vault, borrower)
    except (BorrowerErased, KeyDestroyed):
        return None


def _opened(vault: Vault, filed: FiledRecord, borrower: Borrower) -> Mapping[str, FieldValue] | None:
    record = filed.record
    if borrower.key_id is None or record.sealed is None:
        return None
    try:
        associated = agreement_associated_data(filed.lender_id, record.loan_id, borrower.key_id)
        fields: Mapping[str, FieldValue] = orjson.loads(vault.open(borrower.key_id, record.sealed, associated))
    except KeyDestroyed:
        return None
    return fields
