"""Customers can have discounts, which may come from coupons."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """No invoice so far has a discount."""
    op.add_column("invoices", sa.Column("discounts", sa.Text(), nullable=False, server_default="[]"))
    op.create_table(
        "coupons",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("coupon_id", TEXT, nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("invoices_max", sa.Integer()),
        sa.Column("redeem_until", sa.BigInteger()),
        sa.Column("redemptions_max", sa.Integer()),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name="fk_coupons_organizations"
        ),
        sa.PrimaryKeyConstraint("organization_id", "coupon_id", name="pk_coupons"),
    )
    op.create_table(
        "discounts",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("discount_id", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger()),
        sa.Column("invoices_left", sa.Integer()),
        sa.Column("coupon_id", TEXT),
        sa.ForeignKeyConstraint(
            ["organization_id", "customer_id"],
            ["customers.organization_id", "customers.customer_id"],
            name="fk_discounts_customers",
        ),
        sa.PrimaryKeyConstraint("organization_id", "discount_id", name="pk_discounts"),
    )
    op.create_index(
        "ix_discounts_customer", "discounts", ["organization_id", "customer_id", "starts_at", "discount_id"]
    )
    op.create_index("ix_discounts_coupon", "discounts", ["organization_id", "coupon_id"])
