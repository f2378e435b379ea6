"""A small registry behind the GraphQL API, asked over HTTP: lenders, loans with histories, and a mirror made by hand.

Lender 1 has consumer loans, lender 2 one of its own; lender 3 has none. The mirror is written here from the file's own
rows, so that tests decide what is on chain.
"""

import asyncio
import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import Connection, Engine, event, func, insert, select, update
from starlette.applications import Starlette

from audit.tables import metadata as audit_metadata
from chain.tables import metadata as relay_metadata
from compliance.key_store import KeyStore
from compliance.vault import Vault
from graphql_api.context import ApiContext, Limits, Readiness
from graphql_api.server import create_api
from indexer.tables import metadata as mirror_metadata
from indexer.tables import mirror_blocks, mirror_cursor, mirror_lenders, mirror_loans, mirror_records
from registry.domain.access import Actor, Role
from registry.domain.chain_binding import ChainBinding
from registry.domain.kinds import RecordKind
from registry.domain.loan import Loan
from registry.domain.money import Money
from registry.domain.origination import Assessment, CheckOutcome, Outcome
from registry.domain.parties import Identity, Lender
from registry.domain.product import shipped_products
from registry.ports import Facilities, UnderwritingCase, UnitOfWork
from registry.services.book_histories import HistoryEvent, LoanHistory, book_histories
from registry.services.pledge_asset import Asset
from registry.storage import access_keys
from registry.storage.engine import open_engine
from registry.storage.tables import loan_records, loans, metadata
from registry.storage.unit_of_work import SqlUnitOfWork

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
BINDING = ChainBinding(31_337, b"\x01" * 32, b"\x02" * 20, b"\x03" * 32, 1)
PRODUCT = "consumer-cny@1"
FINAL, HEAD = 100, 112


class SteppingClock:
    """A clock that moves a millisecond at each look, from a day the test sets."""

    def __init__(self) -> None:
        self.at = NOW
        self._steps = itertools.count()

    def now(self) -> datetime:
        return self.at + timedelta(milliseconds=next(self._steps))


class AllOnChain:
    def waiting(self, loan: Loan) -> int:
        return 0

    def take_back(self, uow: UnitOfWork, loan: Loan, sequence: int) -> bool:
        return False


class FixedUnderwriter:
    """Answers every case the same way; it stands for scoring and compliance, which have tests of their own."""

    outcome = Outcome.APPROVE

    def assess(self, case: UnderwritingCase) -> Assessment:
        digest = hashlib.sha256(case.application.id.encode()).digest()
        return Assessment(
            outcome=self.outcome,
            score={
                "probability": "0.042000",
                "points": 640,
                "grade": "B",
                "model_version": "default-1",
                "contributions": [{"feature": "income", "value": "5000", "effect": "-0.200000"}],
            },
            checks=(CheckOutcome("rate_cap", "2026-1", "PASS", (), case.decided_at),),
            reasons=("INCOME_LOW",),
            offered_rate=Decimal("0.12"),
            limit=None,
            policy_version="policy-1",
            model_hash=digest,
            inputs_hash=digest,
            inputs_salt=digest,
            receipt="{}",
            receipt_commitment=hashlib.sha256(b"receipt" + digest).digest(),
        )


