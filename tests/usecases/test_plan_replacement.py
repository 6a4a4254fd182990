"""A version that replaces earlier ones immediately: every active subscription is switched, as its preview said."""

from decimal import Decimal

import pytest

from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import PerUnit, PlanVersion
from lotus_server.domain.metering import PropertyMatch
from lotus_server.domain.subscriptions import Status
from lotus_server.kernel.errors import Invalid, Unavailable
from lotus_server.ports.records import Page
from lotus_server.usecases import plan_replacement
from lotus_server.usecases.organizations import OrganizationDraft, create_organization
from lotus_server.usecases.plan_replacement import (
    Replacement,
    ReplacementPreview,
    create_replacing_version,
    preview_replacement,
    replace_now,
    replace_some,
)
from lotus_server.usecases.plan_switch import PlanSwitch, switch_plan
from lotus_server.usecases.plan_versions import Replace, create_version
from lotus_server.usecases.plans import VersionDraft
from lotus_server.usecases.services import Services
from lotus_server.usecases.subscription_views import SubscriptionView
from tests.business import EVERYTHING, Business, SetClock, at, charge

D = Decimal
TWICE = VersionDraft(recurring_charges=(charge("62"),))


def _create(business: Business, replace: Replace) -> tuple[PlanVersion, Replacement | None]:
    return create_replacing_version(business.services, business.organization, "pro", TWICE, replace)


def _now(business: Business, version: PlanVersion) -> Replacement:
    return replace_now(business.services, business.organization, "pro", version.version_id)


def _preview(business: Business, version: PlanVersion, page: Page = EVERYTHING) -> list[ReplacementPreview]:
    return preview_replacement(business.services, business.organization, "pro", version.version_id, page)


@pytest.fixture
def running(business: Business) -> Business:
    """Two subscriptions for 31 a month in advance and a cent a call, on 16 January at noon: half of it is over."""
    business.plan("pro", charge("31"), price=PerUnit(D(1)))
    business.customer("other")
    business.subscribe()
    business.subscribe(customer_id="other")
    business.move("2026-01-16T12:00")
    return business


def test_every_active_subscription_is_switched_now(running: Business) -> None:
    version, outcome = _create(running, Replace.IMMEDIATELY)

    assert outcome is not None
    assert (["sub_acme_pro", "sub_other_pro"], ()) == (
        [each.subscription_id for each in outcome.replaced],
        outcome.failed,
    )
    for each in outcome.replaced:
        assert Status.ENDED is running.subscription(each.subscription_id).status
        assert version.version_id == running.subscription(each.new_subscription_id).version.version_id
    assert [D(31), D("-15.5"), D(31)] == [invoice.subtotal for invoice in running.invoices("acme")]


def test_a_part_of_the_subscriptions_is_switched_and_the_rest_later(running: Business) -> None:
    version, _ = _create(running, Replace.ON_RENEWAL)

    def some(after: str | None) -> tuple[list[str], str | None]:
        outcome, there = replace_some(running.services, running.organization, "pro", version.version_id, Page(1, after))
        return [each.subscription_id for each in outcome.replaced], there

    assert (["sub_acme_pro"], "sub_acme_pro") == some(None)
    assert (["sub_other_pro"], "sub_other_pro") == some("sub_acme_pro")
    assert ([], None) == some("sub_other_pro")
    assert ([], None) == some(None)


def test_the_preview_says_what_is_invoiced_and_writes_nothing(running: Business) -> None:
    running.use(3, "2026-01-10")
    version, _ = _create(running, Replace.ON_RENEWAL)
    before = running.invoices()

    acme, other = _preview(running, version)

    assert before == running.invoices()
    assert ("sub_acme_pro", "acme", 1, "USD") == (acme.subscription_id, acme.customer_id, acme.version, acme.currency)
    assert (D("15.5"), D(3), D(31), D("18.5")) == (acme.credit, acme.due, acme.charge, acme.net)
    assert (D("15.5"), D(0), D(31), D("15.5")) == (other.credit, other.due, other.charge, other.net)
    _now(running, version)
    assert acme.net == sum(invoice.subtotal for invoice in running.invoices("acme")[1:])


