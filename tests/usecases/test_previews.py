"""A preview is the change itself, taken back: what it shows is what doing it issues."""

from decimal import Decimal

import pytest

from lotus_server.domain.invoicing import FlatFeeBehavior
from lotus_server.kernel.errors import Conflict
from lotus_server.usecases.plan_switch import PlanSwitch, switch_plan
from lotus_server.usecases.rehearsal import effect_of, next_invoice, preview_of
from lotus_server.usecases.subscriptions import (
    Cancellation,
    SubscriptionDraft,
    cancel_subscription,
    create_billed,
    create_subscription,
)
from tests.business import PENNY, Business, Json, at, charge

SUB = "sub_acme_pro"
PRORATED = Cancellation(flat_fees=FlatFeeBehavior.CHARGE_PRORATED)


def _amounts(views: Json) -> list[list[tuple[str, Decimal]]]:
    return [[(line.name, line.amount) for line in view.invoice.lines] for view in views]


def _in_use(business: Business) -> None:
    business.plan("pro", charge("31"), price=PENNY)
    business.plan("big", charge("62"))
    business.subscribe()
    business.use(50, "2026-01-05")
    business.move("2026-01-11")


def test_a_preview_of_cancelling_is_the_invoice_of_cancelling(business: Business) -> None:
    _in_use(business)
    organization = business.organization

    previewed = preview_of(
        business.services, organization, lambda services: cancel_subscription(services, organization, SUB, PRORATED)
    )
    business.cancel(SUB, PRORATED)

    issued = business.invoices()[-1]
    assert _amounts(previewed) == [[(line.name, line.amount) for line in issued.lines]]
    assert previewed[0].invoice.total == issued.total


def test_a_preview_of_a_switch_has_both_invoices_of_it(business: Business) -> None:
    _in_use(business)
    organization = business.organization
    before = len(business.invoices())

    previewed = preview_of(
        business.services,
        organization,
        lambda services: switch_plan(services, organization, SUB, PlanSwitch(plan_id="big")),
    )
    switch_plan(business.services, organization, SUB, PlanSwitch(plan_id="big"))

    issued = business.invoices()[before:]
    assert [view.invoice.total for view in previewed] == [each.total for each in issued]
    assert len(issued) == 2


def test_a_preview_leaves_nothing_behind(business: Business) -> None:
    _in_use(business)
    organization = business.organization
    before = (business.invoices(), business.subscription(SUB).subscription, business.balance())

    preview_of(
        business.services, organization, lambda services: cancel_subscription(services, organization, SUB, PRORATED)
    )

    assert (business.invoices(), business.subscription(SUB).subscription, business.balance()) == before


def test_the_numbers_of_invoices_have_no_gap_after_a_preview(business: Business) -> None:
    _in_use(business)
    next_invoice(business.services, business.organization, SUB)

    business.move("2026-02-01")

    assert [invoice.invoice_number[-6:] for invoice in business.invoices()] == ["000001", "000002"]


def test_what_cannot_be_done_cannot_be_previewed(business: Business) -> None:
    _in_use(business)
    business.cancel(SUB)
    organization = business.organization

    with pytest.raises(Conflict):
        preview_of(
            business.services, organization, lambda services: cancel_subscription(services, organization, SUB, PRORATED)
        )


def test_the_next_invoice_is_what_the_end_of_the_period_issues(business: Business) -> None:
    _in_use(business)

    upcoming = next_invoice(business.services, business.organization, SUB)
    business.move("2026-02-01")

    issued = business.invoices()[-1]
    assert _amounts(upcoming) == [[("calls of pro", Decimal("0.50")), ("Pro in_advance", Decimal(31))]]
    assert (upcoming[0].invoice.total, upcoming[0].invoice.issued_at) == (issued.total, issued.issued_at)


def test_the_next_invoice_of_what_has_not_started_is_its_first_one(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe("2026-01-20")

    upcoming = next_invoice(business.services, business.organization, SUB)

    assert _amounts(upcoming) == [[("Pro in_advance", Decimal(31))]]


def test_what_has_ended_has_no_next_invoice(business: Business) -> None:
    _in_use(business)
    business.cancel(SUB)

    assert next_invoice(business.services, business.organization, SUB) == []


def test_the_effect_of_a_switch_has_the_invoice_that_follows_it(business: Business) -> None:
    _in_use(business)
    organization = business.organization
    before = len(business.invoices())
    switch = PlanSwitch(plan_id="big")

    effect = effect_of(
        business.services, organization, "acme", lambda services: switch_plan(services, organization, SUB, switch)
    )
    switch_plan(business.services, organization, SUB, switch)
    business.move("2026-02-01")

    issued = business.invoices()[before:]
    assert effect.following is not None
    shown = [view.invoice.total for view in (*effect.issued, effect.following)]
    assert [each.total for each in issued] == shown


def test_the_effect_of_a_change_that_waits_are_the_lines_that_wait(business: Business) -> None:
    _in_use(business)
    organization = business.organization
    how = Cancellation(flat_fees=FlatFeeBehavior.CHARGE_PRORATED, defers=True)

    effect = effect_of(
        business.services, organization, "acme", lambda services: cancel_subscription(services, organization, SUB, how)
    )

    amounts = [line.amount for each in effect.waiting for line in each.lines]
    assert ((), [Decimal("0.50"), Decimal(-21)], None) == (effect.issued, amounts, effect.following)


@pytest.mark.parametrize("start", ["2025-11-15", "2026-01-01", "2026-02-01"])
def test_the_effect_of_subscribing_has_every_invoice_of_it(business: Business, start: str) -> None:
    business.plan("pro", charge("31"), price=PENNY)
    organization = business.organization
    draft = SubscriptionDraft("acme", at(start), "pro")

    effect = effect_of(
        business.services, organization, "acme", lambda services: create_billed(services, organization, draft)
    )
    none_yet = business.invoices()
    create_subscription(business.services, organization, draft)

    assert [] == none_yet
    assert [each.subtotal for each in business.invoices()] == [view.invoice.subtotal for view in effect.issued]
