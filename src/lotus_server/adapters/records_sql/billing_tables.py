"""The part of the schema that remembers how periods were billed; the rest is in `tables.py`."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table

from lotus_server.adapters.records_sql.tables import METADATA
from lotus_server.adapters.records_sql.types import TEXT, Instant, Structured
from lotus_server.domain.invoicing import BilledLine, BilledTerms

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
