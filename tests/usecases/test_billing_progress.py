"""How far a large billing run is, for whoever looks while it is under way."""

import msgspec
import pytest

from lotus_server.usecases.billing import bill_due
from lotus_server.usecases.billing_progress import LARGE_RUN, BillingProgress, billing_progress, shown_progress
from tests.business import Business, at, charge

DUE = 40


@pytest.fixture
def large(business: Business) -> Business:
    """A business with as many subscriptions as make a large run, all due on the first of February."""
    business.plan("pro", charge("10"))
    first = business.subscribe()
    with business.services.records.transaction() as tx:
        subscription = tx.subscriptions.get(business.organization.organization_id, first.subscription_id)
        customer = tx.customers.get(business.organization.organization_id, "acme")
        assert subscription is not None
        assert customer is not None
        for number in range(1, LARGE_RUN):
            name = f"customer_{number}"
            tx.customers.add(msgspec.structs.replace(customer, customer_id=name))
            tx.subscriptions.add(
                msgspec.structs.replace(subscription, subscription_id=f"sub_{number}", customer_id=name)
            )
    return business


def look(business: Business) -> BillingProgress | None:
    """What a page shows on the first of February."""
    with business.services.records.snapshot() as tx:
        organization = tx.organizations.get(business.organization.organization_id)
    assert organization is not None
    return billing_progress(business.services, msgspec.structs.replace(organization, clock_now=at("2026-02-01")))


def bill_some(business: Business, count: int) -> None:
    """Let so many subscriptions be due no more."""
    organization_id = business.organization.organization_id
    with business.services.records.transaction() as tx:
        for each in tx.subscriptions.due(at("2026-02-01"), count, organization_id):
            tx.subscriptions.replace(msgspec.structs.replace(each, due_at=None))


def test_a_large_run_shows_how_much_is_done_and_how_much_remains(large: Business) -> None:
    with shown_progress(large.services, at("2026-02-01"), large.organization.organization_id):
        bill_some(large, DUE)
        seen = look(large)

        assert seen is not None
        assert (LARGE_RUN, DUE, LARGE_RUN - DUE) == (seen.total, seen.done, seen.remaining)
        bill_some(large, LARGE_RUN)


def test_a_run_that_ended_early_goes_on_with_its_total_and_its_beginning(large: Business) -> None:
    organization_id = large.organization.organization_id
    with shown_progress(large.services, at("2026-02-01"), organization_id):
        bill_some(large, DUE)  # and no more: the others are being billed elsewhere, or it was killed here
    left = look(large)
    assert left is not None

    bill_some(large, DUE)
    with shown_progress(large.services, at("2026-02-01"), organization_id):
        seen = look(large)

    assert seen is not None
    assert (left.began_at, LARGE_RUN, 2 * DUE) == (seen.began_at, seen.total, seen.done)


def test_nothing_is_under_way_after_a_run(large: Business) -> None:
    bill_due(large.services, until=at("2026-02-01"), organization=large.organization)

    assert look(large) is None


def test_a_small_run_is_not_shown(business: Business) -> None:
    business.plan("pro", charge("10"))
    business.subscribe()

    with shown_progress(business.services, at("2026-02-01"), business.organization.organization_id):
        assert look(business) is None
