"""The tables of what an organization looks like to its customers: its logo and its portal."""

from sqlalchemy import Column, ForeignKeyConstraint, LargeBinary, Table

from lotus_server.adapters.records_sql.tables import METADATA
from lotus_server.adapters.records_sql.types import TEXT, Structured

LOGOS = Table(
    "logos",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("media_type", TEXT, nullable=False),
    Column("content", LargeBinary, nullable=False),
    ForeignKeyConstraint(["organization_id"], ["organizations.organization_id"]),
)

PORTALS = Table(
    "portals",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("secret", TEXT, nullable=False),
    Column("color", TEXT, nullable=False),
    Column("embed_origins", Structured(tuple[str, ...]), nullable=False),
    ForeignKeyConstraint(["organization_id"], ["organizations.organization_id"]),
)
