"""What is rated ahead of a billing run counts as long as it is what rating now would say; the invoices are the same."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import pytest
from typing_extensions import override

from lotus_server.domain.catalog import UsageInvoicing
from lotus_server.domain.invoicing import usage_digest
from lotus_server.kernel.period import Duration
from lotus_server.ports.rating_ahead import NextDue, RatedOrganization, Rater, RatingAhead
from lotus_server.usecases import billing, rating_ahead
from lotus_server.usecases.clock import move_clock
from lotus_server.usecases.corrections import of_finished_periods, with_terms
from lotus_server.usecases.plans import ComponentDraft, PlanDraft, VersionDraft, create_plan
from lotus_server.usecases.rating_ahead import RATED_AHEAD_MIN, rate_next, rater_for, with_rated
from lotus_server.usecases.services import Services
from lotus_server.usecases.subscriptions import Cancellation
from lotus_server.usecases.usage_reading import usages_of_closed
from tests.business import PENNY, Business, at, charge, found_business

CUSTOMERS = ("acme", "boots", "corner", "dairy", "eden")


class RatesHere(RatingAhead, Rater):
    """Rates in this process, when it is asked; `then` happens afterwards. Keeps what was used of it."""

    def __init__(self, services: Services, then: Callable[[], None] = lambda: None) -> None:
        self.services = services
        self.then = then
        self.answered: list[RatedOrganization] = []
        self.asked = 0

    @override
    @contextmanager
    def rater(self) -> Iterator[Rater]:
        yield self

    @override
    def ask(self, question: NextDue) -> None:
        self.asked += 1
        said = msgspec.json.encode(rate_next(self.services, question))  # as it travels between processes
        self.answered = msgspec.json.decode(said, type=list[RatedOrganization])
        self.then()

    @override
    def take(self) -> list[RatedOrganization]:
        answered, self.answered = self.answered, []
        return answered


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps are a batch, and every run is a large one."""
    monkeypatch.setattr(billing, "DUE_AT_ONCE_MAX", 2)
    monkeypatch.setattr(rating_ahead, "RATED_AHEAD_MIN", 1)


