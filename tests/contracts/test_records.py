"""How every database of records behaves, whatever is behind it."""

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.domain.invoicing import Invoice, PaymentStatus
from lotus_server.domain.subscriptions import Subscription
from lotus_server.kernel.errors import Conflict, LotusError
from lotus_server.ports.credit_records import CreditQuestion
from lotus_server.ports.invoice_reading import InvoiceQuestion
from lotus_server.ports.listing import SubscriptionQuestion
from lotus_server.ports.paging import Page
from lotus_server.ports.records import Records, Transaction
from tests import records_values as values

Thing = TypeVar("Thing")
Write = Callable[[Transaction], object]
WAIT_SECONDS_MAX = 60
PAGES_MAX = 100


class _Refused(Exception):
    """What a use case may raise in the middle of a transaction."""


@pytest.fixture
def filled(records: SqlRecords) -> Records:
    """Records with one organization that has one of everything."""
    with records.transaction() as transaction:
        values.fill(transaction)
    return records


def _write(records: Records, *writes: Write) -> None:
    with records.transaction() as transaction:
        for write in writes:
            write(transaction)


def _code(records: Records, write: Write) -> str:
    """The code of the error that a write ends with."""
    with pytest.raises(LotusError) as caught, records.transaction() as transaction:
        write(transaction)
    return caught.value.code


_METRIC_THAT_TAKES_A_NAME: list[Write] = [
    lambda to: to.metrics.add(values.metric("m2")),
    lambda to: to.metrics.replace(values.metric("m2", metric_name="name of calls")),
]
_METRIC_THAT_IS_REPLACED_TWICE: list[Write] = [
    lambda to: to.metrics.add(values.metric("m2", metric_name="m2", replaces="calls")),
    lambda to: to.metrics.add(values.metric("m3", metric_name="m3", replaces="calls")),
]
_FEATURE_THAT_COMES_BACK: list[Write] = [
    lambda to: to.features.add(values.feature("f2", feature_name="name of sso", archived=True)),
    lambda to: to.features.replace(values.feature("f2", feature_name="name of sso")),
]
# What exists already -> the code that adding it again ends with.
CONFLICTS: dict[str, tuple[Write, str]] = {
    "organization": (lambda to: to.organizations.add(values.organization(name="another")), "organization_exists"),
    "API key": (lambda to: to.api_keys.add(values.api_key(secret_hash="another")), "api_key_exists"),
    "hash of a key": (lambda to: to.api_keys.add(values.api_key("k2", secret_hash="hash in org")), "api_key_exists"),
    "customer": (lambda to: to.customers.add(values.customer(customer_name="another")), "customer_exists"),
    "metric": (lambda to: to.metrics.add(values.metric(metric_name="another")), "metric_exists"),
    "version of a metric": (
        lambda to: [add(to) for add in _METRIC_THAT_IS_REPLACED_TWICE],
        "metric_replaced",
    ),
    "metric and its name": (lambda to: to.metrics.add(values.metric()), "metric_exists"),
    "name of a metric": (
        lambda to: to.metrics.add(values.metric("m2", metric_name="name of calls")),
        "metric_name_exists",
    ),
    "new name of a metric": (
        lambda to: [add(to) for add in _METRIC_THAT_TAKES_A_NAME],
        "metric_name_exists",
    ),
    "feature": (lambda to: to.features.add(values.feature(feature_name="another")), "feature_exists"),
    "name of a feature": (
        lambda to: to.features.add(values.feature("f2", feature_name="name of sso")),
        "feature_name_exists",
    ),
    "name of a feature that comes back": (
        lambda to: [add(to) for add in _FEATURE_THAT_COMES_BACK],
        "feature_name_exists",
    ),
    "plan": (lambda to: to.plans.add(values.plan(plan_name="another")), "plan_exists"),
    "plan version": (lambda to: to.plans.add_version(values.plan_version(version=2)), "plan_version_exists"),
    "number of a plan version": (lambda to: to.plans.add_version(values.plan_version("v2")), "plan_version_exists"),
    "pricing unit": (lambda to: to.pricing_units.add(values.pricing_unit(name="another")), "pricing_unit_exists"),
    "subscription": (lambda to: to.subscriptions.add(values.subscription(is_new=False)), "subscription_exists"),
    "invoice": (lambda to: to.invoices.add(values.invoice(2, invoice_id="inv_1")), "invoice_exists"),
    "cause of an invoice": (lambda to: to.invoices.add(values.invoice(2, cause="sub:arrears:1")), "invoice_exists"),
    "number of an invoice": (
        lambda to: to.invoices.add(values.invoice(2, invoice_number="LOT-000001")),
        "invoice_number_exists",
    ),
    "credit": (lambda to: to.credits.add_grant(values.grant(amount=Decimal(1))), "credit_exists"),
    "credit schedule": (
        lambda to: to.credit_schedules.add(values.credit_schedule(amount=Decimal(1))),
        "credit_schedule_exists",
    ),
    "top-up": (lambda to: to.wallets.add_top_up(values.top_up(amount=Decimal(1))), "top_up_exists"),
    "pending top-up of a wallet": (lambda to: to.wallets.add_top_up(values.top_up("another")), "top_up_exists"),
    "posting": (lambda to: to.credits.add(values.posting(cause="another")), "credit_posting_exists"),
    "cause of a posting": (
        lambda to: to.credits.add(values.posting("p2", cause="cause of granted")),
        "credit_posting_exists",
    ),
    "reply": (lambda to: to.replies.add(values.reply(request_hash="another")), "idempotency_key_exists"),
}


