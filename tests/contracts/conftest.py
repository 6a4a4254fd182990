"""What the behaviour suites of the ports can ask for."""

from tests.contracts.event_stores import open_store, organization, store
from tests.records_databases import (
    postgres_records_template,
    postgres_records_url,
    records,
    records_url,
    shared_records,
    sqlite_template,
)

__all__ = [
    "open_store",
    "organization",
    "postgres_records_template",
    "postgres_records_url",
    "records",
    "records_url",
    "shared_records",
    "sqlite_template",
    "store",
]
