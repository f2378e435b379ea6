"""The mirror's tables, written by the indexer alone: what the chain says, rebuilt from its logs and nothing else."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, SmallInteger, String, Table

from registry.storage.tables import Hash, Instant
from registry.storage.tables import metadata as file_metadata

metadata = MetaData(naming_convention=file_metadata.naming_convention)

# One row: what this mirror is bound to, and how far it has come. Written in the same transaction as the rows below.
mirror_cursor = Table(
    "mirror_cursor",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("chain_id", BigInteger, nullable=False),
    Column("genesis_hash", Hash, nullable=False),
    Column("contract", LargeBinary(20), nullable=False),
    Column("code_hash", Hash, nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Column("block_hash", Hash, nullable=False),
    Column("final_number", BigInteger, nullable=False),
    Column("final_hash", Hash, nullable=False),
    Column("head_number", BigInteger, nullable=False),  # the node's head when last asked
    Column("indexed_at", Instant, nullable=False),
)

# Every block with a log of ours, and every block above the last final one: the parent hashes to walk back by.
mirror_blocks = Table(
    "mirror_blocks",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", Hash, nullable=False),
    Column("parent_hash", Hash, nullable=False),
    Column("mined_at", Instant, nullable=False),
)

mirror_records = Table(
    "mirror_records",
    metadata,
    Column("loan_key", Hash, primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, nullable=False),
    Column("commitment", Hash, nullable=False),
    Column("head", Hash, nullable=False),  # folded here, after this record
    Column("status", SmallInteger, nullable=False),  # of the loan after this record
    Column("block_number", BigInteger, nullable=False),
    Column("log_index", Integer, nullable=False),
    Column("transaction_hash", Hash, nullable=False),
    Index("ix_mirror_records_commitment", "commitment"),
    Index("ix_mirror_records_block_number", "block_number"),
)

# The present standing of each loan, as folded; `records` counts them, the agreement included.
mirror_loans = Table(
    "mirror_loans",
    metadata,
    Column("loan_key", Hash, primary_key=True),
    Column("registered_by", Integer, nullable=False),
    Column("controller_id", Integer, nullable=False),
    Column("servicer_id", Integer, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("records", Integer, nullable=False),
    Column("head", Hash, nullable=False),
    Column("registered_block", BigInteger, nullable=False),
    Column("last_block", BigInteger, nullable=False),
    Index("ix_mirror_loans_controller_id", "controller_id"),
)

# Everything else the contract said, one row per log: control, offers, liens, lenders, pause. Rewinds delete from it.
mirror_events = Table(
    "mirror_events",
    metadata,
    Column("block_number", BigInteger, primary_key=True, autoincrement=False),
    Column("log_index", Integer, primary_key=True, autoincrement=False),
    Column("name", String(30), nullable=False),  # the event's name in the contract
    Column("loan_key", Hash),
    Column("asset_tag", Hash),
    Column("lender_id", Integer),  # the lender that acted or is meant, by event
    Column("other_lender_id", Integer),  # the buyer of a transfer
    Column("servicer_id", Integer),
    Column("account", LargeBinary(20)),
    Column("expires_at", BigInteger),  # unix seconds
    Column("transaction_hash", Hash, nullable=False),
    Index("ix_mirror_events_loan_key", "loan_key"),
    Index("ix_mirror_events_asset_tag", "asset_tag"),
)

mirror_lenders = Table(
    "mirror_lenders",
    metadata,
    Column("lender_id", Integer, primary_key=True, autoincrement=False),
    Column("account", LargeBinary(20), nullable=False),  # the first account it was admitted with
    Column("active", Boolean, nullable=False),
    Column("head", Hash, nullable=False),  # running head over registrations and transfers
)
