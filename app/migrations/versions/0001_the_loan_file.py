"""The loan file."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_keys",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("lender_id", sa.Integer(), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_access_keys"),
        sa.UniqueConstraint("token_hash", name="uq_access_keys_token_hash"),
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("lender_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("occurred_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entries"),
    )
    op.create_table(
        "borrowers",
        sa.Column("lender_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("key_id", sa.String(length=40), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("blind_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("external_reference", sa.String(length=120), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("erased_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("lender_id", "id", name="pk_borrowers"),
    )
    op.create_index("ix_borrowers_blind_index", "borrowers", ["blind_index"], unique=False)
    op.create_index(
        "ix_borrowers_lender_id_external_reference", "borrowers", ["lender_id", "external_reference"], unique=False
    )

    op.create_table(
        "chain_binding",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("genesis_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("contract", sa.LargeBinary(length=20), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("deployed_block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_chain_binding"),
    )
    op.create_table(
        "lenders",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("lei", sa.String(length=20), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("account", sa.LargeBinary(length=20), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("outbox_position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lenders"),
        sa.UniqueConstraint("code", name="uq_lenders_code"),
    )
    op.create_table(
        "liens",
        sa.Column("lender_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("asset_tag", sa.LargeBinary(length=32), nullable=False),
        sa.Column("loan_id", sa.String(length=40), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("pledged_by", sa.Integer(), nullable=False),
        sa.Column("pledged_at", sa.DateTime(), nullable=False),
        sa.Column("released_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("lender_id", "id", name="pk_liens"),
    )
    op.create_index("ix_liens_asset_tag", "liens", ["asset_tag"], unique=False)
    op.create_index("ix_liens_lender_id_loan_id", "liens", ["lender_id", "loan_id"], unique=False)

    op.create_table(
        "outbox",
        sa.Column("lender_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("file_lender_id", sa.Integer(), nullable=False),
        sa.Column("loan_id", sa.String(length=40), nullable=False),
        sa.Column("loan_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("kind", sa.SmallInteger(), nullable=True),
        sa.Column("previous_head", sa.LargeBinary(length=32), nullable=True),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=True),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("voided_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("lender_id", "position", name="pk_outbox"),
    )
    op.create_index(
        "ix_outbox_file_lender_id_loan_id_sequence", "outbox", ["file_lender_id", "loan_id", "sequence"], unique=False
    )

    op.create_table(
        "products",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(length=30), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("published_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_products"),
        sa.UniqueConstraint("code", "version", name="uq_products_code_version"),
    )
    op.create_table(
        "requests",
        sa.Column("lender_id", sa.Integer(), nullable=False),
        sa.Column("operation", sa.String(length=60), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("lender_id", "operation", "key", name="pk_requests"),
    )
    op.create_table(
        "transfers",
        sa.Column("lender_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("loan_id", sa.String(length=40), nullable=False),
        sa.Column("from_lender_id", sa.Integer(), nullable=False),
        sa.Column("to_lender_id", sa.Integer(), nullable=False),
        sa.Column("servicer_id", sa.Integer(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("offered_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("lender_id", "id", name="pk_transfers"),
    )
    op.create_index("ix_transfers_from_lender_id", "transfers", ["from_lender_id", "state"], unique=False)
    op.create_index("ix_transfers_lender_id_loan_id", "transfers", ["lender_id", "loan_id"], unique=False)
    op.create_index("ix_transfers_to_lender_id", "transfers", ["to_lender_id", "state"], unique=False)

    op.create_table(
        "voided_records",
        sa.Column("lender_id", sa.Integer(), nullable=False),
        sa.Column("loan_id", sa.String(length=40), nullable=False),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("voided_by", sa.String(length=200), nullable=False),
        sa.Column("voided_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("lender_id", "loan_id", "commitment", name="pk_voided_records"),
    )
    op.create_table(
        "applications",
        sa.Column("lender_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("borrower_id", sa.String(length=40), nullable=False),
        sa.Column("product_id", sa.String(length=80), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("term_months", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=60), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("submitted_by", sa.String(length=200), nullable=False),
        sa.Column("submitted_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lender_id", "borrower_id"],
            ["borrowers.lender_id", "borrowers.id"],
            name="fk_applications_lender_id_borrower_id",
        ),
        sa.PrimaryKeyConstraint("lender_id", "id", name="pk_applications"),
    )
    op.create_index("ix_applications_lender_id_borrower_id", "applications", ["lender_id", "borrower_id"], unique=False)
    op.create_index(
        "ix_applications_lender_id_submitted_at", "applications", ["lender_id", "submitted_at", "id"], unique=False
    )

    op.create_table(
        "consents",
        sa.Column("lender_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("borrower_id", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=60), nullable=False),
        sa.Column("recipient_lender_id", sa.Integer(), nullable=True),
        sa.Column("text_version", sa.String(length=40), nullable=False),
        sa.Column("granted_at", sa.DateTime(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["lender_id", "borrower_id"],
            ["borrowers.lender_id", "borrowers.id"],
            name="fk_consents_lender_id_borrower_id",
        ),
        sa.PrimaryKeyConstraint("lender_id", "id", name="pk_consents"),
    )
    op.create_index("ix_consents_lender_id_borrower_id", "consents", ["lender_id", "borrower_id"], unique=False)

    op.create_table(
        "loans",
        sa.Column("lender_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("loan_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("nonce", sa.LargeBinary(length=32), nullable=False),
        sa.Column("borrower_id", sa.String(length=40), nullable=False),
        sa.Column("product_id", sa.String(length=80), nullable=False),
        sa.Column("application_id", sa.String(length=40), nullable=True),
        sa.Column("decision_id", sa.String(length=40), nullable=True),
        sa.Column("external_reference", sa.String(length=120), nullable=True),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("principal_minor", sa.BigInteger(), nullable=False),
        sa.Column("annual_rate", sa.String(length=20), nullable=False),
        sa.Column("disclosed_apr", sa.String(length=20), nullable=True),
        sa.Column("term_months", sa.Integer(), nullable=False),
        sa.Column("disbursed_on", sa.Date(), nullable=True),
        sa.Column("matures_on", sa.Date(), nullable=False),
        sa.Column("controller_id", sa.Integer(), nullable=False),
        sa.Column("servicer_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("next_sequence", sa.Integer(), nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.Column("outstanding_minor", sa.BigInteger(), nullable=False),
        sa.Column("next_unpaid_due_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["lender_id", "borrower_id"], ["borrowers.lender_id", "borrowers.id"], name="fk_loans_lender_id_borrower_id"
        ),
        sa.PrimaryKeyConstraint("lender_id", "id", name="pk_loans"),
        sa.UniqueConstraint("loan_key", name="uq_loans_loan_key"),
    )
    op.create_index("ix_loans_controller_id", "loans", ["controller_id", "disbursed_on", "id"], unique=False)
    op.create_index("ix_loans_disbursed_on", "loans", ["disbursed_on", "id"], unique=False)
    op.create_index("ix_loans_lender_id_borrower_id", "loans", ["lender_id", "borrower_id"], unique=False)
    op.create_index("ix_loans_lender_id_external_reference", "loans", ["lender_id", "external_reference"], unique=True)
    op.create_index("ix_loans_next_unpaid_due_on", "loans", ["next_unpaid_due_on", "id"], unique=False)
    op.create_index("ix_loans_outstanding_minor", "loans", ["outstanding_minor", "id"], unique=False)

    op.create_table(
        "decisions",
        sa.Column("lender_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("application_id", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("score", sa.Text(), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("offered_rate", sa.String(length=20), nullable=True),
        sa.Column("limit_minor", sa.BigInteger(), nullable=True),
        sa.Column("policy_version", sa.String(length=60), nullable=False),
        sa.Column("decided_by", sa.String(length=200), nullable=False),
        sa.Column("decided_at", sa.DateTime(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("receipt_commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("inputs_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("inputs_salt", sa.LargeBinary(length=32), nullable=False),
        sa.Column("model_hash", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["lender_id", "application_id"],
            ["applications.lender_id", "applications.id"],
            name="fk_decisions_lender_id_application_id",
        ),
        sa.PrimaryKeyConstraint("lender_id", "id", name="pk_decisions"),
    )
    op.create_index("ix_decisions_lender_id_application_id", "decisions", ["lender_id", "application_id"], unique=False)

    op.create_table(
        "loan_records",
        sa.Column("lender_id", sa.Integer(), nullable=False),
        sa.Column("loan_id", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("loan_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("posted_at", sa.DateTime(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("personal_digests", sa.LargeBinary(), nullable=False),
        sa.Column("secret", sa.LargeBinary(length=32), nullable=False),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("previous_head", sa.LargeBinary(length=32), nullable=True),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["lender_id", "loan_id"], ["loans.lender_id", "loans.id"], name="fk_loan_records_lender_id_loan_id"
        ),
        sa.PrimaryKeyConstraint("lender_id", "loan_id", "sequence", name="pk_loan_records"),
        sa.UniqueConstraint("commitment", name="uq_loan_records_commitment"),
    )
    op.create_table(
        "checks",
        sa.Column("lender_id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.String(length=40), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("rule", sa.String(length=60), nullable=False),
        sa.Column("rule_version", sa.String(length=60), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("evaluated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lender_id", "decision_id"],
            ["decisions.lender_id", "decisions.id"],
            name="fk_checks_lender_id_decision_id",
        ),
        sa.PrimaryKeyConstraint("lender_id", "decision_id", "position", name="pk_checks"),
    )


def downgrade() -> None:
    op.drop_table("checks")
    op.drop_table("loan_records")
    op.drop_index("ix_decisions_lender_id_application_id", table_name="decisions")

    op.drop_table("decisions")
    op.drop_index("ix_loans_outstanding_minor", table_name="loans")
    op.drop_index("ix_loans_next_unpaid_due_on", table_name="loans")
    op.drop_index("ix_loans_lender_id_external_reference", table_name="loans")
    op.drop_index("ix_loans_lender_id_borrower_id", table_name="loans")
    op.drop_index("ix_loans_disbursed_on", table_name="loans")
    op.drop_index("ix_loans_controller_id", table_name="loans")

    op.drop_table("loans")
    op.drop_index("ix_consents_lender_id_borrower_id", table_name="consents")

    op.drop_table("consents")
    op.drop_index("ix_applications_lender_id_submitted_at", table_name="applications")
    op.drop_index("ix_applications_lender_id_borrower_id", table_name="applications")

    op.drop_table("applications")
    op.drop_table("voided_records")
    op.drop_index("ix_transfers_to_lender_id", table_name="transfers")
    op.drop_index("ix_transfers_lender_id_loan_id", table_name="transfers")
    op.drop_index("ix_transfers_from_lender_id", table_name="transfers")

    op.drop_table("transfers")
    op.drop_table("requests")
    op.drop_table("products")
    op.drop_index("ix_outbox_file_lender_id_loan_id_sequence", table_name="outbox")

    op.drop_table("outbox")
    op.drop_index("ix_liens_lender_id_loan_id", table_name="liens")
    op.drop_index("ix_liens_asset_tag", table_name="liens")

    op.drop_table("liens")
    op.drop_table("lenders")
    op.drop_table("chain_binding")
    op.drop_index("ix_borrowers_lender_id_external_reference", table_name="borrowers")
    op.drop_index("ix_borrowers_blind_index", table_name="borrowers")

    op.drop_table("borrowers")
    op.drop_table("audit_entries")
    op.drop_table("access_keys")
