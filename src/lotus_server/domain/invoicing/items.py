"""What is sold by number and held over time: recurring charges, and units that are prepaid."""

from decimal import Decimal

import msgspec

from lotus_server.domain.catalog import Component, Proration, RecurringCharge, Timing
from lotus_server.domain.invoicing.invoice import LineKind
from lotus_server.domain.invoicing.terms import Terms
from lotus_server.domain.rating import Rated, Step, in_money, rate
from lotus_server.domain.subscriptions import charge_key, default_prepaid_units, prepaid_key
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ONE, multiply, plain


class Item(msgspec.Struct, frozen=True):
    """A recurring charge, or the prepaid units of a component, as lines need it.

    `key` names its quantity in the subscription, `default` is the quantity that the plan has. Of `charge` and
    `component` one is null.
    """

    key: str
    name: str
    of: str
    default: Decimal
    timing: Timing
    proration: Proration
    kind: LineKind
    charge_id: str
    charge: RecurringCharge | None = None
    component: Component | None = None

    def whole(self, quantity: Decimal) -> Rated:
        """Return what a quantity costs for a whole period, in money."""
        if self.component is not None:
            return in_money(rate(self.component.price, quantity), self.component.conversion)
        assert self.charge is not None, "an item is a charge or a component"
        amount = multiply(self.charge.amount, quantity)
        each = "" if quantity == ONE else f"{plain(quantity)} x {plain(self.charge.amount)} for "
        step = Step(f"{self.charge.name}: {each}a whole period", quantity, self.charge.amount, amount)
        return in_money(Rated(amount, (step,)), self.charge.conversion)


def item_of_charge(terms: Terms, charge: RecurringCharge) -> Item:
    """Return the item of a recurring charge."""
    return Item(
        key=charge_key(charge),
        name=f"{terms.plan_name} {charge.name}",
        of=charge.name,
        default=charge.quantity,
        timing=charge.timing,
        proration=charge.proration,
        kind=LineKind.RECURRING,
        charge_id=charge.charge_id,
        charge=charge,
    )


def item_of_prepaid(terms: Terms, component: Component) -> Item:
    """Return the item of the prepaid units of a component that has them."""
    assert component.prepaid is not None, "only prepaid units are an item"
    name = f"{terms.metrics[component.metric_id].metric_name} (prepaid)"
    return Item(
        key=prepaid_key(component),
        name=name,
        of=name,
        default=default_prepaid_units(component),
        timing=Timing.IN_ADVANCE,
        proration=component.prepaid.proration,
        kind=LineKind.PREPAID,
        charge_id=component.component_id,
        component=component,
    )


def charged_items(terms: Terms, period: Period) -> tuple[Item, ...]:
    """Return the items that are charged for a period, or a part of one: none in a trial."""
    return () if terms.subscription.is_trial_at(period.start) else items_of(terms)


def items_of(terms: Terms) -> tuple[Item, ...]:
    """Return every item of a version: charges, then prepaid units."""
    version = terms.version
    return (
        *(item_of_charge(terms, charge) for charge in version.recurring_charges),
        *(item_of_prepaid(terms, each) for each in version.components if each.prepaid is not None),
    )
