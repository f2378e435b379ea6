"""Small loan portfolios for the audit's tests, made from the written definitions with hashlib, hmac and json alone.

The loans share no code with the product: field lists, kinds, transitions and hashes are written out a second time.
The fakes below them stand for mirror, chain, ledger and vault.
"""

import hashlib
import hmac
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from audit.loan_file import FileLoan, FileRecord
from audit.ports import (
    Balance,
    ChainProof,
    MirrorCursor,
    MirrorLien,
    MirrorLoan,
    MirrorRecord,
    OnChain,
    PersonalFields,
)
from registry.domain.errors import RegistryError
from registry.storage import tables
from tests.support.audit_decisions import a_decision, application_of, last_due_on, terms_of
from tests.support.audit_liens import LIEN_STATES, lien_rows

CHAIN_ID = 424_242
GENESIS = hashlib.sha256(b"genesis").digest()
CONTRACT = hashlib.sha256(b"contract").digest()[:20]
CODE_HASH = hashlib.sha256(b"code").digest()
BLOCK = 900
FINAL = 888

COMMON = ["effective_on", "posted_at", "amount_minor", "currency", "reference"]
KINDS: dict[str, tuple[int, list[str]]] = {
    "AGREEMENT": (0, [
        "lender_id", "product_code", "product_version", "annual_rate", "term_months", "terms", "schedule_sha256",
        "disclosed_apr", "decision_receipt", "external_reference",
    ]),
    "DISBURSEMENT": (1, ["net_minor", "fees_withheld_minor", "channel"]),
    "REPAYMENT": (2, [
        "principal_minor", "interest_minor", "fees_minor", "penalty_minor", "unallocated_minor", "outstanding_minor",
        "channel",
    ]),
    "REVERSAL": (3, ["reverses_sequence", "reverses_commitment", "reason"]),
    "FEE": (4, ["component", "reason"]),
    "AMENDMENT": (5, ["changes", "reason"]),
    "RESTRUCTURE": (6, ["changes", "reason"]),
    "CHARGE_OFF": (7, ["days_past_due", "reason"]),
    "RECOVERY": (8, ["channel", "reason"]),
    "SETTLEMENT": (9, ["reason"]),
    "CANCELLATION": (10, ["reason"]),
    "REOPENING": (11, ["reason"]),
    "TRANSFER": (12, ["from_lender_id", "to_lender_id", "price_minor"]),
    "DISPUTE": (13, ["disputed_sequence", "reason"]),
    "ERASURE": (14, ["key_id", "reason"]),
    "OTHER": (15, ["reason"]),
}  # fmt: skip
PERSONAL = ["borrower_name", "borrower_identity_kind", "borrower_identity", "borrower_born_on"]
STATUS = {"REGISTERED": 1, "ACTIVE": 2, "SETTLED": 3, "CHARGED_OFF": 4, "CANCELLED": 5}
CALLS = {"AGREEMENT": "REGISTER", "TRANSFER": "ACCEPT", "PLEDGE": "PLEDGE", "RELEASE": "RELEASE"}
ANY = {"DISPUTE": None, "OTHER": None, "TRANSFER": None}
FOLLOWS: dict[str, dict[str, str | None]] = {
    "REGISTERED": {"DISBURSEMENT": "ACTIVE", **ANY},
    "ACTIVE": {
        "REPAYMENT": None, "FEE": None, "REVERSAL": None, "AMENDMENT": None, "RESTRUCTURE": None,
        "SETTLEMENT": "SETTLED", "CHARGE_OFF": "CHARGED_OFF", **ANY,
    },
    "SETTLED": {"REOPENING": "ACTIVE", **ANY},
    "CHARGED_OFF": {"RECOVERY": None, "SETTLEMENT": "SETTLED", "REOPENING": "ACTIVE", **ANY},
}  # fmt: skip


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def salt_of(secret: bytes, name: str) -> bytes:
    extracted = hmac.new(bytes(32), secret, hashlib.sha256).digest()
    return hmac.new(extracted, name.encode() + b"\x01", hashlib.sha256).digest()


