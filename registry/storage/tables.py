"""The tables of the loan file, written by `registry` alone; every key leads with the lender, to be spread by it."""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """A UTC instant: aware in Python, stored without a zone; SQLite keeps none."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC).replace(tzinfo=None) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None else None


Hash = LargeBinary(32)
Id = String(40)

lenders = Table(
    "lenders",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # the number the contract knows it by
    Column("code", String(40), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("lei", String(20)),
    Column("kind", String(20), nullable=False),  # BANK, MICROLOAN, PRIVATE …: chooses the rate-cap rule
    Column("account", LargeBinary(20), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("outbox_position", BigInteger, nullable=False),  # last position given out; its row lock orders the outbox
)

chain_binding = Table(
    "chain_binding",
    metadata,
    Column("id", SmallInteger, CheckConstraint("id = 1", name="single"), primary_key=True, autoincrement=False),
    Column("chain_id", BigInteger, nullable=False),
    Column("genesis_hash", Hash, nullable=False),
    Column("contract", LargeBinary(20), nullable=False),
    Column("code_hash", Hash, nullable=False),
    Column("deployed_block", BigInteger, nullable=False),
)

access_keys = Table(
    "access_keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("role", String(20), nullable=False),  # LENDER, AUDITOR, PARTNER, ADMINISTRATOR
    Column("lender_id", Integer),
    Column("token_hash", Hash, nullable=False, unique=True),  # SHA-256 of a 256-bit random token
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)

products = Table(
    "products",
    metadata,
    Column("id", String(80), primary_key=True),  # code@version
    Column("code", String(60), nullable=False),
    Column("version", Integer, nullable=False),
    Column("category", String(30), nullable=False),
    Column("terms", Text, nullable=False),  # canonical JSON, names included
    Column("active", Boolean, nullable=False),
    Column("published_at", Instant, nullable=False),
    UniqueConstraint("code", "version"),
)

borrowers = Table(
    "borrowers",
    metadata,
    Column("lender_id", Integer, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("kind", String(20), nullable=False),  # PERSON, ORGANISATION
    Column("key_id", Id),  # data key in the key store; null once erased
    Column("sealed", LargeBinary),  # AES-256-GCM of canonical JSON: name, identity, birth
    Column("blind_index", Hash),  # HMAC of the normalised identity; null once erased or when the source has none
    Column("external_reference", String(120)),
    Column("created_at", Instant, nullable=False),
    Column("erased_at", Instant),
    Index("ix_borrowers_blind_index", "blind_index"),
    Index("ix_borrowers_lender_id_external_reference", "lender_id", "external_reference"),
)

consents = Table(
    "consents",
    metadata,
    Column("lender_id", Integer, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("borrower_id", Id, nullable=False),
    Column("purpose", String(60), nullable=False),
    Column("recipient_lender_id", Integer),
    Column("text_version", String(40), nullable=False),
    Column("granted_at", Instant, nullable=False),
    Column("withdrawn_at", Instant),
    ForeignKeyConstraint(["lender_id", "borrower_id"], ["borrowers.lender_id", "borrowers.id"]),
    Index("ix_consents_lender_id_borrower_id", "lender_id", "borrower_id"),
)

applications = Table(
    "applications",
    metadata,
    Column("lender_id", Integer, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("borrower_id", Id, nullable=False),
    Column("product_id", String(80), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("term_months", Integer, nullable=False),
    Column("purpose", String(60), nullable=False),
    Column("sealed", LargeBinary),  # AES-256-GCM of canonical JSON: what is scored and checked
    Column("status", String(20), nullable=False),
    Column("submitted_by", String(200), nullable=False),
    Column("submitted_at", Instant, nullable=False),
    ForeignKeyConstraint(["lender_id", "borrower_id"], ["borrowers.lender_id", "borrowers.id"]),
    Index("ix_applications_lender_id_submitted_at", "lender_id", "submitted_at", "id"),
    Index("ix_applications_lender_id_borrower_id", "lender_id", "borrower_id"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("lender_id", Integer, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("application_id", Id, nullable=False),
    Column("outcome", String(10), nullable=False),
    Column("score", Text),  # canonical JSON: probability, points, grade, model, contributions
    Column("reasons", Text, nullable=False),  # canonical JSON list of codes
    Column("offered_rate", String(20)),
    Column("limit_minor", BigInteger),
    Column("policy_version", String(60), nullable=False),
    Column("decided_by", String(200), nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("receipt", Text, nullable=False),  # canonical JSON
    Column("receipt_commitment", Hash, nullable=False),
    Column("inputs_hash", Hash, nullable=False),
    Column("inputs_salt", Hash, nullable=False),
    Column("model_hash", Hash, nullable=False),
    ForeignKeyConstraint(["lender_id", "application_id"], ["applications.lender_id", "applications.id"]),
    Index("ix_decisions_lender_id_application_id", "lender_id", "application_id"),
)

checks = Table(
    "checks",
    metadata,
    Column("lender_id", Integer, primary_key=True),
    Column("decision_id", Id, primary_key=True),
    Column("position", SmallInteger, primary_key=True),
    Column("rule", String(60), nullable=False),
    Column("rule_version", String(60), nullable=False),
    Column("result", String(16), nullable=False),
    Column("reasons", Text, nullable=False),  # JSON list
    Column("evaluated_at", Instant, nullable=False),
    ForeignKeyConstraint(["lender_id", "decision_id"], ["decisions.lender_id", "decisions.id"]),
)

loans = Table(
    "loans",
    metadata,
    Column("lender_id", Integer, primary_key=True),  # the originator, who keeps the file
    Column("id", Id, primary_key=True),
    Column("loan_key", Hash, nullable=False),
    Column("nonce", Hash, nullable=False),
    Column("borrower_id", Id, nullable=False),
    Column("product_id", String(80), nullable=False),
    Column("application_id", Id),
    Column("decision_id", Id),
    Column("external_reference", String(120)),
    Column("terms", Text, nullable=False),  # canonical JSON of AgreementTerms
    Column("currency", String(3), nullable=False),
    Column("principal_minor", BigInteger, nullable=False),
    Column("annual_rate", String(20), nullable=False),
    Column("disclosed_apr", String(20)),
    Column("term_months", Integer, nullable=False),
    Column("disbursed_on", Date),
    Column("matures_on", Date, nullable=False),
    Column("controller_id", Integer, nullable=False),
    Column("servicer_id", Integer, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("next_sequence", Integer, nullable=False),
    Column("head", Hash, nullable=False),
    Column("outstanding_minor", BigInteger, nullable=False),  # principal not yet repaid or charged off
    Column("next_unpaid_due_on", Date),  # first instalment not fully paid; days past due follow from it
    UniqueConstraint("loan_key"),
    ForeignKeyConstraint(["lender_id", "borrower_id"], ["borrowers.lender_id", "borrowers.id"]),
    Index("ix_loans_controller_id", "controller_id", "disbursed_on", "id"),
    Index("ix_loans_disbursed_on", "disbursed_on", "id"),
    Index("ix_loans_outstanding_minor", "outstanding_minor", "id"),
    Index("ix_loans_next_unpaid_due_on", "next_unpaid_due_on", "id"),
    Index("ix_loans_lender_id_borrower_id", "lender_id", "borrower_id"),
    Index("ix_loans_lender_id_external_reference", "lender_id", "external_reference", unique=True),
)

loan_records = Table(
    "loan_records",
    metadata,
    Column("lender_id", Integer, primary_key=True),  # as in loans: the originator
    Column("loan_id", Id, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("loan_key", Hash, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("posted_at", Instant, nullable=False),
    Column("amount_minor", BigInteger),
    Column("currency", String(3)),
    Column("fields", Text, nullable=False),  # canonical JSON of the financial fields
    Column("sealed", LargeBinary),  # AES-256-GCM of canonical JSON of the personal fields; null once erased
    Column("personal_digests", LargeBinary, nullable=False),  # 32 bytes each, in field order
    Column("secret", Hash, nullable=False),
    Column("commitment", Hash, nullable=False),
    Column("previous_head", Hash),  # null in the agreement only
    Column("head", Hash, nullable=False),
    UniqueConstraint("commitment"),
    ForeignKeyConstraint(["lender_id", "loan_id"], ["loans.lender_id", "loans.id"]),
)

# Records that the chain refused and `outbox resolve` took out of the history; kept for audit, in no head.
voided_records = Table(
    "voided_records",
    metadata,
    Column("lender_id", Integer, primary_key=True),
    Column("loan_id", Id, primary_key=True),
    Column("commitment", Hash, primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("fields", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("voided_by", String(200), nullable=False),
    Column("voided_at", Instant, nullable=False),
)

# What must reach the chain, in the order it was committed: `position` is gapless per signing lender.
outbox = Table(
    "outbox",
    metadata,
    Column("lender_id", Integer, primary_key=True),  # whose key signs
    Column("position", BigInteger, primary_key=True),
    Column("action", String(20), nullable=False),  # see registry.domain.outbox.OutboxAction
    Column("file_lender_id", Integer, nullable=False),  # the originator, to find the loan and record
    Column("loan_id", Id, nullable=False),
    Column("loan_key", Hash, nullable=False),
    Column("sequence", Integer),  # of the record, when the action carries one
    Column("kind", SmallInteger),
    Column("previous_head", Hash),
    Column("commitment", Hash),
    Column("arguments", Text, nullable=False),  # canonical JSON: nonce, asset tag, offer terms
    Column("created_at", Instant, nullable=False),
    Column("voided_at", Instant),
    Index("ix_outbox_file_lender_id_loan_id_sequence", "file_lender_id", "loan_id", "sequence"),
)

liens = Table(
    "liens",
    metadata,
    Column("lender_id", Integer, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("asset_tag", Hash, nullable=False),
    Column("loan_id", Id, nullable=False),
    Column("rank", SmallInteger, nullable=False),
    Column("pledged_by", Integer, nullable=False),
    Column("pledged_at", Instant, nullable=False),
    Column("released_at", Instant),
    Index("ix_liens_lender_id_loan_id", "lender_id", "loan_id"),
    Index("ix_liens_asset_tag", "asset_tag"),
)

transfers = Table(
    "transfers",
    metadata,
    Column("lender_id", Integer, primary_key=True),  # the loan's originator
    Column("id", Id, primary_key=True),
    Column("loan_id", Id, nullable=False),
    Column("from_lender_id", Integer, nullable=False),
    Column("to_lender_id", Integer, nullable=False),
    Column("servicer_id", Integer, nullable=False),  # 0: the buyer
    Column("price_minor", BigInteger),
    Column("currency", String(3)),
    Column("offered_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("state", String(12), nullable=False),  # OFFERED, ACCEPTED, REFUSED, WITHDRAWN
    Column("decided_at", Instant),
    Index("ix_transfers_lender_id_loan_id", "lender_id", "loan_id"),
    Index("ix_transfers_to_lender_id", "to_lender_id", "state"),
    Index("ix_transfers_from_lender_id", "from_lender_id", "state"),
)

requests = Table(
    "requests",
    metadata,
    Column("lender_id", Integer, primary_key=True),
    Column("operation", String(60), primary_key=True),
    Column("key", String(120), primary_key=True),
    Column("body_hash", Hash, nullable=False),
    Column("answer", Text, nullable=False),  # JSON: what the first call returned, as references
    Column("answered_at", Instant, nullable=False),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("lender_id", Integer, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(60), nullable=False),
    Column("subject", String(120), nullable=False),
    Column("occurred_at", Instant, nullable=False),
)