@dataclass
class Reply:
    """An answer as it came over HTTP."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def data(self) -> Any:
        assert "errors" not in self.body, self.body["errors"]
        return self.body["data"]

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.body.get("errors", ())]


@dataclass
class World:
    """The registry, its API, and an access key for each part played."""

    engine: Engine
    facilities: Facilities
    clock: SteppingClock
    underwriter: FixedUnderwriter
    api: Starlette = field(init=False)
    tokens: dict[str, str] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)
    evidence_asked: list[tuple[str, str]] = field(default_factory=list)
    readiness: Readiness = field(default_factory=lambda: Readiness({"database": None}))

    def serve(self, limits: Limits | None = None) -> None:
        """Build the API anew, with these limits."""

        def evidence(loan_id: str, profile: str) -> Mapping[str, Any]:
            self.evidence_asked.append((loan_id, profile))
            return {"format": "evidence", "loan": loan_id, "profile": profile}

        self.api = create_api(
            ApiContext(
                engine=self.engine,
                facilities=self.facilities,
                evidence=evidence,
                ready=lambda: self.readiness,
                limits=limits or Limits(),
            )
        )

    def ask(self, who: str | None, query: str, variables: Mapping[str, Any] | None = None, **headers: str) -> Reply:
        """POST a query as one of the parts; its SQL statements are in `statements` afterwards."""
        return self.post({"query": query, "variables": dict(variables or {})}, who, **headers)

    def post(self, body: Any, who: str | None, **headers: str) -> Reply:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if who is not None:
            sent["authorization"] = f"Bearer {self.tokens.get(who, who)}"
        self.statements.clear()
        return asyncio.run(self._request("POST", "/graphql", sent, body))

    def get(self, path: str) -> tuple[int, str, Mapping[str, str]]:
        async def fetch() -> httpx2.Response:
            async with self._client() as client:
                return await client.get(path)

        reply = asyncio.run(fetch())
        return reply.status_code, reply.text, reply.headers

    def counts(self) -> dict[str, int]:
        """Rows by table of the file: what a refused change must leave as it was."""
        with self.engine.connect() as connection:
            return {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in metadata.sorted_tables
            }

    async def _request(self, method: str, path: str, headers: dict[str, str], body: Any) -> Reply:
        async with self._client() as client:
            if isinstance(body, bytes):
                reply = await client.request(method, path, content=body, headers=headers)
            else:
                reply = await client.request(method, path, json=body, headers=headers)
        return Reply(reply.status_code, reply.json() if reply.content else {}, reply.headers)

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.api), base_url="http://registry.test")


def make_world(folder: Path, url: str | None = None) -> World:
    """An empty registry with three lenders, the shipped products and keys for everybody."""
    engine = open_engine(url or f"sqlite:///{folder / 'registry.db'}")
    for tables in (metadata, relay_metadata, mirror_metadata, audit_metadata):
        tables.create_all(engine)
    clock, underwriter = SteppingClock(), FixedUnderwriter()
    vault = Vault(KeyStore(folder / "keys.db"), b"\x07" * 32)
    world = World(engine, Facilities(clock, vault, underwriter, AllOnChain()), clock, underwriter)
    with SqlUnitOfWork(engine) as uow:
        for number in (1, 2, 3):
            name = f"Lender {number}"
            account = hashlib.sha256(name.encode()).digest()[:20]
            uow.lenders.add(Lender(number, f"L{number}", name, None, "BANK", account, active=True))
        uow.bindings.bind(BINDING)
        for product in shipped_products():
            uow.products.publish(product, NOW)
        for who, role, lender_id in PARTS:
            world.tokens[who] = access_keys.issue(uow.connection, who, role, lender_id, NOW)
        uow.commit()
    event.listen(engine, "before_cursor_execute", lambda *call: world.statements.append(call[2]))
    world.serve()
    return world


PARTS = (
    ("lender1", Role.LENDER, 1),
    ("colleague1", Role.LENDER, 1),
    ("lender2", Role.LENDER, 2),
    ("lender3", Role.LENDER, 3),
    ("partner2", Role.PARTNER, 2),
    ("auditor", Role.AUDITOR, None),
    ("administrator", Role.ADMINISTRATOR, None),
)


def history(number: int, lender_id: int = 1, *, paid: int = 10, asset: Asset | None = None) -> LoanHistory:
    """A loan of 12,000 CNY over 24 months from 2025-03-01 with its first `paid` instalments paid on their days."""
    start = date(2025, 3, 1)
    product = next(product for product in shipped_products() if product.id == PRODUCT)
    terms = product.terms_for(Money(1_200_000, "CNY"), 24, Decimal("0.12"), start)
    events = [HistoryEvent(RecordKind.DISBURSEMENT, start)]
    for month in range(paid):
        year, at = divmod(start.month + month, 12)
        events.append(
            HistoryEvent(RecordKind.REPAYMENT, date(start.year + year, at + 1, 1), Money(56_500, "CNY"), channel="BANK")
        )
    return LoanHistory(
        external_reference=f"REF-{lender_id}-{number:04d}",
        identity=Identity(f"王小明{number}", "PERSON", "PASSPORT", f"E1234567{number:04d}", date(1990, 1, 1), "CN"),
        product_id=PRODUCT,
        terms=terms,
        purpose="CONSUMPTION",
        inputs={"income": "5000"},
        events=events,
        agreed_on=start,
        consents={"CREDIT_CHECK": "2026-1"},
        asset=asset,
    )


def book(world: World, histories: Sequence[LoanHistory], lender_id: int = 1) -> list[str]:
    """Book loans and return their ids in the order given."""
    actor = Actor("import", Role.LENDER, lender_id)
    book_histories(SqlUnitOfWork(world.engine), lender_id, histories, actor, world.facilities, decide=True)
    with world.engine.connect() as connection:
        rows = connection.execute(select(loans.c.external_reference, loans.c.id).where(loans.c.lender_id == lender_id))
        ids = {row.external_reference: row.id for row in rows}
    return [ids[one.external_reference] for one in histories]


def mirror_everything(world: World, *, skip_last: int = 0, final: int = FINAL, head: int = HEAD) -> None:
    """Write the mirror the chain would give if all records but the `skip_last` newest of each loan were on it."""
    with world.engine.begin() as connection:
        for table in (mirror_cursor, mirror_records, mirror_loans, mirror_blocks, mirror_lenders):
            connection.execute(table.delete())
        _cursor(connection, final, head)
        blocks = set()
        for loan in connection.execute(select(loans)).all():
            records = _records(connection, loan.id)
            kept = records[: len(records) - skip_last]
            rows = [_mirrored(loan, record) for record in kept]
            blocks |= {row["block_number"] for row in rows}
            connection.execute(insert(mirror_records), rows)
            connection.execute(insert(mirror_loans), _mirrored_loan(loan, rows))
        moments = {number: NOW - timedelta(minutes=HEAD - number) for number in sorted(blocks)}
        connection.execute(
            insert(mirror_blocks),
            [
                {"number": number, "hash": _word(number), "parent_hash": _word(number - 1), "mined_at": moment}
                for number, moment in moments.items()
            ],
        )


def tamper(world: World, loan_id: str, sequence: int, **values: Any) -> None:
    """Change a record's row behind the registry's back."""
    with world.engine.begin() as connection:
        connection.execute(
            update(loan_records)
            .where(loan_records.c.loan_id == loan_id, loan_records.c.sequence == sequence)
            .values(**values)
        )


def _cursor(connection: Connection, final: int, head: int) -> None:
    row = {
        "id": 1, "chain_id": BINDING.chain_id, "genesis_hash": BINDING.genesis_hash, "contract": BINDING.contract,
        "code_hash": BINDING.code_hash, "block_number": head, "block_hash": _word(head), "final_number": final,
        "final_hash": _word(final), "head_number": head, "indexed_at": NOW,
    }  # fmt: skip
    connection.execute(insert(mirror_cursor), row)


def _records(connection: Connection, loan_id: str) -> Sequence[Any]:
    rows = connection.execute(select(loan_records).where(loan_records.c.loan_id == loan_id))
    return sorted(rows, key=lambda row: row.sequence)


def _mirrored(loan: Any, record: Any) -> dict[str, Any]:
    """A record in block 95 + its sequence: with FINAL = 100 those up to sequence 5 are final."""
    return {
        "loan_key": loan.loan_key, "sequence": record.sequence, "kind": record.kind, "commitment": record.commitment,
        "head": record.head, "status": 2, "block_number": 95 + record.sequence, "log_index": record.sequence,
        "transaction_hash": hashlib.sha256(record.commitment).digest(),
    }  # fmt: skip


def _mirrored_loan(loan: Any, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "loan_key": loan.loan_key, "registered_by": loan.lender_id, "controller_id": loan.controller_id,
        "servicer_id": loan.servicer_id, "status": 2, "records": len(rows), "head": rows[-1]["head"],
        "registered_block": 95, "last_block": rows[-1]["block_number"],
    }  # fmt: skip


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")
