"""The audit's tables, written by `audit` alone: its runs, what the last one found, and the state of each loan."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, String, Table

from registry.storage.tables import Hash, Id, Instant
from registry.storage.tables import metadata as file_metadata

metadata = MetaData(naming_convention=file_metadata.naming_convention)

_Serial = BigInteger().with_variant(Integer, "sqlite")

audit_runs = Table(
    "audit_runs",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),  # null: still running, or stopped half-way
    Column("block_number", BigInteger, nullable=False),  # of the mirror, and of the chain where it was read
    Column("block_hash", Hash, nullable=False),
    Column("chain_read", Integer, nullable=False),  # 0: no node was at hand, the mirror stood for the chain
    Column("loans", BigInteger, nullable=False),
    Column("records", BigInteger, nullable=False),
    Column("not_yet", BigInteger, nullable=False),  # records that are not on chain yet, and may still get there
    Column("findings", BigInteger, nullable=False),
)

findings = Table(
    "findings",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("run_id", _Serial, ForeignKey("audit_runs.id"), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("rule", String(40), nullable=False),
    Column("lender_id", Integer),
    Column("loan_id", Id),
    Column("loan_key", Hash),
    Column("sequence", BigInteger),
    Column("table_name", String(40), nullable=False),
    Column("field", String(80), nullable=False),
    Column("expected", String(80), nullable=False),
    Column("found", String(80), nullable=False),
    Column("found_at", Instant, nullable=False),
    Index("ix_findings_run_id", "run_id", "id"),
    Index("ix_findings_lender_id_loan_id", "lender_id", "loan_id"),
)

# One row per loan of the file, replaced by each run that reaches it.
loan_verifications = Table(
    "loan_verifications",
    metadata,
    Column("lender_id", Integer, primary_key=True),
    Column("loan_id", Id, primary_key=True),
    Column("loan_key", Hash, nullable=False),
    Column("run_id", _Serial, ForeignKey("audit_runs.id"), nullable=False),
    Column("state", String(20), nullable=False),
    Column("records", Integer, nullable=False),
    Column("anchored", Integer, nullable=False),  # how many of them were on chain
    Column("head", Hash),  # after all of them
    Column("verified_at", Instant, nullable=False),
    Index("ix_loan_verifications_state", "state"),
)
