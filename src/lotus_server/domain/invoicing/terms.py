"""What decides what a subscription costs."""

import msgspec

from lotus_server.domain.catalog import Plan, PlanVersion
from lotus_server.domain.invoicing.totals import TaxTerms
from lotus_server.domain.metering import Metric
from lotus_server.domain.subscriptions import Subscription


class Terms(msgspec.Struct, frozen=True):
    """Everything that decides what a subscription costs.

    `metrics` has every metric that the version's components name. `tax` and `payment_term_days` are those of the
    customer's invoices.
    """

    subscription: Subscription
    plan: Plan
    version: PlanVersion
    metrics: dict[str, Metric]
    tax: TaxTerms = TaxTerms()
    payment_term_days: int = 30