def test_what_exists_cannot_be_added_again(filled: Records) -> None:
    codes = {thing: _code(filled, write) for thing, (write, _) in CONFLICTS.items()}

    assert {thing: code for thing, (_, code) in CONFLICTS.items()} == codes


def test_a_transaction_goes_on_after_conflicts(filled: Records) -> None:
    with filled.transaction() as transaction:
        for write, _ in CONFLICTS.values():
            with pytest.raises(Conflict):
                write(transaction)
        transaction.customers.add(values.customer("later"))

    with filled.snapshot() as snapshot:
        assert values.customer("later") == snapshot.customers.get("org", "later")


# What two transactions can both try to add, neither knowing of the other.
RACES: dict[str, tuple[Write, str]] = {
    "customer": (lambda to: to.customers.add(values.customer("new")), "customer_exists"),
    "name of a metric": (
        lambda to: to.metrics.add(values.metric(f"m{id(to)}", metric_name="new")),
        "metric_name_exists",
    ),
    "number of a version": (
        lambda to: to.plans.add_version(values.plan_version(f"v{id(to)}", version=2)),
        "plan_version_exists",
    ),
    "cause of an invoice": (
        lambda to: to.invoices.add(
            values.invoice(to.invoices.take_number("org") + 1, invoice_id=f"i{id(to)}", cause="april")
        ),
        "invoice_exists",
    ),
    "cause of a posting": (
        lambda to: to.credits.add(values.posting(f"p{id(to)}", cause="april")),
        "credit_posting_exists",
    ),
    "reply": (lambda to: to.replies.add(values.reply("new")), "idempotency_key_exists"),
}


@pytest.mark.parametrize("thing", RACES)
def test_of_two_transactions_at_once_one_adds_it_and_the_other_has_a_conflict(filled: Records, thing: str) -> None:
    write, code = RACES[thing]
    with ThreadPoolExecutor(1) as pool:
        with filled.transaction() as first:
            write(first)
            second = pool.submit(_write, filled, write)
        with pytest.raises(Conflict) as caught:
            second.result(WAIT_SECONDS_MAX)

    assert code == caught.value.code


def test_a_name_is_free_again_when_its_metric_is_archived(filled: Records) -> None:
    _write(
        filled,
        lambda to: to.metrics.replace(values.metric(archived=True)),
        lambda to: to.metrics.add(values.metric("m2", metric_name="name of calls")),
        lambda to: to.metrics.add(values.metric("m3", metric_name="name of calls", archived=True)),
    )

    with filled.snapshot() as snapshot:
        assert ["calls", "m2", "m3"] == [metric.metric_id for metric in snapshot.metrics.all("org")]


def test_metrics_features_and_plans_are_in_the_order_in_which_they_were_made(filled: Records) -> None:
    for key in "zay":
        with filled.transaction() as transaction:
            transaction.metrics.add(values.metric(key))
            transaction.features.add(values.feature(key))
            transaction.plans.add(values.plan(key))
            transaction.pricing_units.add(values.pricing_unit(key))

    with filled.snapshot() as snapshot:
        assert ["calls", "z", "a", "y"] == [metric.metric_id for metric in snapshot.metrics.all("org")]
        assert ["sso", "z", "a", "y"] == [feature.feature_id for feature in snapshot.features.all("org")]
        assert ["pro", "z", "a", "y"] == [plan.plan_id for plan in snapshot.plans.all("org")]
        assert ["credits", "z", "a", "y"] == [unit.code for unit in snapshot.pricing_units.all("org")]


