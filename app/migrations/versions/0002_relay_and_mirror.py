"""Relay and mirror."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "relay_items",
        sa.Column("lender_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("sender", sa.LargeBinary(length=20), nullable=True),
        sa.Column("nonce", sa.BigInteger(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("refusal_name", sa.String(length=60), nullable=True),
        sa.Column("refused_block", sa.BigInteger(), nullable=True),
        sa.Column("blocked_by", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("lender_id", "position", name="pk_relay_items"),
    )
    op.create_index("ix_relay_items_lender_id_nonce", "relay_items", ["lender_id", "nonce", "sender"], unique=False)
    op.create_index("ix_relay_items_lender_id_state", "relay_items", ["lender_id", "state"], unique=False)

    op.create_table(
        "relay_transactions",
        sa.Column("lender_id", sa.Integer(), nullable=False),
        sa.Column("sender", sa.LargeBinary(length=20), nullable=False),
        sa.Column("nonce", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("signed_at", sa.DateTime(), nullable=False),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("next_attempt_at", sa.DateTime(), nullable=True),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("gas_used", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("lender_id", "sender", "nonce", name="pk_relay_transactions"),
        sa.UniqueConstraint("transaction_hash", name="uq_relay_transactions_transaction_hash"),
    )
    op.create_index("ix_relay_transactions_state", "relay_transactions", ["state"], unique=False)

    op.create_table(
        "mirror_blocks",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("parent_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("mined_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_mirror_blocks"),
    )
    op.create_table(
        "mirror_cursor",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("genesis_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("contract", sa.LargeBinary(length=20), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("final_number", sa.BigInteger(), nullable=False),
        sa.Column("final_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("head_number", sa.BigInteger(), nullable=False),
        sa.Column("indexed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mirror_cursor"),
    )
    op.create_table(
        "mirror_events",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("loan_key", sa.LargeBinary(length=32), nullable=True),
        sa.Column("asset_tag", sa.LargeBinary(length=32), nullable=True),
        sa.Column("lender_id", sa.Integer(), nullable=True),
        sa.Column("other_lender_id", sa.Integer(), nullable=True),
        sa.Column("servicer_id", sa.Integer(), nullable=True),
        sa.Column("account", sa.LargeBinary(length=20), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index", name="pk_mirror_events"),
    )
    op.create_index("ix_mirror_events_asset_tag", "mirror_events", ["asset_tag"], unique=False)
    op.create_index("ix_mirror_events_loan_key", "mirror_events", ["loan_key"], unique=False)

    op.create_table(
        "mirror_lenders",
        sa.Column("lender_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.LargeBinary(length=20), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("lender_id", name="pk_mirror_lenders"),
    )
    op.create_table(
        "mirror_loans",
        sa.Column("loan_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("registered_by", sa.Integer(), nullable=False),
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("servicer_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.Column("registered_block", sa.BigInteger(), nullable=False),
        sa.Column("last_block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("loan_key", name="pk_mirror_loans"),
    )
    op.create_index("ix_mirror_loans_controller_id", "mirror_loans", ["controller_id"], unique=False)

    op.create_table(
        "mirror_records",
        sa.Column("loan_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("loan_key", "sequence", name="pk_mirror_records"),
    )
    op.create_index("ix_mirror_records_block_number", "mirror_records", ["block_number"], unique=False)
    op.create_index("ix_mirror_records_commitment", "mirror_records", ["commitment"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_mirror_records_commitment", table_name="mirror_records")
    op.drop_index("ix_mirror_records_block_number", table_name="mirror_records")

    op.drop_table("mirror_records")
    op.drop_index("ix_mirror_loans_controller_id", table_name="mirror_loans")

    op.drop_table("mirror_loans")
    op.drop_table("mirror_lenders")
    op.drop_index("ix_mirror_events_loan_key", table_name="mirror_events")
    op.drop_index("ix_mirror_events_asset_tag", table_name="mirror_events")

    op.drop_table("mirror_events")
    op.drop_table("mirror_cursor")
    op.drop_table("mirror_blocks")
    op.drop_index("ix_relay_transactions_state", table_name="relay_transactions")

    op.drop_table("relay_transactions")
    op.drop_index("ix_relay_items_lender_id_state", table_name="relay_items")
    op.drop_index("ix_relay_items_lender_id_nonce", table_name="relay_items")

    op.drop_table("relay_items")
