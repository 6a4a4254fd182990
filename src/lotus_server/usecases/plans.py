"""Plans and their versions: made, listed, archived."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import (
    Component,
    Feature,
    Plan,
    PlanVersion,
    Prepaid,
    Price,
    Proration,
    RecurringCharge,
    Timing,
    VersionStatus,
    metric_problems,
    plan_problems,
    version_problems,
)
from lotus_server.domain.metering import Metric
from lotus_server.kernel.errors import Conflict, FieldProblem, NotFound, Problems
from lotus_server.kernel.period import Duration
from lotus_server.kernel.quantity import ONE
from lotus_server.ports.records import Transaction
from lotus_server.usecases.services import Services, present


class ChargeDraft(msgspec.Struct, frozen=True):
    """A recurring charge to be made, in major units of the version's currency."""

    name: str
    amount: Decimal
    timing: Timing = Timing.IN_ADVANCE
    proration: Proration = Proration.PRORATE
    quantity: Decimal = ONE


class ComponentDraft(msgspec.Struct, frozen=True):
    """A component to be made. `metric` is the id of a metric, or the name of one that is not archived."""

    metric: str
    price: Price
    limit: Decimal | None = None
    prepaid: Prepaid | None = None


class VersionDraft(msgspec.Struct, frozen=True):
    """The terms of a version to be made.

    `features` are ids or names; without a currency it has the organization's. `problems` are those
    found when the input was read.
    """

    version_id: str | None = None
    currency: str | None = None
    recurring_charges: tuple[ChargeDraft, ...] = ()
    components: tuple[ComponentDraft, ...] = ()
    features: tuple[str, ...] = ()
    trial_days: int = 0
    problems: tuple[FieldProblem, ...] = ()


class PlanDraft(msgspec.Struct, frozen=True):
    """A plan to be made, with the terms of its first version."""

    plan_name: str
    duration: Duration
    version: VersionDraft
    plan_id: str | None = None
    description: str = ""


class Replace(StrEnum):
    """Which subscriptions get a new version: only new ones, existing ones when they renew, or all of them now."""

    NEW_ONLY = "new_only"
    ON_RENEWAL = "on_renewal"
    IMMEDIATELY = "immediately"


class PlanView(msgspec.Struct, frozen=True):
    """A plan with everything that is shown of it.

    `versions` are in the order of their numbers; `active_subscriptions` counts those that cover the present, by version
    id, without the zeros; `metrics` and `features` have (at least) those that the versions name, by id.
    """

    plan: Plan
    versions: tuple[PlanVersion, ...]
    active_subscriptions: Mapping[str, int]
    metrics: Mapping[str, Metric]
    features: Mapping[str, Feature]

    @property
    def current_version(self) -> PlanVersion:
        """Return the version that stands for the plan: the newest active one, or the newest of all."""
        active = [version for version in self.versions if version.status is VersionStatus.ACTIVE]
        return (active or list(self.versions))[-1]


def create_plan(services: Services, organization: Organization, draft: PlanDraft) -> tuple[Plan, PlanVersion]:
    """Make a plan and its first version.

    Raises Invalid with every problem, Conflict `plan_exists` for a taken id.
    """
    now = present(services, organization)
    plan = Plan(
        organization_id=organization.organization_id,
        plan_id=draft.plan_id if draft.plan_id is not None else services.ids.new("plan"),
        plan_name=draft.plan_name,
        description=draft.description,
        duration=draft.duration,
        created_at=now,
    )
    with services.records.transaction() as tx:
        problems = Problems()
        problems.extend(draft.version.problems)
        problems.extend(plan_problems(plan))
        version = _version(services, tx, organization, plan, draft.version, number=1, problems=problems)
        problems.raise_if_any()
        tx.plans.add(plan)
        tx.plans.add_version(version)
    return plan, version


def create_version(
    services: Services,
    organization: Organization,
    plan_id: str,
    draft: VersionDraft,
    replace: Replace = Replace.NEW_ONLY,
) -> PlanVersion:
    """Make the next version of a plan; new subscriptions in its currency use it from now on.

    Existing subscriptions keep the version they have. Raises NotFound `plan_not_found`; Invalid with every problem,
    `unsupported` for any other `replace` than `new_only`; Conflict `plan_archived`.
    """
    with services.records.transaction() as tx:
        plan = require_plan(tx, organization, plan_id)
        if plan.archived:
            raise Conflict(f"The plan {plan_id!r} is archived.", code="plan_archived")
        before = tx.plans.versions(organization.organization_id, plan_id)
        problems = Problems()
        problems.extend(draft.problems)
        if replace is not Replace.NEW_ONLY:
            detail = (
                f"A version that replaces others {replace.value.replace('_', ' ')} is not supported yet: use new_only."
            )
            problems.add("replace", "unsupported", detail)
        number = max((version.version for version in before), default=0) + 1
        version = _version(services, tx, organization, plan, draft, number=number, problems=problems)
        problems.raise_if_any()
        for older in before:
            if older.status is VersionStatus.ACTIVE and older.currency == version.currency:
                tx.plans.replace_version(msgspec.structs.replace(older, status=VersionStatus.INACTIVE))
        tx.plans.add_version(version)
    return version


