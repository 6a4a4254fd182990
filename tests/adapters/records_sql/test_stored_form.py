"""How values lie in the database, so that what a released version has stored keeps its meaning."""

from collections.abc import Iterator
from datetime import timedelta, timezone
from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import Engine, create_engine, text

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.domain.catalog import (
    Component,
    Graduated,
    Package,
    PerUnit,
    Price,
    Proration,
    RecurringCharge,
    Rounding,
    Tier,
    Timing,
    Volume,
)
from lotus_server.domain.metering import Aggregation, Filter, MetricDefinition, Operator
from tests import records_values as values

ONE = Decimal(1)
TOKYO = timezone(timedelta(hours=9))
ZERO = Decimal(0)


@pytest.fixture
def engine(records_url: str) -> Iterator[Engine]:
    opened = create_engine(records_url)
    yield opened
    opened.dispose()


def _one(engine: Engine, query: str) -> object:
    with engine.connect() as connection:
        return connection.execute(text(query)).scalar_one()


def test_instants_are_microseconds_since_1970(records: SqlRecords, engine: Engine) -> None:
    with records.transaction() as transaction:
        transaction.organizations.add(values.organization())

    assert 1_772_368_215_123_456 == _one(engine, "SELECT created_at FROM organizations")


@pytest.mark.parametrize(
    ("amount", "stored"), [("1.50", "1.5"), ("1E+3", "1000"), ("-0.0", "0"), ("1E-30", f"0.{'0' * 29}1")]
)
def test_equal_decimals_have_one_form(records: SqlRecords, engine: Engine, amount: str, stored: str) -> None:
    with records.transaction() as transaction:
        values.fill(transaction)
        transaction.customers.replace(values.customer(tax_rate=Decimal(amount)))

    found = _one(engine, "SELECT CAST(tax_rate AS TEXT) FROM customers")
    assert stored == found


def test_an_instant_of_another_zone_comes_back_in_utc(records: SqlRecords) -> None:
    tokyo = values.NOW.astimezone(TOKYO)
    with records.transaction() as transaction:
        transaction.organizations.add(values.organization(created_at=tokyo))

    with records.snapshot() as snapshot:
        found = snapshot.organizations.get("org")
        assert found is not None
        assert values.NOW.isoformat() == found.created_at.isoformat()


def test_a_time_without_zone_is_refused(records: SqlRecords) -> None:
    naive = values.NOW.replace(tzinfo=None)
    with pytest.raises(Exception, match="offset-naive"), records.transaction() as transaction:
        transaction.organizations.add(values.organization(created_at=naive))


# Terms as they were stored once -> what they mean, for ever. Fields left out have the value that was the default
# when they were stored; whoever changes a default changes what customers pay, and this fails.
STORED_PRICES: dict[str, Price] = {
    '{"model":"per_unit","unit_price":"0.10"}': PerUnit(
        Decimal("0.1"), ZERO, ONE, Rounding.NONE, minimum_spend=None, maximum_spend=None
    ),
    '{"model":"graduated","tiers":[{}]}': Graduated(
        (Tier(None, ZERO, ZERO, ONE, Rounding.NONE),), minimum_spend=None, maximum_spend=None
    ),
    '{"model":"volume","tiers":[{"up_to":"10","unit_price":"1E-7","rounding":"up"}]}': Volume(
        (Tier(Decimal(10), Decimal("1E-7"), ZERO, ONE, Rounding.UP),), minimum_spend=None, maximum_spend=None
    ),
    '{"model":"package","package_size":"100","package_price":"5"}': Package(
        Decimal(100), Decimal(5), ZERO, Rounding.UP, minimum_spend=None, maximum_spend=None
    ),
}


@pytest.mark.parametrize("price", STORED_PRICES)
def test_stored_terms_keep_their_meaning(records: SqlRecords, engine: Engine, price: str) -> None:
    components = f'[{{"component_id":"c","metric_id":"m","price":{price}}}]'
    charges = '[{"charge_id":"r","name":"Base","amount":"30"}]'
    with records.transaction() as transaction:
        values.fill(transaction)
    with engine.begin() as connection:
        new = {"components": components, "charges": charges}
        connection.execute(text("UPDATE plan_versions SET components = :components, recurring_charges = :charges"), new)

    with records.snapshot() as snapshot:
        version = snapshot.plans.version("org", "pro_1")
    assert version is not None
    assert (Component("c", "m", STORED_PRICES[price], limit=None),) == version.components
    base = RecurringCharge("r", "Base", Decimal(30), Timing.IN_ADVANCE, Proration.PRORATE, ONE)
    assert (base,) == version.recurring_charges


def test_a_price_is_stored_with_its_model_and_its_decimals_as_text(records: SqlRecords, engine: Engine) -> None:
    component = Component("c", "m", Graduated((Tier(Decimal(1000), ZERO), Tier(None, Decimal("0.0020")))))
    with records.transaction() as transaction:
        values.fill(transaction)
        transaction.plans.add_version(values.plan_version("new", version=2, components=(component,)))

    stored = _one(engine, "SELECT components FROM plan_versions WHERE version_id = 'new'")
    assert isinstance(stored, str)
    price = {"model": "graduated", "tiers": [{"up_to": "1000", "unit_price": "0"}, {"unit_price": "0.0020"}]}
    assert [{"component_id": "c", "metric_id": "m", "price": price}] == msgspec.json.decode(stored)


def test_filter_values_are_told_apart_by_their_form(records: SqlRecords, engine: Engine) -> None:
    condition = Filter("a", Operator.IN, ("1", Decimal(1), Decimal("1.50"), True))
    definition = MetricDefinition("e", Aggregation.COUNT, filters=(condition,))
    with records.transaction() as transaction:
        values.fill(transaction)
        transaction.metrics.replace(values.metric(definition=definition))

    filters = '[{"property":"a","operator":"in","value":["1",1,1.50,true]}]'
    stored = f'{{"event_name":"e","aggregation":"count","filters":{filters}}}'
    assert stored == _one(engine, "SELECT definition FROM metrics")
