"""Plans, add-ons and features as people look through them."""

from decimal import Decimal

import pytest

from lotus_server.domain.catalog import Tag
from lotus_server.kernel.errors import Invalid
from lotus_server.kernel.period import Duration
from lotus_server.ports.listing import Slice, SubscriptionOrder, SubscriptionQuestion
from lotus_server.ports.records import Page
from lotus_server.usecases.addons import AddOnDraft, archive_addon, create_addon
from lotus_server.usecases.attachments import Attachment, attach_addon
from lotus_server.usecases.catalog_lists import PlanList, PlanQuestion, view_addons, view_features, view_plans
from lotus_server.usecases.features import FeatureDraft, archive_feature, create_feature
from lotus_server.usecases.plans import (
    ChargeDraft,
    GrantedFeature,
    PlanChange,
    PlanDraft,
    VersionDraft,
    archive_plan,
    change_plan,
    create_plan,
)
from lotus_server.usecases.subscription_lists import view_subscriptions
from lotus_server.wire.plan_lists import plan_question
from tests.business import Business

EVERYTHING = PlanQuestion()


def _plans(business: Business, question: PlanQuestion = EVERYTHING, page: Page | None = None) -> PlanList:
    return view_plans(business.services, business.organization, question, page or Page(10))


def _ids(found: PlanList) -> list[str]:
    return [view.plan.plan_id for view in found.views]


def _with_features(business: Business, plan_id: str, *features: GrantedFeature) -> None:
    draft = PlanDraft(plan_id.title(), Duration.MONTHLY, VersionDraft(features=features), plan_id)
    create_plan(business.services, business.organization, draft)


def test_plans_are_listed_in_the_order_in_which_they_were_made_those_for_some_customers_last(
    business: Business,
) -> None:
    custom = PlanDraft("Just Acme", Duration.MONTHLY, VersionDraft(target_customer_ids=("acme",)), "custom")
    create_plan(business.services, business.organization, custom)
    business.plan("pro")
    business.plan("basic")

    assert ["pro", "basic", "custom"] == _ids(_plans(business))


def test_a_page_of_plans_says_after_which_there_are_more(business: Business) -> None:
    for plan_id in ("one", "two", "three"):
        business.plan(plan_id)

    first = _plans(business, page=Page(2))
    second = _plans(business, page=Page(2, first.after))

    assert (["one", "two"], "two", 3) == (_ids(first), first.after, first.found)
    assert (["three"], None) == (_ids(second), second.after)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (PlanQuestion(search="YEAR"), ["yearly"]),
        (PlanQuestion(search=" pro "), ["pro"]),
        (PlanQuestion(duration=Duration.YEARLY), ["yearly"]),
        (PlanQuestion(tag="popular"), ["pro"]),
        (PlanQuestion(tag="Popular"), []),
        (PlanQuestion(include_archived=True), ["pro", "yearly", "old"]),
    ],
)
def test_plans_are_searched_and_filtered(business: Business, question: PlanQuestion, expected: list[str]) -> None:
    business.plan("pro")
    business.plan("yearly", duration=Duration.YEARLY)
    business.plan("old")
    archive_plan(business.services, business.organization, "old")
    change_plan(business.services, business.organization, "pro", PlanChange(tags=(Tag("popular"),)))

    assert expected == _ids(_plans(business, question))


def test_the_tags_and_the_number_of_all_plans_are_told_whatever_is_asked(business: Business) -> None:
    business.plan("pro")
    business.plan("basic")
    for plan_id, tag in (("pro", "b2b"), ("basic", "Admin")):
        change_plan(business.services, business.organization, plan_id, PlanChange(tags=(Tag(tag),)))

    found = _plans(business, PlanQuestion(search="nothing is called so"))

    assert ((), ("Admin", "b2b"), 0, 2) == (found.views, found.tags, found.found, found.known)


