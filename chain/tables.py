"""The relay's tables, written by `chain` alone: a row per signed transaction, and one per outbox position seen."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, SmallInteger, String, Table, Text

from registry.storage.tables import Hash, Instant
from registry.storage.tables import metadata as file_metadata

metadata = MetaData(naming_convention=file_metadata.naming_convention)

# One payload per account and nonce: once stored, these bytes are what is sent for it until it is proven used.
relay_transactions = Table(
    "relay_transactions",
    metadata,
    Column("lender_id", Integer, primary_key=True),
    Column("sender", LargeBinary(20), primary_key=True),  # a lender's accounts rotate, each with nonces of its own
    Column("nonce", BigInteger, primary_key=True, autoincrement=False),
    Column("transaction_hash", Hash, nullable=False, unique=True),
    Column("raw", LargeBinary, nullable=False),
    Column("state", String(10), nullable=False),  # SIGNED, SENT, MINED, REVERTED, FINAL, DISPLACED
    Column("attempts", Integer, nullable=False),
    Column("signed_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("next_attempt_at", Instant),
    Column("block_number", BigInteger),
    Column("block_hash", Hash),
    Column("gas_used", BigInteger),
    Column("last_error", Text),
    Index("ix_relay_transactions_state", "state"),
)

# Every outbox position the relay has taken. WAITING: to be put in a transaction. FOUND: on chain already, by a
# transaction this database does not hold (it was restored from an older backup, say).
relay_items = Table(
    "relay_items",
    metadata,
    Column("lender_id", Integer, primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("state", String(10), nullable=False),  # WAITING, ASSIGNED, FOUND, REFUSED, BLOCKED, VOIDED
    Column("sender", LargeBinary(20)),  # with `nonce`: the transaction that carries it, when ASSIGNED
    Column("nonce", BigInteger),
    Column("refusal", Text),  # decoded contract error: name(arguments)
    Column("refusal_name", String(60)),
    Column("refused_block", BigInteger),  # head at which the refusal was seen; final once this block is
    Column("blocked_by", BigInteger),  # position of the refused record of the same loan
    Column("attempts", SmallInteger, nullable=False),
    Column("next_attempt_at", Instant),
    Index("ix_relay_items_lender_id_state", "lender_id", "state"),
    Index("ix_relay_items_lender_id_nonce", "lender_id", "nonce", "sender"),
)
