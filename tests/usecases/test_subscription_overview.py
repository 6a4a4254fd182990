"""One subscription with the periods around the present."""

from datetime import timedelta

from lotus_server.domain.subscriptions import TurnKind
from lotus_server.usecases.pauses import PauseOrder, pause_subscription
from lotus_server.usecases.subscription_overview import Stage, SubscriptionOverview, view_subscription
from tests.business import Business, at, charge

SUB = "sub_acme_pro"


def looked_at(business: Business) -> SubscriptionOverview:
    return view_subscription(business.services, business.organization, SUB)


def stages(business: Business) -> list[tuple[str, Stage]]:
    return [(f"{each.period.start:%Y-%m-%d}", each.stage) for each in looked_at(business).stretches]


def test_periods_that_are_over_the_open_one_and_the_next_are_shown(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    business.move("2026-03-10")

    expected = [
        ("2026-01-01", Stage.OVER),
        ("2026-02-01", Stage.OVER),
        ("2026-03-01", Stage.PRESENT),
        ("2026-04-01", Stage.COMING),
    ]
    assert expected == stages(business)


def test_of_many_periods_the_latest_are_shown(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    business.move("2028-03-10")

    assert 14 == len(looked_at(business).stretches)
    assert ("2027-03-01", Stage.OVER) == stages(business)[0]


def test_a_trial_is_a_period_and_what_happens_next_is_its_end(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe(trial_end=at("2026-01-15"))

    found = looked_at(business)

    assert [True, False] == [each.is_trial for each in found.stretches]
    assert found.turn is not None
    assert TurnKind.TRIAL_ENDS is found.turn.kind


def test_a_pause_is_seen_in_the_periods_that_it_touches(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    until = PauseOrder(at("2026-01-10"), at("2026-02-01"))
    pause_subscription(business.services, business.organization, SUB, until)

    assert [True, False] == [each.is_paused for each in looked_at(business).stretches]


def test_a_subscription_that_was_cancelled_before_it_started_has_no_periods(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe("2026-02-01")
    business.cancel(SUB)

    assert [] == stages(business)


def test_one_that_has_ended_has_no_period_to_come(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    business.move("2026-01-10")
    business.cancel(SUB)

    found = looked_at(business)

    assert [("2026-01-01", Stage.OVER)] == stages(business)
    assert found.turn is None
    assert [timedelta(days=9)] == [each.period.end - each.period.start for each in found.stretches]


def test_its_own_invoices_are_shown_newest_first(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.plan("max", charge("62"))
    business.subscribe()
    business.subscribe(plan_id="max")
    business.move("2026-02-10")

    assert ["2026-02-01", "2026-01-01"] == [f"{each.issued_at:%Y-%m-%d}" for each in looked_at(business).invoices]