def test_a_plan_s_subscriptions_of_all_versions_are_counted(business: Business) -> None:
    business.plan("pro")
    business.plan("basic")
    business.subscribe()

    assert [1, 0] == [view.active_count for view in _plans(business).views]


def test_add_ons_are_listed_apart_with_the_subscriptions_that_have_them(business: Business) -> None:
    business.plan("pro")
    sub = business.subscribe()
    for addon_id in ("support", "old"):
        draft = AddOnDraft(
            addon_id.title(), VersionDraft(recurring_charges=(ChargeDraft("fee", Decimal(9)),)), addon_id
        )
        create_addon(business.services, business.organization, draft)
    archive_addon(business.services, business.organization, "old")
    attach_addon(business.services, business.organization, sub.subscription_id, Attachment("support"))

    found = view_addons(business.services, business.organization, EVERYTHING, Page(10))

    assert [("support", 1)] == [(view.plan.plan_id, view.active_count) for view in found.views]
    assert 2 == found.known


def test_a_feature_tells_which_plans_have_it_and_how_many_subscriptions(business: Business) -> None:
    create_feature(business.services, business.organization, FeatureDraft("SSO", "sso"))
    create_feature(business.services, business.organization, FeatureDraft("Unused", "unused"))
    _with_features(business, "pro", GrantedFeature("sso"))
    _with_features(business, "basic", GrantedFeature("sso", value=False))
    business.subscribe()
    business.subscribe(plan_id="basic")

    sso, unused = view_features(business.services, business.organization)

    assert (["basic", "pro"], 1) == ([plan.plan_id for plan in sso.plans], sso.active_subscriptions)
    assert ((), 0) == (unused.plans, unused.active_subscriptions)


def test_features_are_searched_and_archived_ones_shown_on_demand(business: Business) -> None:
    for feature_id in ("sso", "audit"):
        create_feature(business.services, business.organization, FeatureDraft(feature_id.upper(), feature_id))
    archive_feature(business.services, business.organization, "audit")

    def found(search: str, *, include_archived: bool) -> list[str]:
        uses = view_features(business.services, business.organization, search=search, include_archived=include_archived)
        return [use.feature.feature_id for use in uses]

    assert ["sso"] == found("", include_archived=False)
    assert ["audit"] == found("AUD", include_archived=True)


def test_a_query_says_what_is_asked_for() -> None:
    query = {"search": "pro", "duration": "yearly", "tag": "b2b", "archived": "true"}

    assert PlanQuestion("pro", Duration.YEARLY, "b2b", include_archived=True) == plan_question(query)
    assert PlanQuestion() == plan_question({"search": "", "duration": None})


def test_everything_wrong_with_a_query_is_told() -> None:
    with pytest.raises(Invalid) as caught:
        plan_question({"search": "x" * 201, "duration": "hourly"})

    assert [("search", "invalid"), ("duration", "invalid_choice")] == [
        (problem.field, problem.code) for problem in caught.value.problems
    ]


def test_the_attachments_of_an_add_on_are_listed_like_subscriptions(business: Business) -> None:
    business.plan("pro")
    sub = business.subscribe()
    terms = VersionDraft(recurring_charges=(ChargeDraft("fee", Decimal(9)),))
    create_addon(business.services, business.organization, AddOnDraft("Support", terms, "support"))
    attach_addon(business.services, business.organization, sub.subscription_id, Attachment("support"))

    def parents(question: SubscriptionQuestion) -> list[str | None]:
        found = view_subscriptions(business.services, business.organization, question, SubscriptionOrder(), Slice(10))
        assert found.count.number == len(found.part.rows)
        return [row.subscription.parent_id for row in found.part.rows]

    assert [sub.subscription_id] == parents(SubscriptionQuestion(plan_id="support", are_addons=True))
    assert [] == parents(SubscriptionQuestion(plan_id="support"))
    assert [None] == parents(SubscriptionQuestion())
