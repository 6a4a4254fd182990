"""Plans that turn into others at the end of a period."""

from decimal import Decimal

import pytest

from lotus_server.domain.catalog import PerUnit
from lotus_server.kernel.errors import Invalid
from lotus_server.kernel.period import Duration
from lotus_server.usecases.plan_drafts import VersionDraft
from lotus_server.usecases.plan_transitions import view_turns
from lotus_server.usecases.plan_versions import VersionChange, change_version, create_version
from lotus_server.usecases.plans import archive_plan, get_plan
from lotus_server.usecases.rehearsal import next_invoice
from tests.business import Business, at, charge

SUB = "sub_acme_pro"


def turn(business: Business, into: str | None = "max") -> None:
    (version,) = get_plan(business.services, business.organization, "pro").versions
    change = VersionChange(transition_to=into)
    change_version(business.services, business.organization, "pro", version.version_id, change)


def sell(business: Business) -> None:
    business.plan("pro", charge("31"), price=PerUnit(Decimal(1)))
    business.plan("max", charge("62"), price=PerUnit(Decimal(2)))


def plan_now(business: Business) -> str:
    return business.subscription(SUB).plan.plan_id


def test_a_subscription_turns_at_the_end_of_its_period(business: Business) -> None:
    sell(business)
    turn(business)
    business.subscribe()

    business.move("2026-02-01")

    assert [Decimal(31), Decimal(62)] == [amount for _, amount in business.amounts()]
    assert "max" == plan_now(business)


def test_usage_before_the_turn_is_billed_and_corrected_by_the_plan_of_then(business: Business) -> None:
    sell(business)
    turn(business)
    business.subscribe()
    business.use(3, "2026-01-05")
    business.move("2026-02-10")
    business.use(4, "2026-01-06")

    business.move("2026-03-01")

    lines = [[(line.plan_id, line.amount) for line in invoice.lines if line.amount] for invoice in business.invoices()]
    assert [
        [("pro", Decimal(31))],
        [("pro", Decimal(3)), ("max", Decimal(62))],
        [("max", Decimal(62)), ("pro", Decimal(4))],
    ] == lines


def test_the_next_invoice_knows_of_the_turn(business: Business) -> None:
    sell(business)
    turn(business)
    business.subscribe()

    (following,) = next_invoice(business.services, business.organization, SUB)

    assert Decimal(62) == following.invoice.subtotal


def test_one_that_ends_does_not_turn(business: Business) -> None:
    sell(business)
    turn(business)
    business.subscribe(ends_at=at("2026-02-01"))

    business.move("2026-03-01")

    assert "pro" == plan_now(business)
    assert [Decimal(31), Decimal(0)] == [amount for _, amount in business.amounts()]


def test_nothing_turns_into_a_plan_that_is_archived(business: Business) -> None:
    sell(business)
    turn(business)
    archive_plan(business.services, business.organization, "max")
    business.subscribe()

    business.move("2026-02-01")

    assert "pro" == plan_now(business)


def test_nothing_turns_into_a_plan_that_the_customer_has_already(business: Business) -> None:
    sell(business)
    turn(business)
    business.subscribe()
    business.subscribe(plan_id="max")

    business.move("2026-02-01")

    assert "pro" == plan_now(business)


def test_a_plan_turns_into_another_one_whose_periods_are_as_long(business: Business) -> None:
    sell(business)
    business.plan("year", charge("300"), duration=Duration.YEARLY)

    codes = []
    for wanted in ("nothing", "pro", "year"):
        with pytest.raises(Invalid) as refused:
            turn(business, wanted)
        codes.append(refused.value.problems[0].code)

    assert ["unknown_plan", "same_plan", "other_duration"] == codes


def test_a_plan_can_stay_as_it_is_again(business: Business) -> None:
    sell(business)
    turn(business)
    turn(business, None)
    business.subscribe()

    business.move("2026-02-01")

    assert "pro" == plan_now(business)


def test_a_version_is_made_that_turns(business: Business) -> None:
    sell(business)
    draft = VersionDraft(recurring_charges=(charge("9"),), transition_to="max")

    create_version(business.services, business.organization, "pro", draft)
    business.subscribe()
    business.move("2026-02-01")

    assert "max" == plan_now(business)


@pytest.mark.parametrize(
    ("into", "code"),
    [("none", "unknown_plan"), ("pro", "same_plan"), ("gone", "plan_archived"), ("year", "other_duration")],
)
def test_what_cannot_be_turned_into_is_refused_for_a_new_version(business: Business, into: str, code: str) -> None:
    sell(business)
    business.plan("gone", charge("1"))
    archive_plan(business.services, business.organization, "gone")
    business.plan("year", charge("1"), duration=Duration.YEARLY)

    with pytest.raises(Invalid) as refused:
        create_version(business.services, business.organization, "pro", VersionDraft(transition_to=into))
    assert [("transition_to", code)] == [(each.field, each.code) for each in refused.value.problems]


def test_a_plan_knows_what_it_turns_into_and_what_turns_into_it(business: Business) -> None:
    sell(business)
    business.plan("year", charge("1"), duration=Duration.YEARLY)
    turn(business)

    of_pro = view_turns(business.services, business.organization, "pro")
    of_max = view_turns(business.services, business.organization, "max")

    ((version_id, found),) = of_pro.onward.items()
    assert (found.version.version_id, found.into.plan_id, found.sold and found.sold.version) == (version_id, "max", 1)
    assert ["max"] == [plan.plan_id for plan in of_pro.possible]
    assert ["pro"] == [each.plan.plan_id for each in of_max.inward]
    assert ["pro", "max", "year"] == [p.plan_id for p in view_turns(business.services, business.organization).possible]


def test_a_plan_that_is_archived_is_nothing_to_turn_into_now(business: Business) -> None:
    sell(business)
    turn(business)
    archive_plan(business.services, business.organization, "max")

    found = view_turns(business.services, business.organization, "pro")

    assert [None] == [each.sold for each in found.onward.values()]
    assert () == found.possible
