"""What comes back from the records is what was kept, to the last digit, microsecond and quote, in every database."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Context, Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.accounts import ApiKey, Customer, Logo, Organization, Portal
from lotus_server.domain.catalog import Feature, Plan, PlanVersion, PricingUnit
from lotus_server.domain.credits import CreditGrant, CreditPosting, CreditSchedule, TopUp, Wallet
from lotus_server.domain.invoicing import Coupon, CreditNote, Discount, Invoice
from lotus_server.domain.metering import Metric
from lotus_server.domain.subscriptions import Subscription
from lotus_server.ports.listing import SubscriptionQuestion
from lotus_server.ports.records import Page, Records, StoredReply, Transaction
from tests import records_values as values

_WIDE = Context(prec=200)


class _Rollback(Exception):
    """Ends a transaction that is to leave nothing behind."""


@contextmanager
def _passing(records: Records) -> Iterator[Transaction]:
    """A transaction in an organization that has everything; nothing of it stays, so each example finds the same."""
    with suppress(_Rollback), records.transaction() as transaction:
        transaction.organizations.add(values.organization())
        transaction.customers.add(values.customer())
        transaction.plans.add(values.plan())
        transaction.plans.add_version(values.plan_version())
        transaction.subscriptions.add(values.subscription())
        yield transaction
        raise _Rollback


def _exact(value: object) -> object:
    """A JSON value in which true is not 1 and a number is not its text."""
    if isinstance(value, dict):
        return {key: _exact(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_exact(inner) for inner in value]
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return ("number", Decimal(value))
    return (type(value).__name__, value)


def test_an_organization_has_one_logo_or_none(shared_records: Records) -> None:
    pictures = [Logo("org", "image/png", bytes(range(256))), Logo("org", "image/svg+xml", b"<svg/>")]
    with _passing(shared_records) as transaction:
        assert transaction.logos.get("org") is None
        for picture in pictures:
            transaction.logos.put(picture)
            assert picture == transaction.logos.get("org")
            assert transaction.logos.get("another") is None
        for _ in range(2):
            transaction.logos.remove("org")
            assert transaction.logos.get("org") is None


def test_an_organization_has_one_portal_and_the_first_one_stays_unless_it_is_replaced(shared_records: Records) -> None:
    first = Portal("org", "secret", "#123456", ("https://a.example", "http://localhost:3000"))
    with _passing(shared_records) as transaction:
        assert transaction.portals.get("org") is None
        transaction.portals.add_if_missing(first)
        transaction.portals.add_if_missing(Portal("org", "other"))
        assert transaction.portals.get("org") == first
        assert transaction.portals.get("another") is None
        transaction.portals.put(Portal("org", "other"))
        assert transaction.portals.get("org") == Portal("org", "other")


@given(value=values.organizations)
def test_an_organization_comes_back(shared_records: Records, value: Organization) -> None:
    with _passing(shared_records) as transaction:
        transaction.organizations.add(value)

        assert value == transaction.organizations.get(value.organization_id)
        assert value in transaction.organizations.all()


@given(value=values.api_keys)
def test_an_api_key_comes_back(shared_records: Records, value: ApiKey) -> None:
    with _passing(shared_records) as transaction:
        transaction.api_keys.add(value)

        assert value == transaction.api_keys.get("org", value.key_id)
        assert value == transaction.api_keys.by_hash(value.secret_hash)
        assert [value] == transaction.api_keys.all("org")


@given(value=values.customers.filter(lambda value: value.customer_id != "acme"))
def test_a_customer_comes_back(shared_records: Records, value: Customer) -> None:
    with _passing(shared_records) as transaction:
        transaction.customers.add(value)

        found = transaction.customers.get("org", value.customer_id)
        assert value == found
        assert found is not None
        assert _exact(value.properties) == _exact(found.properties)
        assert value in transaction.customers.page("org", Page())


@given(value=values.metrics)
def test_a_metric_comes_back(shared_records: Records, value: Metric) -> None:
    with _passing(shared_records) as transaction:
        transaction.metrics.add(value)

        found = transaction.metrics.get("org", value.metric_id)
        assert value == found
        assert found is not None
        assert _types(value) == _types(found)
        assert [value] == transaction.metrics.all("org")


def _types(metric: Metric) -> list[object]:
    """The types of filter values: the number 1 and true are two things, though Python calls them equal."""
    filters = metric.definition.filters
    return [
        [type(one) for one in condition.value] if isinstance(condition.value, tuple) else type(condition.value)
        for condition in filters
    ]


@given(value=values.features)
def test_a_feature_comes_back(shared_records: Records, value: Feature) -> None:
    with _passing(shared_records) as transaction:
        transaction.features.add(value)

        assert value == transaction.features.get("org", value.feature_id)
        assert [value] == transaction.features.all("org")


@given(value=values.plans.filter(lambda value: value.plan_id != "pro"))
def test_a_plan_comes_back(shared_records: Records, value: Plan) -> None:
    with _passing(shared_records) as transaction:
        transaction.plans.add(value)

        assert value == transaction.plans.get("org", value.plan_id)
        assert [values.plan(), value] == transaction.plans.all("org")


@given(value=values.pricing_units.filter(lambda value: value.code != "credits"))
def test_a_pricing_unit_comes_back(shared_records: Records, value: PricingUnit) -> None:
    with _passing(shared_records) as transaction:
        transaction.pricing_units.add(value)

        assert value == transaction.pricing_units.get("org", value.code)


@given(value=values.plan_versions.filter(lambda value: value.version_id != "pro_1"))
def test_a_plan_version_comes_back_with_prices_of_every_model(shared_records: Records, value: PlanVersion) -> None:
    with _passing(shared_records) as transaction:
        transaction.plans.add_version(value)

        found = transaction.plans.version("org", value.version_id)
        assert value == found
        assert [values.plan_version(), value] == transaction.plans.versions("org", "pro")


@given(value=values.subscriptions.filter(lambda value: value.subscription_id != "sub"))
def test_a_subscription_comes_back(shared_records: Records, value: Subscription) -> None:
    with _passing(shared_records) as transaction:
        transaction.subscriptions.add(value)

        found = transaction.subscriptions.get("org", value.subscription_id)
        assert value == found
        assert found is not None
        assert _exact(value.metadata) == _exact(found.metadata)
        listed = transaction.subscriptions.page("org", Page(), SubscriptionQuestion("acme", "pro"))
        assert (value in listed) == (value.parent_id is None)  # add-ons are with their subscription
        assert value in transaction.subscriptions.of_customer("org", "acme")


@given(value=values.invoices)
def test_an_invoice_comes_back(shared_records: Records, value: Invoice) -> None:
    with _passing(shared_records) as transaction:
        transaction.invoices.add(value)

        assert value == transaction.invoices.get("org", value.invoice_id)
        assert value == transaction.invoices.by_cause("org", value.cause)
        assert [value] == transaction.invoices.page("org", Page())


@given(value=values.coupons)
def test_a_coupon_comes_back(shared_records: Records, value: Coupon) -> None:
    with _passing(shared_records) as transaction:
        transaction.coupons.add(value)

        assert value == transaction.coupons.get("org", value.coupon_id)
        assert value in transaction.coupons.all("org")


@given(value=values.discounts)
def test_a_discount_comes_back(shared_records: Records, value: Discount) -> None:
    with _passing(shared_records) as transaction:
        transaction.discounts.add(value)

        assert value in transaction.discounts.of_customer("org", "acme")


@given(value=values.credit_notes)
def test_a_credit_note_comes_back(shared_records: Records, value: CreditNote) -> None:
    value = msgspec.structs.replace(value, credit_note_id=f"{value.credit_note_id} 2")
    with _passing(shared_records) as transaction:
        transaction.invoices.add(values.invoice(1))
        transaction.credit_notes.add(value)

        assert value == transaction.credit_notes.get("org", value.credit_note_id)
        assert [value] == transaction.credit_notes.of_invoice("org", "inv_1")


@given(value=values.replies)
def test_a_reply_comes_back(shared_records: Records, value: StoredReply) -> None:
    with _passing(shared_records) as transaction:
        transaction.replies.add(value)

        assert value == transaction.replies.get("org", value.key)


@given(value=values.grants)
def test_a_credit_comes_back(shared_records: Records, value: CreditGrant) -> None:
    with _passing(shared_records) as transaction:
        transaction.credits.add_grant(value)

        assert value == transaction.credits.grant("org", value.credit_id)


@given(value=values.credit_schedules)
def test_a_credit_schedule_comes_back(shared_records: Records, value: CreditSchedule) -> None:
    value = msgspec.structs.replace(value, schedule_id=f"{value.schedule_id} 2")
    with _passing(shared_records) as transaction:
        transaction.credit_schedules.add(value)

        assert value == transaction.credit_schedules.get("org", value.schedule_id)


@given(value=values.wallets)
def test_a_wallet_comes_back(shared_records: Records, value: Wallet) -> None:
    with _passing(shared_records) as transaction:
        transaction.wallets.put(value)

        assert value in transaction.wallets.of_customer("org", "acme")


@given(value=values.top_ups)
def test_a_top_up_comes_back(shared_records: Records, value: TopUp) -> None:
    value = msgspec.structs.replace(value, top_up_id=f"{value.top_up_id} 2")
    with _passing(shared_records) as transaction:
        transaction.wallets.add_top_up(value)

        assert value == transaction.wallets.top_up("org", value.top_up_id)


@given(value=values.postings)
def test_a_posting_comes_back(shared_records: Records, value: CreditPosting) -> None:
    with _passing(shared_records) as transaction:
        transaction.credits.add_grant(values.grant("another"))
        value = msgspec.structs.replace(value, credit_id="another")
        transaction.credits.add(value)

        assert {"another": [value]} == transaction.credits.postings("org", ["another", "none"])


@given(amounts=st.lists(values.decimals, min_size=1, max_size=6))
def test_a_balance_is_the_exact_sum_of_its_postings(shared_records: Records, amounts: list[Decimal]) -> None:
    with _passing(shared_records) as transaction:
        transaction.credits.add_grant(values.grant("yen", currency="JPY"))
        for number, amount in enumerate(amounts):
            make = values.posting if number % 2 else values.drawdown
            transaction.credits.add(make(f"posting {number}", str(amount), credit_id="yen", currency="JPY"))

        # Whole numbers of the smallest unit, so that the expectation owes nothing to decimal arithmetic.
        signs = [1 if number % 2 else -1 for number in range(len(amounts))]
        exact = sum(sign * int(amount.scaleb(40, context=_WIDE)) for sign, amount in zip(signs, amounts, strict=True))
        balance = transaction.credits.balances("org", ["acme"], values.NOW).get(("acme", "JPY"), Decimal(0))
        assert exact == int(balance.scaleb(40, context=_WIDE))


@pytest.mark.parametrize("text", ["0.1", "1E-30", "12345678901234567890123456789", "0.10", "-7", "1E+5"])
def test_a_tax_rate_keeps_every_digit(shared_records: Records, text: str) -> None:
    with _passing(shared_records) as transaction:
        transaction.customers.add(values.customer("exact", tax_rate=Decimal(text)))

        found = transaction.customers.get("org", "exact")
        assert found is not None
        assert Decimal(text) == found.tax_rate


def test_free_form_numbers_come_back_as_int_or_decimal(shared_records: Records) -> None:
    properties = {"seats": 5, "huge": 10**30, "rate": Decimal("0.1"), "tiny": Decimal("1E-30"), "flag": True}
    with _passing(shared_records) as transaction:
        transaction.customers.add(values.customer("numbers", properties=properties))

        found = transaction.customers.get("org", "numbers")
        assert found is not None
        assert properties == found.properties
        assert [int, int, Decimal, Decimal, bool] == [type(value) for value in found.properties.values()]
