"""Invoices can be found and summed up by what a list shows of them, without reading their lines."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
# 2**63 - 1, the greatest number that the new columns hold.
IN_POSTGRES = """
    UPDATE invoices SET
        plan_id = lines::json -> 0 ->> 'plan_id',
        total_scaled = least(total * 10000, 9223372036854775807),
        due_scaled = least((total - credited) * 10000, 9223372036854775807)
"""
# SQLite keeps decimals as text: what is before the point, and four places after it. What is greater than whole numbers
# may be is never computed: it would become a binary fraction.
IN_SQLITE = """
    WITH parts AS (
        SELECT organization_id, invoice_id,
            CAST(total AS INTEGER) AS whole,
            CAST(substr(substr(total, instr(total || '.', '.') + 1) || '0000', 1, 4) AS INTEGER) AS rest,
            CAST(credited AS INTEGER) AS whole_credited,
            CAST(substr(substr(credited, instr(credited || '.', '.') + 1) || '0000', 1, 4) AS INTEGER) AS rest_credited
        FROM invoices
    )
    UPDATE invoices SET
        plan_id = json_extract(lines, '$[0].plan_id'),
        total_scaled = CASE WHEN whole >= 922337203685477 THEN 9223372036854775807 ELSE whole * 10000 + rest END,
        due_scaled = CASE WHEN whole - whole_credited >= 922337203685477 THEN 9223372036854775807
            ELSE (whole - whole_credited) * 10000 + rest - rest_credited END
    FROM parts
    WHERE parts.organization_id = invoices.organization_id AND parts.invoice_id = invoices.invoice_id
"""


def upgrade() -> None:
    """What the new columns have is in the old ones."""
    op.add_column("invoices", sa.Column("plan_id", TEXT))
    op.add_column("invoices", sa.Column("total_scaled", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("invoices", sa.Column("due_scaled", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(IN_POSTGRES if op.get_bind().dialect.name == "postgresql" else IN_SQLITE)
    op.create_index(
        "ix_invoices_issued",
        "invoices",
        [
            "organization_id",
            "issued_at",
            "made_number",
            "invoice_id",
            "payment_status",
            "currency",
            "due_at",
            "total_scaled",
            "plan_id",
            "invoice_number",
        ],
    )
    op.create_index(
        "ix_invoices_sums",
        "invoices",
        [
            "organization_id",
            "payment_status",
            "currency",
            "issued_at",
            "due_scaled",
            "due_at",
            "total_scaled",
            "plan_id",
            "invoice_number",
        ],
    )
