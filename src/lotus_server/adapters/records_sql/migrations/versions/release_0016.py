"""An invoice can be of no subscription, and can have a note of its own."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Every invoice so far is of a subscription, and has no note."""
    op.add_column("invoices", sa.Column("note", TEXT, nullable=False, server_default=sa.text("''")))
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.alter_column("invoices", "subscription_id", existing_type=TEXT, nullable=True)
    else:
        _without_not_null(connection)


def _without_not_null(connection: sa.Connection) -> None:
    """SQLite cannot drop NOT NULL from a column; its manual has this way, which rewrites no row.

    Building the table anew would break the references of other tables to it while it is gone.
    """
    find = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'invoices'")
    before = connection.execute(find).scalar_one()
    after = before.replace("subscription_id TEXT NOT NULL", "subscription_id TEXT", 1)
    assert after != before, f"the invoices look different: {before}"
    version = connection.execute(sa.text("PRAGMA schema_version")).scalar_one()
    connection.execute(sa.text("PRAGMA writable_schema = ON"))
    change = sa.text("UPDATE sqlite_master SET sql = :after WHERE type = 'table' AND name = 'invoices'")
    connection.execute(change, {"after": after})
    # Every connection reads the schema anew when this number has changed.
    connection.execute(sa.text(f"PRAGMA schema_version = {version + 1}"))
    connection.execute(sa.text("PRAGMA writable_schema = OFF"))
