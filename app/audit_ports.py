"""What the audit asks of other parts, answered: the chain through `chain`, the mirror through `indexer`, and so on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import ClassVar

import orjson
from sqlalchemy import Connection, and_, func, select, tuple_

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
    RelayProgress,
    SlotProofs,
)
from chain.binding import bind
from chain.block import read_head
from chain.contract import LoanRegistryContract
from chain.finality import FinalityRule
from chain.hexadecimal import octets, quantity
from chain.proof import fetch_proof
from chain.rpc import CallFailed, Rpc
from chain.tables import relay_items, relay_transactions
from compliance.key_store import KeyDestroyed, KeyUnknown
from indexer import queries as mirror
from indexer.tables import mirror_events, mirror_loans, mirror_records
from registry.domain.agreement import AgreementTerms
from registry.domain.chain_binding import ChainBinding
from registry.domain.errors import Unavailable
from registry.domain.kinds import RecordKind
from registry.domain.loan_history import ledger_of
from registry.domain.money import Money
from registry.domain.records import LoanRecord
from registry.ports import Vault
from registry.services.personal import agreement_associated_data, personal_secret

KEYS_PER_STATEMENT = 500


@dataclass(eq=False)
class BlockStateGone(Unavailable):
    """The node does not keep the state of that block any more, or not since it was started."""

    block: int
    code: ClassVar[str] = "BLOCK_STATE_GONE"

    def __str__(self) -> str:
        return (
            f"The node has no state of block {self.block} to prove from, as nodes keep recent blocks only. Let new "
            "ones become final and be indexed (`loan-registry devnet mine 13`, `loan-registry index --once`), "
            "then ask again."
        )


class ChainState:
    """`audit.ports.ChainReader` over one node and contract."""

    def __init__(self, rpc: Rpc, contract: bytes) -> None:
        self._rpc = rpc
        self._contract = LoanRegistryContract(rpc, contract)

    def heads(self, loan_keys: Sequence[bytes], block: int) -> Mapping[bytes, OnChain]:
        standings = self._contract.standings(loan_keys, block)
        heads = self._contract.heads(loan_keys, block)
        return {
            key: OnChain(standing.controller_id, standing.servicer_id, standing.status, head)
            for key, standing, head in zip(loan_keys, standings, heads, strict=True)
            if standing.status
        }

    def proof(self, loan_keys: Sequence[bytes], block: int) -> ChainProof:
        try:
            found = fetch_proof(self._rpc, self._contract.address, loan_keys, block)
        except CallFailed:
            raise BlockStateGone(block) from None
        return ChainProof(
            block_number=found.block_number,
            block_hash=found.block_hash,
            header=found.header,
            account=found.nodes,
            code_hash=found.code_hash,
            loans={loan.loan_key: SlotProofs(loan.standing.nodes, loan.head.nodes) for loan in found.loans},
        )


class MirrorState:
    """`audit.ports.MirrorReader` over one connection, so that all answers are of one snapshot."""

    def __init__(self, connection: Connection, cursor: MirrorCursor) -> None:
        self._connection = connection
        self._cursor = cursor

    def cursor(self) -> MirrorCursor:
        return self._cursor

    def loans(self, loan_keys: Sequence[bytes]) -> Mapping[bytes, MirrorLoan]:
        found = mirror.loans(self._connection, loan_keys)
        return {
            key: MirrorLoan(
                key,
                loan.registered_by,
                loan.controller_id,
                loan.servicer_id,
                loan.status,
                loan.records,
                loan.head,
            )
            for key, loan in found.items()
        }

    def records(self, loan_keys: Sequence[bytes]) -> Mapping[bytes, Sequence[MirrorRecord]]:
        found: dict[bytes, list[MirrorRecord]] = {}
        table = mirror_records.c
        columns = (
            table.loan_key,
            table.sequence,
            table.kind,
            table.commitment,
            table.head,
            table.status,
            table.block_number,
        )
        for start in range(0, len(loan_keys), KEYS_PER_STATEMENT):
            rows = self._connection.execute(
                select(*columns)
                .where(table.loan_key.in_(loan_keys[start : start + KEYS_PER_STATEMENT]))
                .order_by(table.loan_key, table.sequence)
            )
            for row in rows:
                found.setdefault(row.loan_key, []).append(MirrorRecord(*row))
        return found

    def liens(self, loan_keys: Sequence[bytes]) -> Mapping[bytes, Sequence[MirrorLien]]:
        found: dict[bytes, list[MirrorLien]] = {}
        event = mirror_events.c
        pledged = func.count().filter(event.name == "AssetPledged")
        released = func.count().filter(event.name == "AssetReleased")
        for start in range(0, len(loan_keys), KEYS_PER_STATEMENT):
            rows = self._connection.execute(
                select(event.loan_key, event.asset_tag, pledged, released)
                .where(
                    event.loan_key.in_(loan_keys[start : start + KEYS_PER_STATEMENT]),
                    event.name.in_(("AssetPledged", "AssetReleased")),
                )
                .group_by(event.loan_key, event.asset_tag)
            )
            for loan_key, *counted in rows:
                found.setdefault(loan_key, []).append(MirrorLien(*counted))
        return found

    def known_keys(self, after: bytes | None, limit: int) -> Sequence[bytes]:
        lowest = after if after is not None else b""
        keys: set[bytes] = set()
        for column in (mirror_loans.c.loan_key, mirror_records.c.loan_key):
            rows = self._connection.execute(
                select(column).where(column > lowest).distinct().order_by(column).limit(limit)
            )
            keys.update(row[0] for row in rows)
        return sorted(keys)[:limit]


def mirror_cursor_of(connection: Connection) -> MirrorCursor | None:
    """The mirror's cursor in the audit's words; None before the first indexing."""
    found = mirror.cursor(connection)
    if found is None:
        return None
    return MirrorCursor(
        found.chain_id,
        found.genesis_hash,
        found.contract,
        found.code_hash,
        found.block_number,
        found.block_hash,
        found.final_number,
    )


class RelayState:
    """`audit.ports.RelayReader` over the relay's tables."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def progress(self, positions: Sequence[tuple[int, int]]) -> Mapping[tuple[int, int], RelayProgress]:
        found: dict[tuple[int, int], RelayProgress] = {}
        items, sent = relay_items.c, relay_transactions.c
        joined = relay_items.outerjoin(
            relay_transactions,
            and_(items.lender_id == sent.lender_id, items.sender == sent.sender, items.nonce == sent.nonce),
        )
        for start in range(0, len(positions), KEYS_PER_STATEMENT):
            wanted = positions[start : start + KEYS_PER_STATEMENT]
            rows = self._connection.execute(
                select(items.lender_id, items.position, items.refused_block, sent.block_number, sent.state)
                .select_from(joined)
                .where(tuple_(items.lender_id, items.position).in_(wanted))
            )
            for row in rows:
                mined = row.block_number if row.state in {"MINED", "FINAL"} else None
                found[(row.lender_id, row.position)] = RelayProgress(row.refused_block, mined)
        return found


