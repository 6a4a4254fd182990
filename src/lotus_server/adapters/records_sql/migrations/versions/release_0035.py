"""Who is subscribed at an instant is read from an index alone."""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_NAME = "ix_subscriptions_customer"


def upgrade() -> None:
    """The index of a customer's subscriptions also has their ends."""
    op.drop_index(_NAME, "subscriptions")
    op.create_index(
        _NAME, "subscriptions", ["organization_id", "customer_id", "starts_at", "subscription_id", "ends_at"]
    )
