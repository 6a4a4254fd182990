"""Records in SQL: one schema and one set of queries for SQLite and PostgreSQL."""

from lotus_server.adapters.records_sql.records import SqlRecords

__all__ = ["SqlRecords"]
