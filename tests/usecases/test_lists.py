"""Customers and subscriptions as people look through them."""

from decimal import Decimal

from lotus_server.domain.subscriptions import Status, TurnKind
from lotus_server.ports.listing import (
    CustomerOrder,
    CustomerQuestion,
    CustomerSort,
    Slice,
    SubscriptionOrder,
    SubscriptionQuestion,
)
from lotus_server.usecases.customer_lists import CustomerList, view_customers
from lotus_server.usecases.subscription_lists import view_subscriptions
from lotus_server.usecases.subscriptions import Cancellation
from tests.business import Business, at, charge


def _customers(business: Business, order: CustomerOrder | None = None, limit: int = 10) -> CustomerList:
    return view_customers(
        business.services, business.organization, CustomerQuestion(), order or CustomerOrder(), Slice(limit)
    )


def test_a_customer_s_row_has_what_it_is_subscribed_to_and_what_it_owes(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()

    (row,) = _customers(business).part.rows

    assert [("Pro", 1)] == [(plan.plan_name, plan.version) for plan in row.plans]
    assert {"USD": Decimal(31)} == row.outstanding
    assert row.next_turn is not None
    assert (at("2026-02-01"), TurnKind.RENEWS) == (row.next_turn.at, row.next_turn.kind)


def test_a_customer_without_anything_has_a_row_with_nothing(business: Business) -> None:
    (row,) = _customers(business).part.rows

    assert ((), {}, None) == (row.plans, row.outstanding, row.next_turn)


def test_what_comes_first_of_several_subscriptions_is_shown(business: Business) -> None:
    business.plan("pro")
    business.plan("basic")
    business.subscribe()
    business.subscribe("2026-01-20", plan_id="basic")

    (row,) = _customers(business).part.rows

    assert ["Pro"] == [plan.plan_name for plan in row.plans]
    assert row.next_turn is not None
    assert (at("2026-01-20"), TurnKind.STARTS) == (row.next_turn.at, row.next_turn.kind)


def test_outstanding_amounts_are_compared_in_the_organization_s_currency_unless_another_is_named(
    business: Business,
) -> None:
    business.plan("pro", charge("31"))
    business.plan("euro", charge("40"), currency="EUR")
    for customer_id, plan_id in (("b", "pro"), ("c", "euro")):
        business.customer(customer_id)
        business.subscribe(customer_id=customer_id, plan_id=plan_id)
    order = CustomerOrder(CustomerSort.OUTSTANDING, is_descending=True)

    in_dollars = _customers(business, order).part.rows
    in_euros = _customers(business, CustomerOrder(CustomerSort.OUTSTANDING, currency="EUR")).part.rows

    assert ["b", "acme", "c"] == [row.customer.customer_id for row in in_dollars]
    assert ["c", "acme", "b"] == [row.customer.customer_id for row in in_euros]


def test_a_list_tells_how_many_there_are_besides_those_shown(business: Business) -> None:
    business.customer("b")

    shown = _customers(business, limit=1)

    assert (1, 2, True) == (len(shown.part.rows), shown.count.number, shown.count.is_exact)


def test_a_subscription_s_row_tells_what_happens_to_it_next(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.customer("b")
    business.customer("c")
    business.subscribe()
    business.subscribe(customer_id="b", trial_end=at("2026-01-15"))
    business.subscribe(customer_id="c")
    business.cancel("sub_c_pro", Cancellation(ends_now=False))

    found = view_subscriptions(
        business.services, business.organization, SubscriptionQuestion(), SubscriptionOrder(), Slice(10)
    )

    assert [
        ("acme", Status.ACTIVE, TurnKind.RENEWS, at("2026-02-01")),
        ("b", Status.ACTIVE, TurnKind.TRIAL_ENDS, at("2026-01-15")),
        ("c", Status.ACTIVE, TurnKind.ENDS, at("2026-02-01")),
    ] == [
        (row.customer.customer_id, row.status, row.next_turn.kind, row.next_turn.at)
        for row in found.part.rows
        if row.next_turn is not None
    ]


def test_nothing_happens_to_a_subscription_that_has_ended(business: Business) -> None:
    business.plan("pro")
    business.subscribe()
    business.cancel("sub_acme_pro")

    found = view_subscriptions(
        business.services,
        business.organization,
        SubscriptionQuestion(statuses=frozenset({Status.ENDED})),
        SubscriptionOrder(),
        Slice(10),
    )

    assert [(Status.ENDED, None, "Pro")] == [
        (row.status, row.next_turn, row.sold_as.plan_name) for row in found.part.rows
    ]
