"""Switching to another plan: what each of the two subscriptions bills, and what the new one keeps."""

from decimal import Decimal
from typing import Any

import pytest

from lotus_server.domain.catalog import PerUnit, Proration, Timing
from lotus_server.domain.metering import PropertyMatch
from lotus_server.domain.subscriptions import Status, Subscription
from lotus_server.kernel.errors import Conflict, Invalid, LotusError, NotFound
from lotus_server.kernel.period import Duration
from lotus_server.usecases.access import active_components, load_entitlements, read_usages
from lotus_server.usecases.plan_switch import PlanSwitch, switch_plan
from lotus_server.usecases.plan_versions import create_version
from lotus_server.usecases.plans import ChargeDraft, ComponentDraft, PlanDraft, VersionDraft, create_plan
from lotus_server.usecases.subscriptions import Cancellation
from tests.business import PENNY, Business, at, charge

OLD = "sub_acme_pro"
DIME = PerUnit(Decimal("0.10"))


def add_plan(
    business: Business,
    plan_id: str,
    *charges: ChargeDraft,
    price: PerUnit | None = None,
    duration: Duration = Duration.MONTHLY,
    currency: str | None = None,
) -> None:
    """Make a plan whose component, if it has a price, is on the metric that `pro` sells too."""
    components = () if price is None else (ComponentDraft("calls_pro", price),)
    version = VersionDraft(currency=currency, recurring_charges=charges, components=components)
    draft = PlanDraft(plan_id.title(), duration, version, plan_id)
    create_plan(business.services, business.organization, draft)


def switch(business: Business, subscription_id: str = OLD, plan_id: str = "max", **how: Any) -> Subscription:  # noqa: ANN401
    found = switch_plan(business.services, business.organization, subscription_id, PlanSwitch(plan_id=plan_id, **how))
    return found.subscription


def lines(business: Business) -> list[list[tuple[str, Decimal]]]:
    """The lines of each invoice but the first, which is that of the old subscription's start."""
    return [[(line.name, line.amount) for line in invoice.lines] for invoice in business.invoices()[1:]]


@pytest.fixture
def running(business: Business) -> Business:
    """Acme's January has 31.00 in advance, 62.00 in arrears and 200 calls at 0.01; half of 16 January is over."""
    business.plan("pro", charge("31"), charge("62", Timing.IN_ARREARS), price=PENNY)
    add_plan(business, "max", charge("310"), price=DIME)
    business.subscribe("2026-01-01", matches=(), metadata={"order": "7"})
    business.use(200, "2026-01-05")
    business.move("2026-01-16T12:00")
    return business


def test_the_old_one_is_settled_to_the_instant_and_the_new_one_begins_there(running: Business) -> None:
    new = switch(running)

    # Half of January: usage 200 x 0.01, half of 62.00 in arrears, half of 31.00 back; then half of 310.00.
    old_lines = [("calls of pro", "2.00"), ("Pro in_advance (unused)", "-15.50"), ("Pro in_arrears", "31.00")]
    assert lines(running) == [
        [(name, Decimal(amount)) for name, amount in old_lines],
        [("Max in_advance", Decimal("155.00"))],
    ]
    old = running.subscription(OLD)
    assert (old.status, old.subscription.ends_at) == (Status.ENDED, at("2026-01-16T12:00"))
    assert new.starts_at == at("2026-01-16T12:00")


def test_what_was_paid_for_unused_time_pays_the_new_plan(business: Business) -> None:
    business.plan("pro", charge("31"))
    add_plan(business, "max", charge("310"))
    business.subscribe("2026-01-01")
    business.move("2026-01-16T12:00")

    switch(business)

    _, settled, started = business.invoices()
    assert (settled.subtotal, settled.total) == (Decimal("-15.50"), Decimal(0))
    assert (started.subtotal, started.credit_applied, started.total) == (
        Decimal("155.00"),
        Decimal("15.50"),
        Decimal("139.50"),
    )
    assert business.balance() == 0


