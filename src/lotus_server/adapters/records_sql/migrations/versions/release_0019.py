"""Customers and subscriptions can be searched and sorted as people look through them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
CUSTOMERS_AT_ONCE = 5_000
INDEXES = (
    ("ix_customers_name", "customers", ["organization_id", "sort_name", "customer_id"], None),
    ("ix_customers_created", "customers", ["organization_id", "created_at", "customer_id"], None),
    (
        "ix_subscriptions_start",
        "subscriptions",
        ["organization_id", "starts_at", "subscription_id"],
        "parent_id IS NULL",
    ),
    ("ix_subscriptions_end", "subscriptions", ["organization_id", "ends_at", "subscription_id"], "parent_id IS NULL"),
    (
        "ix_subscriptions_plan_start",
        "subscriptions",
        ["organization_id", "plan_id", "starts_at", "subscription_id"],
        "parent_id IS NULL",
    ),
    (
        "ix_subscriptions_parked",
        "subscriptions",
        ["organization_id", "parent_id", "subscription_id"],
        "parked_cause IS NOT NULL",
    ),
    (
        "ix_invoices_unpaid",
        "invoices",
        ["organization_id", "payment_status", "customer_id", "currency", "total", "credited"],
        "payment_status = 'unpaid'",
    ),
)


def upgrade() -> None:
    """What customers are found by is made of what they have; a server of the release before leaves it empty."""
    for name in ("search_text", "sort_name"):
        op.add_column("customers", sa.Column(name, TEXT, nullable=False, server_default=sa.text("''")))
    _fill(op.get_bind())
    for name, table, columns, condition in INDEXES:
        where = None if condition is None else sa.text(condition)
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _fill(connection: sa.Connection) -> None:
    customers = sa.table(
        "customers",
        *(sa.column(name) for name in ("organization_id", "customer_id", "customer_name", "email")),
        *(sa.column(name) for name in ("search_text", "sort_name")),
    )
    update = (
        customers.update()
        .where(
            customers.c.organization_id == sa.bindparam("organization"), customers.c.customer_id == sa.bindparam("id")
        )
        .values(search_text=sa.bindparam("text"), sort_name=sa.bindparam("name"))
    )
    key = sa.tuple_(customers.c.organization_id, customers.c.customer_id)
    query = sa.select(customers).order_by(customers.c.organization_id, customers.c.customer_id)
    last = ("", "")
    while rows := connection.execute(query.where(key > sa.tuple_(*last)).limit(CUSTOMERS_AT_ONCE)).fetchall():
        connection.execute(
            update,
            [
                {
                    "organization": row.organization_id,
                    "id": row.customer_id,
                    "text": "\n".join((row.customer_id, row.customer_name, row.email or "")).casefold(),
                    "name": row.customer_name.casefold()[:100],
                }
                for row in rows
            ],
        )
        last = (rows[-1].organization_id, rows[-1].customer_id)
