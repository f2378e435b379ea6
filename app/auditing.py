"""Reconciliation and evidence over a running registry: the audit's functions with their sources opened."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import Connection

from app.audit_ports import (
    ChainState,
    LiveNode,
    MirrorState,
    RelayState,
    ReplayedBalances,
    SealedFields,
    mirror_cursor_of,
)
from app.wiring import Registry
from audit import loan_file
from audit.disclosure import DisclosureProfile
from audit.evidence import build_evidence
from audit.ports import MirrorCursor
from audit.reconcile import Sources, reconcile
from audit.run_store import Report
from audit.trust import Trust
from registry.domain.errors import Unavailable
from registry.storage.loans import LoanUnknown


@dataclass(eq=False)
class NotIndexed(Unavailable):
    """The mirror is empty: nothing was indexed yet."""

    code: ClassVar[str] = "NOT_INDEXED"

    def __str__(self) -> str:
        return "Nothing was mirrored from the chain yet; run `loan-registry index --once` first."


def reconcile_all(registry: Registry, *, with_chain: bool = True) -> Report:
    """Compare the whole file with mirror and chain; the findings are kept in the audit's tables."""
    chain = ChainState(registry.rpc, registry.binding.contract) if with_chain else None
    with snapshot(registry) as (connection, cursor):
        sources = Sources(
            mirror=MirrorState(connection, cursor),
            chain=chain,
            relay=RelayState(connection),
            balances=ReplayedBalances(),
            opener=SealedFields(registry.vault),
        )
        return reconcile(connection, sources, registry.engine, registry.clock)


def evidence_of(registry: Registry, loan_id: str, profile: DisclosureProfile) -> dict[str, Any]:
    """The evidence of one loan at the newest final block, verified before it is handed out."""
    rpc, binding = registry.rpc, registry.binding  # opened before the snapshot holds a connection they may need
    opener = SealedFields(registry.vault)
    with snapshot(registry) as (connection, cursor):
        loan = loan_file.loan_of(connection, loan_id)
        if loan is None:
            raise LoanUnknown(loan_id)
        records = loan_file.records_of(connection, loan)
        proof = ChainState(rpc, binding.contract).proof([loan.loan_key], cursor.final_number)
        return build_evidence(loan, records, proof, binding, profile, opener)


def trust_of(registry: Registry, block: int) -> Trust:
    """Trust settings as this registry's node sees `block`; an auditor takes them from a second, independent node."""
    return Trust.of(registry.binding, live_node(registry).block_hash(block), block)


def live_node(registry: Registry) -> LiveNode:
    return LiveNode(registry.rpc, registry.settings.finality_rule)


@contextmanager
def snapshot(registry: Registry) -> Iterator[tuple[Connection, MirrorCursor]]:
    """One consistent view of file and mirror with the mirror's cursor."""
    engine = registry.engine.execution_options(read_only=True)
    if engine.dialect.name != "sqlite":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        cursor = mirror_cursor_of(connection)
        if cursor is None:
            raise NotIndexed
        yield connection, cursor
