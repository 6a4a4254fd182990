"""What tests of the process that rates ahead can ask for."""

from tests.records_databases import (
    postgres_records_template,
    postgres_records_url,
    records_url,
    sqlite_template,
)

__all__ = ["postgres_records_template", "postgres_records_url", "records_url", "sqlite_template"]
