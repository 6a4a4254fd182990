"""Usage in windows and in groups becomes lines."""

from decimal import Decimal

import msgspec

from lotus_server.domain.catalog import Matrix, MatrixCell, PerUnit, Price
from lotus_server.domain.invoicing import InvoiceLine, Metered, usage_lines
from lotus_server.domain.metering import Aggregation, Event, Granularity, MetricDefinition, Selection, usage_of
from tests.domain.invoicing.test_lines_and_totals import terms
from tests.records_values import MARCH, metric

BY_DAY = MetricDefinition("call", Aggregation.SUM, "bytes", group_by=("region",), window=Granularity.DAY)
BEYOND_50 = PerUnit(Decimal(1), free_units=Decimal(50))


def lines_of(
    price: Price, *events: tuple[int, int, str | None], definition: MetricDefinition = BY_DAY
) -> list[InvoiceLine]:
    """The lines for events, each a day of March, a number of bytes and a region."""
    happened = []
    for number, (day, size, region) in enumerate(events):
        at = MARCH.start.replace(day=day, hour=5)
        properties = {"bytes": size} if region is None else {"bytes": size, "region": region}
        happened.append(Event(number, f"e{number}", "c", "call", at, at, properties))
    usage = usage_of(Selection(definition, "c", MARCH), happened)
    known = msgspec.structs.replace(terms(price=price), metrics={"calls": metric(definition=definition)})
    return list(usage_lines(known, MARCH, {"component": Metered(usage)}))


def test_each_window_is_priced_on_its_own_on_one_line_for_each_group() -> None:
    lines = lines_of(BEYOND_50, (10, 60, "eu"), (11, 20, "eu"), (11, 40, "eu"), (12, 60, "eu"), (12, 40, "us"))

    assert [({"region": "eu"}, Decimal(180), Decimal(30)), ({"region": "us"}, Decimal(40), Decimal(0))] == [
        (line.group, line.quantity, line.amount) for line in lines
    ]


def test_equal_windows_are_one_step_only_where_they_are_equal_in_everything_that_is_priced() -> None:
    (line,) = lines_of(BEYOND_50, (10, 60, "eu"), (11, 60, "eu"))

    assert ["2 windows of 60: 50 units free", "2 windows of 60: the other 10 units x 1"] == [
        step.text for step in line.steps
    ]


def test_windows_without_groups_are_one_line_without_a_group() -> None:
    definition = msgspec.structs.replace(BY_DAY, group_by=())

    (line,) = lines_of(BEYOND_50, (10, 60, "eu"), (11, 70, None), definition=definition)

    assert (None, Decimal(130), Decimal(30)) == (line.group, line.quantity, line.amount)


def test_no_window_is_used_and_nothing_is_charged() -> None:
    (line,) = lines_of(PerUnit(Decimal(1), minimum_spend=Decimal(5)))

    assert (None, Decimal(0), Decimal(0)) == (line.group, line.quantity, line.amount)


def test_a_matrix_prices_the_groups_of_each_window() -> None:
    matrix = Matrix(("region",), (MatrixCell(("eu",), BEYOND_50),), PerUnit(Decimal(2)))

    (line,) = lines_of(matrix, (10, 60, "eu"), (11, 70, "eu"), (11, 1, None))

    assert Decimal(10 + 20 + 2) == line.exact_amount


def test_groups_come_in_the_order_of_their_values_and_the_nameless_one_last() -> None:
    definition = msgspec.structs.replace(BY_DAY, window=None)

    lines = lines_of(BEYOND_50, (1, 1, "us"), (1, 1, None), (1, 1, "eu"), definition=definition)

    assert ["eu", "us", None] == [line.group["region"] for line in lines if line.group]
