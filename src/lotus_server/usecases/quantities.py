"""How many of something a subscription has: set when it is made, changed within a period, carried to another plan."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import Component, PlanVersion, Timing
from lotus_server.domain.invoicing import Item, Terms, adjusted_change, change_lines, item_of_charge, item_of_prepaid
from lotus_server.domain.subscriptions import (
    Status,
    change_quantity,
    charge_key,
    prepaid_key,
    present_quantity,
)
from lotus_server.kernel.errors import FieldProblem, NotFound, Problems
from lotus_server.kernel.quantity import in_range
from lotus_server.ports.records import Transaction
from lotus_server.usecases.billing import bring_up_to_date, issue
from lotus_server.usecases.catalog_reading import terms_of
from lotus_server.usecases.services import Services, present
from lotus_server.usecases.subscription_reading import require_subscription
from lotus_server.usecases.subscription_views import SubscriptionView, views_of

PREPAID_FIELD = "component_fixed_charges_initial_units"


class QuantityOrder(msgspec.Struct, frozen=True):
    """A new quantity of a charge (its id or name), or of the prepaid units of a component (the id of its metric).

    `invoices_now`: what the change comes to in the open period is invoiced at once, not with the next invoice. One of
    `charge` and `metric_id` is null. `problems` are those that reading the input found already.
    """

    quantity: Decimal
    invoices_now: bool
    charge: str | None = None
    metric_id: str | None = None
    problems: tuple[FieldProblem, ...] = ()


def set_quantity(
    services: Services, organization: Organization, subscription_id: str, order: QuantityOrder
) -> SubscriptionView:
    """Change a quantity from now on; the one that the subscription has already changes nothing.

    Raises NotFound for the subscription, charge or component, Invalid with every problem, Conflict `invalid_state` when
    the subscription has ended.
    """
    now = present(services, organization)
    problems = Problems()
    problems.extend(order.problems)
    problems.extend(quantity_problems("quantity" if order.charge is not None else "units", order.quantity))
    problems.raise_if_any()
    with services.records.transaction() as tx:
        subscription = require_subscription(tx, organization, subscription_id, for_update=True)
        subscription = bring_up_to_date(services, tx, subscription, now)
        terms = terms_of(tx, subscription)
        item = _item(terms, order)
        has_already = present_quantity(subscription, item.key, item.default) == order.quantity
        if not has_already or subscription.status_at(now) is Status.ENDED:
            is_invoiced = order.invoices_now and item.timing is Timing.IN_ADVANCE
            subscription = change_quantity(subscription, item.key, order.quantity, now=now, is_invoiced=is_invoiced)
            if is_invoiced and subscription.status_at(now) is Status.ACTIVE:
                _invoice_change(services, tx, msgspec.structs.replace(terms, subscription=subscription), item)
        tx.subscriptions.replace(subscription)
        return views_of(tx, organization, [subscription], now)[0]


def _invoice_change(services: Services, tx: Transaction, terms: Terms, item: Item) -> None:
    """Issue what the last change comes to in the open period; nothing when it comes to nothing."""
    subscription = terms.subscription
    change = subscription.quantity_changes[-1]
    # Whatever else takes effect at this instant by now came before.
    same = [
        line
        for each, line in change_lines(terms, item, subscription.open_period)
        if each.effective_at == change.effective_at
    ]
    line = same[-1] if same else None
    cause = f"{subscription.subscription_id}:quantity:{len(subscription.quantity_changes)}"
    if line is not None:
        lines = adjusted_change(terms, (line,), opened=subscription.open_period)
        issue(services, tx, terms, lines, cause=cause, now=change.effective_at)


def _item(terms: Terms, order: QuantityOrder) -> Item:
    if order.charge is not None:
        charges = terms.version.recurring_charges
        by_id = [each for each in charges if each.charge_id == order.charge]
        found = by_id or [each for each in charges if each.name == order.charge]
        if not found:
            raise NotFound(f"The subscription has no charge {order.charge!r}.", code="charge_not_found")
        return item_of_charge(terms, found[0])
    for component in terms.version.components:
        if component.metric_id == order.metric_id and component.prepaid is not None:
            return item_of_prepaid(terms, component)
    detail = f"The subscription has no prepaid units of the metric {order.metric_id!r}."
    raise NotFound(detail, code="component_not_found")


def quantity_problems(field: str, quantity: Decimal) -> tuple[FieldProblem, ...]:
    """Return what is wrong with a number of things that are sold."""
    found = Problems()
    if not in_range(quantity):
        found.add(field, "out_of_range", f"{field} must have at most 30 digits before and 30 after the decimal point.")
    elif quantity < 0:
        found.add(field, "negative", f"{field} must not be negative.")
    return found.found


def first_quantities(
    version: PlanVersion,
    *,
    prepaid: Mapping[str, Decimal],
    charges: Mapping[str, Decimal] | None = None,
    carried: Mapping[str, Decimal] | None = None,
) -> dict[str, Decimal]:
    """Return the quantities by key with which a subscription to a version begins.

    `prepaid` has units by metric id, `charges` quantities by the id or name of a charge; what they do not say is as
    `carried` over from another subscription, or as the version has it. Raises Invalid with every problem:
    `prepayment_cant_determine_units` where units are prepaid and nobody says how many.
    """
    problems = Problems()
    found = dict(carried or {})
    components = {each.metric_id: each for each in version.components if each.prepaid is not None}
    for metric_id, units in prepaid.items():
        if metric_id not in components:
            problems.add(PREPAID_FIELD, "unknown_metric", f"The plan has no prepaid units of the metric {metric_id!r}.")
            continue
        problems.extend(quantity_problems(PREPAID_FIELD, units))
        found[prepaid_key(components[metric_id])] = units
    for component in components.values():
        if _is_undetermined(component, found):
            detail = f"Say how many units of the metric {component.metric_id!r} are prepaid."
            problems.add(PREPAID_FIELD, "prepayment_cant_determine_units", detail)
    for name, quantity in (charges or {}).items():
        fitting = [each for each in version.recurring_charges if name in {each.charge_id, each.name}]
        if not fitting:
            problems.add("quantities", "unknown_charge", f"The plan has no charge {name!r}.")
            continue
        problems.extend(quantity_problems("quantities", quantity))
        found[charge_key(fitting[0])] = quantity
    problems.raise_if_any()
    return found


def prepaid_keys(version: PlanVersion, units: Mapping[str, Decimal]) -> list[str]:
    """Return the keys of the prepaid units of a version of which somebody has said how many there are."""
    return [prepaid_key(each) for each in version.components if each.prepaid is not None and each.metric_id in units]


def _is_undetermined(component: Component, found: Mapping[str, Decimal]) -> bool:
    assert component.prepaid is not None, "asked only of components with prepaid units"
    return component.prepaid.units is None and prepaid_key(component) not in found
