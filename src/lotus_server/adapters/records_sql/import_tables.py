"""The tables of imports."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKeyConstraint, Index, LargeBinary, Table, Text, text

from lotus_server.adapters.records_sql.tables import METADATA
from lotus_server.adapters.records_sql.types import TEXT, Choice, Instant, Structured
from lotus_server.domain.accounts import AuthorKind
from lotus_server.domain.imports import Existing, ImportKind, ImportState, Layout, Place, Tally

_IS_DUE = text("due_at IS NOT NULL")

IMPORTS = Table(
    "imports",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("import_id", TEXT, primary_key=True),
    Column("kind", Choice(ImportKind), nullable=False),
    Column("state", Choice(ImportState), nullable=False),
    Column("file_name", TEXT, nullable=False),
    Column("author_kind", Choice(AuthorKind), nullable=False),
    Column("author_id", TEXT, nullable=False),
    Column("author_name", TEXT, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("existing", Choice(Existing), nullable=False),
    Column("is_check", Boolean, nullable=False),
    Column("layout", Structured(Layout)),
    Column("bytes_total", BigInteger, nullable=False),
    Column("lines_total", BigInteger, nullable=False),
    Column("place", Structured(Place), nullable=False),
    Column("tally", Structured(Tally), nullable=False),
    Column("worked_us", BigInteger, nullable=False),
    Column("started_at", Instant),
    Column("checked_at", Instant),
    Column("ended_at", Instant),
    Column("due_at", Instant),
    Column("failure", Text),
    ForeignKeyConstraint(["organization_id"], ["organizations.organization_id"]),
    Index("ix_imports_due", "due_at", sqlite_where=_IS_DUE, postgresql_where=_IS_DUE),
)


def _of_import() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["organization_id", "import_id"], ["imports.organization_id", "imports.import_id"])


# A part is packed: files of rows shrink to a tenth.
IMPORT_PARTS = Table(
    "import_parts",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("import_id", TEXT, primary_key=True),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
    _of_import(),
)

IMPORT_REFUSALS = Table(
    "import_refusals",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("import_id", TEXT, primary_key=True),
    Column("row", BigInteger, primary_key=True, autoincrement=False),
    Column("line", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("problems", Structured(tuple[str, ...]), nullable=False),
    Column("cells", Structured(tuple[str, ...]), nullable=False),
    _of_import(),
)
