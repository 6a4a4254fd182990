"""Plans: made, listed, changed, archived. Their later versions are in `plan_versions`."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.catalog import (
    AddOnTerms,
    ExternalLink,
    Feature,
    Plan,
    PlanVersion,
    PricingUnit,
    Tag,
    VersionStatus,
    addon_problems,
    plan_problems,
)
from lotus_server.domain.metering import Metric
from lotus_server.kernel.errors import FieldProblem, NotFound, Problems
from lotus_server.kernel.period import Duration
from lotus_server.ports.records import Transaction
from lotus_server.usecases.plan_drafts import ChargeDraft, ComponentDraft, GrantedFeature, VersionDraft, version_of
from lotus_server.usecases.services import Services, changing, present

__all__ = [
    "ChargeDraft",
    "ComponentDraft",
    "GrantedFeature",
    "PlanChange",
    "PlanDraft",
    "PlanView",
    "VersionDraft",
    "archive_plan",
    "change_plan",
    "create_plan",
    "create_sellable",
    "get_plan",
    "list_plans",
    "require_plan",
    "views_of_plans",
]


class PlanDraft(msgspec.Struct, frozen=True):
    """A plan to be made, with the terms of its first version."""

    plan_name: str
    duration: Duration
    version: VersionDraft
    plan_id: str | None = None
    description: str = ""
    tags: tuple[Tag, ...] = ()
    external_links: tuple[ExternalLink, ...] = ()


class PlanChange(msgspec.Struct, frozen=True):
    """New values of a plan itself; null leaves one as it is. `problems` are those found when the input was read."""

    plan_name: str | None = None
    description: str | None = None
    tags: tuple[Tag, ...] | None = None
    external_links: tuple[ExternalLink, ...] | None = None
    problems: tuple[FieldProblem, ...] = ()


class PlanView(msgspec.Struct, frozen=True):
    """A plan with everything that is shown of it, as of `now`.

    `versions` are in the order of their numbers; `active_subscriptions` counts those that cover the present, by version
    id, without the zeros; `metrics`, `features`, `units` and `customers` have (at least) those that the versions name,
    by id or code.
    """

    plan: Plan
    versions: tuple[PlanVersion, ...]
    active_subscriptions: Mapping[str, int]
    metrics: Mapping[str, Metric]
    features: Mapping[str, Feature]
    now: datetime
    units: Mapping[str, PricingUnit] = {}
    customers: Mapping[str, Customer] = {}

    @property
    def current_version(self) -> PlanVersion:
        """Return the version that stands for the plan: the newest on sale, first of those for everybody."""
        sold = [version for version in self.versions if version.status_at(self.now) is VersionStatus.ACTIVE]
        for_everybody = [version for version in sold if not version.is_custom]
        return (for_everybody or sold or list(self.versions))[-1]

    @property
    def is_custom(self) -> bool:
        """Tell whether every version is for some customers only."""
        return all(version.is_custom for version in self.versions)

    @property
    def active_count(self) -> int:
        """Return how many subscriptions cover the present, of all versions."""
        return sum(self.active_subscriptions.get(version.version_id, 0) for version in self.versions)


def create_plan(services: Services, organization: Organization, draft: PlanDraft) -> tuple[Plan, PlanVersion]:
    """Make a plan and its first version.

    Raises Invalid with every problem, Conflict `plan_exists` for a taken id.
    """
    return create_sellable(services, organization, draft, addon=None)


def create_sellable(
    services: Services, organization: Organization, draft: PlanDraft, *, addon: AddOnTerms | None
) -> tuple[Plan, PlanVersion]:
    """Make a plan, or with `addon` an add-on, and its first version. Raises as `create_plan`."""
    now = present(services, organization)
    plan = Plan(
        organization_id=organization.organization_id,
        plan_id=draft.plan_id if draft.plan_id is not None else services.ids.new("plan" if addon is None else "addon"),
        plan_name=draft.plan_name,
        description=draft.description,
        duration=draft.duration,
        created_at=now,
        tags=draft.tags,
        external_links=draft.external_links,
        addon=addon,
    )
    with services.records.transaction() as tx:
        problems = Problems()
        problems.extend(draft.version.problems)
        problems.extend(plan_problems(plan))
        version = version_of(services, tx, organization, plan, draft.version, number=1, now=now, problems=problems)
        if addon is not None:
            problems.extend(addon_problems(addon, version))
        problems.raise_if_any()
        tx.plans.add(plan)
        tx.plans.add_version(version)
    return plan, version


def list_plans(services: Services, organization: Organization, *, include_archived: bool = False) -> list[PlanView]:
    """Return the plans in the order in which they were made, in a fixed number of queries whatever their number."""
    organization_id = organization.organization_id
    with services.records.snapshot() as tx:
        plans = [
            plan
            for plan in tx.plans.all(organization_id)
            if plan.addon is None and (include_archived or not plan.archived)
        ]
        return views_of_plans(services, tx, organization, plans, tx.plans.versions(organization_id))


def get_plan(services: Services, organization: Organization, plan_id: str) -> PlanView:
    """Return one plan, archived or not. Raises NotFound `plan_not_found`."""
    with services.records.snapshot() as tx:
        plan = require_plan(tx, organization, plan_id)
        versions = tx.plans.versions(organization.organization_id, plan_id)
        return views_of_plans(services, tx, organization, [plan], versions)[0]


def change_plan(services: Services, organization: Organization, plan_id: str, change: PlanChange) -> Plan:
    """Give a plan another name, description, tags or links.

    Raises NotFound `plan_not_found`, Invalid with every problem.
    """
    with changing(services, organization) as tx:
        plan = require_plan(tx, organization, plan_id)
        fields = ("plan_name", "description", "tags", "external_links")
        given = {field: getattr(change, field) for field in fields if getattr(change, field) is not None}
        changed = msgspec.structs.replace(plan, **given)
        problems = Problems()
        problems.extend(change.problems)
        problems.extend(plan_problems(changed))
        problems.raise_if_any()
        if changed != plan:
            tx.plans.replace(changed)
    return changed


def archive_plan(services: Services, organization: Organization, plan_id: str) -> Plan:
    """Take a plan out of sale; its subscriptions go on. Once more changes nothing. Raises NotFound `plan_not_found`."""
    with changing(services, organization) as tx:
        plan = require_plan(tx, organization, plan_id)
        archived = msgspec.structs.replace(plan, archived=True)
        if not plan.archived:
            tx.plans.replace(archived)
    return archived


def require_plan(tx: Transaction, organization: Organization, plan_id: str) -> Plan:
    """Return a plan of the organization, and no add-on. Raises NotFound `plan_not_found`."""
    plan = tx.plans.get(organization.organization_id, plan_id)
    if plan is None or plan.addon is not None:
        raise NotFound(f"There is no plan {plan_id!r}.", code="plan_not_found")
    return plan


def views_of_plans(
    services: Services, tx: Transaction, organization: Organization, plans: list[Plan], versions: list[PlanVersion]
) -> list[PlanView]:
    """Return plans or add-ons with what is shown of them; `versions` has at least theirs."""
    organization_id = organization.organization_id
    now = present(services, organization)
    counts = tx.subscriptions.count_active(organization_id, now)
    metrics = {metric.metric_id: metric for metric in tx.metrics.all(organization_id)}
    features = {feature.feature_id: feature for feature in tx.features.all(organization_id)}
    units = {unit.code: unit for unit in tx.pricing_units.all(organization_id)}
    targets = sorted({customer_id for version in versions for customer_id in version.target_customer_ids})
    customers = tx.customers.many(organization_id, targets) if targets else {}
    by_plan: dict[str, list[PlanVersion]] = {}
    for version in sorted(versions, key=lambda version: version.version):
        by_plan.setdefault(version.plan_id, []).append(version)
    return [
        PlanView(plan, tuple(by_plan.get(plan.plan_id, ())), counts, metrics, features, now, units, customers)
        for plan in plans
    ]