def test_periods_keep_their_boundaries(running: Business) -> None:
    new = switch(running)
    running.move("2026-03-01")

    assert (new.open_period.start, new.open_period.end) == (at("2026-01-16T12:00"), at("2026-02-01"))
    assert [("2026-02-01", Decimal("310.00")), ("2026-03-01", Decimal("310.00"))] == running.amounts()[-2:]


def test_the_new_one_keeps_filters_metadata_and_renewal(business: Business) -> None:
    matches = (PropertyMatch("region", "eu"),)
    business.plan("pro")
    add_plan(business, "max")
    old = business.subscribe("2026-01-01", matches=matches, metadata={"order": "7"})
    business.move("2026-01-10")

    new = switch(business)

    kept = (new.matches, new.metadata, new.auto_renew, new.ends_at, new.anchor, new.customer_id)
    assert kept == (matches, {"order": "7"}, True, None, old.anchor, "acme")
    assert not new.is_new


def test_a_subscription_that_was_to_end_still_ends_then(running: Business) -> None:
    running.cancel(OLD, Cancellation(ends_now=False, bills=False))

    new = switch(running)
    running.move("2026-03-01")

    assert (new.ends_at, new.auto_renew) == (at("2026-02-01"), False)
    assert running.subscription(new.subscription_id).status is Status.ENDED
    assert len(running.invoices()) == 4


def test_usage_is_billed_with_the_subscription_in_whose_time_it_happened(running: Business) -> None:
    running.use(5, "2026-01-16T12:00")  # the very instant of the switch
    new = switch(running)
    running.use(7, "2026-01-20")
    running.move("2026-02-01")

    settled, _, renewed = running.invoices()[1:]
    assert settled.lines[0].quantity == 200
    assert (renewed.subscription_id, renewed.lines[0].quantity) == (new.subscription_id, Decimal(12))


def test_carried_usage_is_billed_with_the_new_subscription_alone(running: Business) -> None:
    running.use(5, "2026-01-16T12:00")
    new = switch(running, carries_usage=True)
    running.use(7, "2026-01-20")
    entitlements = load_entitlements(running.services, running.organization, "acme")
    now = at("2026-01-20")
    (asked,) = read_usages(
        running.services, running.organization, active_components(entitlements, now, event_name="call"), now
    )
    running.move("2026-02-01")

    settled, _, renewed = running.invoices()[1:]
    assert [line.name for line in settled.lines] == ["Pro in_advance (unused)", "Pro in_arrears"]
    assert (renewed.lines[0].quantity, renewed.lines[0].amount) == (Decimal(212), Decimal("21.20"))
    assert renewed.lines[0].period.start == at("2026-01-01")
    assert asked.quantity == 212
    assert new.usage_from == {"calls_pro": at("2026-01-01")}


def test_carried_usage_counts_for_the_first_period_only(running: Business) -> None:
    switch(running, carries_usage=True)
    running.move("2026-02-01")
    running.use(3, "2026-02-05")
    running.move("2026-03-01")

    assert running.invoices()[-1].lines[0].quantity == 3


def test_usage_is_carried_on_over_a_second_switch(running: Business) -> None:
    add_plan(running, "team", price=PENNY)
    first = switch(running, carries_usage=True)
    running.use(10, "2026-01-18")
    running.move("2026-01-20")
    switch(running, first.subscription_id, "team", carries_usage=True)
    running.use(1, "2026-01-21")
    running.move("2026-02-01")

    assert running.invoices()[-1].lines[0].quantity == 211


def test_usage_that_the_new_plan_does_not_sell_is_billed_with_the_old_one(running: Business) -> None:
    add_plan(running, "flat", charge("10"))

    switch(running, plan_id="flat", carries_usage=True)

    assert running.invoices()[1].lines[0].quantity == 200


def test_cancelling_the_new_one_bills_carried_usage(running: Business) -> None:
    new = switch(running, carries_usage=True)
    running.move("2026-01-17")

    _, invoice = running.cancel(new.subscription_id)

    assert invoice is not None
    assert invoice.lines[0].quantity == 200


