"""Lists of customers and subscriptions: searched, filtered, sorted and read part by part, on every database."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.domain.accounts import Customer
from lotus_server.domain.invoicing import Invoice, PaymentStatus
from lotus_server.domain.subscriptions import Pause, Status, Subscription
from lotus_server.kernel.errors import Invalid
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ZERO
from lotus_server.ports.listing import (
    Condition,
    Count,
    CustomerOrder,
    CustomerQuestion,
    CustomerSort,
    Part,
    Place,
    Slice,
    SoldAs,
    SubscriptionOrder,
    SubscriptionQuestion,
    SubscriptionSort,
)
from lotus_server.ports.paging import Page
from lotus_server.ports.records import Records, Transaction
from tests import records_values as values

NOW: Final = values.NOW
ORG: Final = "lists"
PARTS_MAX: Final = 100
Row = TypeVar("Row")
Key = Callable[[Row], Any]

NAMES: Final = ["Acme", "acme", "Ångström", "ångström", "ZEBRA", "Müller & Söhne", "100%_sure", "", "Ünal", "Acme"]
EMAILS: Final = [None, "Billing@Acme.example", "x_y@z.example", "MÜLLER@example.org"]
AMOUNTS: Final = [ZERO, Decimal("0.01"), Decimal("10.5"), Decimal(9), Decimal("1000000.99"), Decimal("10.50")]


class World(msgspec.Struct):
    """Everything that the lists are about, as it was written."""

    customers: list[Customer]
    subscriptions: list[Subscription]
    invoices: list[Invoice]

    def owed(self, customer_id: str, currency: str) -> Decimal:
        """What a customer owes in a currency."""
        mine = [
            each
            for each in self.invoices
            if each.customer_id == customer_id
            and each.currency == currency
            and each.payment_status is PaymentStatus.UNPAID
        ]
        return sum((each.amount_due for each in mine), ZERO)

    def is_subscribed(self, customer_id: str, plan_id: str | None = None) -> bool:
        """Tell whether a customer has an active subscription."""
        return any(
            each.customer_id == customer_id and each.status_at(NOW) is Status.ACTIVE and plan_id in {None, each.plan_id}
            for each in self.subscriptions
        )


def _make_world() -> World:
    chance = random.Random(20260301)  # the same world each time
    world = World([], [], [])
    own = {"organization_id": ORG}
    for number in range(40):
        customer_id = f"{chance.choice('aBzÉ_%')}{number}"
        made = NOW - timedelta(days=chance.choice([0, 1, 1, 30, 400]))
        world.customers.append(
            values.customer(
                customer_id,
                customer_name=chance.choice(NAMES),
                email=chance.choice(EMAILS),
                created_at=made,
                **own,
            )
        )
        for order in range(chance.choice([0, 1, 1, 2])):
            world.subscriptions.append(_subscription(chance, f"s{number}_{order}", customer_id))
    for number, status in enumerate(
        chance.choices(
            list(PaymentStatus), weights=[1 + 5 * (status is PaymentStatus.UNPAID) for status in PaymentStatus], k=60
        ),
        start=1,
    ):
        total = chance.choice(AMOUNTS)
        world.invoices.append(
            values.invoice(
                number,
                customer_id=chance.choice(world.customers[:25]).customer_id,
                subscription_id=None,
                currency=chance.choice(["USD", "USD", "EUR"]),
                total=total,
                credited=total if chance.random() < 0.2 else ZERO,
                payment_status=status,
                **own,
            )
        )
    return world


A_LITTLE: Final = timedelta(microseconds=1)
PAUSES: Final[list[list[Pause]]] = [
    [],
    [],
    [Pause(NOW)],
    [Pause(NOW - timedelta(days=1), NOW)],
    [Pause(NOW - timedelta(days=1), NOW + A_LITTLE)],
    [Pause(NOW + A_LITTLE)],
    [Pause(NOW - timedelta(days=9), NOW - timedelta(days=8)), Pause(NOW - A_LITTLE, NOW + timedelta(days=1))],
]


def _subscription(chance: random.Random, subscription_id: str, customer_id: str) -> Subscription:
    starts_at = NOW + timedelta(days=chance.choice([-400, -30, -30, 0, 5]))
    ends_at = chance.choice([None, None, starts_at + timedelta(days=20), NOW, NOW + timedelta(days=40)])
    plan_id = chance.choice(["pro", "basic"])
    return values.subscription(
        subscription_id,
        organization_id=ORG,
        customer_id=customer_id,
        plan_id=plan_id,
        version_id=f"{plan_id}_{chance.choice([1, 2])}",
        starts_at=starts_at,
        ends_at=None if ends_at is not None and ends_at <= starts_at else ends_at,
        open_period=Period(starts_at, starts_at + timedelta(days=20)),
        due_at=chance.choice([None, NOW, NOW, NOW + timedelta(days=3)]),
        parked_cause=chance.choice([None, None, None, "the plan is broken"]),
        trial_end=chance.choice([None, None, NOW, NOW + timedelta(days=2)]),
        pauses=tuple(chance.choice(PAUSES)),
    )


WORLD: Final = _make_world()


@pytest.fixture(scope="module")
def listed(shared_records: SqlRecords) -> Records:
    """Records that hold the world, beside another organization."""
    with shared_records.transaction() as to:
        values.fill(to)
        to.organizations.add(values.organization(ORG))
        for plan_id in ("pro", "basic"):
            to.plans.add(values.plan(plan_id, organization_id=ORG, plan_name=plan_id.title()))
            for number in (1, 2):
                to.plans.add_version(
                    values.plan_version(f"{plan_id}_{number}", organization_id=ORG, plan_id=plan_id, version=number)
                )
        for customer in WORLD.customers:
            to.customers.add(customer)
        for subscription in WORLD.subscriptions:
            to.subscriptions.add(subscription)
        for attached_to in WORLD.subscriptions[:3]:
            add_on = {"subscription_id": f"addon of {attached_to.subscription_id}"}
            to.subscriptions.add(msgspec.structs.replace(attached_to, parent_id=attached_to.subscription_id, **add_on))
        for invoice in WORLD.invoices:
            to.invoices.add(invoice)
    return shared_records


def _all_parts(read: Callable[[Slice], Part[Row]], limit: int, *, is_backward: bool) -> list[Row]:
    """Everything, read part by part from one end to the other."""
    found: list[Row] = []
    place: Place | None = None
    for _ in range(PARTS_MAX):
        part = read(Slice(limit, place, is_backward))
        assert len(part.rows) <= limit
        found = [*part.rows, *found] if is_backward else [*found, *part.rows]
        place = part.before if is_backward else part.after
        if place is None:
            return found
    raise AssertionError("the parts have no end")


def _sorted(rows: list[Row], value: Key[Row], key: Key[Row], *, is_descending: bool) -> list[Row]:
    """Rows by value and key, those without a value last, by key."""
    without = sorted((row for row in rows if value(row) is None), key=key)
    rest = [row for row in rows if value(row) is not None]
    return sorted(rest, key=lambda row: (value(row), key(row)), reverse=is_descending) + without


customer_questions = st.builds(
    CustomerQuestion,
    search=st.sampled_from(
        ["", "", "", "ACME", "müller", "%", "_", "100%_S", "z.exam", "b1", " acme ", "e\n", "nobody"]
    ),
    is_subscribed=st.sampled_from([None, None, True, False]),
    plan_id=st.sampled_from([None, None, None, "pro", "none"]),
    is_owing=st.sampled_from([None, None, True, False]),
    created_since=st.sampled_from([None, None, NOW, NOW - timedelta(days=1), NOW - timedelta(days=365)]),
)
customer_orders = st.builds(
    CustomerOrder,
    by=st.sampled_from(CustomerSort),
    is_descending=st.booleans(),
    currency=st.sampled_from(["USD", "EUR", "JPY"]),
)


def _customers_asked_for(question: CustomerQuestion) -> list[Customer]:
    needle = question.search.strip().casefold()
    return [
        each
        for each in WORLD.customers
        if any(needle in text.casefold() for text in (each.customer_id, each.customer_name, each.email or ""))
        and question.is_subscribed in {None, WORLD.is_subscribed(each.customer_id)}
        and (question.plan_id is None or WORLD.is_subscribed(each.customer_id, question.plan_id))
        and question.is_owing in {None, any(WORLD.owed(each.customer_id, currency) for currency in ("USD", "EUR"))}
        and (question.created_since is None or each.created_at >= question.created_since)
    ]


def _customer_value(order: CustomerOrder) -> Key[Customer]:
    if order.by is CustomerSort.NAME:
        return lambda each: each.customer_name.casefold()
    if order.by is CustomerSort.CREATED:
        return lambda each: each.created_at
    if order.by is CustomerSort.OUTSTANDING:
        return lambda each: WORLD.owed(each.customer_id, order.currency) or None
    return lambda each: each.customer_id


@settings(max_examples=40)
@given(question=customer_questions, order=customer_orders, limit=st.integers(1, 9), is_backward=st.booleans())
def test_parts_of_customers_joined_are_those_asked_for_in_their_order(
    listed: Records, question: CustomerQuestion, order: CustomerOrder, limit: int, is_backward: bool
) -> None:
    expected = _sorted(
        _customers_asked_for(question),
        _customer_value(order),
        lambda each: each.customer_id,
        is_descending=order.is_descending,
    )
    with listed.snapshot() as snapshot:

        def read(wanted: Slice) -> Part[Customer]:
            return snapshot.customers.part(ORG, question, order, wanted, NOW)

        found = _all_parts(read, limit, is_backward=is_backward)
        count = snapshot.customers.count(ORG, question, NOW)

    assert [each.customer_id for each in expected] == [each.customer_id for each in found]
    assert Count(len(expected)) == count


subscription_questions = st.builds(
    SubscriptionQuestion,
    customer_id=st.sampled_from([None, None, None, WORLD.subscriptions[0].customer_id]),
    plan_id=st.sampled_from([None, None, "pro"]),
    version_id=st.sampled_from([None, None, "basic_1"]),
    statuses=st.sets(st.sampled_from(Status)).map(frozenset),
    conditions=st.sets(st.sampled_from(Condition)).map(frozenset),
    is_renewing=st.sampled_from([None, None, True, False]),
    ends_within=st.sampled_from([None, None, timedelta(days=20), timedelta(days=40)]),
    starts_before=st.sampled_from([None, NOW, NOW - timedelta(days=100)]),
    ends_after=st.sampled_from([None, NOW, NOW - timedelta(days=200)]),
)
subscription_orders = st.builds(SubscriptionOrder, by=st.sampled_from(SubscriptionSort), is_descending=st.booleans())


def _is_in(each: Subscription, condition: Condition) -> bool:
    if condition is Condition.PARKED:
        return each.parked_cause is not None
    is_active = each.status_at(NOW) is Status.ACTIVE
    return is_active and (each.is_trial_at(NOW) if condition is Condition.TRIAL else each.is_paused_at(NOW))


def _is_asked_for(each: Subscription, question: SubscriptionQuestion) -> bool:
    ends_at = each.ends_at
    return (
        question.customer_id in {None, each.customer_id}
        and question.plan_id in {None, each.plan_id}
        and question.version_id in {None, each.version_id}
        and (
            (not question.statuses and not question.conditions)
            or each.status_at(NOW) in question.statuses
            or any(_is_in(each, condition) for condition in question.conditions)
        )
        and question.is_renewing in {None, ends_at is None}
        and (question.ends_within is None or (ends_at is not None and NOW < ends_at <= NOW + question.ends_within))
        and (question.starts_before is None or each.starts_at < question.starts_before)
        and (question.ends_after is None or ends_at is None or ends_at > question.ends_after)
    )


def _subscription_value(order: SubscriptionOrder) -> Key[Subscription]:
    if order.by is SubscriptionSort.START:
        return lambda each: each.starts_at
    if order.by is SubscriptionSort.RENEWAL:
        return lambda each: each.due_at
    return lambda each: each.subscription_id


@settings(max_examples=40)
@given(question=subscription_questions, order=subscription_orders, limit=st.integers(1, 9), is_backward=st.booleans())
def test_parts_of_subscriptions_joined_are_those_asked_for_in_their_order(
    listed: Records, question: SubscriptionQuestion, order: SubscriptionOrder, limit: int, is_backward: bool
) -> None:
    wanted_rows = [each for each in WORLD.subscriptions if _is_asked_for(each, question)]
    expected = _sorted(
        wanted_rows,
        _subscription_value(order),
        lambda each: each.subscription_id,
        is_descending=order.is_descending,
    )
    with listed.snapshot() as snapshot:

        def read(wanted: Slice) -> Part[Subscription]:
            return snapshot.subscriptions.part(ORG, question, order, wanted, NOW)

        found = _all_parts(read, limit, is_backward=is_backward)
        by_id = snapshot.subscriptions.page(ORG, Page(), question, NOW)
        count = snapshot.subscriptions.count(ORG, question, NOW)

    assert expected == found
    assert sorted(expected, key=lambda each: each.subscription_id) == by_id
    assert Count(len(expected)) == count


@settings(max_examples=30)
@given(question=customer_questions)
def test_pages_by_id_answer_the_same_questions(listed: Records, question: CustomerQuestion) -> None:
    expected = sorted(each.customer_id for each in _customers_asked_for(question))
    with listed.snapshot() as snapshot:
        assert expected == [each.customer_id for each in snapshot.customers.page(ORG, Page(), question, NOW)]


def test_a_part_in_the_middle_has_places_on_both_sides(listed: Records) -> None:
    with listed.snapshot() as snapshot:

        def read(wanted: Slice) -> Part[Customer]:
            return snapshot.customers.part(ORG, CustomerQuestion(), CustomerOrder(CustomerSort.NAME), wanted, NOW)

        first = read(Slice(5))
        second = read(Slice(5, first.after))
        back = read(Slice(5, second.before, is_backward=True))

    assert first == back
    assert None not in {second.before, second.after}


def test_the_last_part_has_no_place_after_it(listed: Records) -> None:
    with listed.snapshot() as snapshot:
        part = snapshot.customers.part(ORG, CustomerQuestion(), CustomerOrder(), Slice(len(WORLD.customers)), NOW)

    assert (None, None) == (part.before, part.after)


@pytest.mark.parametrize(
    ("order", "value"),
    [
        (CustomerSort.CREATED, "soon"),
        (CustomerSort.CREATED, "9" * 30),
        (CustomerSort.OUTSTANDING, "nan"),
        (CustomerSort.OUTSTANDING, "much"),
        (CustomerSort.NAME, None),
        (CustomerSort.ID, "x"),
    ],
)
def test_a_place_that_no_row_can_have_is_refused(listed: Records, order: CustomerSort, value: str | None) -> None:
    place = Slice(5, Place(value, "a"))
    with listed.snapshot() as snapshot, pytest.raises(Invalid) as caught:
        snapshot.customers.part(ORG, CustomerQuestion(), CustomerOrder(order), place, NOW)

    assert ["cursor"] == [problem.field for problem in caught.value.problems]


def test_what_customers_owe_is_exact_and_by_currency(listed: Records) -> None:
    ids = [each.customer_id for each in WORLD.customers]
    expected = {
        customer_id: owed
        for customer_id in ids
        if (owed := {code: due for code in ("USD", "EUR") if (due := WORLD.owed(customer_id, code))})
    }
    with listed.snapshot() as snapshot:
        assert expected == snapshot.invoices.outstanding(ORG, ids)


def test_live_subscriptions_are_those_that_have_not_ended(listed: Records) -> None:
    ids = [each.customer_id for each in WORLD.customers]
    expected: dict[str, list[Subscription]] = {}
    for each in sorted(WORLD.subscriptions, key=lambda each: (each.starts_at, each.subscription_id)):
        if each.status_at(NOW) is not Status.ENDED:
            expected.setdefault(each.customer_id, []).append(each)
    with listed.snapshot() as snapshot:
        assert expected == snapshot.subscriptions.live_of_customers(ORG, ids, NOW)


def test_versions_are_called_by_plan_and_number(listed: Records) -> None:
    expected = {"pro_2": SoldAs("pro", "Pro", "pro_2", 2), "basic_1": SoldAs("basic", "Basic", "basic_1", 1)}
    with listed.snapshot() as snapshot:
        assert expected == snapshot.plans.sold_as(ORG, ["pro_2", "basic_1", "none"])


def test_a_customer_is_found_by_its_new_name_and_not_by_its_old_one(records: SqlRecords) -> None:
    def search(snapshot: Transaction, text: str) -> list[str]:
        found = snapshot.customers.page("org", Page(), CustomerQuestion(search=text))
        return [each.customer_id for each in found]

    with records.transaction() as to:
        values.fill(to)
        to.customers.replace(values.customer(customer_name="Globex"))

    with records.snapshot() as snapshot:
        assert (["acme"], []) == (search(snapshot, "globe"), search(snapshot, "Acme Inc"))


def test_names_that_begin_alike_are_sorted_by_id(records: SqlRecords) -> None:
    long_name = "x" * 500
    with records.transaction() as to:
        to.organizations.add(values.organization())
        for customer_id in ("b", "a"):
            to.customers.add(values.customer(customer_id, customer_name=long_name))

    with records.snapshot() as snapshot:
        part = snapshot.customers.part(
            "org",
            CustomerQuestion(),
            CustomerOrder(CustomerSort.NAME),
            Slice(5),
            datetime.max.replace(tzinfo=NOW.tzinfo),
        )

    assert ["a", "b"] == [each.customer_id for each in part.rows]
