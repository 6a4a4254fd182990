"""The terms of a version in words, and what differs between two versions."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from lotus_server.domain.catalog import (
    AdjustmentKind,
    Component,
    Conversion,
    FeatureValue,
    PlanVersion,
    PriceAdjustment,
    PricingUnit,
    Proration,
    ProrationUnit,
    RecurringCharge,
    Timing,
    VersionStatus,
)
from lotus_server.http.web.formats import Formats
from lotus_server.http.web.price_words import Amounts, PriceWords, short_words, words_of
from lotus_server.kernel.period import Duration
from lotus_server.usecases.plans import PlanView

PERIODS: Final = {
    Duration.DAILY: "day",
    Duration.WEEKLY: "week",
    Duration.MONTHLY: "month",
    Duration.QUARTERLY: "quarter",
    Duration.YEARLY: "year",
}
TIMINGS: Final = {Timing.IN_ADVANCE: "at the beginning", Timing.IN_ARREARS: "at the end"}
PRORATIONS: Final = {
    Proration.PRORATE: "a part of a period costs its share",
    Proration.FULL: "a part of a period costs everything",
}
STATUSES: Final = {
    "not_started": "not on sale yet",
    "active": "on sale",
    "inactive": "off sale",
    "grandfathered": "off sale, still in use",
    "retiring": "off sale, replaced on renewal",
}
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


class ChargeWords(msgspec.Struct, frozen=True):
    """A recurring charge in words."""

    name: str
    amount: str
    lines: tuple[str, ...]


class ComponentWords(msgspec.Struct, frozen=True):
    """A component in words; `extras` say what stands beside its price."""

    component: Component
    name: str
    price: PriceWords
    extras: tuple[str, ...]


class Difference(msgspec.Struct, frozen=True):
    """A term that two versions do not share: what stands in the one and in the other (null: nothing)."""

    section: str
    name: str
    before: str | None
    after: str | None


class VersionWords:
    """One version of a plan or add-on, as it is read."""

    def __init__(self, view: PlanView, version: PlanVersion, fmt: Formats) -> None:
        """Describe a version of the plan that a view shows."""
        self.view = view
        self.version = version
        self._fmt = fmt
        self._amounts = Amounts(fmt, version.currency)

    @property
    def period(self) -> str:
        """Return what a billing period is called."""
        return PERIODS[self.view.plan.duration]

    @property
    def status(self) -> str:
        """Return whether it is sold; when it is not and still in use, also what becomes of its subscriptions."""
        status = self.version.status_at(self.view.now)
        if status is not VersionStatus.INACTIVE or not self.view.active_subscriptions.get(self.version.version_id):
            return status.value
        return "grandfathered" if self.version.replace_with is None else "retiring"

    @property
    def charges(self) -> list[ChargeWords]:
        """Return the recurring charges."""
        return [self._charge(charge) for charge in self.version.recurring_charges]

    @property
    def components(self) -> list[ComponentWords]:
        """Return the components."""
        return [self._component(component) for component in self.version.components]

    @property
    def features(self) -> list[tuple[str, str, str]]:
        """Return id, name and value of each feature."""
        version = self.version
        return [
            (feature_id, self.view.features[feature_id].feature_name, self._value(version.value_of(feature_id)))
            for feature_id in version.feature_ids
        ]

    @property
    def price(self) -> str:
        """Return the fixed price in a few words."""
        if self.version.recurring_charges:
            return self._fmt.money(self.version.flat_rate, self.version.currency)
        return "Usage only" if self.version.components else "Free"

    @property
    def usage(self) -> list[tuple[str, str]]:
        """Return the name and the price of each component in a few words."""
        return [
            (
                self.view.metrics[component.metric_id].metric_name,
                short_words(component.price, self._amounts_of(component)),
            )
            for component in self.version.components
        ]

    @property
    def rules(self) -> list[tuple[str, str]]:
        """Return everything else that is agreed on, each option in words, also when it is the usual one."""
        version = self.version
        return [
            ("Billing period", f"One {self.period}"),
            ("Periods begin", self._cycle()),
            ("Trial", f"{version.trial_days} days, in which nothing is charged" if version.trial_days else "None"),
            ("Renewal", "Goes on period after period, unless a subscription is told to end"),
            ("Usage", f"Invoiced {_invoiced(version.usage_invoicing.interval)}"),
            ("Spend thresholds", self._thresholds()),
            (
                "Parts of a period",
                "Counted in whole days, in the customer's time zone"
                if version.proration_unit is ProrationUnit.DAY
                else "Counted by exact time",
            ),
            ("Commitment", self._commitment()),
            ("Price adjustment", self._adjustment(version.price_adjustment)),
        ]

    @property
    def sale(self) -> list[tuple[str, str]]:
        """Return when and to whom it is sold."""
        version = self.version
        names = [self.view.customers[each].customer_name or each for each in version.target_customer_ids]
        replacing = next((each for each in self.view.versions if each.version_id == version.replace_with), None)
        return [
            ("On sale from", self._fmt.day(version.active_from or version.created_at)),
            ("Until", self._fmt.day(version.active_to) if version.active_to else "further notice"),
            ("For", ", ".join(names) if names else "everybody"),
            ("Customers see", version.localized_name or self.view.plan.plan_name),
            ("On renewal", self._renewal(replacing)),
        ]

    def _renewal(self, replacing: PlanVersion | None) -> str:
        if self.version.transition_to is not None:
            return f"it turns into the plan {self.version.transition_to}"
        return f"version {replacing.version} takes its place" if replacing else "it stays"

    def _thresholds(self) -> str:
        texts = [
            f"{'again each ' if each.is_recurring else ''}{self._amounts.text(each.amount)}"
            for each in self.version.usage_invoicing.thresholds
        ]
        return f"Usage is also invoiced when it comes to {', '.join(texts)}" if texts else "None"

    def _amounts_of(self, priced: RecurringCharge | Component) -> Amounts:
        conversion = priced.conversion
        unit = None if conversion is None else self.view.units[conversion.unit]
        return self._amounts.of(conversion, unit)

    def _converted(self, priced: RecurringCharge | Component) -> Iterator[str]:
        return conversion_words(priced.conversion, self.view.units, self._amounts)

    def _charge(self, charge: RecurringCharge) -> ChargeWords:
        amounts = self._amounts_of(charge)
        each = amounts.text(charge.amount)
        times = "" if charge.quantity == 1 else f"{self._fmt.number(charge.quantity)} times "
        lines = (
            f"Charged {TIMINGS[charge.timing]} of each {self.period}; {PRORATIONS[charge.proration]}",
            *self._converted(charge),
        )
        return ChargeWords(charge.name, f"{times}{each}", lines)

    def _component(self, component: Component) -> ComponentWords:
        extras = [*self._converted(component), *component_extras(component, self._fmt, self.period)]
        name = self.view.metrics[component.metric_id].metric_name
        return ComponentWords(component, name, words_of(component.price, self._amounts_of(component)), tuple(extras))

    def _value(self, value: FeatureValue) -> str:
        if isinstance(value, bool):
            return "yes" if value else "no"
        return value if isinstance(value, str) else self._fmt.number(value)

    def _cycle(self) -> str:
        calendar = self.version.calendar
        if calendar is None:
            return "On the day on which charging began"
        if self.view.plan.duration is Duration.DAILY:
            return "With the day"
        if self.view.plan.duration is Duration.WEEKLY:
            return "On Mondays"
        month = (
            ""
            if self.view.plan.duration is Duration.MONTHLY
            else f", counted from {_MONTHS[calendar.month_anchor - 1]}"
        )
        return f"On day {calendar.day_anchor} of the month{month}"

    def _commitment(self) -> str:
        found = self.version.commitment
        if found is None:
            return "None"
        counted = "recurring charges count" if found.includes_recurring_charges else "only usage counts"
        beyond = (
            ""
            if found.overage_factor == 1
            else f"; beyond it usage costs {self._fmt.number(found.overage_factor)} times"
        )
        return f"At least {self._amounts.text(found.amount)} a {self.period}, {counted}{beyond}"

    def _adjustment(self, found: PriceAdjustment | None) -> str:
        if found is None:
            return "None"
        name = f"{found.name}: " if found.name else ""
        if found.kind is AdjustmentKind.OVERRIDE:
            return f"{name}every invoice comes to {self._amounts.text(found.amount)} instead"
        size = found.amount.copy_abs()
        text = f"{self._fmt.number(size)}%" if found.kind is AdjustmentKind.PERCENTAGE else self._amounts.text(size)
        return f"{name}{text} {'less' if found.amount < 0 else 'more'} on every invoice"

    def terms(self) -> dict[tuple[str, str], str]:
        """Return every term as text, by section and name."""
        found: dict[tuple[str, str], str] = {("Price list", "Currency"): self.version.currency}
        for charge in self.charges:
            _keep(found, "Recurring charges", charge.name, "\n".join((charge.amount, *charge.lines)))
        for each in self.components:
            _keep(found, "Usage", each.name, "\n".join((each.price.model, *each.price.lines, *each.extras)))
        for _, name, value in self.features:
            _keep(found, "Features", name, value)
        for name, text in self.rules:
            _keep(found, "Rules", name, text)
        return found


def conversion_words(
    conversion: Conversion | None, units: Mapping[str, PricingUnit], amounts: Amounts
) -> Iterator[str]:
    """Return what a pricing unit costs, where something is priced in one that is known."""
    if conversion is not None and (unit := units.get(conversion.unit)) is not None:
        yield f"One {unit.name} ({unit.symbol}) costs {amounts.text(conversion.rate)}"


def component_extras(component: Component, fmt: Formats, period: str) -> Iterator[str]:
    """Return what is agreed on beside a component's price; `period` is what a billing period is called."""
    if component.prepaid is not None:
        units = component.prepaid.units
        bought = "as many units as each subscription says" if units is None else f"{fmt.number(units)} units"
        yield (
            f"Prepaid: {bought} are bought at the beginning of each {period}, and usage beyond them is "
            f"charged afterwards; {PRORATIONS[component.prepaid.proration]}"
        )
    if component.invoicing_interval is not None:
        yield f"Its usage is invoiced {_invoiced(component.invoicing_interval)}"
    if component.reset_interval is not None:
        yield f"Free units, tiers and limits begin anew each {PERIODS[component.reset_interval]}"
    if component.limit is not None:
        yield f"Usage ends at {fmt.number(component.limit)} units"


def _invoiced(interval: Duration | None) -> str:
    return "when a period is over" if interval is None else f"each {PERIODS[interval]}, what was used so far"


def differences(before: VersionWords, after: VersionWords) -> list[Difference]:
    """Return the terms that two versions do not share, in the order in which they are read."""
    old, new = before.terms(), after.terms()
    keys = [*old, *(key for key in new if key not in old)]
    sections = list(dict.fromkeys(section for section, _ in ({**old, **new})))
    changed = [Difference(*key, old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)]
    return sorted(changed, key=lambda each: sections.index(each.section))


def _keep(found: dict[tuple[str, str], str], section: str, name: str, text: str) -> None:
    """Keep a term; a further one of the same name gets a number."""
    key, number = (section, name), 2
    while key in found:
        key, number = (section, f"{name} ({number})"), number + 1
    found[key] = text
