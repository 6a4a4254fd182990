"""Whatever happens to subscriptions, in whatever order: what always holds of the invoices and the credit ledger.

Two organizations live the same life. The clock of one moves day by day, that of the other only when something happens;
one is billed in batches, which remember when there is no need to look back, the other one by one.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import count, pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from typing_extensions import override

from lotus_server.adapters.ids_uuid7 import Uuid7Ids
from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.bootstrap.documents import LaterDocuments
from lotus_server.bootstrap.passwords import LaterPasswords
from lotus_server.domain.accounts import InvoiceSettings
from lotus_server.domain.catalog import AddOnFrequency, PerUnit, Timing
from lotus_server.domain.credits import CreditAccount
from lotus_server.domain.invoicing import (
    BillingType,
    DiscountTerms,
    DiscountType,
    FlatFeeBehavior,
    Invoice,
    InvoiceLine,
    LineKind,
)
from lotus_server.domain.metering import CorrectionKind
from lotus_server.domain.subscriptions import PausedFees, PausedUsage, Subscription
from lotus_server.kernel.errors import LotusError
from lotus_server.ports.credit_records import CreditQuestion
from lotus_server.ports.event_store import CorrectionOrder
from lotus_server.ports.paging import Page
from lotus_server.usecases.addons import AddOnDraft, create_addon
from lotus_server.usecases.attachments import Attachment, attach_addon
from lotus_server.usecases.billing import bill_due
from lotus_server.usecases.credits import CreditDraft, create_credit
from lotus_server.usecases.customers import CustomerDraft, create_customer
from lotus_server.usecases.discounts import DiscountDraft, give_discount
from lotus_server.usecases.drafts import draft_invoices
from lotus_server.usecases.pauses import PauseOrder, ResumeOrder, pause_subscription, resume_subscription
from lotus_server.usecases.plan_switch import PlanSwitch, switch_plan
from lotus_server.usecases.plans import VersionDraft
from lotus_server.usecases.quantities import QuantityOrder, set_quantity
from lotus_server.usecases.services import Services
from lotus_server.usecases.subscriptions import Cancellation, SubscriptionChange, change_subscription
from tests.business import Business, Json, SetClock, at, charge, found_business
from tests.events_in_memory import EventsInMemory

START = "2026-01-01"
DAY = timedelta(days=1)
PLANS = ("pro", "max")
customers = st.sampled_from(("acme", "boots"))
amounts = st.decimals(Decimal("0.01"), Decimal(60), places=2)
fees = st.sampled_from(list(FlatFeeBehavior))
zones = st.sampled_from(("UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati"))


class IdsInOrder(Uuid7Ids):
    """Ids that sort in the order in which they were made, also those of subscriptions that a switch begins.

    At one instant, subscriptions are billed in the order of their ids: it has to be the same in both organizations.
    """

    def __init__(self) -> None:
        super().__init__()
        self._made = count(1)

    @override
    def random_uuid(self) -> str:
        return f"made {next(self._made):08d}"


class Billing(RuleBasedStateMachine):
    """The two organizations, and what may happen to them."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self.daily, self.rarely = found_business(services), found_business(services)
        self.now = at(START)
        self.started = 0
        self.voided = 0

    @initialize(zone=zones, grace_hours=st.sampled_from((0, 0, 30)))
    def sell(self, zone: str, grace_hours: int) -> None:
        for twin in (self.daily, self.rarely):
            settings = InvoiceSettings(invoice_grace_hours=grace_hours)
            with twin.services.records.transaction() as tx:
                tx.organizations.replace(msgspec.structs.replace(twin.organization, invoice_settings=settings))
            create_customer(twin.services, twin.organization, CustomerDraft("boots", timezone=zone))
            terms = VersionDraft(recurring_charges=(charge("4.20"),))
            addon = AddOnDraft("Support", terms, "support", frequency=AddOnFrequency.RECURRING)
            create_addon(twin.services, twin.organization, addon)
            for number, plan_id in enumerate(PLANS, 1):
                charges = (
                    charge(f"{10 * number}.01"),
                    charge(f"{3 * number}.10", Timing.IN_ARREARS),
                )
                twin.plan(plan_id, *charges, price=PerUnit(Decimal("0.37") * number))

    @rule(days=st.integers(1, 45))
    def time_passes(self, days: int) -> None:
        for _ in range(days):
            self.now += DAY
            self.daily.move(self.now.isoformat())

    @rule(customer=customers, plan_id=st.sampled_from(PLANS), trial_days=st.none() | st.integers(1, 40))
    def subscribe(self, customer: str, plan_id: str, trial_days: int | None) -> None:
        self.started += 1
        draft: Json = {
            "customer_id": customer,
            "plan_id": plan_id,
            "subscription_id": f"sub_{self.started}",
            "trial_end": None if trial_days is None else self.now + trial_days * DAY,
        }
        self._both(lambda twin: twin.subscribe(self.now.isoformat(), **draft))

    @rule(customer=customers)
    def attach(self, customer: str) -> None:
        attachment = Attachment("support")
        self._to_each(customer, lambda twin, name: attach_addon(twin.services, twin.organization, name, attachment))

    @rule(customer=customers, count=st.integers(1, 9), days_ago=st.integers(0, 70))
    def use(self, customer: str, count: int, days_ago: int) -> None:
        self._both(lambda twin: twin.use(count, (self.now - days_ago * DAY).isoformat(), customer))

    @rule()
    def void_an_event(self) -> None:
        self.voided += 1
        order = CorrectionOrder(f"put_{self.voided}", CorrectionKind.VOID, "a mistake")
        self._both(lambda twin: twin.events.correct(twin.organization_id, [order], now=self.now))

    @rule(customer=customers, quantity=st.integers(0, 5), timing=st.sampled_from(Timing), at_once=st.booleans())
    def change_quantity(self, customer: str, quantity: int, timing: Timing, at_once: bool) -> None:
        order = QuantityOrder(Decimal(quantity), at_once, charge=timing.value)
        self._to_each(customer, lambda twin, name: set_quantity(twin.services, twin.organization, name, order))

    @rule(customer=customers, plan_id=st.sampled_from(PLANS), carries=st.booleans(), at_renewal=st.booleans())
    def switch(self, customer: str, plan_id: str, carries: bool, at_renewal: bool) -> None:
        order = PlanSwitch(plan_id, at_renewal=at_renewal, carries_usage=carries)
        self._to_each(customer, lambda twin, name: switch_plan(twin.services, twin.organization, name, order))

    @rule(
        customer=customers,
        ahead=st.integers(0, 20),
        days=st.none() | st.integers(1, 40),
        how=st.tuples(st.sampled_from(PausedFees), st.sampled_from(PausedUsage)),
        at_once=st.booleans(),
    )
    def pause(
        self, customer: str, ahead: int, days: int | None, how: tuple[PausedFees, PausedUsage], at_once: bool
    ) -> None:
        starts_at = self.now + ahead * DAY if ahead else None
        ends_at = None if days is None else self.now + (ahead + days) * DAY
        order = PauseOrder(starts_at, ends_at, *how, invoices_now=at_once and not ahead)
        self._to_each(customer, lambda twin, name: pause_subscription(twin.services, twin.organization, name, order))

    @rule(customer=customers, ahead=st.integers(0, 20), at_once=st.booleans())
    def resume(self, customer: str, ahead: int, at_once: bool) -> None:
        resumes_at = self.now + ahead * DAY if ahead else None
        order = ResumeOrder(resumes_at, invoices_now=at_once and not ahead)
        self._to_each(customer, lambda twin, name: resume_subscription(twin.services, twin.organization, name, order))

    @rule(customer=customers, days=st.none() | st.integers(1, 45), at_once=st.booleans())
    def move_end(self, customer: str, days: int | None, at_once: bool) -> None:
        order = SubscriptionChange(renews_again=True, invoices_now=at_once)
        if days is not None:
            order = SubscriptionChange(ends_at=self.now + days * DAY, invoices_now=at_once)
        self._to_each(customer, lambda twin, name: change_subscription(twin.services, twin.organization, name, order))

    @rule(customer=customers, flat_fees=fees, ends_now=st.booleans())
    def cancel(self, customer: str, flat_fees: FlatFeeBehavior, ends_now: bool) -> None:
        how = Cancellation(ends_now=ends_now, flat_fees=flat_fees)
        running = self._running(self.daily, customer)
        _, drafts = draft_invoices(self.daily.services, self.daily.organization, customer)
        for place in reversed(range(len(running))):
            self._both(partial(self._do_to, customer, place, lambda twin, name: twin.cancel(name, how)))
        if len(running) == len(drafts) == 1 and ends_now and flat_fees is FlatFeeBehavior.AS_INVOICED:
            (draft,) = drafts
            issued = [each for each in self.daily.invoices(customer) if each.subscription_id == running[0]]
            lines = issued[-1].lines if issued and issued[-1].cause == _cause(draft.terms.subscription) else ()
            assert draft.lines == lines, "the draft is the invoice that is issued now"

    @rule(customer=customers, amount=amounts, days=st.none() | st.integers(1, 60))
    def credit(self, customer: str, amount: Decimal, days: int | None) -> None:
        expires_at = None if days is None else self.now + days * DAY
        draft = CreditDraft(customer, amount, expires_at=expires_at)
        self._both(lambda twin: create_credit(twin.services, twin.organization, draft))

    @rule(customer=customers, percent=st.integers(1, 100), invoices=st.none() | st.integers(1, 2))
    def discount(self, customer: str, percent: int, invoices: int | None) -> None:
        terms = DiscountTerms("Discount", DiscountType.PERCENTAGE, Decimal(percent))
        draft = DiscountDraft(terms=terms, invoices_max=invoices)
        self._both(lambda twin: give_discount(twin.services, twin.organization, customer, draft))

    @invariant()
    def parts_add_up(self) -> None:
        for each in self.daily.invoices():
            net = sum(line.amount for line in each.lines) - sum(discount.amount for discount in each.discounts)
            gross = net + sum(tax.tax for tax in each.taxes)
            assert max(gross, Decimal(0)) == each.credit_applied + each.total
            assert min(each.credit_applied, each.total) >= 0

    @invariant()
    def the_ledger_adds_up(self) -> None:
        with self.daily.services.records.snapshot() as tx:
            grants = tx.credits.page(self.daily.organization_id, Page(), CreditQuestion())
            postings = tx.credits.postings(self.daily.organization_id, [each.credit_id for each in grants])
        accounts = dict.fromkeys(CreditAccount, Decimal(0))
        for credit in grants:
            remaining = Decimal(0)
            for posting in postings[credit.credit_id]:
                accounts[posting.source] -= posting.amount
                accounts[posting.target] += posting.amount
                remaining += posting.amount * (posting.target is CreditAccount.AVAILABLE)
                remaining -= posting.amount * (posting.source is CreditAccount.AVAILABLE)
            assert 0 <= remaining <= credit.amount
        assert sum(accounts.values()) == 0
        assert accounts[CreditAccount.APPLIED] == sum(each.credit_applied for each in self.daily.invoices())

    @invariant()
    def every_instant_is_billed_once(self) -> None:
        invoices = self.daily.invoices()
        with self.daily.services.records.snapshot() as tx:
            subscriptions = tx.subscriptions.page(self.daily.organization_id, Page())
        for subscription in subscriptions:
            assert subscription.parked_cause is None
            own = self._lines_of(subscription, invoices)
            billed = subscription.ends_at if subscription.is_fully_billed else subscription.open_period.start
            assert billed is not None
            charged_from = max(subscription.starts_at, subscription.trial_end or subscription.starts_at)
            in_arrears = _times(own, BillingType.IN_ARREARS, charged_from, billed)
            assert in_arrears <= {0, 1}
            if subscription.is_fully_billed:
                continue  # a cancellation may let off what is due for the last period
            if subscription.pauses:
                continue  # a period that is paused throughout has no line; what is paid is another test's
            assert in_arrears == {1} or charged_from >= billed
            if not subscription.quantity_changes and subscription.due_at != subscription.starts_at:
                ahead = subscription.open_period.end
                assert charged_from >= ahead or _times(own, BillingType.IN_ADVANCE, charged_from, ahead) == {1}

    @invariant()
    def billing_again_changes_nothing(self) -> None:
        assert bill_due(self.daily.services, until=self.now, organization=self.daily.organization) == 0

    @override
    def teardown(self) -> None:
        self.time_passes(35)
        self._move_rarely()
        assert _told(self.daily) == _told(self.rarely), "it does not matter how the clock is moved"

    def _lines_of(self, subscription: Subscription, invoices: list[Invoice]) -> list[InvoiceLine]:
        """The lines of a subscription, on whichever invoice, or still waiting for one."""
        with self.daily.services.records.snapshot() as tx:
            waiting = tx.pending_lines.waiting(subscription.organization_id, subscription.customer_id)
        issued = [(line.subscription_id or each.subscription_id, line) for each in invoices for line in each.lines]
        issued += [(line.subscription_id, line) for each in waiting for line in each.lines]
        return [line for subscription_id, line in issued if subscription_id == subscription.subscription_id]

    def _running(self, twin: Business, customer: str) -> list[str]:
        """The ids of a customer's subscriptions; those that a switch began have other ids in either organization."""
        with twin.services.records.snapshot() as tx:
            found = tx.subscriptions.of_customer(twin.organization_id, customer, self.now)
        return [each.subscription_id for each in found]

    def _to_each(self, customer: str, do: Callable[[Business, str], object]) -> None:
        """Do something to each subscription that a customer has now."""
        for place in range(len(self._running(self.daily, customer))):
            self._both(partial(self._do_to, customer, place, do))

    def _do_to(self, customer: str, place: int, do: Callable[[Business, str], object], twin: Business) -> object:
        running = self._running(twin, customer)
        return do(twin, running[place]) if place < len(running) else None  # an add-on has ended with its subscription

    def _move_rarely(self) -> None:
        """Move the other organization's clock; it is billed one by one, and always looks back at what was billed."""
        with patch("lotus_server.usecases.billing._bill_together", lambda *_: None):
            self.rarely.move(self.now.isoformat())

    def _both(self, do: Callable[[Business], object]) -> None:
        """Do something in both organizations, which agree on whether it can be done."""
        self._move_rarely()
        codes = []
        for twin in (self.daily, self.rarely):
            try:
                do(twin)
            except LotusError as error:
                codes.append(error.code)
            else:
                codes.append("")
        assert codes[0] == codes[1]


