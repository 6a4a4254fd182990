"""The table of answers that are given again to repeated requests. The rest is in `tables.py`."""

from sqlalchemy import Column, ForeignKeyConstraint, Integer, LargeBinary, Table

from lotus_server.adapters.records_sql.tables import METADATA
from lotus_server.adapters.records_sql.types import TEXT, Instant

REPLIES = Table(
    "replies",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("key", TEXT, primary_key=True),
    Column("request_hash", TEXT, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    ForeignKeyConstraint(["organization_id"], ["organizations.organization_id"]),
)