def test_organizations_and_keys_are_listed_oldest_first(filled: Records) -> None:
    older = values.NOW - values.days(1)
    _write(
        filled,
        lambda to: to.organizations.add(values.organization("older", created_at=older)),
        lambda to: to.api_keys.add(values.api_key("older", created_at=older)),
    )

    with filled.snapshot() as snapshot:
        assert ["older", "org"] == [one.organization_id for one in snapshot.organizations.all()]
        assert ["older", "key"] == [one.key_id for one in snapshot.api_keys.all("org")]


def test_versions_are_in_the_order_of_plan_and_number(filled: Records) -> None:
    _write(
        filled,
        lambda to: to.plans.add(values.plan("basic")),
        lambda to: to.plans.add_version(values.plan_version("pro_10", version=10)),
        lambda to: to.plans.add_version(values.plan_version("pro_2", version=2)),
        lambda to: to.plans.add_version(values.plan_version("basic_1", plan_id="basic")),
    )

    with filled.snapshot() as snapshot:
        versions = snapshot.plans.versions("org")
        assert ["basic_1", "pro_1", "pro_2", "pro_10"] == [version.version_id for version in versions]
        assert versions[1:] == snapshot.plans.versions("org", "pro")


REPLACEMENTS: dict[str, tuple[Write, Callable[[Transaction], object], object]] = {
    "organization": (
        lambda to: to.organizations.replace(values.organization(name="new", clock_now=values.NOW)),
        lambda of: of.organizations.get("org"),
        values.organization(name="new", clock_now=values.NOW),
    ),
    "API key": (
        lambda to: to.api_keys.replace(values.api_key(secret_hash="new", revoked_at=values.NOW)),
        lambda of: of.api_keys.get("org", "key"),
        values.api_key(secret_hash="new", revoked_at=values.NOW),
    ),
    "customer": (
        lambda to: to.customers.replace(values.customer(email="a@b.c", properties={"a": 1})),
        lambda of: of.customers.get("org", "acme"),
        values.customer(email="a@b.c", properties={"a": 1}),
    ),
    "metric": (
        lambda to: to.metrics.replace(values.metric(metric_name="new", is_cost_metric=True)),
        lambda of: of.metrics.get("org", "calls"),
        values.metric(metric_name="new", is_cost_metric=True),
    ),
    "feature": (
        lambda to: to.features.replace(values.feature(archived=True)),
        lambda of: of.features.get("org", "sso"),
        values.feature(archived=True),
    ),
    "plan": (
        lambda to: to.plans.replace(values.plan(plan_name="new", archived=True)),
        lambda of: of.plans.get("org", "pro"),
        values.plan(plan_name="new", archived=True),
    ),
    "times of a version": (
        lambda to: to.plans.replace_version(
            values.plan_version(active_to=values.NOW, replace_with="pro_2", currency="never changes")
        ),
        lambda of: of.plans.version("org", "pro_1"),
        values.plan_version(active_to=values.NOW, replace_with="pro_2"),
    ),
    "subscription": (
        lambda to: to.subscriptions.replace(values.subscription(due_at=None, metadata={"x": "y"})),
        lambda of: of.subscriptions.get("org", "sub"),
        values.subscription(due_at=None, metadata={"x": "y"}),
    ),
    "status of an invoice": (
        lambda to: to.invoices.replace_status(values.invoice(payment_status=PaymentStatus.PAID, total=Decimal("0.12"))),
        lambda of: of.invoices.get("org", "inv_1"),
        values.invoice(payment_status=PaymentStatus.PAID),
    ),
}


@pytest.mark.parametrize("thing", REPLACEMENTS)
def test_new_values_take_the_place_of_the_old(filled: Records, thing: str) -> None:
    write, read, expected = REPLACEMENTS[thing]
    _write(filled, write)

    with filled.snapshot() as snapshot:
        assert expected == read(snapshot)


def test_what_does_not_exist_cannot_be_replaced(records: Records) -> None:
    codes = {thing: _code(records, write) for thing, (write, _, _) in REPLACEMENTS.items()}

    assert dict.fromkeys(REPLACEMENTS, "not_found") == codes


def test_the_latest_use_of_a_key_stays(filled: Records) -> None:
    _write(
        filled,
        lambda to: to.api_keys.add(values.api_key("idle")),
        lambda to: to.api_keys.note_use(["key", "unknown"], values.NOW),
        lambda to: to.api_keys.note_use(["key"], values.NOW - values.days(1)),
        lambda to: to.api_keys.note_use([], values.NOW),
    )

    with filled.snapshot() as snapshot:
        used = {key.key_id: key.last_used_at for key in snapshot.api_keys.all("org")}
        assert {"key": values.NOW, "idle": None} == used


