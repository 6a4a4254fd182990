"""What tests of records in SQL can ask for."""

from tests.records_databases import (
    postgres_records_template,
    postgres_records_url,
    records,
    records_url,
    shared_records,
    sqlite_template,
)

__all__ = [
    "postgres_records_template",
    "postgres_records_url",
    "records",
    "records_url",
    "shared_records",
    "sqlite_template",
]
