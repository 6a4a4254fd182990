"""Lines say why they have their amounts."""

from decimal import Decimal

import msgspec

from lotus_server.domain.catalog import Graduated, PerUnit, Price, Tier
from lotus_server.domain.invoicing import Metered, explain, sentences, usage_lines
from lotus_server.domain.invoicing.terms import Terms
from lotus_server.domain.metering import Aggregation, Filter, MetricDefinition, Operator, PropertyMatch, Usage
from lotus_server.kernel.quantity import share
from tests.domain.invoicing.test_lines_and_totals import terms
from tests.records_values import MARCH, metric, subscription

EU = Filter("region", Operator.IN, ("eu", "uk"))


def terms_of(price: Price, definition: MetricDefinition, currency: str = "USD") -> Terms:
    plain = terms(price=price, currency=currency)
    return msgspec.structs.replace(
        plain,
        metrics={"calls": metric(definition=definition)},
        subscription=subscription(matches=(PropertyMatch("tenant", "blue"),)),
    )


def text_of(price: Price, usage: Usage, definition: MetricDefinition, currency: str = "USD") -> list[str]:
    terms = terms_of(price, definition, currency)
    (line,) = usage_lines(terms, MARCH, {"component": Metered(usage)})
    return list(sentences(explain(line, (terms.plan, terms.version), customer_id="acme", code=currency)))


def test_a_line_is_told_from_the_events_to_the_rounded_amount() -> None:
    tiers = Graduated((Tier(Decimal(100), Decimal("0.0213")), Tier(None, Decimal("0.01"))))
    definition = MetricDefinition("api_call", Aggregation.SUM, "bytes", (EU,))

    text = text_of(tiers, Usage(Decimal(120), 40, 2), definition)

    assert [
        "name of calls, from 2026-03-01 00:00 until 2026-04-01 00:00 UTC",
        (
            'Quantity 120: the sum of bytes, made from 40 events named "api_call" where region is one of ["eu", "uk"] '
            'and tenant is "blue"; 2 more had no usable value and were left out.'
        ),
        "tier 1 (up to 100): 100 units x 0.0213 = 2.13",
        "tier 2 (above 100): 20 units x 0.01 = 0.2",
        "= 2.33 USD",
    ] == [each for each in text if not each.startswith("Priced by")]


def test_rounding_is_told_only_where_something_was_rounded() -> None:
    definition = MetricDefinition("api_call", Aggregation.COUNT)

    text = text_of(PerUnit(Decimal("0.3335")), Usage(Decimal(3), 3, 0), definition, "KWD")

    assert ["1.0005 is rounded half up to 3 decimal places.", "= 1.001 KWD"] == text[-2:]


def test_a_quantity_that_is_a_quotient_without_end_is_cut_in_words_and_exact_as_data() -> None:
    definition = MetricDefinition("api_call", Aggregation.AVERAGE, "bytes")
    third = share(Decimal(1), Decimal(1), Decimal(3))

    text = text_of(PerUnit(Decimal(3)), Usage(third, 3, 0), definition)

    assert text[1].startswith("Quantity 0.333333333333...: the average bytes")
    assert "0.333333333333... units x 3 = 0.999999999999..." in text
    assert "= 1.00 USD" == text[-1]


def test_the_events_of_a_group_are_those_with_its_values() -> None:
    definition = MetricDefinition("api_call", Aggregation.COUNT, group_by=("region",))
    terms = terms_of(PerUnit(Decimal(1)), definition)
    usage = Usage(Decimal(3), 3, 0, groups={'["eu"]': Usage(Decimal(2), 2, 0), "[null]": Usage(Decimal(1), 1, 0)})

    lines = usage_lines(terms, MARCH, {"component": Metered(usage)})

    found = [explain(line, (terms.plan, terms.version), customer_id="acme", code="USD").events for line in lines]
    assert ['region is "eu"', "region is not there"] == [each.conditions[-1].text for each in found if each]
