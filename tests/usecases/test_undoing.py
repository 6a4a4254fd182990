"""Undoing: what somebody changed just now is as it was, unless something has come of it."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from lotus_server.domain.accounts import Actor, Membership, Role, User
from lotus_server.domain.invoicing import DiscountTerms, DiscountType
from lotus_server.domain.subscriptions import PausedFees
from lotus_server.kernel.errors import Conflict, Forbidden, LotusError, NotFound
from lotus_server.ports.audit_records import AuditQuestion
from lotus_server.ports.records import Page
from lotus_server.usecases.acting import Acting
from lotus_server.usecases.addons import AddOnDraft, archive_addon, create_addon, get_addon
from lotus_server.usecases.audit import list_audit
from lotus_server.usecases.clock import move_clock
from lotus_server.usecases.credits import CreditDraft, create_credit, void_credit
from lotus_server.usecases.customers import CustomerDraft, change_customer, get_customer
from lotus_server.usecases.discounts import (
    CouponDraft,
    DiscountDraft,
    archive_coupon,
    create_coupon,
    end_discount,
    get_coupon,
    give_discount,
    list_discounts,
)
from lotus_server.usecases.features import FeatureDraft, archive_feature, create_feature, get_feature
from lotus_server.usecases.metrics import MetricDraft, archive_metric, create_metric, get_metric
from lotus_server.usecases.organizations import OrganizationChange, change_organization, list_api_keys, rename_api_key
from lotus_server.usecases.pauses import PauseOrder, ResumeOrder, pause_subscription, resume_subscription
from lotus_server.usecases.plan_drafts import VersionDraft
from lotus_server.usecases.plan_switch import PlanSwitch, switch_plan
from lotus_server.usecases.plan_versions import VersionChange, change_version
from lotus_server.usecases.plans import PlanChange, archive_plan, change_plan, get_plan
from lotus_server.usecases.portal import PortalChange, change_portal, get_portal
from lotus_server.usecases.subscriptions import (
    Cancellation,
    SubscriptionChange,
    cancel_subscription,
    change_subscription,
    get_subscription,
)
from lotus_server.usecases.team import change_role
from tests.business import PENNY, Business, SetClock, at, charge
from tests.people import acting

SUB = "sub_acme_pro"
AT_END = Cancellation(ends_now=False)
TERMS = DiscountTerms("Welcome", DiscountType.PERCENTAGE, Decimal(10))


@pytest.fixture
def owner(business: Business) -> Acting:
    """The owner, in whose organization `acme` has a plan of 30 a month and a cent for each call."""
    business.plan("pro", charge("30"), price=PENNY)
    business.subscribe()
    return acting(business.services, business.organization)


def again(person: Acting, business: Business) -> Acting:
    """The same person in a request of its own."""
    return msgspec.structs.replace(person, noted=[], organization=business.organization)


def offered(business: Business, person: Acting, do: Callable[[Acting], object]) -> tuple[str, ...]:
    """What can be undone after something was done."""
    request = again(person, business)
    do(request)
    return request.undoable()


def undone(business: Business, person: Acting, do: Callable[[Acting], object]) -> None:
    """Do something, and undo it in a request of its own."""
    entry_ids = offered(business, person, do)
    assert entry_ids
    again(person, business).undo(entry_ids)


def kept(business: Business) -> tuple[object, ...]:
    """Everything that the actions below change, as it is kept now."""
    services, organization = business.services, business.organization
    return (
        organization,
        get_portal(services, organization),
        get_customer(services, organization, "acme").customer,
        get_metric(services, organization, "idle"),
        get_feature(services, organization, "sso"),
        get_plan(services, organization, "pro").plan,
        get_plan(services, organization, "pro").versions,
        get_addon(services, organization, "support").plan,
        get_coupon(services, organization, "welcome").coupon,
        list_discounts(services, organization, "acme"),
        list_api_keys(services, organization),
        get_subscription(services, organization, SUB).subscription,
    )


@pytest.fixture
def stocked(business: Business, owner: Acting) -> Acting:
    """The owner, with one of each kind of thing."""
    services, organization = business.services, business.organization
    calls = get_metric(services, organization, "calls_pro").definition
    create_metric(services, organization, MetricDraft("Idle", calls, "idle"))
    create_feature(services, organization, FeatureDraft("SSO", "sso"))
    create_addon(
        services, organization, AddOnDraft("Support", VersionDraft(recurring_charges=(charge("50"),)), "support")
    )
    create_coupon(services, organization, CouponDraft(TERMS, "welcome"))
    give_discount(services, organization, "acme", DiscountDraft("welcome"))
    get_portal(services, organization)
    business.move("2026-01-11")
    return again(owner, business)


def _version_id(person: Acting) -> str:
    return person.do(get_plan, "pro").versions[-1].version_id


ACTIONS: dict[str, Callable[[Acting], object]] = {
    "an organization's settings": lambda who: who.do(
        change_organization,
        OrganizationChange(name="Other", rejects_unknown_customers=True, invoice_settings={"payment_term_days": 90}),
    ),
    "the portal's looks": lambda who: who.do(change_portal, PortalChange("#123456", ("https://shop.example",))),
    "a customer": lambda who: who.do(
        change_customer,
        CustomerDraft("acme", "Acme & Sons", "a@b.example", tax_rate=Decimal("19.5"), address={"city": "Bonn"}),
        frozenset({"customer_name", "email", "tax_rate", "address"}),
    ),
    "a metric archived": lambda who: who.do(archive_metric, "idle"),
    "a feature archived": lambda who: who.do(archive_feature, "sso"),
    "a plan archived": lambda who: who.do(archive_plan, "pro"),
    "a plan's words": lambda who: who.do(change_plan, "pro", PlanChange("Professional", "For professionals")),
    "when a version is sold": lambda who: who.do(
        change_version, "pro", _version_id(who), VersionChange(active_to=at("2026-06-01"))
    ),
    "an add-on archived": lambda who: who.do(archive_addon, "support"),
    "a coupon archived": lambda who: who.do(archive_coupon, "welcome"),
    "a discount ended": lambda who: who.do(end_discount, "acme", who.do(list_discounts, "acme")[0].discount_id),
    "renewal off": lambda who: who.do(change_subscription, SUB, SubscriptionChange(ending=AT_END)),
    "a planned cancellation": lambda who: who.do(cancel_subscription, SUB, AT_END),
    "a key's name": lambda who: who.do(rename_api_key, who.do(list_api_keys)[0].key_id, name="Another"),
    "a planned pause": lambda who: who.do(
        pause_subscription, SUB, PauseOrder(at("2026-01-20"), at("2026-01-25"), PausedFees.CHARGE_PRORATED)
    ),
}


@pytest.mark.parametrize("what", ACTIONS)
def test_what_was_undone_is_as_it_was(business: Business, stocked: Acting, what: str) -> None:
    before = kept(business)

    entry_ids = offered(business, stocked, ACTIONS[what])
    assert before != kept(business)
    again(stocked, business).undo(entry_ids)

    assert before == kept(business)


def test_a_planned_cancellation_taken_back_is_billed_on(business: Business, owner: Acting) -> None:
    undone(business, owner, lambda who: who.do(cancel_subscription, SUB, AT_END))

    business.move("2026-02-02")

    assert [Decimal(30), Decimal(30)] == [amount for _, amount in business.amounts()]


def test_renewal_switched_on_is_switched_off_again(business: Business, owner: Acting) -> None:
    owner.do(cancel_subscription, SUB, AT_END)
    undone(business, owner, lambda who: who.do(change_subscription, SUB, SubscriptionChange(renews_again=True)))

    assert get_subscription(business.services, business.organization, SUB).subscription.ends_at == at("2026-02-01")


def test_an_undo_has_an_entry_of_its_own(business: Business, owner: Acting) -> None:
    undone(business, owner, ACTIONS["a plan archived"])

    last, first, *_ = owner.do(list_audit, Page(), AuditQuestion(kind="plan", thing_id="pro"))
    assert ("undo", "archive_plan") == (last.action, first.action)
    assert (first.before, first.after) == (last.after, last.before)


def test_what_was_changed_once_more_is_refused_in_words(business: Business, owner: Acting) -> None:
    entry_ids = offered(business, owner, ACTIONS["a plan's words"])
    change_plan(business.services, business.organization, "pro", PlanChange("Third"))

    with pytest.raises(Conflict, match="has been changed once more since then") as refused:
        again(owner, business).undo(entry_ids)
    assert refused.value.code == "cannot_be_undone"


def test_what_was_changed_elsewhere_in_the_thing_stays(business: Business, owner: Acting) -> None:
    entry_ids = offered(business, owner, ACTIONS["a plan archived"])
    change_plan(business.services, business.organization, "pro", PlanChange("Third"))

    again(owner, business).undo(entry_ids)

    plan = get_plan(business.services, business.organization, "pro").plan
    assert (plan.plan_name, plan.archived) == ("Third", False)


def test_nothing_is_undone_twice(business: Business, owner: Acting) -> None:
    entry_ids = offered(business, owner, ACTIONS["a plan archived"])
    again(owner, business).undo(entry_ids)

    with pytest.raises(Conflict):
        again(owner, business).undo(entry_ids)


def test_ten_minutes_later_nothing_is_undone(business: Business, owner: Acting) -> None:
    clock = business.services.clock
    assert isinstance(clock, SetClock)
    entry_ids = offered(business, owner, ACTIONS["a plan archived"])
    clock.instant += timedelta(minutes=10)
    again(owner, business).undo(entry_ids)

    entry_ids = offered(business, owner, ACTIONS["a plan archived"])
    clock.instant += timedelta(minutes=10, microseconds=1)
    with pytest.raises(Conflict, match="too long ago"):
        again(owner, business).undo(entry_ids)


def test_nobody_undoes_what_somebody_else_did(business: Business, owner: Acting) -> None:
    entry_ids = offered(business, owner, ACTIONS["a plan archived"])
    admin = acting(business.services, business.organization, Role.ADMIN)

    with pytest.raises(Forbidden):
        admin.undo(entry_ids)


def test_who_may_not_do_it_any_more_does_not_undo_it(business: Business, owner: Acting) -> None:
    entry_ids = offered(business, owner, ACTIONS["a plan archived"])
    demoted = msgspec.structs.replace(again(owner, business), actor=Actor("user_owner", "o@example.com", Role.FINANCE))

    with pytest.raises(Forbidden):
        demoted.undo(entry_ids)


def test_entries_that_are_not_there_are_not_found(business: Business, owner: Acting) -> None:
    entry_ids = offered(business, owner, ACTIONS["a plan archived"])
    for wanted in ([], ["audit_none"], [*entry_ids, "audit_none"]):
        with pytest.raises(NotFound):
            again(owner, business).undo(wanted)


# What has no exact inverse: it moves money, has begun, or makes something.
FOR_GOOD: dict[str, Callable[[Acting], object]] = {
    "a cancellation at once": lambda who: who.do(cancel_subscription, SUB, Cancellation()),
    "a pause at once": lambda who: who.do(pause_subscription, SUB, PauseOrder(None, None, PausedFees.CHARGE_PRORATED)),
    "a switch": lambda who: who.do(switch_plan, SUB, PlanSwitch("more")),
    "something made": lambda who: who.do(create_feature, FeatureDraft("New")),
    "credit": lambda who: who.do(create_credit, CreditDraft("acme", Decimal(5))),
    "nothing": lambda who: who.do(get_plan, "pro"),
    "a discount given": lambda who: who.do(give_discount, "acme", DiscountDraft(terms=TERMS)),
    "free properties": lambda who: who.do(
        change_customer, CustomerDraft("acme", properties={"n": "1.5"}), frozenset({"properties"})
    ),
}


@pytest.mark.parametrize("what", FOR_GOOD)
def test_what_is_for_good_offers_no_undo(business: Business, owner: Acting, what: str) -> None:
    business.plan("more", charge("60"))
    business.move("2026-01-11")

    assert offered(business, owner, FOR_GOOD[what]) == ()


def test_credit_taken_back_stays_taken_back(business: Business, owner: Acting) -> None:
    credit_id = owner.do(create_credit, CreditDraft("acme", Decimal(5))).grant.credit_id

    assert offered(business, owner, lambda who: who.do(void_credit, credit_id)) == ()


def test_a_pause_that_has_begun_is_not_taken_back(business: Business, owner: Acting) -> None:
    entry_ids = offered(business, owner, ACTIONS["a planned pause"])
    owner.do(move_clock, at("2026-01-21"))

    with pytest.raises(Conflict, match="has begun"):
        again(owner, business).undo(entry_ids)


def test_the_planned_end_of_a_pause_is_taken_back(business: Business, owner: Acting) -> None:
    owner.do(pause_subscription, SUB, PauseOrder(None, None, PausedFees.CHARGE_PRORATED))
    business.move("2026-01-11")
    undone(business, owner, lambda who: who.do(resume_subscription, SUB, ResumeOrder(at("2026-01-20"))))

    assert [None] == [each.ends_at for each in business.subscription(SUB).subscription.pauses]


def test_what_was_billed_since_is_not_planned_anew(business: Business, owner: Acting) -> None:
    entry_ids = offered(business, owner, ACTIONS["a planned pause"])
    resume_subscription(business.services, business.organization, SUB, ResumeOrder(at("2026-01-20")))
    pause_subscription(
        business.services, business.organization, SUB, PauseOrder(at("2026-03-01"), None, PausedFees.CHARGE_FULL)
    )
    business.move("2026-02-02")

    with pytest.raises(LotusError):
        again(owner, business).undo(entry_ids)


def test_a_subscription_that_has_ended_does_not_begin_again(business: Business, owner: Acting) -> None:
    entry_ids = offered(business, owner, ACTIONS["a planned cancellation"])
    business.move("2026-02-02")

    with pytest.raises(Conflict):
        again(owner, business).undo(entry_ids)


def test_a_discount_without_which_an_invoice_was_issued_stays_ended(business: Business, stocked: Acting) -> None:
    entry_ids = offered(business, stocked, ACTIONS["a discount ended"])
    business.move("2026-02-02")

    with pytest.raises(Conflict, match="issued without the discount"):
        again(stocked, business).undo(entry_ids)


def test_a_name_that_somebody_else_took_is_not_taken_back(business: Business, stocked: Acting) -> None:
    entry_ids = offered(business, stocked, ACTIONS["a metric archived"])
    definition = get_metric(business.services, business.organization, "calls_pro").definition
    create_metric(business.services, business.organization, MetricDraft("Idle", definition, "another"))

    with pytest.raises(Conflict) as refused:
        again(stocked, business).undo(entry_ids)
    assert refused.value.code == "metric_name_exists"


def _add_member(business: Business, user_id: str, role: Role) -> None:
    now = at("2026-01-01")
    with business.services.records.transaction() as tx:
        tx.people.users.add(User(user_id, f"{user_id}@people.example", "Somebody", now))
        tx.people.memberships.add(Membership(business.organization_id, user_id, role, now))


def test_a_role_is_given_back(business: Business, owner: Acting) -> None:
    _add_member(business, "user_ben", Role.ADMIN)

    undone(business, owner, lambda who: who.do(change_role, who.actor, "user_ben", Role.VIEWER))

    with business.services.records.snapshot() as tx:
        found = tx.people.memberships.get(business.organization_id, "user_ben")
    assert found is not None
    assert found.role is Role.ADMIN


def test_nobody_becomes_an_owner_again_by_an_undo(business: Business, owner: Acting) -> None:
    _add_member(business, owner.actor.user_id, Role.OWNER)
    _add_member(business, "user_eve", Role.OWNER)

    assert offered(business, owner, lambda who: who.do(change_role, who.actor, "user_owner", Role.ADMIN)) == ()
