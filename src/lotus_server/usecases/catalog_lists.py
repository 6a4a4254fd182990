"""The catalog as people look through it: plans and add-ons that are searched and filtered, features with their uses."""

from collections.abc import Iterable, Sequence

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import Feature, Plan
from lotus_server.kernel.period import Duration
from lotus_server.ports.records import Page
from lotus_server.usecases.addons import list_addons
from lotus_server.usecases.plans import PlanView, list_plans
from lotus_server.usecases.services import Services, present


class PlanQuestion(msgspec.Struct, frozen=True):
    """Which plans or add-ons to list; null and empty fields ask for nothing.

    `search` is found anywhere in id, name or description, without regard to case. `tag` is the name of one.
    """

    search: str = ""
    duration: Duration | None = None
    tag: str | None = None
    include_archived: bool = False


class PlanList(msgspec.Struct, frozen=True):
    """A page of plans: those for everybody first, then those that are for some customers only.

    `after` is the id after which there are more (null: there are none); `tags` are those of all plans, by name;
    `found` counts what the question finds, and `known` all that there are, archived ones too.
    """

    views: tuple[PlanView, ...]
    after: str | None
    tags: tuple[str, ...]
    found: int
    known: int


class FeatureUse(msgspec.Struct, frozen=True):
    """A feature, the plans and add-ons of which a version has it, by name, and how many active subscriptions do.

    Archived plans stand here too: their subscriptions go on.
    """

    feature: Feature
    plans: tuple[Plan, ...]
    active_subscriptions: int


def view_plans(services: Services, organization: Organization, question: PlanQuestion, page: Page) -> PlanList:
    """Return a page of the plans asked for; `page.after` is a plan id. One query counts all their subscriptions."""
    return _listed(list_plans(services, organization, include_archived=True), question, page)


def view_addons(services: Services, organization: Organization, question: PlanQuestion, page: Page) -> PlanList:
    """Return a page of the add-ons asked for; `page.after` is the id of one. They have no duration of their own."""
    return _listed(list_addons(services, organization, include_archived=True), question, page)


def view_features(
    services: Services, organization: Organization, *, search: str = "", include_archived: bool = False
) -> list[FeatureUse]:
    """Return the features in the order in which they were made, with who uses them.

    `search` is found anywhere in id, name or description, without regard to case.
    """
    organization_id = organization.organization_id
    with services.records.snapshot() as tx:
        features = tx.features.all(organization_id)
        plans = {plan.plan_id: plan for plan in tx.plans.all(organization_id)}
        versions = tx.plans.versions(organization_id)
        counts = tx.subscriptions.count_active(organization_id, present(services, organization))
    having: dict[str, dict[str, Plan]] = {}
    active: dict[str, int] = {}
    for version in versions:
        for feature_id in version.feature_ids:
            having.setdefault(feature_id, {})[version.plan_id] = plans[version.plan_id]
            if version.value_of(feature_id) is not False:
                active[feature_id] = active.get(feature_id, 0) + counts.get(version.version_id, 0)
    return [
        FeatureUse(each, _by_name(having.get(each.feature_id, {}).values()), active.get(each.feature_id, 0))
        for each in features
        if (include_archived or not each.archived)
        and _is_found(search, each.feature_id, each.feature_name, each.feature_description)
    ]


def _listed(views: Sequence[PlanView], question: PlanQuestion, page: Page) -> PlanList:
    wanted = sorted((view for view in views if _is_asked_for(view, question)), key=lambda view: view.is_custom)
    ids = [view.plan.plan_id for view in wanted]
    start = ids.index(page.after) + 1 if page.after in ids else 0
    end = len(wanted) if page.limit is None else start + page.limit
    shown, has_more = tuple(wanted[start:end]), end < len(wanted)
    return PlanList(
        shown,
        shown[-1].plan.plan_id if has_more else None,
        tuple(sorted({tag.name for view in views for tag in view.plan.tags}, key=str.casefold)),
        len(wanted),
        len(views),
    )


def _is_asked_for(view: PlanView, question: PlanQuestion) -> bool:
    plan = view.plan
    return (
        (question.include_archived or not plan.archived)
        and question.duration in {None, plan.duration}
        and (question.tag is None or any(tag.name == question.tag for tag in plan.tags))
        and _is_found(question.search, plan.plan_id, plan.plan_name, plan.description)
    )


def _by_name(plans: Iterable[Plan]) -> tuple[Plan, ...]:
    return tuple(sorted(plans, key=lambda plan: (plan.plan_name.casefold(), plan.plan_id)))


def _is_found(search: str, *texts: str) -> bool:
    wanted = search.strip().casefold()
    return any(wanted in text.casefold() for text in texts)
