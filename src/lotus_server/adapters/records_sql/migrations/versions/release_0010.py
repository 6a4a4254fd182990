"""Credit expires in the ledger, rolls over, and is given by schedules; wallets tell when money is wanted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
DECIMAL = sa.Text().with_variant(sa.Numeric(), "postgresql")
INSTANT = sa.BigInteger()
IS_DUE = sa.text("due_at IS NOT NULL")
IS_PENDING = sa.text("status = 'pending'")


def upgrade() -> None:
    """What expires and is not voided is due at its expiry: the ledger will show what expired before, too."""
    for column in (
        sa.Column("rollover", sa.Text()),
        sa.Column("rolled_over_from", TEXT),
        sa.Column("rollover_number", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("schedule_id", TEXT),
        sa.Column("is_prepaid", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("due_at", INSTANT),
    ):
        op.add_column("credit_grants", column)
    op.execute("UPDATE credit_grants SET due_at = expires_at WHERE voided_at IS NULL")
    # Which amounts are above zero is a question that a binary float answers rightly.
    op.execute("UPDATE credit_grants SET is_prepaid = (CAST(amount_paid AS DOUBLE PRECISION) > 0)")
    _create_schedules()
    _create_wallets()
    _create_top_ups()
    for table in ("credit_grants", "credit_schedules", "wallets"):
        for name, columns in (
            (f"ix_{table}_due", ["due_at", "organization_id", "customer_id"]),
            (f"ix_{table}_due_of_organization", ["organization_id", "due_at", "customer_id"]),
            (f"ix_{table}_due_of_customer", ["organization_id", "customer_id", "due_at"]),
        ):
            op.create_index(name, table, columns, sqlite_where=IS_DUE, postgresql_where=IS_DUE)


def _create_schedules() -> None:
    op.create_table(
        "credit_schedules",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("schedule_id", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("amount", DECIMAL, nullable=False),
        sa.Column("recurs", TEXT, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT),
        sa.Column("ends_at", INSTANT),
        sa.Column("expires_after", sa.Text()),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("rollover", sa.Text()),
        sa.Column("given_count", sa.Integer(), nullable=False),
        sa.Column("canceled_at", INSTANT),
        _of_customer("credit_schedules"),
        sa.PrimaryKeyConstraint("organization_id", "schedule_id", name="pk_credit_schedules"),
    )
    op.create_index(
        "ix_credit_schedules_customer", "credit_schedules", ["organization_id", "customer_id", "schedule_id"]
    )


def _create_wallets() -> None:
    op.create_table(
        "wallets",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("threshold", DECIMAL, nullable=False),
        sa.Column("top_up_amount", DECIMAL, nullable=False),
        sa.Column("checked_at", INSTANT, nullable=False),
        sa.Column("max_per_month", DECIMAL),
        sa.Column("is_armed", sa.Boolean(), nullable=False),
        sa.Column("due_at", INSTANT),
        _of_customer("wallets"),
        sa.PrimaryKeyConstraint("organization_id", "customer_id", "currency", name="pk_wallets"),
    )


def _create_top_ups() -> None:
    op.create_table(
        "top_ups",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("top_up_id", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("amount", DECIMAL, nullable=False),
        sa.Column("wanted_at", INSTANT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("resolved_at", INSTANT),
        sa.Column("credit_id", TEXT),
        _of_customer("top_ups"),
        sa.PrimaryKeyConstraint("organization_id", "top_up_id", name="pk_top_ups"),
        sa.UniqueConstraint("organization_id", "credit_id", name="uq_top_ups_credit"),
    )
    op.create_index("ix_top_ups_wallet", "top_ups", ["organization_id", "customer_id", "currency", "wanted_at"])
    op.create_index(
        "uq_top_ups_pending",
        "top_ups",
        ["organization_id", "customer_id", "currency"],
        unique=True,
        sqlite_where=IS_PENDING,
        postgresql_where=IS_PENDING,
    )


def _of_customer(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id", "customer_id"],
        ["customers.organization_id", "customers.customer_id"],
        name=f"fk_{table}_customers",
    )