def test_a_preview_comes_in_pages(running: Business, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_replacement, "SUBSCRIPTIONS_AT_ONCE", 1)
    version, _ = _create(running, Replace.ON_RENEWAL)

    assert ["sub_acme_pro"] == [row.subscription_id for row in _preview(running, version, Page(1))]
    assert ["sub_other_pro"] == [row.subscription_id for row in _preview(running, version, Page(1, "sub_acme_pro"))]
    assert [] == _preview(running, version, Page(1, "sub_other_pro"))


def test_replacing_again_changes_nothing(running: Business) -> None:
    version, _ = _create(running, Replace.IMMEDIATELY)
    invoices = running.invoices()

    assert Replacement() == _now(running, version)
    assert invoices == running.invoices()
    assert [] == _preview(running, version)


def test_a_subscription_that_has_not_started_moves_when_it_renews(running: Business) -> None:
    later = running.subscribe("2026-02-01", subscription_id="later", matches=(PropertyMatch("team", "a"),))
    version, outcome = _create(running, Replace.IMMEDIATELY)

    assert outcome is not None
    assert 2 == len(outcome.replaced)
    assert later.version_id == running.subscription("later").version.version_id
    running.move("2026-03-01")
    assert version.version_id == running.subscription("later").version.version_id


def test_other_currencies_and_custom_versions_are_left_alone(running: Business) -> None:
    running.customer("vip")
    for draft in (VersionDraft(target_customer_ids=("vip",)), VersionDraft(currency="EUR")):
        create_version(running.services, running.organization, "pro", draft)
    running.subscribe("2026-01-16", customer_id="vip")
    version, _ = _create(running, Replace.ON_RENEWAL)

    assert ["acme", "other"] == [row.customer_id for row in _preview(running, version)]


def test_only_a_version_for_everybody_that_is_on_sale_replaces_others(running: Business) -> None:
    custom = create_version(running.services, running.organization, "pro", VersionDraft(target_customer_ids=("acme",)))
    scheduled = create_version(
        running.services, running.organization, "pro", VersionDraft(active_from=at("2026-06-01"))
    )

    for version, code in ((custom, "not_for_custom"), (scheduled, "version_not_on_sale")):
        with pytest.raises(Invalid) as raised:
            _now(running, version)
        assert code == raised.value.code


def test_one_that_fails_is_reported_and_stops_nobody(running: Business, monkeypatch: pytest.MonkeyPatch) -> None:
    def switch(
        services: Services, organization: Organization, subscription_id: str, how: PlanSwitch
    ) -> SubscriptionView:
        if subscription_id == "sub_acme_pro":
            raise Unavailable("The records are locked.")
        return switch_plan(services, organization, subscription_id, how)

    monkeypatch.setattr(plan_replacement, "switch_plan", switch)
    version, outcome = _create(running, Replace.IMMEDIATELY)

    assert outcome is not None
    assert [("sub_acme_pro", "unavailable")] == [(each.subscription_id, each.code) for each in outcome.failed]
    assert ["sub_other_pro"] == [each.subscription_id for each in outcome.replaced]
    running.move("2026-02-01")
    assert version.version_id == running.subscription("sub_acme_pro").version.version_id


def test_a_renewal_that_is_due_moves_a_subscription_first(business: Business) -> None:
    services = business.services
    production, _ = create_organization(services, OrganizationDraft("Real time"))
    shop = Business(services, production.organization_id)
    shop.customer("acme")
    shop.plan("pro", charge("31"))
    shop.subscribe()
    clock = services.clock
    assert isinstance(clock, SetClock)
    clock.instant = at("2026-01-20")
    version, _ = _create(shop, Replace.ON_RENEWAL)
    clock.instant = at("2026-02-10")

    assert [] == _preview(shop, version)
    assert Replacement() == _now(shop, version)