def digest_of(secret: bytes, name: str, value: Any) -> bytes:
    return sha(b"\x10", salt_of(secret, name), name.encode(), b"\x00", canonical(value).encode())


def commitment_of(key: bytes, sequence: int, kind: int, digests: list[bytes]) -> bytes:
    return sha(b"\x11\x01", key, sequence.to_bytes(8, "big"), bytes([kind]), *digests)


def head_of(
    previous: bytes | None, key: bytes, kind: int, commitment: bytes, chain_id: int = CHAIN_ID, at: bytes = CONTRACT
) -> bytes:
    if previous is None:
        return sha(b"\x12", chain_id.to_bytes(32, "big"), at, key, commitment)
    return sha(b"\x13", previous, bytes([kind]), commitment)


@dataclass
class MadeLoan:
    """One loan as rows of every table, by column."""

    row: dict[str, Any]
    borrower: dict[str, Any]
    records: list[dict[str, Any]]
    outbox: list[dict[str, Any]]
    statuses: list[int]
    transfers: list[dict[str, Any]] = field(default_factory=list)
    mirror_row: dict[str, Any] | None = None
    mirror_records: list[dict[str, Any]] = field(default_factory=list)
    standing: tuple[int, int, int, bytes] | None = None
    decision: dict[str, Any] | None = None
    liens: list[dict[str, Any]] = field(default_factory=list)
    mirror_liens: list[dict[str, Any]] = field(default_factory=list)


