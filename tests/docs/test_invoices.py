"""The page about invoices shows what is really said."""

import re
from decimal import Decimal

import msgspec

from lotus_server.domain.catalog import Graduated, Tier
from lotus_server.domain.invoicing import Metered, explain, sentences, usage_lines
from lotus_server.domain.metering import Aggregation, Filter, MetricDefinition, Operator, Usage
from tests.domain.invoicing.test_lines_and_totals import terms
from tests.records_values import MARCH, metric, plan, plan_version
from tests.repository import ROOT

PAGE = (ROOT / "docs/concepts/invoices.md").read_text(encoding="utf-8")


def test_the_explanation_on_the_page_is_what_is_said() -> None:
    price = Graduated((Tier(Decimal(100), Decimal("0.0213")), Tier(None, Decimal("0.0117"))))
    condition = Filter("region", Operator.EQ, "eu")
    definition = MetricDefinition("call", Aggregation.SUM, "size", (condition,))
    known = terms(price=price)
    known = msgspec.structs.replace(
        known,
        plan=plan(plan_name="Pro"),
        version=plan_version(version_id="pro_1", version=1, components=known.version.components),
        metrics={"calls": metric(metric_name="bytes", definition=definition)},
    )
    (line,) = usage_lines(known, MARCH, {"component": Metered(Usage(Decimal(121), 2, 1))})

    shown = re.search(r"```text\n(.*?)\n```", PAGE, re.DOTALL)

    assert shown is not None
    assert shown[1].splitlines() == list(
        sentences(explain(line, (known.plan, known.version), customer_id="acme", code="USD"))
    )