def test_periods_that_are_over_are_billed_before_the_switch(business: Business) -> None:
    business.plan("pro", charge("31", Timing.IN_ARREARS))
    add_plan(business, "max")
    business.subscribe("2026-01-01")
    business.move("2026-03-16T12:00")

    switch(business)

    assert business.amounts() == [
        ("2026-02-01", Decimal("31.00")),
        ("2026-03-01", Decimal("31.00")),
        ("2026-03-16", Decimal("15.50")),
    ]


def test_a_charge_that_is_never_prorated_stays_whole(business: Business) -> None:
    business.plan("pro", charge("31", proration=Proration.FULL))
    add_plan(business, "max", charge("310", proration=Proration.FULL))
    business.subscribe("2026-01-01")
    business.move("2026-01-16")

    switch(business)

    assert business.amounts() == [("2026-01-01", Decimal("31.00")), ("2026-01-16", Decimal("310.00"))]


def test_a_longer_plan_has_its_own_periods_from_the_same_anchor(business: Business) -> None:
    business.plan("pro")
    add_plan(business, "year", charge("365"), duration=Duration.YEARLY)
    business.subscribe("2026-01-01")
    business.move("2026-07-02T12:00")

    new = switch(business, plan_id="year")

    assert new.open_period.end == at("2027-01-01")
    # Half a year is left.
    assert business.amounts()[-1] == ("2026-07-02", Decimal("182.50"))


def test_one_that_has_not_started_is_replaced_where_it_would_start(business: Business) -> None:
    business.plan("pro", charge("31"))
    add_plan(business, "max", charge("310"))
    business.subscribe("2026-02-01")

    new = switch(business)
    business.move("2026-02-01")

    assert new.starts_at == at("2026-02-01")
    assert business.amounts() == [("2026-02-01", Decimal("310.00"))]


def test_without_a_last_invoice_the_old_one_just_ends(running: Business) -> None:
    switch(running, bills=False)

    assert lines(running) == [[("Max in_advance", Decimal("155.00"))]]


def test_a_newer_version_of_the_same_plan_is_another_one(running: Business) -> None:
    services, organization = running.services, running.organization
    terms = VersionDraft(recurring_charges=(charge("62"),))
    version = create_version(services, organization, "pro", terms)

    new = switch_plan(services, organization, OLD, PlanSwitch(version_id=version.version_id))

    assert new.version.version == 2


def _refused(business: Business, switched: PlanSwitch, subscription_id: str = OLD) -> str:
    count = len(business.invoices())
    with pytest.raises(LotusError) as caught:
        switch_plan(business.services, business.organization, subscription_id, switched)
    assert len(business.invoices()) == count
    assert business.subscription(OLD).status is Status.ACTIVE
    return f"{type(caught.value).__name__} {caught.value.code}"


def test_what_makes_no_sense_is_refused_and_changes_nothing(running: Business) -> None:
    add_plan(running, "euro", currency="EUR")
    version_id = running.subscription(OLD).version.version_id
    running.subscribe("2026-01-01", plan_id="max")

    assert [
        _refused(running, PlanSwitch()),
        _refused(running, PlanSwitch(plan_id="max", version_id=version_id)),
        _refused(running, PlanSwitch(plan_id="pro")),
        _refused(running, PlanSwitch(version_id=version_id)),
        _refused(running, PlanSwitch(plan_id="euro")),
        _refused(running, PlanSwitch(plan_id="none")),
        _refused(running, PlanSwitch(version_id="none")),
        _refused(running, PlanSwitch(plan_id="max"), "none"),
        _refused(running, PlanSwitch(plan_id="max")),
    ] == [
        f"{Invalid.__name__} required",
        f"{Invalid.__name__} required",
        f"{Invalid.__name__} same_plan",
        f"{Invalid.__name__} same_plan",
        f"{Invalid.__name__} other_currency",
        f"{NotFound.__name__} plan_not_found",
        f"{NotFound.__name__} plan_version_not_found",
        f"{NotFound.__name__} subscription_not_found",
        f"{Invalid.__name__} overlapping_subscription",
    ]


def test_one_that_has_ended_cannot_be_switched(running: Business) -> None:
    running.cancel(OLD)

    with pytest.raises(Conflict) as caught:
        switch(running)

    assert caught.value.code == "invalid_state"
