"""What decides what a subscription costs."""

from datetime import datetime, timedelta

import msgspec

from lotus_server.domain.catalog import Plan, PlanVersion
from lotus_server.domain.invoicing.billed import BilledPeriod
from lotus_server.domain.invoicing.discounts import Discount
from lotus_server.domain.invoicing.totals import TaxTerms
from lotus_server.domain.metering import Metric
from lotus_server.domain.subscriptions import Subscription


class Terms(msgspec.Struct, frozen=True, gc=False):
    """Everything that decides what a subscription costs.

    `metrics` has every metric that the version's components name. `tax` and `payment_term_days` are those of the
    customer's invoices; `discounts` are all that the customer has, in the order in which they were given. Another plan
    takes the place of this one at `succeeded_at` (null: none does). Its invoice is issued so long after the
    end of a period as `grace` says. `billed` is what was invoiced of the open period's usage already (null: nothing).
    `is_grouped`: what is invoiced is put together with what the customer's other subscriptions have at the instant.
    `waits`: what somebody asks for is invoiced with that, too.
    """

    subscription: Subscription
    plan: Plan
    version: PlanVersion
    metrics: dict[str, Metric]
    tax: TaxTerms = TaxTerms()
    payment_term_days: int = 30
    discounts: tuple[Discount, ...] = ()
    succeeded_at: datetime | None = None
    grace: timedelta = timedelta()
    billed: BilledPeriod | None = None
    is_grouped: bool = False
    waits: bool = False

    @property
    def plan_name(self) -> str:
        """Return what customers know the plan by: the version's own name for it, or the plan's."""
        return self.version.localized_name or self.plan.plan_name

    @property
    def issue_at(self) -> datetime:
        """Return when the invoice of the open period is to be issued: at its end, or when the grace after it is over.

        Nothing that happened in a trial is charged, so nothing is waited for after it.
        """
        period = self.subscription.open_period
        return period.end if self.subscription.is_trial_at(period.start) else period.end + self.grace

    @property
    def component_ids(self) -> tuple[str, ...]:
        """Return the ids of the version's components."""
        return tuple(each.component_id for each in self.version.components)

    def discounts_at(self, issued_at: datetime) -> tuple[Discount, ...]:
        """Return the discounts that an invoice of an instant gets."""
        code = self.version.currency
        return tuple(discount for discount in self.discounts if discount.applies_at(issued_at, code))
