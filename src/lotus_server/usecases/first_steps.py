"""How far an organization has come from nothing to its first invoice."""

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.ports.records import Page
from lotus_server.usecases.services import Services

_ONE = Page(1)


class FirstSteps(msgspec.Struct, frozen=True):
    """Which steps are done, in the order in which they are taken."""

    has_key: bool
    has_customer: bool
    has_metric: bool
    has_plan: bool
    has_subscription: bool
    has_event: bool
    has_invoice: bool

    @property
    def done_count(self) -> int:
        """Return how many steps are done."""
        return sum(getattr(self, name) for name in self.__struct_fields__)

    @property
    def count(self) -> int:
        """Return how many steps there are."""
        return len(self.__struct_fields__)

    @property
    def are_done(self) -> bool:
        """Tell whether nothing is left to do."""
        return self.done_count == self.count


def first_steps(services: Services, organization: Organization) -> FirstSteps:
    """Return which of the first steps are done. A key counts while it opens something."""
    organization_id = organization.organization_id
    now = services.clock.now()
    with services.records.snapshot() as tx:
        return FirstSteps(
            has_key=any(key.is_valid_at(now) for key in tx.api_keys.all(organization_id)),
            has_customer=bool(tx.customers.page(organization_id, _ONE)),
            has_metric=any(not metric.archived for metric in tx.metrics.all(organization_id)),
            has_plan=any(plan.addon is None and not plan.archived for plan in tx.plans.all(organization_id)),
            has_subscription=bool(tx.subscriptions.page(organization_id, _ONE)),
            has_event=services.events.event_count(organization_id) > 0,
            has_invoice=bool(tx.invoices.page(organization_id, _ONE)),
        )
