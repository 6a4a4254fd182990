"""Files are imported."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
IS_DUE = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    """Imports, the parts of their files, and the rows that were refused."""
    op.create_table(
        "imports",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("import_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("file_name", TEXT, nullable=False),
        sa.Column("author_kind", TEXT, nullable=False),
        sa.Column("author_id", TEXT, nullable=False),
        sa.Column("author_name", TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("existing", TEXT, nullable=False),
        sa.Column("is_check", sa.Boolean(), nullable=False),
        sa.Column("layout", sa.Text()),
        sa.Column("bytes_total", sa.BigInteger(), nullable=False),
        sa.Column("lines_total", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("tally", sa.Text(), nullable=False),
        sa.Column("worked_us", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("checked_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("failure", sa.Text()),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name="fk_imports_organizations"
        ),
        sa.PrimaryKeyConstraint("organization_id", "import_id", name="pk_imports"),
    )
    op.create_index("ix_imports_due", "imports", ["due_at"], sqlite_where=IS_DUE, postgresql_where=IS_DUE)
    op.create_table(
        "import_parts",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("import_id", TEXT, nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        _of_import("import_parts"),
        sa.PrimaryKeyConstraint("organization_id", "import_id", "start", name="pk_import_parts"),
    )
    op.create_table(
        "import_refusals",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("import_id", TEXT, nullable=False),
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.Column("cells", sa.Text(), nullable=False),
        _of_import("import_refusals"),
        sa.PrimaryKeyConstraint("organization_id", "import_id", "row", name="pk_import_refusals"),
    )


def _of_import(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id", "import_id"],
        ["imports.organization_id", "imports.import_id"],
        name=f"fk_{table}_imports",
    )