def test_known_customers_are_told_from_unknown_ones_also_in_large_numbers(filled: Records) -> None:
    asked = [f"stranger {number}" for number in range(25_000)]
    with filled.snapshot() as snapshot:
        assert frozenset({"acme"}) == snapshot.customers.known("org", [*asked, "acme", "acme"])
        assert frozenset() == snapshot.customers.known("org", [])


def test_a_rolled_back_transaction_leaves_nothing(records: Records) -> None:
    with suppress(_Refused), records.transaction() as transaction:
        values.fill(transaction)
        raise _Refused

    with records.snapshot() as snapshot:
        assert [] == snapshot.organizations.all()
        assert None is snapshot.customers.get("org", "acme")


def test_no_transaction_stays_open_after_an_exception(filled: Records) -> None:
    # More often than there are connections.
    for _ in range(100):
        with suppress(_Refused), filled.transaction() as transaction:
            transaction.customers.add(values.customer("lost"))
            raise _Refused
        with suppress(_Refused), filled.snapshot() as snapshot:
            assert None is snapshot.customers.get("org", "lost")
            raise _Refused

    _write(filled, lambda to: to.customers.add(values.customer("kept")))


def test_a_snapshot_sees_one_state_throughout(filled: Records) -> None:
    with filled.snapshot() as snapshot:
        before = snapshot.customers.page("org", Page())
        _write(filled, lambda to: to.customers.add(values.customer("new")))

        assert before == snapshot.customers.page("org", Page())
    with filled.snapshot() as snapshot:
        assert ["acme", "new"] == [customer.customer_id for customer in snapshot.customers.page("org", Page())]


def test_invoice_numbers_are_1_2_3_in_each_organization(filled: Records) -> None:
    _write(filled, lambda to: to.organizations.add(values.organization("other")))
    with filled.transaction() as transaction:
        assert [1, 2] == [transaction.invoices.take_number("org") for _ in range(2)]
        assert 1 == transaction.invoices.take_number("other")
    with filled.transaction() as transaction:
        assert 3 == transaction.invoices.take_number("org")


def test_a_rolled_back_transaction_gives_its_number_back(filled: Records) -> None:
    with suppress(_Refused), filled.transaction() as transaction:
        transaction.invoices.take_number("org")
        raise _Refused
    with filled.transaction() as transaction:
        assert 1 == transaction.invoices.take_number("org")


def test_threads_that_take_numbers_leave_no_gap_and_no_double(filled: Records) -> None:
    def take(turn: int) -> int | None:
        with suppress(_Refused), filled.transaction() as transaction:
            number = transaction.invoices.take_number("org")
            if turn % 3 == 0:
                raise _Refused
            return number
        return None

    with ThreadPoolExecutor(8) as pool:
        taken = [number for number in pool.map(take, range(60)) if number is not None]

    assert list(range(1, 41)) == sorted(taken)


def test_a_subscription_read_for_update_is_not_changed_by_anybody_else(filled: Records) -> None:
    def park(cause: str) -> str | None:
        with filled.transaction() as transaction:
            found = transaction.subscriptions.get("org", "sub", for_update=True)
            assert found is not None
            transaction.subscriptions.replace(msgspec.structs.replace(found, parked_cause=cause))
            return found.parked_cause

    with ThreadPoolExecutor(1) as pool:
        with filled.transaction() as transaction:
            found = transaction.subscriptions.get("org", "sub", for_update=True)
            assert found is not None
            second = pool.submit(park, "second")
            transaction.subscriptions.replace(msgspec.structs.replace(found, parked_cause="first"))

        assert "first" == second.result(WAIT_SECONDS_MAX)


def test_readers_do_not_wait_for_a_writer(filled: Records) -> None:
    with filled.transaction() as transaction, ThreadPoolExecutor(1) as pool:
        transaction.customers.replace(values.customer(customer_name="unseen"))

        def read() -> str:
            with filled.snapshot() as snapshot:
                found = snapshot.customers.get("org", "acme")
                assert found is not None
                return found.customer_name

        assert "Acme" == pool.submit(read).result(WAIT_SECONDS_MAX)


def test_many_threads_can_read_and_write_at_once(filled: Records) -> None:
    everyone_is_here = threading.Barrier(16)

    def work(number: int) -> int:
        everyone_is_here.wait(WAIT_SECONDS_MAX)
        _write(filled, lambda to: to.customers.add(values.customer(f"c{number:02}")))
        with filled.snapshot() as snapshot:
            return len(snapshot.customers.page("org", Page()))

    with ThreadPoolExecutor(16) as pool:
        counts = list(pool.map(work, range(16)))

    assert 17 == max(counts)