def list_plans(services: Services, organization: Organization, *, include_archived: bool = False) -> list[PlanView]:
    """Return the plans in the order in which they were made, in a fixed number of queries whatever their number."""
    organization_id = organization.organization_id
    with services.records.snapshot() as tx:
        plans = [plan for plan in tx.plans.all(organization_id) if include_archived or not plan.archived]
        return _views(services, tx, organization, plans, tx.plans.versions(organization_id))


def get_plan(services: Services, organization: Organization, plan_id: str) -> PlanView:
    """Return one plan, archived or not. Raises NotFound `plan_not_found`."""
    with services.records.snapshot() as tx:
        plan = require_plan(tx, organization, plan_id)
        versions = tx.plans.versions(organization.organization_id, plan_id)
        return _views(services, tx, organization, [plan], versions)[0]


def archive_plan(services: Services, organization: Organization, plan_id: str) -> Plan:
    """Take a plan out of sale; its subscriptions go on. Once more changes nothing. Raises NotFound `plan_not_found`."""
    with services.records.transaction() as tx:
        plan = require_plan(tx, organization, plan_id)
        archived = msgspec.structs.replace(plan, archived=True)
        if not plan.archived:
            tx.plans.replace(archived)
    return archived


def require_plan(tx: Transaction, organization: Organization, plan_id: str) -> Plan:
    """Return a plan of the organization. Raises NotFound `plan_not_found`."""
    plan = tx.plans.get(organization.organization_id, plan_id)
    if plan is None:
        raise NotFound(f"There is no plan {plan_id!r}.", code="plan_not_found")
    return plan


def _views(
    services: Services, tx: Transaction, organization: Organization, plans: list[Plan], versions: list[PlanVersion]
) -> list[PlanView]:
    organization_id = organization.organization_id
    counts = tx.subscriptions.count_active(organization_id, present(services, organization))
    metrics = {metric.metric_id: metric for metric in tx.metrics.all(organization_id)}
    features = {feature.feature_id: feature for feature in tx.features.all(organization_id)}
    by_plan: dict[str, list[PlanVersion]] = {}
    for version in sorted(versions, key=lambda version: version.version):
        by_plan.setdefault(version.plan_id, []).append(version)
    return [PlanView(plan, tuple(by_plan.get(plan.plan_id, ())), counts, metrics, features) for plan in plans]


def _version(
    services: Services,
    tx: Transaction,
    organization: Organization,
    plan: Plan,
    draft: VersionDraft,
    *,
    number: int,
    problems: Problems,
) -> PlanVersion:
    """Return the version that a draft describes; everything wrong with it is added to `problems`."""
    all_metrics = tx.metrics.all(organization.organization_id)
    metrics = _Names((m.metric_id, m.metric_name, m.archived) for m in all_metrics)
    features = _Names((f.feature_id, f.feature_name, f.archived) for f in tx.features.all(organization.organization_id))
    version = PlanVersion(
        organization_id=organization.organization_id,
        version_id=draft.version_id if draft.version_id is not None else services.ids.new("plan_version"),
        plan_id=plan.plan_id,
        version=number,
        currency=draft.currency if draft.currency is not None else organization.default_currency,
        created_at=present(services, organization),
        recurring_charges=tuple(
            RecurringCharge(
                services.ids.new("charge"), charge.name, charge.amount, charge.timing, charge.proration, charge.quantity
            )
            for charge in draft.recurring_charges
        ),
        components=tuple(
            Component(
                services.ids.new("component"),
                metrics.find(component.metric, f"components[{index}].metric_id", "metric", problems),
                component.price,
                component.limit,
                component.prepaid,
            )
            for index, component in enumerate(draft.components)
        ),
        feature_ids=tuple(
            dict.fromkeys(
                features.find(text, f"features[{index}]", "feature", problems)
                for index, text in enumerate(draft.features)
            )
        ),
        trial_days=draft.trial_days,
    )
    problems.extend(version_problems(version))
    definitions = {metric.metric_id: metric.definition for metric in all_metrics}
    for index, component in enumerate(version.components):
        if component.metric_id in definitions:
            problems.extend(metric_problems(component, definitions[component.metric_id]), under=f"components[{index}].")
    return version


class _Names:
    """Finds things by id, or by the name of one that is not archived."""

    def __init__(self, rows: Iterable[tuple[str, str, bool]]) -> None:
        self._archived: dict[str, bool] = {}
        self._ids: dict[str, str] = {}
        for thing_id, name, archived in rows:
            self._archived[thing_id] = archived
            if not archived:
                self._ids[name] = thing_id

    def find(self, text: str, field: str, kind: str, problems: Problems) -> str:
        """Return the id that a text stands for; the text itself, and a problem, when there is none."""
        found = text if text in self._archived else self._ids.get(text)
        if found is None:
            problems.add(field, f"unknown_{kind}", f"There is no {kind} {text!r}.")
            return text
        if self._archived[found]:
            problems.add(field, f"{kind}_archived", f"The {kind} {text!r} is archived.")
        return found
