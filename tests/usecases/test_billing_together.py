"""What is due together is billed together: as one by one, and each on its own when one of them fails."""

from decimal import Decimal
from unittest.mock import patch

import pytest
from structlog.testing import capture_logs

from lotus_server.domain.catalog import Timing
from lotus_server.domain.invoicing import LineKind
from lotus_server.usecases.corrections import closed_periods
from lotus_server.usecases.credits import CreditDraft, create_credit
from lotus_server.usecases.subscriptions import Cancellation
from tests.business import PENNY, Business, charge, found_business

CUSTOMERS = ("acme", "boots", "corner", "dairy")


def trade(business: Business) -> None:
    """Four customers: one with credit, one with an add-on's worth of usage, one that ends, one that does nothing."""
    business.plan("pro", charge("10"), charge("3", Timing.IN_ARREARS), price=PENNY)
    for customer_id in CUSTOMERS[1:]:
        business.customer(customer_id)
    for customer_id in CUSTOMERS:
        business.subscribe(customer_id=customer_id)
    create_credit(business.services, business.organization, CreditDraft("boots", Decimal(17)))
    business.use(5, "2026-01-10", "corner")
    business.use(7, "2026-02-11", "corner")
    business.cancel("sub_dairy_pro", Cancellation())


def told(business: Business) -> list[object]:
    """What there is to see of all invoices, without ids."""
    return [
        (
            *(each.customer_id, each.cause, each.issued_at, each.total, each.credit_applied, each.invoice_number),
            [(line.name, line.kind, line.period, line.quantity, line.amount, line.steps) for line in each.lines],
        )
        for each in business.invoices()
    ]


def test_nothing_has_to_be_billed_one_by_one(business: Business) -> None:
    trade(business)

    with capture_logs() as logs:
        business.move("2026-04-01")

    assert logs == []
    assert len(business.invoices("acme")) == 4


def test_it_comes_to_the_same_as_one_by_one(business: Business, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = found_business(business.services)
    trade(business)
    trade(twin)

    business.move("2026-06-01")
    with monkeypatch.context() as patch:
        patch.setattr("lotus_server.usecases.billing._bill_together", lambda *_: None)
        twin.move("2026-06-01")

    assert told(business) == told(twin)
    assert [business.balance(each) for each in CUSTOMERS] == [twin.balance(each) for each in CUSTOMERS]


def test_billed_periods_are_not_looked_at_again_without_a_reason(business: Business) -> None:
    trade(business)
    business.move("2026-03-15")
    business.use(1, "2026-03-16", "corner")

    with patch("lotus_server.usecases.looking_back.closed_periods", side_effect=AssertionError):
        business.move("2026-04-15")

    assert len(business.invoices("corner")) == 4


def test_the_past_of_those_alone_is_looked_at_who_had_late_events(business: Business) -> None:
    trade(business)
    business.move("2026-03-15")
    business.use(100, "2026-01-20", "corner")

    with patch("lotus_server.usecases.looking_back.closed_periods", wraps=closed_periods) as looking:
        business.move("2026-04-01")
        business.move("2026-05-01")
        business.move("2026-06-01")

    looked = [call.args[1].subscription.customer_id for call in looking.call_args_list]
    assert ["corner", "corner"] == looked, "once to correct it, and once more to find it right"


def test_periods_of_a_subscription_that_ended_meanwhile_are_looked_at(business: Business) -> None:
    """The event is not new when the other subscription carries its period: it came before that one looked back last."""
    business.plan("pro", price=PENNY)
    business.plan("extra", charge("1"))
    business.subscribe()
    business.subscribe("2026-01-15", plan_id="extra")
    business.move("2026-02-10")
    business.use(500, "2026-01-20")
    business.move("2026-02-20")
    business.cancel("sub_acme_pro", Cancellation(bills=False))

    business.move("2026-03-15")

    corrections = [line for line in business.invoices()[-1].lines if line.kind is LineKind.CORRECTION]
    assert [(Decimal(500), Decimal(5))] == [(line.quantity, line.amount) for line in corrections]


def test_late_events_of_many_customers_are_corrected_together(business: Business) -> None:
    trade(business)
    business.move("2026-03-15")
    for customer_id in CUSTOMERS:
        business.use(100, "2026-01-20", customer_id)

    with capture_logs() as logs:
        business.move("2026-04-01")

    assert logs == []
    assert [Decimal(14), Decimal(14), Decimal(14)] == [business.invoices(each)[-1].subtotal for each in CUSTOMERS[:3]]