@given(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=3), by_customer=st.booleans())
def test_pages_joined_are_the_whole_list(shared_records: Records, sizes: list[int], by_customer: bool) -> None:
    with shared_records.transaction() as transaction:
        if transaction.organizations.get("pages") is None:
            _fill_pages(transaction)
    chosen = "acme" if by_customer else None
    with shared_records.snapshot() as snapshot:
        of_customers = _joined(sizes, lambda page: snapshot.customers.page("pages", page), "customer_id")
        of_subscriptions = _joined(
            sizes,
            lambda page: snapshot.subscriptions.page("pages", page, SubscriptionQuestion(chosen)),
            "subscription_id",
        )
        of_invoices = _joined(
            sizes, lambda page: snapshot.invoices.page("pages", page, InvoiceQuestion(chosen)), "invoice_id"
        )

        assert snapshot.customers.page("pages", Page()) == of_customers
        assert snapshot.subscriptions.page("pages", Page(), SubscriptionQuestion(chosen)) == of_subscriptions
        assert snapshot.invoices.page("pages", Page(), InvoiceQuestion(chosen)) == of_invoices
        numbers = [invoice.invoice_number for invoice in of_invoices]
        assert sorted(numbers, reverse=True) == numbers
        ids = [customer.customer_id for customer in of_customers]
        assert sorted(ids) == ids


def _fill_pages(transaction: Transaction) -> None:
    values.fill(transaction, "pages")
    own = {"organization_id": "pages"}
    for number, customer_id in enumerate(["B", "a", "C", "é", "_", "Z", "\U0001f4b8", "\uffff", "10", "9"], start=2):
        transaction.customers.add(values.customer(customer_id, **own))
        chosen = "acme" if number % 2 else customer_id
        transaction.subscriptions.add(values.subscription(f"s {customer_id}", customer_id=chosen, **own))
        transaction.invoices.add(
            values.invoice(number, customer_id=chosen, invoice_id=f"inv_{(number * 7) % 11}_{number}", **own)
        )


def _joined(sizes: list[int], read: Callable[[Page], list[Thing]], key: str) -> list[Thing]:
    """Everything, read in pages of the sizes in turn."""
    found: list[Thing] = []
    for size in itertools.islice(itertools.cycle(sizes), PAGES_MAX):
        after = getattr(found[-1], key) if found else None
        page = read(Page(limit=size, after=after))
        assert len(page) <= size
        found += page
        if not page:
            return found
    raise AssertionError("the pages have no end")


def test_lists_can_be_narrowed(filled: Records) -> None:
    _write(
        filled,
        lambda to: to.customers.add(values.customer("other")),
        lambda to: to.plans.add(values.plan("basic")),
        lambda to: to.plans.add_version(values.plan_version("basic_1", plan_id="basic")),
        lambda to: to.subscriptions.add(values.subscription("s2", plan_id="basic", version_id="basic_1")),
        lambda to: to.subscriptions.add(values.subscription("s3", customer_id="other")),
        lambda to: to.invoices.add(values.invoice(2, payment_status=PaymentStatus.PAID)),
        lambda to: to.invoices.add(values.invoice(3, customer_id="other", subscription_id="s3")),
    )

    with filled.snapshot() as snapshot:
        subscriptions = snapshot.subscriptions
        assert ["s2", "sub"] == _ids(subscriptions.page("org", Page(), SubscriptionQuestion("acme")))
        assert ["s3", "sub"] == _ids(subscriptions.page("org", Page(), SubscriptionQuestion(plan_id="pro")))
        assert ["sub"] == _ids(subscriptions.page("org", Page(), SubscriptionQuestion("acme", "pro")))
        invoices = snapshot.invoices
        assert ["inv_2", "inv_1"] == _invoice_ids(invoices.page("org", Page(), InvoiceQuestion("acme")))
        assert ["inv_3", "inv_1"] == _invoice_ids(invoices.page("org", Page(), UNPAID))
        assert ["inv_2"] == _invoice_ids(invoices.page("org", Page(limit=1, after="inv_3"), InvoiceQuestion("acme")))


UNPAID = InvoiceQuestion(payment_status=PaymentStatus.UNPAID)


def _ids(subscriptions: list[Subscription]) -> list[str]:
    return [subscription.subscription_id for subscription in subscriptions]


def _invoice_ids(invoices: list[Invoice]) -> list[str]:
    return [invoice.invoice_id for invoice in invoices]


