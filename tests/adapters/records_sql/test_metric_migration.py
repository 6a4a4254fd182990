"""What metrics counted before they kept their whole definition, they count afterwards."""

from decimal import Decimal
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import make_url, text

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.adapters.records_sql.engines import database_at
from lotus_server.adapters.records_sql.migrations import configuration
from lotus_server.domain.metering import Aggregation, Filter, Metric, MetricDefinition, Operator
from tests.records_databases import KINDS, sqlite_url

FILTERS = (
    '[{"property":"a","operator":"in","value":["1",1,1.50,true]},{"property":"b","operator":"exists","value":null}]'
)
OLD = (
    ("calls", "Calls", "call", "count", None, "[]", "[]", False, False, 1),
    ("size", 'The "größte"', "upload", "max", "file.size", FILTERS, '["region"]', True, True, 2),
)


@pytest.fixture(params=KINDS)
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database of the third release with two metrics."""
    url: str
    url = sqlite_url(tmp_path / "old.db") if request.param == "sqlite" else request.getfixturevalue("postgres_database")
    names = "metric_id, metric_name, event_name, aggregation, property_name, filters, group_by"
    database = database_at(make_url(url))
    with database.migrating() as connection:
        command.upgrade(configuration(connection), "0003")
        connection.execute(
            text("INSERT INTO organizations VALUES ('org', 'O', 'production', 'USD', 0, NULL, FALSE)"),
        )
        for row in OLD:
            marks = ", ".join(f":{index}" for index in range(len(row)))
            connection.execute(
                text(
                    f"INSERT INTO metrics (organization_id, {names}, is_cost_metric, archived, made_number) "
                    f"VALUES ('org', {marks})"
                ),
                {str(index): value for index, value in enumerate(row)},
            )
    database.close()
    return url


def test_metrics_keep_their_definitions(old_url: str) -> None:
    records = SqlRecords.open(old_url)
    with records.snapshot() as snapshot:
        found = snapshot.metrics.all("org")
    records.close()

    filters = (
        Filter("a", Operator.IN, ("1", Decimal(1), Decimal("1.50"), True)),
        Filter("b", Operator.EXISTS),
    )
    size = MetricDefinition("upload", Aggregation.MAX, "file.size", filters, ("region",))
    assert [
        Metric("org", "calls", "Calls", MetricDefinition("call", Aggregation.COUNT)),
        Metric("org", "size", 'The "größte"', size, is_cost_metric=True, archived=True),
    ] == found
    assert repr(size) == repr(found[1].definition)
