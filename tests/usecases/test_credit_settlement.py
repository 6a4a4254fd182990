"""What time does to credit: it expires, rolls over and comes again, however the clock is moved."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from lotus_server.domain.catalog import Timing
from lotus_server.domain.credits import (
    CreditAccount,
    CreditPosting,
    CreditStatus,
    Rollover,
    ScheduleStatus,
    Term,
    account_balances,
)
from lotus_server.kernel.errors import Conflict, Invalid, LotusError
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Duration
from lotus_server.ports.credit_records import CreditQuestion
from lotus_server.usecases.credit_schedules import (
    CreditScheduleDraft,
    cancel_credit_schedule,
    create_credit_schedule,
    get_credit_schedule,
    list_credit_schedules,
)
from lotus_server.usecases.credit_settlement import settle_credits_due
from lotus_server.usecases.credits import CreditView, list_credits
from lotus_server.usecases.invoices import void_invoice
from lotus_server.usecases.services import Services
from tests.business import EVERYTHING, Business, at, charge, found_business
from tests.usecases.test_concurrency import together
from tests.usecases.test_credits import billed, change, credit, give, void

__all__ = ["billed"]

MONTH = Term(months=1)


def schedule(business: Business, amount: str, recurs: Duration, **fields: Any) -> str:  # noqa: ANN401 - a draft's
    draft = CreditScheduleDraft(**{"customer_id": "acme", "amount": Decimal(amount), "recurs": recurs, **fields})
    return create_credit_schedule(business.services, business.organization, draft).schedule.schedule_id


def credits_of(business: Business) -> list[CreditView]:
    views, _ = list_credits(business.services, business.organization, EVERYTHING, CreditQuestion())
    return views


def postings(business: Business) -> list[CreditPosting]:
    return [posting for view in credits_of(business) for posting in view.postings]


def story(business: Business) -> list[tuple[str, str, Decimal]]:
    """Day, target and amount of every movement, oldest first."""
    moved = sorted(postings(business), key=lambda each: (each.posted_at, each.target, each.amount))
    return [(f"{each.posted_at:%m-%d}", each.target.value, each.amount) for each in moved]


def real_time(business: Business, now: str) -> None:
    """The time is `now`, and nobody has done yet what is due."""
    with business.services.records.transaction() as tx:
        organization = tx.organizations.get(business.organization_id)
        assert organization is not None
        tx.organizations.replace(type(organization)(**{**_fields(organization), "clock_now": at(now)}))


def _fields(organization: Any) -> dict[str, Any]:  # noqa: ANN401 - an organization
    return {name: getattr(organization, name) for name in organization.__struct_fields__}


def test_what_is_left_at_the_expiry_goes_to_expired_at_that_instant(billed: Business) -> None:
    give(billed, "50", expires_at=at("2026-02-15"))

    billed.move("2026-04-01")

    assert story(billed) == [
        ("01-01", "available", Decimal(50)),
        ("02-01", "applied", Decimal(30)),
        ("02-15", "expired", Decimal(20)),
    ]


def test_what_expires_at_an_invoices_instant_does_not_pay_it_and_what_it_becomes_does(billed: Business) -> None:
    give(billed, "10", expires_at=at("2026-02-01"))
    give(billed, "10", expires_at=at("2026-02-01"), rollover=Rollover(MONTH, Decimal(7)))

    billed.move("2026-02-01")

    assert billed.invoices()[0].credit_applied == 7


def test_credit_rolls_over_as_often_and_as_much_as_was_said(business: Business) -> None:
    give(business, "100", expires_at=at("2026-02-01"), rollover=Rollover(MONTH, Decimal(40), 2))

    business.move("2026-02-01")
    assert business.balance() == 40
    business.move("2026-03-01")
    assert business.balance() == 40
    business.move("2026-04-01")
    assert business.balance() == 0

    assert [each.grant.rollover_number for each in credits_of(business)] == [0, 1, 2]
    assert [each.status for each in credits_of(business)] == [CreditStatus.INACTIVE] * 3


def test_credit_recurs_at_each_boundary_and_ends(business: Business) -> None:
    schedule(business, "5", Duration.MONTHLY, starts_at=at("2026-01-31"), ends_at=at("2026-04-30"), expires_after=MONTH)

    business.move("2027-01-01")

    given = [f"{each.grant.effective_at:%m-%d} {each.grant.expires_at:%m-%d}" for each in credits_of(business)]
    assert given == ["01-31 02-28", "02-28 03-31", "03-31 04-30"]


def test_a_schedule_gives_at_once_when_it_starts_now(business: Business) -> None:
    schedule(business, "5", Duration.WEEKLY)

    assert business.balance() == 5
    business.move("2026-01-14")
    assert business.balance() == 10


def test_recurring_credit_pays_the_invoice_of_the_instant_at_which_it_is_given(billed: Business) -> None:
    schedule(billed, "12", Duration.MONTHLY, starts_at=at("2026-02-01"))

    billed.move("2026-03-01")

    assert [invoice.credit_applied for invoice in billed.invoices()] == [12, 12]


def test_usage_beyond_recurring_credit_is_invoiced_and_not_taken_from_the_next_grant(business: Business) -> None:
    business.plan("pro", charge("120", Timing.IN_ARREARS), duration=Duration.DAILY)
    schedule(business, "100", Duration.DAILY, expires_after=Term(days=1))
    business.subscribe("2026-01-01", ends_at=at("2026-01-02"))
    give(business, "1", effective_at=at("2026-01-01"))

    business.move("2026-01-02T01:00")

    assert [(invoice.credit_applied, invoice.total) for invoice in business.invoices()] == [(Decimal(101), Decimal(19))]
    assert business.balance() == 0


def test_a_cancelled_schedule_gives_nothing_any_more_and_takes_nothing_back(business: Business) -> None:
    schedule_id = schedule(business, "5", Duration.DAILY)
    business.move("2026-01-02")

    found = cancel_credit_schedule(business.services, business.organization, schedule_id).schedule
    business.move("2026-01-09")

    assert (found.status, found.given_count, found.due_at) == (ScheduleStatus.CANCELED, 2, None)
    assert business.balance() == 10
    with pytest.raises(Conflict) as caught:
        cancel_credit_schedule(business.services, business.organization, schedule_id)
    assert caught.value.code == "invalid_state"


def test_schedules_are_listed_with_their_customers(business: Business) -> None:
    schedule_id = schedule(business, "5", Duration.DAILY)

    views = list_credit_schedules(business.services, business.organization, EVERYTHING, customer_id="acme")

    assert [(view.schedule.schedule_id, view.customer.customer_id) for view in views] == [(schedule_id, "acme")]
    assert views == [get_credit_schedule(business.services, business.organization, schedule_id)]


def test_every_problem_of_a_schedule_is_told_at_once(business: Business) -> None:
    with pytest.raises(Invalid) as caught:
        schedule(business, "0", Duration.DAILY, starts_at=at("2025-12-31"), rollover=Rollover(MONTH))

    assert [each.field for each in caught.value.problems] == ["amount", "expires_after", "starts_at"]


def test_a_schedule_of_nobody_and_none_are_not_found(business: Business) -> None:
    codes = []
    for ask in (
        lambda: schedule(business, "1", Duration.DAILY, customer_id="nobody"),
        lambda: get_credit_schedule(business.services, business.organization, "none"),
        lambda: cancel_credit_schedule(business.services, business.organization, "none"),
    ):
        with pytest.raises(LotusError) as caught:
            ask()
        codes.append(caught.value.code)

    assert codes == ["customer_not_found", *["credit_schedule_not_found"] * 2]


def test_answers_are_the_same_before_and_after_the_ledger_is_brought_up_to_date(billed: Business) -> None:
    lost = give(billed, "1", expires_at=at("2026-01-10"))
    rolling = give(billed, "2", expires_at=at("2026-01-10"), rollover=Rollover(MONTH))
    schedule(billed, "4", Duration.WEEKLY, starts_at=at("2026-01-10"))
    give(billed, "8", currency="EUR")
    real_time(billed, "2026-01-24")

    def answers() -> tuple[object, ...]:
        views = [credit(billed, credit_id) for credit_id in (lost, rolling)]
        return billed.balance(), [(view.remaining, view.status, view.postings) for view in views]

    before = answers()
    assert before[0] == 2 + 3 * 4
    assert settle_credits_due(billed.services, until=at("2026-01-24"), organization=billed.organization) > 0
    assert answers() == before
    assert settle_credits_due(billed.services, until=at("2026-01-24"), organization=billed.organization) == 0


def _play(business: Business, days: int) -> tuple[object, ...]:
    """A busy half year, the clock being moved so many days at a time."""
    business.plan("pro", charge("30", Timing.IN_ARREARS))
    business.subscribe("2026-01-01")
    give(business, "40", expires_at=at("2026-02-01"), rollover=Rollover(MONTH, Decimal(25), 3))
    give(business, "10", expires_at=at("2026-03-15"), priority=1, amount_paid=Decimal(10))
    some = Rollover(Term(days=5), Decimal(3))
    schedule(business, "7", Duration.WEEKLY, expires_after=Term(days=10), rollover=some)
    now, end = at("2026-01-01"), at("2026-06-01")
    while now < end:
        now = min(now + timedelta(days=days), end)
        business.move(f"{now:%Y-%m-%d}")
    return business.balance(), story(business), [each.credit_applied for each in business.invoices()]


@pytest.mark.parametrize("days", [1, 10, 45])
def test_balances_and_the_ledger_do_not_depend_on_the_steps_of_the_clock(services: Services, days: int) -> None:
    assert _play(found_business(services), 365) == _play(found_business(services), days)


def test_the_accounts_of_each_grant_sum_to_zero(billed: Business) -> None:
    give(billed, "40", expires_at=at("2026-02-02"), rollover=Rollover(MONTH, Decimal(9)))
    void(billed, give(billed, "5"))
    billed.move("2026-02-10")
    void_invoice(billed.services, billed.organization, billed.invoices()[0].invoice_id)
    billed.move("2026-06-01")

    balances = account_balances(postings(billed))
    for view in credits_of(billed):
        assert not total(balance for (of, _), balance in balances.items() if of == view.grant.credit_id)
    assert all(balance >= 0 for (_, account), balance in balances.items() if account is not CreditAccount.ISSUED)


def test_credit_that_comes_back_to_an_expired_or_voided_grant_is_lost(billed: Business) -> None:
    expired = give(billed, "20", expires_at=at("2026-02-05"))
    voided = give(billed, "20")
    billed.move("2026-02-03")
    void(billed, voided)
    billed.move("2026-02-10")

    void_invoice(billed.services, billed.organization, billed.invoices()[0].invoice_id)

    assert [credit(billed, each).remaining for each in (expired, voided)] == [0, 0]
    assert [credit(billed, each).drawdowns[-1].target for each in (expired, voided)] == [
        CreditAccount.EXPIRED,
        CreditAccount.VOIDED,
    ]


def test_an_expired_grant_with_more_time_has_back_what_it_lost_and_expires_again(business: Business) -> None:
    credit_id = give(business, "5", expires_at=at("2026-01-05"))
    business.move("2026-01-10")

    assert change(business, credit_id, expires_at=at("2026-01-20")).remaining == 5
    assert business.balance() == 5
    business.move("2026-01-20")
    assert business.balance() == credit(business, credit_id).remaining == 0


def test_what_has_rolled_over_cannot_be_given_more_time(business: Business) -> None:
    credit_id = give(business, "5", expires_at=at("2026-01-05"), rollover=Rollover(MONTH))
    business.move("2026-01-10")

    with pytest.raises(Conflict) as caught:
        change(business, credit_id, expires_at=at("2026-03-01"))

    assert caught.value.code == "invalid_state"
    assert change(business, credit_id, description="Old").grant.description == "Old"


def test_what_never_expires_cannot_roll_over(business: Business) -> None:
    with pytest.raises(Invalid) as caught:
        give(business, "5", rollover=Rollover(MONTH))

    assert [(each.field, each.code) for each in caught.value.problems] == [("expires_at", "required")]


def test_several_tickers_write_everything_once(business: Business) -> None:
    give(business, "10", expires_at=at("2026-01-05"), rollover=Rollover(MONTH))
    schedule(business, "1", Duration.DAILY, starts_at=at("2026-01-02"))
    real_time(business, "2026-01-10")

    def tick() -> int:
        return settle_credits_due(business.services, until=at("2026-01-10"), organization=business.organization)

    assert [each for each in together(tick, tick, tick) if isinstance(each, LotusError)] == []
    assert business.balance() == 10 + 9
    assert len({posting.cause for posting in postings(business)}) == len(postings(business)) == 12


def test_invoices_and_tickers_at_the_same_moment_agree(business: Business) -> None:
    for number in range(3):
        business.plan(f"plan_{number}", charge("20"))
    give(business, "50", expires_at=at("2026-01-05"), rollover=Rollover(MONTH, Decimal(30)))
    schedule(business, "5", Duration.DAILY, starts_at=at("2026-01-08"))
    real_time(business, "2026-01-10")

    def tick() -> int:
        return settle_credits_due(business.services, until=at("2026-01-10"), organization=business.organization)

    begun = [lambda number=number: business.subscribe("2026-01-10", plan_id=f"plan_{number}") for number in range(3)]
    outcomes = together(*begun, tick, tick)

    assert [each for each in outcomes if isinstance(each, LotusError)] == []
    assert sum(invoice.credit_applied for invoice in business.invoices()) == 30 + 3 * 5
    assert business.balance() == 0
