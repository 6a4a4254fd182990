"""An organization at work, driven through the use cases: short ways to make what a test needs."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from lotus_server.domain.accounts import Organization, OrganizationType
from lotus_server.domain.catalog import PerUnit, Price, Proration, Timing
from lotus_server.domain.invoicing import Invoice
from lotus_server.domain.metering import Aggregation, MetricDefinition
from lotus_server.domain.subscriptions import Subscription
from lotus_server.kernel.instants import parse_instant
from lotus_server.kernel.period import Duration
from lotus_server.ports.invoice_reading import InvoiceQuestion
from lotus_server.ports.records import Page
from lotus_server.usecases.clock import move_clock
from lotus_server.usecases.customers import CustomerDraft, create_customer, get_customer
from lotus_server.usecases.drafts import draft_invoices
from lotus_server.usecases.invoices import list_invoices
from lotus_server.usecases.metrics import MetricDraft, create_metric
from lotus_server.usecases.organizations import OrganizationDraft, create_organization
from lotus_server.usecases.plans import ChargeDraft, ComponentDraft, PlanDraft, VersionDraft, create_plan
from lotus_server.usecases.services import Services
from lotus_server.usecases.subscription_views import SubscriptionView
from lotus_server.usecases.subscriptions import (
    Cancellation,
    SubscriptionDraft,
    cancel_subscription,
    create_subscription,
    get_subscription,
)
from tests.events_in_memory import EventsInMemory

Json = Any  # whatever a draft takes
EVERYTHING = Page()
PENNY = PerUnit(Decimal("0.01"))


def at(text: str) -> datetime:
    """The instant of a text such as `2026-01-31` or `2026-01-31T12:00`."""
    found = parse_instant(text)
    assert found is not None, text
    return found


class SetClock:
    """A clock that stands where it was set."""

    def __init__(self, now: datetime) -> None:
        """Stand at `now`."""
        self.instant = now

    def now(self) -> datetime:
        """Return where it stands."""
        return self.instant


def charge(amount: str, timing: Timing = Timing.IN_ADVANCE, proration: Proration = Proration.PRORATE) -> ChargeDraft:
    """A charge per period, named after its timing."""
    return ChargeDraft(timing.value, Decimal(amount), timing, proration)


@dataclass
class Business:
    """One organization."""

    services: Services
    organization_id: str

    @property
    def organization(self) -> Organization:
        """The organization as it is kept now."""
        with self.services.records.snapshot() as tx:
            found = tx.organizations.get(self.organization_id)
        assert found is not None
        return found

    @property
    def events(self) -> EventsInMemory:
        """The store of its events."""
        assert isinstance(self.services.events, EventsInMemory)
        return self.services.events

    def customer(self, customer_id: str) -> None:
        """Make a customer."""
        create_customer(self.services, self.organization, CustomerDraft(customer_id, customer_id.title()))

    def balance(self, customer_id: str = "acme") -> Decimal:
        """The credit that a customer has left."""
        return get_customer(self.services, self.organization, customer_id).balance

    def plan(
        self,
        plan_id: str = "pro",
        *charges: ChargeDraft,
        price: Price | None = None,
        duration: Duration = Duration.MONTHLY,
        currency: str | None = None,
    ) -> None:
        """Make a plan with charges, and, with a price, a component on the number of events named `call`."""
        components: tuple[ComponentDraft, ...] = ()
        if price is not None:
            definition = MetricDefinition("call", Aggregation.COUNT)
            create_metric(
                self.services, self.organization, MetricDraft(f"calls of {plan_id}", definition, f"calls_{plan_id}")
            )
            components = (ComponentDraft(f"calls_{plan_id}", price),)
        version = VersionDraft(currency=currency, recurring_charges=charges, components=components)
        create_plan(self.services, self.organization, PlanDraft(plan_id.title(), duration, version, plan_id))

    def subscribe(
        self, start: str = "2026-01-01", *, customer_id: str = "acme", plan_id: str = "pro", **more: Json
    ) -> Subscription:
        """Subscribe a customer; the subscription has the id of its customer unless another is given."""
        draft = SubscriptionDraft(
            customer_id, at(start), plan_id, **{"subscription_id": f"sub_{customer_id}_{plan_id}", **more}
        )
        return create_subscription(self.services, self.organization, draft).subscription

    def use(self, count: int, when: str, customer_id: str = "acme") -> None:
        """So many events named `call` happen at an instant."""
        for _ in range(count):
            self.events.put(self.organization_id, "call", customer_id, at(when), {})

    def move(self, now: str) -> None:
        """Move the sandbox's clock."""
        move_clock(self.services, self.organization, at(now))

    def cancel(self, subscription_id: str, how: Cancellation | None = None) -> tuple[SubscriptionView, Invoice | None]:
        """Cancel now with an invoice, or as said."""
        return cancel_subscription(self.services, self.organization, subscription_id, how or Cancellation())

    def subscription(self, subscription_id: str) -> SubscriptionView:
        """A subscription as it is kept now."""
        return get_subscription(self.services, self.organization, subscription_id)

    def invoices(self, customer_id: str | None = None) -> list[Invoice]:
        """Issued invoices, oldest first."""
        asked = InvoiceQuestion(customer_id=customer_id)
        views = list_invoices(self.services, self.organization, EVERYTHING, asked)
        return [view.invoice for view in reversed(views)]

    def amounts(self) -> list[tuple[str, Decimal]]:
        """Day of issue and subtotal of each invoice, oldest first."""
        return [(f"{invoice.issued_at:%Y-%m-%d}", invoice.subtotal) for invoice in self.invoices()]

    def draft_amounts(self, customer_id: str = "acme") -> list[list[Decimal]]:
        """The line amounts of each draft of a customer."""
        _, drafts = draft_invoices(self.services, self.organization, customer_id)
        return [[line.amount for line in draft.lines] for draft in drafts]


def found_business(services: Services, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> Business:
    """Make a sandbox organization whose clock stands at `now`, with the customer `acme`."""
    draft = OrganizationDraft("Lotus Eaters", OrganizationType.SANDBOX, clock_now=now)
    organization, _ = create_organization(services, draft)
    business = Business(services, organization.organization_id)
    business.customer("acme")
    return business
