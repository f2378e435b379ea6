"""Evidence of one loan: everything a stranger needs to check its records against the chain, in one JSON object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import rfc8785

from audit import bounded_json, chain_state, evidence_file
from audit.disclosure import DisclosureProfile, opens
from audit.loan_file import FileLoan, FileRecord
from audit.ports import ChainProof, OnChain, PersonalFields, PersonalOpener
from audit.trust import Trust
from audit.verdict import Outcome
from audit.verify import verify
from registry.domain import commitments
from registry.domain.chain_binding import ChainBinding
from registry.domain.commitments import FieldValue
from registry.domain.errors import RegistryError
from registry.domain.kinds import LoanStatus, RecordKind
from registry.domain.records import FINANCIAL_FIELDS, PERSONAL_FIELDS


@dataclass(eq=False)
class NotOnChainYet(RegistryError):
    """The chain has no such loan at this block, so there is nothing to prove yet."""

    loan_id: str
    block: int
    code: ClassVar[str] = "NOT_ON_CHAIN_YET"
    retryable: ClassVar[bool] = True
    exit_code: ClassVar[int] = 5

    def __str__(self) -> str:
        return f"Loan {self.loan_id} is not on chain at block {self.block}; try again when its agreement is final."


@dataclass(eq=False)
class HistoryDiffers(RegistryError):
    """The loan's file does not prove what the chain says; no evidence is made of it."""

    loan_id: str
    reason: str
    code: ClassVar[str] = "HISTORY_DIFFERS"
    exit_code: ClassVar[int] = 3

    def __str__(self) -> str:
        return f"No evidence can be made of loan {self.loan_id}: {self.reason} Reconcile it to see which row differs."


def build_evidence(
    loan: FileLoan,
    records: Sequence[FileRecord],
    proof: ChainProof,
    binding: ChainBinding,
    profile: DisclosureProfile,
    opener: PersonalOpener,
) -> dict[str, Any]:
    """The evidence of `loan` at the proof's block; records booked later and not anchored there are left out.

    What is returned was verified first, so it is never a file that its receiver must refuse.
    """
    stored = _stored(loan, proof, binding)
    anchored = _anchored(loan, records, stored.head)
    slots = proof.loans[loan.loan_key]
    evidence = {
        "format": evidence_file.FORMAT,
        "version": evidence_file.VERSION,
        "chain": {
            "chain_id": binding.chain_id,
            "genesis_hash": _hex(binding.genesis_hash),
            "contract": _hex(binding.contract),
            "code_hash": _hex(binding.code_hash),
        },
        "block": {"number": proof.block_number, "hash": _hex(proof.block_hash), "header": _hex(proof.header)},
        "loan": {
            "loan_key": _hex(loan.loan_key),
            "lender_id": loan.lender_id,
            "nonce": _hex(loan.nonce),
            "controller_id": stored.controller_id,
            "servicer_id": stored.servicer_id,
            "status": LoanStatus(stored.status).name,
        },
        "records": [_record(loan, record, profile, opener) for record in anchored],
        "proof": {
            "account": [_hex(node) for node in proof.account],
            "standing": [_hex(node) for node in slots.standing],
            "head": [_hex(node) for node in slots.head],
        },
    }
    _require_verified(loan, evidence, Trust.of(binding, proof.block_hash, proof.block_number))
    return evidence


def evidence_bytes(evidence: Mapping[str, Any]) -> bytes:
    """The file as it is handed over: canonical JSON (RFC 8785) and a newline."""
    return rfc8785.dumps(dict(evidence)) + b"\n"


def _stored(loan: FileLoan, proof: ChainProof, binding: ChainBinding) -> OnChain:
    try:
        header = chain_state.read_header(proof.header)
        account = chain_state.read_account(header.state_root, binding.contract, proof.account)
        stored = chain_state.read_loan(account.storage_root, loan.loan_key, proof.loans[loan.loan_key])
    except ValueError as fault:
        raise HistoryDiffers(loan.id, f"the node's proof does not hold ({fault}).") from None
    if stored is None:
        raise NotOnChainYet(loan.id, proof.block_number)
    return stored


def _anchored(loan: FileLoan, records: Sequence[FileRecord], head: bytes) -> Sequence[FileRecord]:
    """The records up to the one after which the chain's head stands."""
    for position, record in enumerate(records):
        if record.head == head:
            return records[: position + 1]
    raise HistoryDiffers(loan.id, "none of its records ends in the head that the chain has.")


def _record(loan: FileLoan, record: FileRecord, profile: DisclosureProfile, opener: PersonalOpener) -> dict[str, Any]:
    kind = RecordKind(record.kind)
    shown: dict[str, Any] = {
        "sequence": record.sequence,
        "kind": kind.name,
        "commitment": _hex(record.commitment),
        "head": _hex(record.head),
    }
    if profile is not DisclosureProfile.PUBLIC:
        shown["fields"] = [*_financial(record, kind, profile), *_personal(loan, record, kind, profile, opener)]
    return shown


def _financial(record: FileRecord, kind: RecordKind, profile: DisclosureProfile) -> list[dict[str, Any]]:
    values = bounded_json.loads(record.fields)
    extracted = commitments.extract(record.secret)
    return [_field(name, values.get(name), extracted, opens(profile, kind, name)) for name in FINANCIAL_FIELDS[kind]]


def _personal(
    loan: FileLoan, record: FileRecord, kind: RecordKind, profile: DisclosureProfile, opener: PersonalOpener
) -> list[dict[str, Any]]:
    names = PERSONAL_FIELDS[kind]
    opened: PersonalFields | None = None
    if record.sealed is not None and any(opens(profile, kind, name) for name in names):
        opened = opener.open(loan, record)
    if opened is None:
        digests = (record.personal_digests[at : at + 32] for at in range(0, len(record.personal_digests), 32))
        return [{"name": name, "digest": _hex(digest)} for name, digest in zip(names, digests, strict=False)]
    extracted = commitments.extract(opened.secret)
    return [_field(name, opened.values.get(name), extracted, opens(profile, kind, name)) for name in names]


def _field(name: str, value: FieldValue, extracted: bytes, is_open: bool) -> dict[str, Any]:  # noqa: FBT001
    salt = commitments.field_salt(extracted, name)
    if is_open:
        return {"name": name, "value": value, "salt": _hex(salt)}
    return {"name": name, "digest": _hex(commitments.field_digest(salt, name, commitments.canonical(value)))}


def _require_verified(loan: FileLoan, evidence: dict[str, Any], trust: Trust) -> None:
    verdict = verify(evidence_bytes(evidence), trust)
    if not verdict.verified:
        raise HistoryDiffers(loan.id, next(step.sentence for step in verdict.steps if step.outcome is Outcome.FAILED))


def _hex(value: bytes) -> str:
    return f"0x{value.hex()}"
