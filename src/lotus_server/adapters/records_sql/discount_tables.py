"""The tables of what is taken off invoices: coupons, discounts and credit notes. The rest is in `tables.py`."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKeyConstraint, Index, Integer, Table, UniqueConstraint

from lotus_server.adapters.records_sql.tables import METADATA
from lotus_server.adapters.records_sql.types import TEXT, ExactDecimal, Instant, Structured
from lotus_server.domain.invoicing import CreditNoteAmounts, DiscountTerms


def _belongs_to(table: str, *columns: str) -> ForeignKeyConstraint:
    keys = ("organization_id", *columns)
    return ForeignKeyConstraint(keys, [f"{table}.{key}" for key in keys])


COUPONS = Table(
    "coupons",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("coupon_id", TEXT, primary_key=True),
    Column("terms", Structured(DiscountTerms), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("invoices_max", Integer),
    Column("redeem_until", Instant),
    Column("redemptions_max", Integer),
    Column("archived", Boolean, nullable=False),
    _belongs_to("organizations"),
)

DISCOUNTS = Table(
    "discounts",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("discount_id", TEXT, primary_key=True),
    Column("customer_id", TEXT, nullable=False),
    Column("terms", Structured(DiscountTerms), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant),
    Column("invoices_left", Integer),
    Column("coupon_id", TEXT),
    _belongs_to("customers", "customer_id"),
    Index("ix_discounts_customer", "organization_id", "customer_id", "starts_at", "discount_id"),
    Index("ix_discounts_coupon", "organization_id", "coupon_id"),
)

CREDIT_NOTES = Table(
    "credit_notes",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("credit_note_id", TEXT, primary_key=True),
    Column("credit_note_number", TEXT, nullable=False),
    Column("invoice_id", TEXT, nullable=False),
    Column("customer_id", TEXT, nullable=False),
    Column("currency", TEXT, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("reason", TEXT, nullable=False),
    Column("amounts", Structured(CreditNoteAmounts), nullable=False),
    Column("names", Structured(tuple[str, ...]), nullable=False),
    Column("reduced_due", ExactDecimal, nullable=False),
    Column("credited", ExactDecimal, nullable=False),
    Column("made_number", BigInteger, nullable=False),
    _belongs_to("invoices", "invoice_id"),
    _belongs_to("customers", "customer_id"),
    UniqueConstraint("organization_id", "credit_note_number", name="uq_credit_notes_number"),
    Index("ix_credit_notes_invoice", "organization_id", "invoice_id", "made_number"),
    Index("ix_credit_notes_made", "organization_id", "made_number", "credit_note_id"),
    Index("ix_credit_notes_customer", "organization_id", "customer_id", "made_number", "credit_note_id"),
)
