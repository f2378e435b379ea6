"""Audit and screening."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_runs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("chain_read", sa.Integer(), nullable=False),
        sa.Column("loans", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("not_yet", sa.BigInteger(), nullable=False),
        sa.Column("findings", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_runs"),
    )
    op.create_table(
        "findings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("lender_id", sa.Integer(), nullable=True),
        sa.Column("loan_id", sa.String(length=40), nullable=True),
        sa.Column("loan_key", sa.LargeBinary(length=32), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("table_name", sa.String(length=40), nullable=False),
        sa.Column("field", sa.String(length=80), nullable=False),
        sa.Column("expected", sa.String(length=80), nullable=False),
        sa.Column("found", sa.String(length=80), nullable=False),
        sa.Column("found_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["audit_runs.id"], name="fk_findings_run_id"),
        sa.PrimaryKeyConstraint("id", name="pk_findings"),
    )
    op.create_index("ix_findings_lender_id_loan_id", "findings", ["lender_id", "loan_id"], unique=False)
    op.create_index("ix_findings_run_id", "findings", ["run_id", "id"], unique=False)

    op.create_table(
        "loan_verifications",
        sa.Column("lender_id", sa.Integer(), nullable=False),
        sa.Column("loan_id", sa.String(length=40), nullable=False),
        sa.Column("loan_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("anchored", sa.Integer(), nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=True),
        sa.Column("verified_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["audit_runs.id"], name="fk_loan_verifications_run_id"),
        sa.PrimaryKeyConstraint("lender_id", "loan_id", name="pk_loan_verifications"),
    )
    op.create_index("ix_loan_verifications_state", "loan_verifications", ["state"], unique=False)

    op.create_table(
        "screening_lists",
        sa.Column("list_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("list_id"),
    )
    op.create_table(
        "screening_entries",
        sa.Column("list_id", sa.String(length=64), nullable=False),
        sa.Column("entry_id", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["screening_lists.list_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("list_id", "entry_id"),
    )


def downgrade() -> None:
    op.drop_table("screening_entries")
    op.drop_table("screening_lists")
    op.drop_index("ix_loan_verifications_state", table_name="loan_verifications")

    op.drop_table("loan_verifications")
    op.drop_index("ix_findings_run_id", table_name="findings")
    op.drop_index("ix_findings_lender_id_loan_id", table_name="findings")

    op.drop_table("findings")
    op.drop_table("audit_runs")