def test_a_customers_subscriptions_cover_their_start_but_not_their_end(filled: Records) -> None:
    start, end = values.MARCH.start, values.MARCH.end
    _write(
        filled,
        lambda to: to.subscriptions.add(values.subscription("march", ends_at=end)),
        lambda to: to.subscriptions.add(values.subscription("april", starts_at=end)),
        lambda to: to.subscriptions.add(values.subscription("early", starts_at=start - values.days(9), ends_at=start)),
    )

    with filled.snapshot() as snapshot:
        read = snapshot.subscriptions.of_customer
        moment = values.days(1) / 86_400_000_000
        assert ["early", "march", "sub", "april"] == _ids(read("org", "acme"))
        assert ["march", "sub"] == _ids(read("org", "acme", start))
        assert ["early"] == _ids(read("org", "acme", start - moment))
        assert ["march", "sub"] == _ids(read("org", "acme", end - moment))
        assert ["sub", "april"] == _ids(read("org", "acme", end))
        assert [] == read("org", "nobody")
        assert {"pro_1": 2} == snapshot.subscriptions.count_active("org", start)
        assert {} == snapshot.subscriptions.count_active("org", start - values.days(10))


def test_due_subscriptions_come_earliest_first_and_include_the_instant(filled: Records) -> None:
    due = values.MARCH.end
    hour = values.days(1) / 24
    _write(
        filled,
        lambda to: to.subscriptions.add(values.subscription("later", due_at=due + hour)),
        lambda to: to.subscriptions.add(values.subscription("never", due_at=None)),
        lambda to: to.subscriptions.add(values.subscription("earlier", due_at=due - hour)),
        lambda to: to.subscriptions.add(values.subscription("also", due_at=due)),
    )

    with filled.snapshot() as snapshot:
        for organization_id in (None, "org"):
            assert ["earlier", "also", "sub"] == _ids(snapshot.subscriptions.due(due, 10, organization_id))
            assert ["earlier", "also"] == _ids(snapshot.subscriptions.due(due, 2, organization_id))
            assert ["earlier"] == _ids(snapshot.subscriptions.due(due - hour, 10, organization_id))
        assert [] == snapshot.subscriptions.due(due, 10, "nobody")


def test_only_organizations_in_real_time_are_due_without_being_named(filled: Records) -> None:
    with filled.transaction() as transaction:
        values.fill(transaction, "sandbox")
        transaction.organizations.replace(values.organization("sandbox", clock_now=values.NOW))
        values.fill(transaction, "other")

    with filled.snapshot() as snapshot:
        due = snapshot.subscriptions.due(values.MARCH.end, 10)
        assert ["org", "other"] == sorted(subscription.organization_id for subscription in due)
        due = snapshot.subscriptions.due(values.MARCH.end, 10, "sandbox")
        assert ["sandbox"] == [subscription.organization_id for subscription in due]


def test_invoices_of_several_customers_come_without_lines_newest_first(filled: Records) -> None:
    _write(
        filled,
        lambda to: to.customers.add(values.customer("none")),
        lambda to: to.customers.add(values.customer("other")),
        lambda to: to.invoices.add(values.invoice(2, customer_id="other")),
        lambda to: to.invoices.add(values.invoice(3)),
    )

    with filled.snapshot() as snapshot:
        expected = {
            "acme": [values.invoice(3, lines=()), values.invoice(1, lines=())],
            "other": [values.invoice(2, customer_id="other", lines=())],
        }
        assert expected == snapshot.invoices.of_customers("org", ["acme", "none", "other", "acme"])
        assert {} == snapshot.invoices.of_customers("org", [])


def _give(to: Transaction, credit_id: str, amount: str, **changes: object) -> None:
    grant = values.grant(credit_id, amount=Decimal(amount), **changes)
    to.credits.add_grant(grant)
    owner = {"customer_id": grant.customer_id, "currency": grant.currency}
    to.credits.add(values.posting(f"{credit_id} granted", amount, credit_id=credit_id, **owner))


def test_balances_are_kept_apart_by_customer_and_currency(filled: Records) -> None:
    _write(
        filled,
        lambda to: to.customers.add(values.customer("other")),
        lambda to: to.credits.add(values.drawdown("use", "9.99")),
        lambda to: _give(to, "more", "0.5"),
        lambda to: _give(to, "yen", "500", currency="JPY"),
        lambda to: _give(to, "tiny", "1E-20", customer_id="other"),
    )

    with filled.snapshot() as snapshot:
        expected = {
            ("acme", "USD"): Decimal("0.51"),
            ("acme", "JPY"): Decimal(500),
            ("other", "USD"): Decimal("1E-20"),
        }
        assert expected == snapshot.credits.balances("org", ["other", "acme", "nobody", "acme"], values.NOW)
        assert {} == snapshot.credits.balances("org", [], values.NOW)