class ReplayedBalances:
    """`audit.ports.Balances` by the registry's own ledger."""

    def replayed(self, loan: FileLoan, records: Sequence[FileRecord]) -> Balance:
        book = ledger_of(AgreementTerms.from_dict(orjson.loads(loan.terms)), [_record(row) for row in records])
        return Balance(book.principal_outstanding_minor, book.next_unpaid_due_on)


class SealedFields:
    """`audit.ports.PersonalOpener` over the vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def open(self, loan: FileLoan, record: FileRecord) -> PersonalFields | None:
        if loan.borrower_key_id is None or record.sealed is None:
            return None
        associated = agreement_associated_data(loan.lender_id, loan.id, loan.borrower_key_id)
        try:
            opened = self._vault.open(loan.borrower_key_id, record.sealed, associated)
            secret = personal_secret(self._vault, loan.borrower_key_id, loan.loan_key, record.sequence, record.secret)
        except (KeyDestroyed, KeyUnknown):
            return None
        return PersonalFields(orjson.loads(opened), secret)


class LiveNode:
    """`audit.ports.LiveChain` over one node."""

    def __init__(self, rpc: Rpc, finality: FinalityRule) -> None:
        self._rpc = rpc
        self._finality = finality

    def binding(self, contract: bytes) -> ChainBinding:
        return bind(self._rpc, contract)

    def block_hash(self, number: int) -> bytes | None:
        block = self._rpc.call("eth_getBlockByNumber", quantity(number), False)
        return octets(block["hash"]) if block is not None else None

    def final_number(self) -> int:
        return read_head(self._rpc, self._finality).final_number

    def loan(self, contract: bytes, loan_key: bytes) -> OnChain | None:
        reader = LoanRegistryContract(self._rpc, contract)
        standing = reader.standing(loan_key, "latest")
        if not standing.status:
            return None
        return OnChain(standing.controller_id, standing.servicer_id, standing.status, reader.head(loan_key, "latest"))


def _record(row: FileRecord) -> LoanRecord:
    return LoanRecord(
        loan_id=row.loan_id,
        loan_key=row.loan_key,
        sequence=row.sequence,
        kind=RecordKind(row.kind),
        effective_on=date.fromisoformat(row.effective_on),
        posted_at=datetime.min.replace(tzinfo=UTC),
        amount=Money(row.amount_minor, row.currency) if row.amount_minor is not None and row.currency else None,
        fields=orjson.loads(row.fields),
        sealed=None,
        personal_digests=(),
        secret=row.secret,
        commitment=row.commitment,
        previous_head=row.previous_head,
        head=row.head,
    )