class Maker:
    """Makes loans from one seed; `chain_id` and `contract` are those the heads are bound to."""

    def __init__(self, seed: int, chain_id: int = CHAIN_ID, contract: bytes = CONTRACT) -> None:
        self.random = random.Random(seed)
        self.chain_id = chain_id
        self.contract = contract
        self.positions = {1: 0, 2: 0}

    def loans(self, count: int, records_max: int = 8) -> list[MadeLoan]:
        return [self.loan(number, records_max) for number in range(count)]

    def loan(self, number: int, records_max: int = 8, *, lender_id: int | None = None, nonce: bytes | None = None,
             anchored: int | None = None) -> MadeLoan:  # fmt: skip
        rng = self.random
        lender_id = lender_id or rng.choice([1, 2])
        nonce = nonce or rng.randbytes(32)
        key = sha(b"loan-registry/v1", lender_id.to_bytes(4, "big"), nonce)
        erased = rng.random() < 0.2
        loan_id, borrower_id = f"LN-{number:05d}", f"BW-{number:05d}"
        made = MadeLoan(
            row={
                "lender_id": lender_id, "id": loan_id, "loan_key": key, "nonce": nonce, "borrower_id": borrower_id,
                "product_id": "TERM@1", "terms": "{}", "currency": "CNY", "principal_minor": 1_000_000,
                "annual_rate": "0.0875", "term_months": 12, "matures_on": date(2027, 1, 31), "decision_id": None,
                "controller_id": lender_id, "servicer_id": lender_id,
                "outstanding_minor": rng.randrange(1_000_000),
                "next_unpaid_due_on": rng.choice([None, date(2026, 3, 1) + timedelta(days=rng.randrange(300))]),
            },
            borrower={
                "lender_id": lender_id, "id": borrower_id, "kind": "PERSON",
                "key_id": None if erased else f"KEY-{number:05d}", "created_at": datetime(2026, 1, 1, tzinfo=UTC),
            },
            records=[], outbox=[], statuses=[],
        )  # fmt: skip
        if rng.random() < 0.7:
            made.decision = a_decision(rng, lender_id, f"DC-{number:05d}", is_erased=erased)
            made.row["decision_id"] = made.decision["id"]
        status = "REGISTERED"
        self._append(made, "AGREEMENT", status)
        agreed = json.loads(made.records[0]["fields"])
        made.row |= {
            "terms": canonical(agreed["terms"]), "principal_minor": int(agreed["amount_minor"]),
            "annual_rate": agreed["annual_rate"], "term_months": agreed["term_months"],
            "disclosed_apr": agreed.get("disclosed_apr"), "external_reference": agreed["external_reference"],
            "product_id": f"{agreed['product_code']}@{agreed['product_version']}",
            "matures_on": last_due_on(agreed["terms"]),
        }  # fmt: skip
        for _ in range(rng.randrange(records_max)):
            kind = self._next_kind(made, status)
            status = FOLLOWS[status][kind] or status
            self._append(made, kind, status)
        made.row |= {
            "next_sequence": len(made.records), "head": made.records[-1]["head"], "status": STATUS[status],
            "disbursed_on": next((row["effective_on"] for row in made.records if row["kind"] == 1), None),
        }  # fmt: skip
        if erased:
            made.records[0]["sealed"] = None
        count = rng.choice([len(made.records)] * 3 + [rng.randrange(len(made.records) + 1)])
        self._anchor(made, count if anchored is None else anchored)
        if status == "ACTIVE" and made.standing is not None and rng.random() < 0.5:
            self._secure(made)
        return made

    def _secure(self, made: MadeLoan) -> None:
        """Liens in each state: in force, released, pledged again, waiting to be pledged, waiting to be released."""
        rng, row = self.random, made.row
        for calls, pledged, released in LIEN_STATES:
            tag = rng.randbytes(32)
            for call in calls:
                self._queue(made, call, None, None, None, None, canonical({"asset_tag": tag.hex()}))
            made.liens += lien_rows(row, tag, calls)
            if pledged:
                made.mirror_liens.append({"asset_tag": tag, "pledged": pledged, "released": released})

    def _next_kind(self, made: MadeLoan, status: str) -> str:
        if status == "REGISTERED" and self.random.random() < 0.8:
            return "DISBURSEMENT"
        if status == "ACTIVE" and self.random.random() < 0.5:
            return "REPAYMENT"
        return self.random.choice(sorted(FOLLOWS[status]))

    def _values(self, made: MadeLoan, kind: str, on: date, at: datetime) -> dict[str, Any]:
        rng = self.random
        values: dict[str, Any] = {
            "effective_on": on.isoformat(), "posted_at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reference": rng.choice([None, "转账 ref “7”", "a\\b\t\u0001", f"R{rng.randrange(10**6)}"]),
        }  # fmt: skip
        if kind in {"AGREEMENT", "DISBURSEMENT", "REPAYMENT", "FEE", "RECOVERY"}:
            values |= {"amount_minor": rng.choice([rng.randrange(1, 10**7), str(10**17 + rng.randrange(9))])}
            values |= {"currency": "CNY"}
        for name in KINDS[kind][1]:
            if name == "terms":
                values[name] = terms_of(rng)
            elif name == "decision_receipt":
                values[name] = made.decision and made.decision["receipt_commitment"].hex()
            elif name in {"annual_rate", "disclosed_apr"}:
                values[name] = rng.choice([f"0.{rng.randrange(10**4):04}", "0.0875"])
            elif name == "changes":
                values[name] = {"annual_rate": "0.0500", "term_months": rng.randrange(1, 60)}
            elif name.endswith(("_minor", "_months", "_sequence", "_due", "_version", "_id")):
                values[name] = rng.randrange(1, 10**6)
            else:
                values[name] = f"{name}-{rng.randrange(10**9)}"
        if kind == "AGREEMENT" and rng.random() < 0.5:
            del values["disclosed_apr"]
        if kind == "TRANSFER":
            buyer = 3 - made.row["controller_id"]
            values |= {"from_lender_id": made.row["controller_id"], "to_lender_id": buyer}
        return values

    def _append(self, made: MadeLoan, kind: str, status: str) -> None:
        rng, key, sequence = self.random, made.row["loan_key"], len(made.records)
        at = datetime(2026, 1, 31, 8, 30, 0, sequence, tzinfo=UTC) + timedelta(days=31 * sequence)
        values = self._values(made, kind, at.date(), at)
        secret, number = rng.randbytes(32), KINDS[kind][0]
        financial = [digest_of(secret, name, values.get(name)) for name in COMMON + KINDS[kind][1]]
        personal, sealed = self._personal(made, key) if kind == "AGREEMENT" else ([], None)
        commitment = commitment_of(key, sequence, number, financial + personal)
        previous = made.records[-1]["head"] if made.records else None
        head = head_of(previous, key, number, commitment, self.chain_id, self.contract)
        amount = values.get("amount_minor")
        made.records.append({
            "lender_id": made.row["lender_id"], "loan_id": made.row["id"], "sequence": sequence, "loan_key": key,
            "kind": number, "effective_on": at.date(), "posted_at": at,
            "amount_minor": None if amount is None else int(amount), "currency": values.get("currency"),
            "fields": canonical(values), "sealed": sealed, "personal_digests": b"".join(personal), "secret": secret,
            "commitment": commitment, "previous_head": previous, "head": head,
        })  # fmt: skip
        made.statuses.append(STATUS[status])
        if kind == "TRANSFER":
            buyer = values["to_lender_id"]
            made.transfers.append({
                "lender_id": made.row["lender_id"], "id": f"TR-{made.row['id']}-{sequence}", "loan_id": made.row["id"],
                "from_lender_id": made.row["controller_id"], "to_lender_id": buyer, "servicer_id": 0,
                "offered_at": at, "expires_at": at, "state": "ACCEPTED", "decided_at": at,
            })  # fmt: skip
            made.row["controller_id"] = made.row["servicer_id"] = buyer
        self._queue(made, kind, sequence, number, commitment, previous)

    def _queue(
        self, made: MadeLoan, kind: str, sequence: int | None, number: int | None, commitment: bytes | None,
        previous: bytes | None, arguments: str = "{}",
    ) -> None:  # fmt: skip
        signer = made.row["servicer_id"]
        self.positions[signer] += 1
        action = CALLS.get(kind, "APPEND")
        made.outbox.append({
            "lender_id": signer, "position": self.positions[signer], "action": action,
            "file_lender_id": made.row["lender_id"], "loan_id": made.row["id"], "loan_key": made.row["loan_key"],
            "sequence": sequence, "kind": number, "previous_head": previous, "commitment": commitment,
            "arguments": arguments, "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        })  # fmt: skip

    def _personal(self, made: MadeLoan, key: bytes) -> tuple[list[bytes], bytes]:
        values = {
            "borrower_name": f"张伟 {self.random.randrange(10**6)}", "borrower_identity_kind": "CN_ID",
            "borrower_identity": str(self.random.randrange(10**17, 10**18)), "borrower_born_on": "1990-02-28",
        }  # fmt: skip
        secret = self.random.randbytes(32)
        body = secret + canonical(values).encode()
        return [digest_of(secret, name, values[name]) for name in PERSONAL], sha(b"tag", body) + body

    def _anchor(self, made: MadeLoan, count: int) -> None:
        key, block = made.row["loan_key"], self.random.randrange(1, FINAL // 2)
        controller = servicer = made.row["lender_id"]
        for record, status in zip(made.records[:count], made.statuses, strict=False):
            block = min(FINAL, block + self.random.randrange(0, 40))
            made.mirror_records.append({
                "loan_key": key, "sequence": record["sequence"], "kind": record["kind"],
                "commitment": record["commitment"], "head": record["head"], "status": status, "block_number": block,
            })  # fmt: skip
            if record["kind"] == KINDS["TRANSFER"][0]:
                controller = servicer = json.loads(record["fields"])["to_lender_id"]
        if count:
            last = made.mirror_records[-1]
            made.standing = (controller, servicer, last["status"], last["head"])
            made.mirror_row = {
                "loan_key": key, "registered_by": made.row["lender_id"], "controller_id": controller,
                "servicer_id": servicer, "status": last["status"], "records": count, "head": last["head"],
            }  # fmt: skip


class FakeMirror:
    """A mirror of made loans; tests alter its rows in place."""

    def __init__(self, loans: list[MadeLoan]) -> None:
        self.loan_rows = [dict(made.mirror_row) for made in loans if made.mirror_row]
        self.record_rows = [dict(row) for made in loans for row in made.mirror_records]
        self.lien_rows = {made.row["loan_key"]: [dict(row) for row in made.mirror_liens] for made in loans}

    def cursor(self) -> MirrorCursor:
        return MirrorCursor(CHAIN_ID, GENESIS, CONTRACT, CODE_HASH, BLOCK, sha(b"block"), FINAL)

    def loans(self, loan_keys: Sequence[bytes]) -> dict[bytes, MirrorLoan]:
        return {row["loan_key"]: MirrorLoan(**row) for row in self.loan_rows if row["loan_key"] in set(loan_keys)}

    def records(self, loan_keys: Sequence[bytes]) -> dict[bytes, list[MirrorRecord]]:
        found: dict[bytes, list[MirrorRecord]] = {}
        for row in sorted(self.record_rows, key=lambda row: row["sequence"]):
            if row["loan_key"] in set(loan_keys):
                found.setdefault(row["loan_key"], []).append(MirrorRecord(**row))
        return found

    def liens(self, loan_keys: Sequence[bytes]) -> dict[bytes, list[MirrorLien]]:
        found = {key: [MirrorLien(**row) for row in self.lien_rows.get(key, ())] for key in loan_keys}
        return {key: rows for key, rows in found.items() if rows}

    def known_keys(self, after: bytes | None, limit: int) -> list[bytes]:
        keys = {row["loan_key"] for row in [*self.loan_rows, *self.record_rows]}
        return sorted(key for key in keys if after is None or key > after)[:limit]


class FakeChain:
    """The chain's slots for made loans."""

    def __init__(self, loans: list[MadeLoan]) -> None:
        self.slots = {made.row["loan_key"]: OnChain(*made.standing) for made in loans if made.standing}

    def heads(self, loan_keys: Sequence[bytes], block: int) -> dict[bytes, OnChain]:
        assert block == BLOCK
        return {key: self.slots[key] for key in loan_keys if key in self.slots}

    def proof(self, loan_keys: Sequence[bytes], block: int) -> ChainProof:
        raise AssertionError("reconciliation reads slots and asks for no proof")


class FakeBalances:
    """The balances the loans were made with, in place of a ledger."""

    def __init__(self, loans: list[MadeLoan]) -> None:
        self._known = {
            made.row["id"]: Balance(made.row["outstanding_minor"], made.row["next_unpaid_due_on"]) for made in loans
        }

    def replayed(self, loan: FileLoan, records: Sequence[FileRecord]) -> Balance:
        return self._known[loan.id]


class SealAltered(RegistryError):
    code = "SEAL_ALTERED"


class FakeOpener:
    """Opens what `Maker` sealed: a hash, the personal secret, the values."""

    def open(self, loan: FileLoan, record: FileRecord) -> PersonalFields | None:
        if loan.borrower_key_id is None:
            return None
        sealed = record.sealed or b""
        if sha(b"tag", sealed[32:]) != sealed[:32]:
            raise SealAltered
        return PersonalFields(json.loads(sealed[64:]), sealed[32:64])


def fill(connection: Connection, loans: list[MadeLoan]) -> None:
    """Write the loans into the tables of the file."""
    connection.execute(insert(tables.chain_binding).values(
        id=1, chain_id=CHAIN_ID, genesis_hash=GENESIS, contract=CONTRACT, code_hash=CODE_HASH, deployed_block=1
    ))  # fmt: skip
    for made in loans:
        connection.execute(insert(tables.borrowers).values(made.borrower))
        if made.decision:
            connection.execute(insert(tables.applications).values(application_of(made.decision, made.row)))
            connection.execute(insert(tables.decisions).values(made.decision))
        connection.execute(insert(tables.loans).values(made.row))
        connection.execute(insert(tables.loan_records), made.records)
        connection.execute(insert(tables.outbox), made.outbox)
        if made.transfers:
            connection.execute(insert(tables.transfers), made.transfers)
        if made.liens:
            connection.execute(insert(tables.liens), made.liens)
