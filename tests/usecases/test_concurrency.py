"""Several callers at the same moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial

from lotus_server.domain.accounts import OrganizationType
from lotus_server.domain.invoicing import FlatFeeBehavior
from lotus_server.kernel.errors import LotusError
from lotus_server.usecases.billing import bill_due
from lotus_server.usecases.clock import move_clock
from lotus_server.usecases.customers import CustomerDraft, create_customer
from lotus_server.usecases.organizations import (
    OrganizationChange,
    OrganizationDraft,
    change_organization,
    create_organization,
)
from lotus_server.usecases.plans import PlanChange, archive_plan, change_plan, get_plan
from lotus_server.usecases.portal import PortalChange, change_portal, get_portal
from lotus_server.usecases.services import Services
from lotus_server.usecases.subscriptions import Cancellation
from tests.business import PENNY, Business, at, charge


def together(*calls: Callable[[], object]) -> list[object]:
    """What each call returned or raised, all of them begun at the same moment."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        gate.wait(30)
        try:
            return call()
        except LotusError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def errors(outcomes: list[object]) -> list[str]:
    return [outcome.code for outcome in outcomes if isinstance(outcome, LotusError)]


def test_two_cancellations_of_one_subscription_issue_one_invoice(business: Business) -> None:
    business.plan("pro", price=PENNY)
    business.subscribe()
    business.use(3, "2026-01-01")

    outcomes = together(*[lambda: business.cancel("sub_acme_pro")] * 4)

    assert errors(outcomes) == ["invalid_state"] * 3
    assert [invoice.subtotal for invoice in business.invoices()] == [Decimal("0.03")]


def test_two_subscriptions_of_one_plan_at_the_same_moment_become_one(business: Business) -> None:
    business.plan("pro", charge("10"))

    outcomes = together(
        *[lambda number=number: business.subscribe(subscription_id=f"sub_{number}") for number in range(4)]
    )

    assert errors(outcomes) == ["overlapping_subscription"] * 3
    assert len(business.invoices()) == 1


def test_one_customer_made_twice_at_the_same_moment_exists_once(business: Business) -> None:
    draft = CustomerDraft("twin")

    outcomes = together(*[lambda: create_customer(business.services, business.organization, draft)] * 4)

    assert errors(outcomes) == ["customer_exists"] * 3


def test_billing_in_several_threads_issues_each_invoice_once(business: Business) -> None:
    business.plan("pro", charge("10"))
    for number in range(5):
        business.customer(f"customer_{number}")
        business.subscribe(customer_id=f"customer_{number}")

    def bill() -> int:
        return bill_due(business.services, until=at("2026-03-01"), organization=business.organization)

    outcomes = together(bill, bill, bill)

    invoices = business.invoices()
    assert errors(outcomes) == []
    assert len(invoices) == 5 * 3
    assert sorted(int(invoice.invoice_number[-6:]) for invoice in invoices) == list(range(1, 16))


def test_several_tickers_in_real_time_issue_each_invoice_once(services: Services) -> None:
    draft = OrganizationDraft("In real time", OrganizationType.PRODUCTION)
    organization, _ = create_organization(services, draft)
    business = Business(services, organization.organization_id)
    business.plan("pro", charge("10"))
    for number in range(6):
        business.customer(f"customer_{number}")
        business.subscribe(customer_id=f"customer_{number}")

    def bill() -> int:
        return bill_due(services, until=at("2026-03-01"))

    outcomes = together(bill, bill, bill)
    bill()  # what one ticker held, another left to it

    assert errors(outcomes) == []
    numbers = sorted(int(invoice.invoice_number[-6:]) for invoice in business.invoices())
    assert numbers == list(range(1, 19))


def test_a_cancellation_during_billing_leaves_one_invoice_for_each_period(business: Business) -> None:
    business.plan("pro", charge("10"), price=PENNY)
    business.subscribe()

    def bill() -> int:
        return bill_due(business.services, until=at("2026-02-01"), organization=business.organization)

    together(bill, lambda: business.cancel("sub_acme_pro"), bill)

    causes = [invoice.cause for invoice in business.invoices()]
    assert len(causes) == len(set(causes))


def test_one_credit_cannot_pay_two_invoices(business: Business) -> None:
    business.plan("pro", charge("30"))
    business.subscribe()
    business.cancel("sub_acme_pro", Cancellation(flat_fees=FlatFeeBehavior.REFUND))
    for number in range(4):
        business.plan(f"plan_{number}", charge("20"))

    together(*[lambda number=number: business.subscribe(plan_id=f"plan_{number}") for number in range(4)])

    applied = [invoice.credit_applied for invoice in business.invoices()]
    assert sum(applied) == Decimal(30)
    assert business.balance() == 0


def test_links_that_were_ended_stay_ended_while_others_change_the_portals_colour(business: Business) -> None:
    services, organization = business.services, business.organization
    for number in range(20):
        before = get_portal(services, organization)
        ends, paints = PortalChange(ends_links=True), PortalChange(color=f"#0000{number:02}")

        together(*[partial(change_portal, services, organization, change) for change in (paints, ends, paints)])

        assert get_portal(services, organization).secret != before.secret


def test_a_clock_stays_where_it_was_moved_while_others_change_the_settings(business: Business) -> None:
    services, organization = business.services, business.organization
    for day in range(2, 12):
        rename = OrganizationChange(name=f"Lotus {day}")

        together(
            partial(move_clock, services, organization, at(f"2026-02-{day:02}")),
            *[partial(change_organization, services, organization, rename)] * 3,
        )

        with services.records.snapshot() as tx:
            found = tx.organizations.get(organization.organization_id)
        assert found is not None
        assert found.clock_now == at(f"2026-02-{day:02}")


def test_a_plan_stays_archived_while_others_change_its_name(business: Business) -> None:
    services, organization = business.services, business.organization
    for number in range(10):
        name = f"plan_{number}"
        business.plan(name, charge("10"))

        together(
            partial(archive_plan, services, organization, name),
            *[partial(change_plan, services, organization, name, PlanChange(plan_name=each)) for each in "abc"],
        )

        assert get_plan(services, organization, name).plan.archived