def _cause(subscription: Subscription) -> str:
    return f"{subscription.subscription_id}:period:{subscription.open_period.start.isoformat()}"


def _times(found: list[InvoiceLine], billing_type: BillingType, start: datetime, end: datetime) -> set[int]:
    """How often each stretch of `[start, end)` is billed by recurring charges of a kind, less what came back."""
    lines = [line for line in found if _recurs(line, billing_type)]
    bounds = {start, end, *(each for line in lines for each in (line.period.start, line.period.end))}
    inside = sorted(each for each in bounds if start <= each <= end)
    return {
        sum(-1 if line.amount < 0 else 1 for line in lines if line.period.start <= one < line.period.end)
        for one, _ in pairwise(inside)
    }


def _recurs(line: InvoiceLine, billing_type: BillingType) -> bool:
    return line.kind is LineKind.RECURRING and line.billing_type is billing_type


def _told(business: Business) -> list[Any]:
    """What there is to see of the invoices and balances, without ids that are made up."""
    invoices = [
        (
            *(each.customer_id, each.issued_at, each.total, each.credit_applied, each.invoice_number, each.taxes),
            [(line.name, line.kind, line.period, line.quantity, line.amount, line.steps) for line in each.lines],
            [discount.amount for discount in each.discounts],
        )
        for each in business.invoices()
    ]
    return [invoices, business.balance("acme"), business.balance("boots")]


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    records = SqlRecords.open(f"sqlite:///{tmp_path / 'lotus.db'}")
    yield Services(records, EventsInMemory(), SetClock(at(START)), IdsInOrder(), LaterDocuments(), LaterPasswords())
    records.close()


def machine_of(services: Services) -> type[Billing]:
    class Bound(Billing):
        def __init__(self) -> None:
            super().__init__(services)

    return Bound


def test_whatever_happens_the_invoices_are_right(services: Services) -> None:
    chosen = settings(max_examples=12, stateful_step_count=12, deadline=None)
    run_state_machine_as_test(machine_of(services), settings=chosen)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_whatever_happens_for_longer_the_invoices_are_right(services: Services) -> None:
    chosen = settings(max_examples=300, stateful_step_count=30, deadline=None)
    run_state_machine_as_test(machine_of(services), settings=chosen)
