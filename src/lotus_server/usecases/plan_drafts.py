"""Terms to be made, and how they become a version of a plan."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import (
    Calendar,
    Commitment,
    Component,
    Conversion,
    FeatureValue,
    Plan,
    PlanVersion,
    Prepaid,
    Price,
    PriceAdjustment,
    Proration,
    ProrationUnit,
    RecurringCharge,
    Timing,
    UsageInvoicing,
    interval_problems,
    metric_problems,
    version_problems,
)
from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.kernel.period import Duration
from lotus_server.kernel.quantity import ONE
from lotus_server.ports.records import Transaction
from lotus_server.usecases.plan_transitions import check_transition
from lotus_server.usecases.services import Services


class ChargeDraft(msgspec.Struct, frozen=True):
    """A recurring charge to be made, in major units of the version's currency, or in a pricing unit."""

    name: str
    amount: Decimal
    timing: Timing = Timing.IN_ADVANCE
    proration: Proration = Proration.PRORATE
    quantity: Decimal = ONE
    conversion: Conversion | None = None


class ComponentDraft(msgspec.Struct, frozen=True):
    """A component to be made. `metric` is the id of a metric, or the name of one that is not archived."""

    metric: str
    price: Price
    limit: Decimal | None = None
    prepaid: Prepaid | None = None
    conversion: Conversion | None = None
    invoicing_interval: Duration | None = None
    reset_interval: Duration | None = None


class GrantedFeature(msgspec.Struct, frozen=True):
    """A feature that a version has: its id, or the name of one that is not archived, and what is said of it."""

    feature: str
    value: FeatureValue = True


class VersionDraft(msgspec.Struct, frozen=True):
    """The terms of a version to be made.

    Without a currency it has the organization's. `active_from` null: it is on sale at once. `transition_to` null: its
    subscriptions stay what they are. `problems` are those found
    when the input was read.
    """

    version_id: str | None = None
    currency: str | None = None
    recurring_charges: tuple[ChargeDraft, ...] = ()
    components: tuple[ComponentDraft, ...] = ()
    features: tuple[GrantedFeature, ...] = ()
    trial_days: int = 0
    active_from: datetime | None = None
    active_to: datetime | None = None
    localized_name: str | None = None
    target_customer_ids: tuple[str, ...] = ()
    price_adjustment: PriceAdjustment | None = None
    commitment: Commitment | None = None
    proration_unit: ProrationUnit = ProrationUnit.EXACT
    calendar: Calendar | None = None
    usage_invoicing: UsageInvoicing = UsageInvoicing()
    transition_to: str | None = None
    problems: tuple[FieldProblem, ...] = ()


def version_of(
    services: Services,
    tx: Transaction,
    organization: Organization,
    plan: Plan,
    draft: VersionDraft,
    *,
    number: int,
    now: datetime,
    problems: Problems,
) -> PlanVersion:
    """Return the version that a draft describes; everything wrong with it is added to `problems`."""
    organization_id = organization.organization_id
    all_metrics = tx.metrics.all(organization_id)
    metrics = _Names((m.metric_id, m.metric_name, m.archived) for m in all_metrics)
    features = _Names((f.feature_id, f.feature_name, f.archived) for f in tx.features.all(organization_id))
    granted = {
        features.find(each.feature, f"features[{index}]", "feature", problems): each.value
        for index, each in enumerate(draft.features)
    }
    version = PlanVersion(
        organization_id=organization_id,
        version_id=draft.version_id if draft.version_id is not None else services.ids.new("plan_version"),
        plan_id=plan.plan_id,
        version=number,
        currency=draft.currency if draft.currency is not None else organization.default_currency,
        created_at=now,
        recurring_charges=tuple(_charge(services, charge) for charge in draft.recurring_charges),
        components=tuple(
            _component(services, each, metrics.find(each.metric, f"components[{index}].metric_id", "metric", problems))
            for index, each in enumerate(draft.components)
        ),
        feature_ids=tuple(granted),
        trial_days=draft.trial_days,
        active_from=draft.active_from,
        active_to=draft.active_to,
        localized_name=draft.localized_name,
        target_customer_ids=tuple(dict.fromkeys(draft.target_customer_ids)),
        price_adjustment=draft.price_adjustment,
        commitment=draft.commitment,
        proration_unit=draft.proration_unit,
        calendar=draft.calendar,
        usage_invoicing=draft.usage_invoicing,
        feature_values={feature_id: value for feature_id, value in granted.items() if value is not True},
        transition_to=draft.transition_to,
    )
    problems.extend(version_problems(version))
    if plan.addon is None:
        problems.extend(interval_problems(version, plan.duration))
    definitions = {metric.metric_id: metric.definition for metric in all_metrics}
    for index, component in enumerate(version.components):
        if component.metric_id in definitions:
            problems.extend(metric_problems(component, definitions[component.metric_id]), under=f"components[{index}].")
    check_targets(tx, version, problems)
    check_transition(tx, plan, version, problems)
    _check_units(tx, version, problems)
    return version


def check_targets(tx: Transaction, version: PlanVersion, problems: Problems) -> None:
    """Add a problem for each customer of a custom version that does not exist."""
    known = tx.customers.known(version.organization_id, version.target_customer_ids)
    for index, customer_id in enumerate(version.target_customer_ids):
        if customer_id not in known:
            detail = f"There is no customer {customer_id!r}."
            problems.add(f"target_customer_ids[{index}]", "unknown_customer", detail)


def _charge(services: Services, draft: ChargeDraft) -> RecurringCharge:
    return RecurringCharge(
        services.ids.new("charge"),
        draft.name,
        draft.amount,
        draft.timing,
        draft.proration,
        draft.quantity,
        draft.conversion,
    )


def _component(services: Services, draft: ComponentDraft, metric_id: str) -> Component:
    return Component(
        services.ids.new("component"),
        metric_id,
        draft.price,
        draft.limit,
        draft.prepaid,
        draft.conversion,
        draft.invoicing_interval,
        draft.reset_interval,
    )


def _check_units(tx: Transaction, version: PlanVersion, problems: Problems) -> None:
    priced = {f"components[{index}]": each.conversion for index, each in enumerate(version.components)} | {
        f"recurring_charges[{index}]": each.conversion for index, each in enumerate(version.recurring_charges)
    }
    if not any(priced.values()):
        return
    known = {unit.code for unit in tx.pricing_units.all(version.organization_id)}
    for path, conversion in priced.items():
        if conversion is not None and conversion.unit not in known:
            detail = f"There is no pricing unit {conversion.unit!r}."
            problems.add(f"{path}.pricing_unit", "unknown_pricing_unit", detail)


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
