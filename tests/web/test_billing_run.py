"""A large billing run, looked at while it is under way."""

from datetime import UTC, datetime

import msgspec
import pytest
from playwright.sync_api import expect

from lotus_server.ports.invoicing_records import BillingRun
from lotus_server.usecases.services import Services
from tests.tenants import Tenant
from tests.web.harness import LOOKS, Open, check_page


@pytest.fixture
def under_way(tenant: Tenant, services: Services) -> Tenant:
    """A tenant of whose 40 subscriptions that were due one is left."""
    tenant.customer()
    tenant.plan()
    tenant.subscribe()
    with services.records.transaction() as tx:
        organization = tx.organizations.get(tenant.organization_id)
        assert organization is not None
        (subscription,) = tx.subscriptions.of_customer(tenant.organization_id, "acme")
        tx.subscriptions.replace(msgspec.structs.replace(subscription, due_at=organization.clock_now))
        tx.billing_runs.begin(BillingRun(tenant.organization_id, datetime.now(UTC), 40))
    return tenant


def finish(tenant: Tenant) -> None:
    """What is due is billed."""
    tenant.move_clock("2026-01-01T00:00:01Z")


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("page", ["", "invoices/", "billing-run"])
def test_pages_with_a_run_under_way_open_as_they_should(visit: Open, under_way: Tenant, page: str, look: str) -> None:
    check_page(visit(look=look), page, f"billing-run-{page.strip('/') or 'home'}", look)


def test_the_bar_says_how_much_is_done_after_a_reload_too(visit: Open, under_way: Tenant) -> None:
    window = visit()

    for _ in range(2):
        page = window.open("invoices/")
        expect(page.get_by_text("39 of 40 subscriptions")).to_be_visible()


def test_the_bar_gives_way_to_the_word_that_billing_is_done(visit: Open, under_way: Tenant) -> None:
    page = visit().open("invoices/")

    finish(under_way)

    expect(page.get_by_text("Billing is done.")).to_be_visible()


def test_the_api_says_how_far_a_run_is(under_way: Tenant) -> None:
    running = under_way.get("/api/billing_run/")
    finish(under_way)

    assert (True, 40, 39, 1) == tuple(running[name] for name in ("running", "due", "done", "remaining"))
    assert under_way.get("/api/billing_run/") == {"running": False}
