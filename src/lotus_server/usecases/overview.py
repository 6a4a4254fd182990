"""The state of an organization at a glance: its business in the last days, and what needs somebody's attention."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.analytics import (
    Basis,
    Comparison,
    Dimension,
    Step,
    last_days,
    parts_of_window,
    window_before,
)
from lotus_server.domain.invoicing import PaymentStatus
from lotus_server.kernel.errors import Invalid
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ZERO
from lotus_server.ports.analytics_records import DayCounts, ParkedSubscription, Verification
from lotus_server.ports.invoice_reading import InvoiceQuestion
from lotus_server.ports.records import Transaction
from lotus_server.usecases.revenue import sum_up_revenue, zone_of
from lotus_server.usecases.services import Services, present

DAYS: Final = 30
DAYS_MAX: Final = 366
PARKED_SHOWN_MAX: Final = 10


class Card(msgspec.Struct, frozen=True):
    """A number of the window beside that of the window before, and what each day of the window has of it."""

    amount: Comparison
    series: tuple[Decimal, ...]


class OpenInvoices(msgspec.Struct, frozen=True):
    """What is unpaid in a currency, and how much of that is past due."""

    currency: str
    count: int
    amount: Decimal
    past_due_count: int
    past_due_amount: Decimal


class Overview(msgspec.Struct, frozen=True):
    """An organization at an instant.

    Days are those of its time zone, but events are counted on days of UTC. `revenue` is what was invoiced in its own
    currency, and `others` in each other currency. `events` are those that happened in the window, `subscriptions` those
    that are active at the end of each day, and `customers` those that were made. `verification` null: usage was never
    recounted.
    """

    now: datetime
    window: Period
    days: tuple[datetime, ...]
    currency: str
    revenue: Card
    others: tuple[tuple[str, Comparison], ...]
    events: Card
    subscriptions: Card
    customers: Card
    open_invoices: tuple[OpenInvoices, ...]
    parked_count: int
    parked: tuple[ParkedSubscription, ...]
    verification: Verification | None


class Pulse(msgspec.Struct, frozen=True):
    """How many events an organization has at an instant of real time."""

    event_count: int
    counted_at: datetime


def event_pulse(services: Services, organization: Organization) -> Pulse:
    """Return how many events there are now: two answers make a rate."""
    return Pulse(services.events.event_count(organization.organization_id), services.clock.now())


def overview(services: Services, organization: Organization, *, days: int = DAYS) -> Overview:
    """Return what the last days came to, today included. Raises Invalid for less than 1 day or more than 366."""
    if not 1 <= days <= DAYS_MAX:
        raise Invalid.field("days", "out_of_range", f"days must lie between 1 and {DAYS_MAX}.")
    now = present(services, organization)
    organization_id = organization.organization_id
    sum_up_revenue(services, organization)
    zone = zone_of(organization)
    window = last_days(now, days, zone)
    both = Period(window_before(window).start, window.end)
    with services.records.snapshot() as tx:
        revenue = tx.revenue.by_day(organization_id, Basis.INVOICED, Dimension.TOTAL, both)
        held = tx.figures.subscriptions(organization_id, window, zone)
        made = tx.figures.customers(organization_id, both, zone)
        open_invoices = _open_invoices(tx, organization_id, now)
        parked_count, parked = tx.figures.parked(organization_id, PARKED_SHOWN_MAX)
        verification = tx.figures.verification(organization_id)
    starts = tuple(part.start for part in parts_of_window(window, Step.DAY))
    amounts: dict[str, dict[datetime, Decimal]] = {}
    for code, _, day, amount in revenue:
        amounts.setdefault(code, {})[day] = amount
    own = organization.default_currency
    return Overview(
        now=now,
        window=window,
        days=starts,
        currency=own,
        revenue=_card(amounts.get(own, {}), starts),
        others=tuple((code, _card(sums, starts).amount) for code, sums in sorted(amounts.items()) if code != own),
        events=_card(_decimals(services.events.event_days(organization_id, both)), starts),
        subscriptions=_active(held, starts),
        customers=_card(_decimals(made.came), starts),
        open_invoices=tuple(open_invoices),
        parked_count=parked_count,
        parked=tuple(parked),
        verification=verification,
    )


def _open_invoices(tx: Transaction, organization_id: str, now: datetime) -> list[OpenInvoices]:
    unpaid = InvoiceQuestion(payment_status=PaymentStatus.UNPAID)
    late = {
        each.currency: each
        for each in tx.invoices.sums(organization_id, msgspec.structs.replace(unpaid, due_before=now))
    }
    found = []
    for each in tx.invoices.sums(organization_id, unpaid):
        past = late.get(each.currency)
        past_due = (past.count, past.amount_due) if past is not None else (0, ZERO)
        found.append(OpenInvoices(each.currency, each.count, each.amount_due, *past_due))
    return found


def _decimals(counts: Mapping[datetime, int]) -> dict[datetime, Decimal]:
    return {day: Decimal(count) for day, count in counts.items()}


def _card(amounts: Mapping[datetime, Decimal], days: tuple[datetime, ...]) -> Card:
    """Return the card of amounts by day, of which those before the first day are of the window before."""
    series = tuple(amounts.get(day, ZERO) for day in days)
    before = total(amount for day, amount in amounts.items() if day < days[0])
    return Card(Comparison(total(series), before), series)


def _active(held: DayCounts, days: tuple[datetime, ...]) -> Card:
    """Return how many are active at the end of each day, beside how many were before the first one."""
    active, series = held.at_start, []
    for day in days:
        active += held.came.get(day, 0) - held.went.get(day, 0)
        series.append(Decimal(active))
    return Card(Comparison(series[-1], Decimal(held.at_start)), tuple(series))
