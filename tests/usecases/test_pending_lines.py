"""What is added to the next invoice: it waits, comes onto one invoice exactly once, and is never lost."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotus_server.domain.catalog import PerUnit, Timing
from lotus_server.domain.invoicing import Invoice
from lotus_server.kernel.errors import NotFound
from lotus_server.kernel.money import total
from lotus_server.usecases.drafts import draft_invoices
from lotus_server.usecases.due_work import do_what_is_due
from lotus_server.usecases.pending_billing import bill_pending_due, invoice_pending_now, list_pending
from lotus_server.usecases.plan_switch import PlanSwitch, switch_plan
from lotus_server.usecases.subscriptions import Cancellation
from tests.business import Business, charge, found_business

D = Decimal
LATER = Cancellation(defers=True)
OTHER = "sub_acme_other"


def amounts(invoice: Invoice) -> list[Decimal]:
    return [line.amount for line in invoice.lines]


def waiting(business: Business) -> list[list[Decimal]]:
    found = list_pending(business.services, business.organization, "acme")
    return [[line.amount for line in each.pending.lines] for each in found]


@pytest.fixture
def two(business: Business) -> Business:
    """A subscription to `pro` in arrears, from 1 January, and one to `other`, from the 10th."""
    business.plan("pro", charge("31", Timing.IN_ARREARS), price=PerUnit(D(1)))
    business.plan("other", charge("5", Timing.IN_ARREARS))
    business.subscribe()
    business.use(3, "2026-01-05")
    business.move("2026-01-10")
    business.subscribe("2026-01-10", plan_id="other")
    return business


def test_what_was_due_at_a_cancellation_waits_and_comes_with_the_next_invoice(two: Business) -> None:
    two.move("2026-01-11")
    _, invoice = two.cancel("sub_acme_pro", LATER)

    assert invoice is None
    assert [[D(3), D(10)]] == waiting(two)
    assert [] == two.invoices()
    two.cancel(OTHER)
    (only,) = two.invoices()
    assert OTHER == only.subscription_id
    assert [D("0.16"), D(3), D(10)] == amounts(only)
    assert [] == waiting(two)


def test_lines_keep_their_own_periods_and_do_not_stretch_that_of_the_invoice(two: Business) -> None:
    two.move("2026-01-11")
    two.cancel("sub_acme_pro", LATER)
    two.move("2026-01-12")

    _, invoice = two.cancel(OTHER)

    assert invoice is not None
    assert "2026-01-10" == f"{invoice.period.start:%Y-%m-%d}"
    assert {"2026-01-01", "2026-01-10"} == {f"{line.period.start:%Y-%m-%d}" for line in invoice.lines}
    assert {"pro", "other"} == {line.plan_id for line in invoice.lines}


def test_what_no_invoice_took_along_is_invoiced_at_the_end_of_its_period(two: Business) -> None:
    two.move("2026-01-11")
    two.cancel("sub_acme_pro", LATER)

    two.move("2026-03-15")

    assert [("2026-02-01", D(13)), ("2026-02-10", D(5)), ("2026-03-10", D(5))] == two.amounts()


def test_a_draft_has_what_its_invoice_will_take_along(business: Business) -> None:
    business.plan("pro", charge("31", Timing.IN_ARREARS))
    business.plan("other", charge("5", Timing.IN_ARREARS))
    business.subscribe("2026-01-01", plan_id="other")
    business.move("2026-01-10")
    business.subscribe("2026-01-10")
    business.move("2026-01-20")
    business.cancel("sub_acme_pro", LATER)
    business.move("2026-01-25")
    _, (draft,) = draft_invoices(business.services, business.organization, "acme")

    _, invoice = business.cancel(OTHER)

    assert invoice is not None
    assert draft.lines == invoice.lines
    assert 2 == len(invoice.lines)


def test_a_draft_leaves_out_what_has_an_invoice_of_its_own_before(two: Business) -> None:
    two.move("2026-01-11")
    two.cancel("sub_acme_pro", LATER)

    assert [[D("0.16")]] == two.draft_amounts()


def test_what_waits_can_be_invoiced_now_and_only_once(two: Business) -> None:
    two.move("2026-01-11")
    two.cancel("sub_acme_pro", LATER)

    (view,) = invoice_pending_now(two.services, two.organization, "acme")

    assert [D(3), D(10)] == amounts(view.invoice)
    assert [] == invoice_pending_now(two.services, two.organization, "acme")
    two.move("2026-02-15")
    assert [("2026-01-11", D(13)), ("2026-02-10", D(5))] == two.amounts()


def test_nobody_elses_lines_can_be_invoiced(two: Business) -> None:
    with pytest.raises(NotFound):
        invoice_pending_now(two.services, two.organization, "nobody")


def test_another_currency_waits_for_its_own_invoice(business: Business) -> None:
    business.plan("pro", charge("31", Timing.IN_ARREARS), currency="USD")
    business.plan("other", charge("31", Timing.IN_ARREARS), currency="EUR")
    business.subscribe()
    business.subscribe(plan_id="other")
    business.move("2026-01-11")
    business.cancel("sub_acme_pro", LATER)

    business.cancel(OTHER)

    assert [[D(10)]] == waiting(business)
    business.move("2026-02-01")
    assert [("EUR", D(10)), ("USD", D(10))] == [(each.currency, each.subtotal) for each in business.invoices()]


def test_both_sides_of_a_switch_wait_for_the_new_plans_next_invoice(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.plan("other", charge("62"))
    business.subscribe()
    business.move("2026-01-11")

    switch_plan(business.services, business.organization, "sub_acme_pro", PlanSwitch("other", defers=True))

    assert [[D(-21)], [D(42)]] == waiting(business)
    business.move("2026-02-01")
    assert [("2026-01-01", D(31)), ("2026-02-01", D(83))] == business.amounts()
    assert [D(62), D(-21), D(42)] == amounts(business.invoices()[-1])
    business.move("2026-03-01")
    assert ("2026-03-01", D(62)) == business.amounts()[-1]


def test_late_events_correct_what_waited(two: Business) -> None:
    two.move("2026-01-11")
    two.cancel("sub_acme_pro", LATER)
    two.move("2026-02-01")
    two.use(2, "2026-01-06")

    two.move("2026-02-10")

    taken, corrected = two.invoices()
    assert [D(3), D(10)] == amounts(taken)
    assert [D(5), D(2)] == amounts(corrected)
    (reference,) = [line.refers_to for line in corrected.lines if line.refers_to is not None]
    assert (taken.invoice_id, 0) == (reference.invoice_id, reference.line)


def test_corrections_find_the_line_behind_those_of_another_subscription(two: Business) -> None:
    two.move("2026-01-11")
    two.cancel("sub_acme_pro", LATER)
    two.cancel(OTHER)
    two.use(2, "2026-01-06")
    two.subscribe("2026-01-11", plan_id="other", subscription_id="third")

    two.move("2026-02-11")

    first, second = two.invoices()
    (reference,) = [line.refers_to for line in second.lines if line.refers_to is not None]
    assert reference.line is not None
    assert (first.invoice_id, D(3)) == (reference.invoice_id, first.lines[reference.line].amount)


def test_doing_what_is_due_again_changes_nothing(two: Business) -> None:
    two.move("2026-01-11")
    two.cancel("sub_acme_pro", LATER)
    two.move("2026-02-01")
    before = two.amounts()

    do_what_is_due(two.services, organization=two.organization)
    bill_pending_due(two.services, until=two.organization.clock_now, organization=two.organization)

    assert before == two.amounts()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cancelled=st.lists(st.tuples(st.integers(2, 60), st.sampled_from("abc"), st.booleans()), max_size=3),
    stops=st.lists(st.integers(61, 120), max_size=4).map(sorted),
)
def test_what_is_billed_does_not_depend_on_when_it_is_billed_or_how_time_passes(
    business: Business, cancelled: list[tuple[int, str, bool]], stops: list[int]
) -> None:
    often, once, at_once = (found_business(business.services) for _ in range(3))
    for twin in (often, once, at_once):
        for place, name in enumerate("abc"):
            twin.plan(name, charge("31"), charge("7.77", Timing.IN_ARREARS))
            twin.move(f"2026-01-{1 + 5 * place:02}")
            twin.subscribe(f"2026-01-{1 + 5 * place:02}", plan_id=name, subscription_id=f"sub_{name}")
        done: set[str] = set()
        for day, name, defers in sorted(cancelled):
            if name not in done:
                twin.move(_day(max(day, 11)))
                twin.cancel(f"sub_{name}", Cancellation(defers=defers and twin is not at_once))
                done.add(name)
    for day in stops:
        often.move(_day(day))
    for twin in (often, once, at_once):
        twin.move(_day(121))

    assert once.amounts() == often.amounts()
    assert [amounts(each) for each in once.invoices()] == [amounts(each) for each in often.invoices()]
    assert total(amount for _, amount in once.amounts()) == total(amount for _, amount in at_once.amounts())
    assert [] == list_pending(once.services, once.organization, "acme")


def _day(number: int) -> str:
    months = (31, 28, 31, 30, 31)
    month = 0
    while number >= months[month]:
        number -= months[month]
        month += 1
    return f"2026-{month + 1:02}-{number + 1:02}"
