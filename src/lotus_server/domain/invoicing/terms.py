"""What decides what a subscription costs."""

from datetime import datetime

import msgspec

from lotus_server.domain.catalog import Plan, PlanVersion
from lotus_server.domain.invoicing.discounts import Discount
from lotus_server.domain.invoicing.totals import TaxTerms
from lotus_server.domain.metering import Metric
from lotus_server.domain.subscriptions import Subscription


class Terms(msgspec.Struct, frozen=True):
    """Everything that decides what a subscription costs.

    `metrics` has every metric that the version's components name. `tax` and `payment_term_days` are those of the
    customer's invoices; `discounts` are all that the customer has, in the order in which they were given. Another plan
    takes the place of this one at `succeeded_at` (null: none does).
    """

    subscription: Subscription
    plan: Plan
    version: PlanVersion
    metrics: dict[str, Metric]
    tax: TaxTerms = TaxTerms()
    payment_term_days: int = 30
    discounts: tuple[Discount, ...] = ()
    succeeded_at: datetime | None = None

    @property
    def plan_name(self) -> str:
        """Return what customers know the plan by: the version's own name for it, or the plan's."""
        return self.version.localized_name or self.plan.plan_name

    @property
    def component_ids(self) -> tuple[str, ...]:
        """Return the ids of the version's components."""
        return tuple(each.component_id for each in self.version.components)

    def discounts_at(self, issued_at: datetime) -> tuple[Discount, ...]:
        """Return the discounts that an invoice of an instant gets."""
        code = self.version.currency
        return tuple(discount for discount in self.discounts if discount.applies_at(issued_at, code))