@pytest.mark.parametrize(
    ("changes", "pays_from", "pays_until"),
    [
        ({}, 0, None),
        ({"effective_at": values.NOW + values.days(1)}, 1, None),
        ({"expires_at": values.NOW + values.days(2)}, 0, 2),
        ({"voided_at": values.NOW}, None, None),
    ],
)
def test_a_grant_pays_from_its_effect_until_its_expiry(
    filled: Records, changes: dict[str, Any], pays_from: int | None, pays_until: int | None
) -> None:
    _write(filled, lambda to: _give(to, "yen", "500", currency="JPY", **changes))
    instant = timedelta(microseconds=1)

    for day in range(4):
        for moment in (values.NOW + values.days(day) - instant, values.NOW + values.days(day)):
            since = (moment - values.NOW) / values.days(1)
            pays = pays_from is not None and since >= pays_from and (pays_until is None or since < pays_until)
            with filled.transaction() as transaction:
                held = transaction.credits.held("org", "acme", "JPY", moment)
                balances = transaction.credits.balances("org", ["acme"], moment)
            assert pays == bool(held)
            assert pays == (("acme", "JPY") in balances)


def test_two_invoices_at_once_do_not_use_the_same_credit(filled: Records) -> None:
    """Each looks, waits for the other or is waited for, and takes what it has found; together never more than 10."""
    barrier = threading.Barrier(2)

    def take(name: str) -> Decimal:
        with filled.transaction() as transaction:
            with suppress(threading.BrokenBarrierError):
                barrier.wait(1)
            (held,) = transaction.credits.held("org", "acme", "USD", values.NOW)
            part = min(held.remaining, Decimal(7))
            transaction.credits.add(values.drawdown(name, str(part)))
            return part

    with ThreadPoolExecutor(2) as pool:
        taken = sorted(pool.map(take, ["first", "second"]))

    assert [Decimal(3), Decimal(7)] == taken


def test_credit_can_be_looked_at_in_a_snapshot_as_if_for_an_update(filled: Records) -> None:
    with filled.snapshot() as snapshot:
        (held,) = snapshot.credits.held("org", "acme", "USD", values.NOW)

        assert held.grant == snapshot.credits.grant("org", "grant", for_update=True)


def test_grants_are_found_by_what_is_asked(filled: Records) -> None:
    later, end = values.NOW + values.days(1), values.NOW + values.days(2)
    _write(
        filled,
        lambda to: to.customers.add(values.customer("other")),
        lambda to: _give(to, "a", "1", customer_id="other"),
        lambda to: _give(to, "b", "1", currency="JPY", effective_at=later),
        lambda to: _give(to, "c", "1", granted_at=later, expires_at=end),
    )
    expected: list[tuple[CreditQuestion, list[str]]] = [
        (CreditQuestion(), ["a", "b", "c", "grant"]),
        (CreditQuestion(customer_id="other"), ["a"]),
        (CreditQuestion(currency="JPY"), ["b"]),
        (CreditQuestion(effective=(later, None)), ["b"]),
        (CreditQuestion(effective=(None, later)), ["a", "c", "grant"]),
        (CreditQuestion(expires=(end, None)), ["c"]),
        (CreditQuestion(expires=(None, end)), []),
        (CreditQuestion(granted=(values.NOW, later)), ["a", "b", "grant"]),
        (CreditQuestion(granted=(later, end), customer_id="acme"), ["c"]),
    ]

    with filled.snapshot() as snapshot:
        found = [[each.credit_id for each in snapshot.credits.page("org", Page(), asked)] for asked, _ in expected]
        assert [ids for _, ids in expected] == found
        assert ["b", "c"] == [each.credit_id for each in snapshot.credits.page("org", Page(2, "a"), CreditQuestion())]


def test_only_description_expiry_and_voiding_of_a_grant_are_replaced(filled: Records) -> None:
    end = values.NOW + values.days(9)
    new: dict[str, Any] = {"description": "new", "expires_at": end, "voided_at": values.NOW, "due_at": end}
    _write(filled, lambda to: to.credits.replace_grant(values.grant(amount=Decimal(99), priority=1, **new)))

    with filled.snapshot() as snapshot:
        assert values.grant(**new) == snapshot.credits.grant("org", "grant")


