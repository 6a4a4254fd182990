"""A customer's credit is read in the order in which it is locked, without looking at anybody else's."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The index has what the grants are sorted by."""
    op.drop_index("ix_credit_grants_customer", table_name="credit_grants")
    op.create_index(
        "ix_credit_grants_customer", "credit_grants", ["organization_id", "customer_id", "currency", "credit_id"]
    )