@pytest.fixture
def rated(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many periods each batch has taken over."""
    counts: list[int] = []
    taken_over = rating_ahead.with_rated

    def counted(*arguments: object) -> Services:
        found = taken_over(*arguments)  # type: ignore[arg-type]  # as many as the run gives it
        counts.append(len(found.rated_at_hand))
        return found

    monkeypatch.setattr(billing, "with_rated", counted)
    return counts


def trade(business: Business) -> None:
    """Five customers with usage, and charges on either end of a period."""
    business.plan("pro", charge("10"), price=PENNY)
    for number, customer_id in enumerate(CUSTOMERS):
        if number:
            business.customer(customer_id)
        business.subscribe(customer_id=customer_id)
        business.use(5 + number, "2026-01-10", customer_id)
        business.use(9 + number, "2026-02-10", customer_id)


def move_with(business: Business, rates: RatingAhead, to: str) -> None:
    """Move the organization's clock with something that rates ahead."""
    services = msgspec.structs.replace(business.services, rating_ahead=rates)
    move_clock(services, business.organization, at(to))


def told(business: Business) -> list[object]:
    """What is kept of all invoices, without ids of their own."""
    return [
        (
            *(each.customer_id, each.cause, each.invoice_number, each.period, each.total),
            *(
                (line.name, line.period, line.exact_amount, line.amount, line.steps, line.measured)
                for line in each.lines
            ),
        )
        for each in business.invoices()
    ]


def taken_over(business: Business, between: Callable[[], object] = lambda: None) -> set[str]:
    """The subscriptions whose January counts as rated ahead, when something happens between rating and billing."""
    now = at("2026-02-01")
    ahead = rate_next(business.services, NextDue(now, business.organization_id, (at("2020-01-01"), "", ""), 100))
    between()
    with business.services.records.snapshot() as tx:
        due = tx.subscriptions.due(now, 100, business.organization_id)
        found = with_rated(business.services, tx, due, ahead)
    return {key[1] for key in found.rated_at_hand}


def test_the_invoices_are_those_that_are_rated_in_time(business: Business, rated: list[int]) -> None:
    twin = found_business(business.services)
    trade(business)
    trade(twin)

    twin.move("2026-03-15")
    ahead_without_help = sum(rated)
    move_with(business, RatesHere(business.services), "2026-03-15")

    assert 0 == ahead_without_help
    assert 8 == sum(rated), "all of the ten periods but those of the first batch"
    assert told(twin) == told(business)


def test_what_is_kept_of_a_period_says_what_its_events_say(business: Business) -> None:
    trade(business)
    move_with(business, RatesHere(business.services), "2026-03-15")

    with business.services.records.snapshot() as tx:
        periods = [each for name in CUSTOMERS for each in of_finished_periods(tx, business.organization_id, name)]
        closed = with_terms(tx, periods, [])
    usages = usages_of_closed(business.services, business.organization_id, [each.part for each in closed])
    assert [usage_digest(each) for each in usages] == [each.billed.usage_digest for each in closed]


def test_an_event_that_comes_in_after_rating_is_on_the_invoice(business: Business, rated: list[int]) -> None:
    trade(business)
    rates = RatesHere(business.services)

    def late() -> None:
        if rates.asked == 1:
            for customer_id in CUSTOMERS:
                business.use(100, "2026-01-31", customer_id)

    rates.then = late
    move_with(business, rates, "2026-02-01")

    assert [0, 0, 1] == rated, "the one of the last batch was rated with it"
    used = {each.customer_id: each.lines[0].quantity for each in business.invoices() if each.lines[0].metric_id}
    assert {"acme": 105, "boots": 106, "corner": 107, "dairy": 108, "eden": 109} == used


def test_who_has_no_new_events_keeps_what_was_rated(business: Business) -> None:
    trade(business)

    found = taken_over(business, between=lambda: business.use(1, "2026-01-20", "boots"))

    assert {f"sub_{name}_pro" for name in CUSTOMERS if name != "boots"} == found


def test_a_subscription_that_changed_meanwhile_is_rated_again(business: Business) -> None:
    trade(business)

    found = taken_over(business, between=lambda: business.cancel("sub_dairy_pro", Cancellation(ends_now=False)))

    assert "sub_dairy_pro" not in found
    assert 4 == len(found)


def test_a_metric_that_was_renamed_meanwhile_is_rated_again(business: Business) -> None:
    trade(business)

    def rename() -> None:
        with business.services.records.transaction() as tx:
            for each in tx.metrics.all(business.organization_id):
                tx.metrics.replace(msgspec.structs.replace(each, metric_name="Requests"))

    assert set() == taken_over(business, between=rename)


def test_usage_that_is_invoiced_in_parts_is_not_rated_ahead(business: Business) -> None:
    trade(business)
    business.customer("fay")
    in_days = VersionDraft(
        components=(ComponentDraft("calls_pro", PENNY),), usage_invoicing=UsageInvoicing(Duration.DAILY)
    )
    create_plan(business.services, business.organization, PlanDraft("Days", Duration.MONTHLY, in_days, "days"))
    business.subscribe(customer_id="fay", plan_id="days")

    assert {f"sub_{name}_pro" for name in CUSTOMERS} == taken_over(business)


def test_a_small_run_has_no_process(business: Business, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rating_ahead, "RATED_AHEAD_MIN", RATED_AHEAD_MIN)
    rates = RatesHere(business.services)
    services = msgspec.structs.replace(business.services, rating_ahead=rates)

    with rater_for(services, RATED_AHEAD_MIN - 1) as small, rater_for(services, RATED_AHEAD_MIN) as large:
        assert (False, True) == (small is rates, large is rates)
