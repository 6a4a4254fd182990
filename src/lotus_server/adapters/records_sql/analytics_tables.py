"""The part of the schema that analytics are answered from; the rest is in `tables.py`.

`revenue_days` is derived from invoices and credit notes up to the places in `revenue_marks`, less the invoices in
`revenue_voids`. An amount of 1/10,000 units is in two whole numbers, of which both databases have exact sums.
"""

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, Table

from lotus_server.adapters.records_sql.tables import METADATA
from lotus_server.adapters.records_sql.types import TEXT, Choice, Instant
from lotus_server.domain.analytics import Basis, Dimension

REVENUE_DAYS = Table(
    "revenue_days",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("basis", Choice(Basis), primary_key=True),
    Column("dimension", Choice(Dimension), primary_key=True),
    Column("day", Instant, primary_key=True, autoincrement=False),
    Column("currency", TEXT, primary_key=True),
    Column("key", TEXT, primary_key=True),
    Column("amount_high", BigInteger, nullable=False),
    Column("amount_low", BigInteger, nullable=False),
    ForeignKeyConstraint(("organization_id",), ("organizations.organization_id",)),
    sqlite_with_rowid=False,  # read in the order of its key, a window at a time
)

REVENUE_MARKS = Table(
    "revenue_marks",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("invoices", BigInteger, nullable=False),
    Column("credit_notes", BigInteger, nullable=False),
    Column("timezone", TEXT, nullable=False, server_default="UTC"),
    ForeignKeyConstraint(("organization_id",), ("organizations.organization_id",)),
)

REVENUE_VOIDS = Table(
    "revenue_voids",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("invoice_id", TEXT, primary_key=True),
    ForeignKeyConstraint(("organization_id", "invoice_id"), ("invoices.organization_id", "invoices.invoice_id")),
)

VERIFICATIONS = Table(
    "verifications",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("verified_at", Instant, nullable=False),
    Column("aggregate_count", Integer, nullable=False),
    Column("drift_count", Integer, nullable=False),
    ForeignKeyConstraint(("organization_id",), ("organizations.organization_id",)),
)
