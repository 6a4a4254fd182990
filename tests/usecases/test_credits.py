"""Credits given, used by invoices, changed and taken back."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from lotus_server.domain.catalog import Timing
from lotus_server.domain.credits import CreditAccount, CreditStatus, account_balances
from lotus_server.domain.invoicing import FlatFeeBehavior, PaymentStatus
from lotus_server.kernel.errors import Conflict, Invalid, LotusError, NotFound
from lotus_server.kernel.money import total
from lotus_server.ports.credit_records import CreditQuestion
from lotus_server.ports.paging import Page
from lotus_server.usecases import credits as use_case
from lotus_server.usecases.credits import (
    CreditChange,
    CreditDraft,
    CreditView,
    create_credit,
    get_credit,
    list_credits,
    update_credit,
    void_credit,
)
from lotus_server.usecases.subscriptions import Cancellation
from tests.business import EVERYTHING, Business, at, charge

INSTANT = timedelta(microseconds=1)


def give(business: Business, amount: str, **fields: Any) -> str:  # noqa: ANN401 - fields of a draft
    draft = CreditDraft(**{"customer_id": "acme", "amount": Decimal(amount), **fields})
    return create_credit(business.services, business.organization, draft).grant.credit_id


def credit(business: Business, credit_id: str) -> CreditView:
    return get_credit(business.services, business.organization, credit_id)


def left(business: Business, *credit_ids: str) -> list[str]:
    return [str(credit(business, credit_id).remaining) for credit_id in credit_ids]


def change(business: Business, credit_id: str, **fields: Any) -> CreditView:  # noqa: ANN401 - fields of a change
    return update_credit(business.services, business.organization, credit_id, CreditChange(**fields))


def void(business: Business, credit_id: str) -> CreditView:
    return void_credit(business.services, business.organization, credit_id)


@pytest.fixture
def billed(business: Business) -> Business:
    """Acme is to pay 30 at the end of each month."""
    business.plan("pro", charge("30", Timing.IN_ARREARS))
    business.subscribe("2026-01-01")
    return business


def test_credit_pays_as_much_of_an_invoice_as_there_is(billed: Business) -> None:
    credit_id = give(billed, "50")

    billed.move("2026-03-01")

    first, second = billed.invoices()
    assert (first.credit_applied, first.total, first.payment_status) == (Decimal(30), Decimal(0), PaymentStatus.PAID)
    assert (second.credit_applied, second.total) == (Decimal(20), Decimal(10))
    assert left(billed, credit_id) == ["0"]
    assert [(each.invoice_id, each.amount) for each in credit(billed, credit_id).drawdowns] == [
        (first.invoice_id, Decimal(30)),
        (second.invoice_id, Decimal(20)),
    ]


def test_grants_are_used_by_priority_then_expiry_then_age(billed: Business) -> None:
    old = give(billed, "10")
    young = give(billed, "10")
    ending = give(billed, "10", expires_at=at("2027-01-01"))
    urgent = give(billed, "10", priority=1)
    last = give(billed, "10", priority=200, expires_at=at("2026-06-01"))
    order = [urgent, ending, old, young, last]
    assert left(billed, *order) == ["10"] * 5

    billed.move("2026-02-01")
    assert left(billed, *order) == ["0", "0", "0", "10", "10"]

    billed.move("2026-03-01")
    assert left(billed, *order) == ["0"] * 5


def test_credit_pays_from_its_effect_on_and_not_at_the_instant_of_its_expiry(billed: Business) -> None:
    end = at("2026-02-01")
    over = give(billed, "1", expires_at=end)
    just_not_over = give(billed, "2", expires_at=end + INSTANT)
    just_begun = give(billed, "4", effective_at=end)
    not_begun = give(billed, "8", effective_at=end + INSTANT)

    billed.move("2026-02-01")

    assert billed.invoices()[0].credit_applied == 6
    assert left(billed, over, just_not_over, just_begun, not_begun) == ["0", "0", "0", "8"]
    assert [each.target for each in credit(billed, over).drawdowns] == [CreditAccount.EXPIRED]


def test_credit_of_another_currency_or_customer_does_not_pay(billed: Business) -> None:
    billed.customer("other")
    give(billed, "30", currency="EUR")
    give(billed, "30", customer_id="other")

    billed.move("2026-02-01")

    assert billed.invoices()[0].credit_applied == 0


def test_the_balance_is_what_can_be_paid_now_in_the_customers_currency(business: Business) -> None:
    give(business, "1")
    give(business, "2", currency="EUR")
    give(business, "4", effective_at=at("2026-01-05"))
    give(business, "8", expires_at=at("2026-01-05"))
    voided = give(business, "16")
    void(business, voided)

    assert business.balance() == 9
    business.move("2026-01-05")
    assert business.balance() == 5


def test_an_invoice_below_zero_becomes_a_grant(business: Business) -> None:
    business.plan("pro", charge("31"))
    subscription = business.subscribe("2026-01-01")
    business.move("2026-01-16T12:00")
    _, invoice = business.cancel(subscription.subscription_id, Cancellation(flat_fees=FlatFeeBehavior.CHARGE_PRORATED))
    assert invoice is not None

    (found,), _ = list_credits(business.services, business.organization, EVERYTHING, CreditQuestion("acme"))

    assert (found.grant.amount, found.grant.invoice_id) == (Decimal("15.50"), invoice.invoice_id)
    assert (invoice.total, invoice.payment_status) == (Decimal(0), PaymentStatus.PAID)
    assert business.balance() == Decimal("15.50")


def test_voiding_takes_back_the_rest_and_shows_it(billed: Business) -> None:
    credit_id = give(billed, "50")
    billed.move("2026-02-01")

    found = void(billed, credit_id)
    billed.move("2026-03-01")

    assert (found.remaining, found.status) == (Decimal(0), CreditStatus.INACTIVE)
    assert [each.amount for each in found.drawdowns] == [Decimal(30), Decimal(20)]
    assert billed.invoices()[1].credit_applied == 0
    assert not total(account_balances(found.postings).values())


def test_a_later_expiry_lets_an_expired_grant_pay_again(billed: Business) -> None:
    credit_id = give(billed, "50", expires_at=at("2026-01-15"), description="Welcome")
    billed.move("2026-02-01")
    assert credit(billed, credit_id).status is CreditStatus.INACTIVE

    found = change(billed, credit_id, expires_at=at("2027-01-01"))
    billed.move("2026-03-01")

    assert (found.status, found.grant.description) == (CreditStatus.ACTIVE, "Welcome")
    assert [invoice.credit_applied for invoice in billed.invoices()] == [Decimal(0), Decimal(30)]


def test_description_and_expiry_are_changed_apart(business: Business) -> None:
    credit_id = give(business, "1", expires_at=at("2026-06-01"), description="Welcome")

    described = change(business, credit_id, description="Hello").grant
    endless = change(business, credit_id, expires_never=True).grant

    assert (described.description, described.expires_at) == ("Hello", at("2026-06-01"))
    assert (endless.description, endless.expires_at) == ("Hello", None)


def test_what_is_over_cannot_be_voided_again(business: Business) -> None:
    voided, expired = give(business, "1"), give(business, "1", expires_at=at("2026-01-05"))
    void(business, voided)
    business.move("2026-01-05")

    for credit_id in (voided, expired):
        with pytest.raises(Conflict) as caught:
            void(business, credit_id)
        assert caught.value.code == "invalid_state"
    with pytest.raises(Conflict):
        change(business, voided, description="x")


def test_what_is_paid_for_credit_is_noted_and_invoiced(business: Business) -> None:
    credit_id = give(business, "10", amount_paid=Decimal("8.5"))

    grant = credit(business, credit_id).grant

    assert (grant.amount_paid, grant.amount_paid_currency) == (Decimal("8.5"), "USD")
    assert [Decimal("8.5")] == [invoice.total for invoice in business.invoices()]


def test_credits_are_listed_by_status(business: Business) -> None:
    active, over = give(business, "1"), give(business, "1", expires_at=at("2026-01-05"))
    business.move("2026-01-05")

    def listed(*statuses: CreditStatus) -> list[str]:
        views, _ = list_credits(
            business.services, business.organization, EVERYTHING, CreditQuestion(), frozenset(statuses)
        )
        return [view.grant.credit_id for view in views]

    assert (listed(), listed(CreditStatus.ACTIVE), listed(CreditStatus.INACTIVE)) == ([active, over], [active], [over])


def test_a_page_of_credits_of_a_status_is_full_as_long_as_there_are_more(
    business: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_case, "GRANTS_AT_ONCE_MIN", 1)
    given = [give(business, "1") for _ in range(9)]
    for number in (0, 1, 2, 3, 5, 7):
        void(business, given[number])
    question, active = CreditQuestion(), frozenset({CreditStatus.ACTIVE})

    first, key = list_credits(business.services, business.organization, Page(2), question, active)
    rest, _ = list_credits(business.services, business.organization, Page(2, key[-1]), question, active)

    assert [[given[4], given[6]], [given[8]]] == [[view.grant.credit_id for view in page] for page in (first, rest)]


def test_every_problem_of_a_credit_is_told_at_once(business: Business) -> None:
    with pytest.raises(Invalid) as caught:
        give(business, "-1", priority=0, expires_at=at("2025-01-01"), currency="XYZ")

    assert [each.field for each in caught.value.problems] == ["currency_code", "priority", "expires_at"]


def test_what_does_not_exist_is_not_found(business: Business) -> None:
    codes = []
    for ask in (
        lambda: give(business, "1", customer_id="nobody"),
        lambda: credit(business, "none"),
        lambda: void(business, "none"),
        lambda: change(business, "none"),
    ):
        with pytest.raises(LotusError) as caught:
            ask()
        assert isinstance(caught.value, NotFound)
        codes.append(caught.value.code)

    assert codes == ["customer_not_found", *["credit_not_found"] * 3]
