"""The part of the schema that remembers how periods were billed; the rest is in `tables.py`."""

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, Table, UniqueConstraint, text

from lotus_server.adapters.records_sql.tables import METADATA
from lotus_server.adapters.records_sql.types import TEXT, Instant, Structured
from lotus_server.domain.invoicing import BilledLine, BilledPeriod, BilledTerms, InvoiceLine

BILLED_PERIODS = Table(
    "billed_periods",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("subscription_id", TEXT, primary_key=True),
    Column("period_start", Instant, primary_key=True, autoincrement=False),
    Column("held_end", Instant, nullable=False),
    Column("customer_id", TEXT, nullable=False),
    Column("currency", TEXT, nullable=False),
    Column("version_id", TEXT, nullable=False),
    Column("invoice_id", TEXT, nullable=False),
    Column("invoice_number", TEXT, nullable=False),
    Column("terms", Structured(BilledTerms), nullable=False),
    Column("lines", Structured(tuple[BilledLine, ...]), nullable=False),
    Column("usage_digest", TEXT, nullable=False),
    ForeignKeyConstraint(
        ("organization_id", "subscription_id"), ("subscriptions.organization_id", "subscriptions.subscription_id")
    ),
    ForeignKeyConstraint(("organization_id", "invoice_id"), ("invoices.organization_id", "invoices.invoice_id")),
    Index("ix_billed_periods_customer", "organization_id", "customer_id", "subscription_id", "period_start"),
)

BILLING_RUNS = Table(
    "billing_runs",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("began_at", Instant, nullable=False),
    Column("total", BigInteger, nullable=False),
    ForeignKeyConstraint(("organization_id",), ("organizations.organization_id",)),
)

SPEND_WATCHES = Table(
    "spend_watches",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("subscription_id", TEXT, primary_key=True),
    Column("customer_id", TEXT, nullable=False),
    Column("event_position", BigInteger, nullable=False),
    Column("correction_position", BigInteger, nullable=False),
    Column("again_at", Instant),
    ForeignKeyConstraint(
        ("organization_id", "subscription_id"), ("subscriptions.organization_id", "subscriptions.subscription_id")
    ),
)

PENDING_LINES = Table(
    "pending_lines",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("pending_id", TEXT, primary_key=True),
    Column("customer_id", TEXT, nullable=False),
    Column("subscription_id", TEXT, nullable=False),
    Column("currency", TEXT, nullable=False),
    Column("cause", TEXT, nullable=False),
    Column("lines", Structured(tuple[InvoiceLine, ...]), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("billed", Structured(BilledPeriod)),
    Column("invoice_id", TEXT),
    Column("parked_cause", TEXT),
    ForeignKeyConstraint(
        ("organization_id", "subscription_id"), ("subscriptions.organization_id", "subscriptions.subscription_id")
    ),
    ForeignKeyConstraint(("organization_id", "invoice_id"), ("invoices.organization_id", "invoices.invoice_id")),
    UniqueConstraint("organization_id", "cause", name="uq_pending_lines_cause"),
    Index("ix_pending_lines_customer", "organization_id", "customer_id", "created_at", "pending_id"),
    Index(
        "ix_pending_lines_due",
        "due_at",
        "organization_id",
        "pending_id",
        sqlite_where=text("invoice_id IS NULL"),
        postgresql_where=text("invoice_id IS NULL"),
    ),
    Index(
        "ix_pending_lines_due_of_organization",
        "organization_id",
        "due_at",
        "pending_id",
        sqlite_where=text("invoice_id IS NULL"),
        postgresql_where=text("invoice_id IS NULL"),
    ),
)