# Every question that names an organization, asked about another one in which the same ids exist or do not.
QUESTIONS: dict[str, Callable[[Transaction, str], object]] = {
    "organization": lambda of, org: of.organizations.get(org),
    "API key": lambda of, org: of.api_keys.get(org, "key"),
    "API keys": lambda of, org: of.api_keys.all(org),
    "customer": lambda of, org: of.customers.get(org, "acme"),
    "known customers": lambda of, org: of.customers.known(org, ["acme"]),
    "customers": lambda of, org: of.customers.page(org, Page()),
    "metric": lambda of, org: of.metrics.get(org, "calls"),
    "metrics": lambda of, org: of.metrics.all(org),
    "feature": lambda of, org: of.features.get(org, "sso"),
    "features": lambda of, org: of.features.all(org),
    "plan": lambda of, org: of.plans.get(org, "pro"),
    "plans": lambda of, org: of.plans.all(org),
    "version": lambda of, org: of.plans.version(org, "pro_1"),
    "versions": lambda of, org: of.plans.versions(org),
    "versions of a plan": lambda of, org: of.plans.versions(org, "pro"),
    "pricing unit": lambda of, org: of.pricing_units.get(org, "credits"),
    "pricing units": lambda of, org: of.pricing_units.all(org),
    "subscription": lambda of, org: of.subscriptions.get(org, "sub"),
    "subscriptions": lambda of, org: of.subscriptions.page(org, Page()),
    "subscriptions of a customer": lambda of, org: of.subscriptions.of_customer(org, "acme"),
    "subscriptions at an instant": lambda of, org: of.subscriptions.of_customer(org, "acme", values.NOW),
    "active subscriptions": lambda of, org: of.subscriptions.count_active(org, values.NOW),
    "due subscriptions": lambda of, org: of.subscriptions.due(values.MARCH.end, 10, org),
    "invoice": lambda of, org: of.invoices.get(org, "inv_1"),
    "invoice of a cause": lambda of, org: of.invoices.by_cause(org, "sub:arrears:1"),
    "invoices": lambda of, org: of.invoices.page(org, Page()),
    "invoices after another": lambda of, org: of.invoices.page(org, Page(after="inv_2")),
    "invoices of customers": lambda of, org: of.invoices.of_customers(org, ["acme"]),
    "credit": lambda of, org: of.credits.grant(org, "grant"),
    "credits": lambda of, org: of.credits.page(org, Page(), CreditQuestion()),
    "postings": lambda of, org: of.credits.postings(org, ["grant"]),
    "balances": lambda of, org: of.credits.balances(org, ["acme"], values.NOW),
    "standing credit": lambda of, org: of.credits.standing(org, "acme"),
    "credit schedule": lambda of, org: of.credit_schedules.get(org, "schedule"),
    "credit schedules": lambda of, org: of.credit_schedules.page(org, Page()),
    "wallets": lambda of, org: of.wallets.of_customer(org, "acme"),
    "top-up": lambda of, org: of.wallets.top_up(org, "top_up"),
    "top-ups": lambda of, org: of.wallets.top_ups(org, "acme", "USD"),
    "reply": lambda of, org: of.replies.get(org, "key"),
}


def _answers(records: Records, organization_id: str) -> dict[str, object]:
    with records.snapshot() as snapshot:
        return {name: ask(snapshot, organization_id) for name, ask in QUESTIONS.items()}


def test_an_organization_sees_nothing_of_another(filled: Records) -> None:
    alone = _answers(filled, "org")
    assert {} == {name: answer for name, answer in _answers(filled, "other").items() if answer}
    assert {} == {name: answer for name, answer in alone.items() if not answer and name != "invoices after another"}

    with filled.transaction() as transaction:
        values.fill(transaction, "other")
        transaction.invoices.add(values.invoice(2, organization_id="other"))
        transaction.customers.add(values.customer("more", organization_id="other"))
        transaction.credits.add(values.posting("more", organization_id="other"))

    assert alone == _answers(filled, "org")


def test_replacements_change_nothing_of_another_organization(filled: Records) -> None:
    with filled.transaction() as transaction:
        values.fill(transaction, "other")
    before = _answers(filled, "other")

    _write(filled, *(write for write, _, _ in REPLACEMENTS.values()))

    assert before == _answers(filled, "other")


def test_a_key_is_found_by_its_hash_whatever_its_state(filled: Records) -> None:
    revoked = values.api_key("old", revoked_at=values.NOW)
    _write(filled, lambda to: to.api_keys.add(revoked))

    with filled.snapshot() as snapshot:
        assert revoked == snapshot.api_keys.by_hash("hash of old")
        assert None is snapshot.api_keys.by_hash("hash of nothing")
