"""Invoices have tax, and organizations decide how theirs come out."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No invoice so far has tax, every customer is taxable, and every organization has the settings of a new one."""
    op.add_column("organizations", sa.Column("invoice_settings", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("customers", sa.Column("tax_status", sa.Text(), nullable=False, server_default="taxable"))
    op.add_column("customers", sa.Column("tax_id", sa.Text()))
    op.add_column("invoices", sa.Column("taxes", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("invoices", sa.Column("prices_include_tax", sa.Boolean(), nullable=False, server_default=sa.false()))
