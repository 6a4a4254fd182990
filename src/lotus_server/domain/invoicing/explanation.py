"""Why a line has its amount: as data, and as sentences that anyone can follow with pencil and paper."""

from datetime import datetime
from decimal import Decimal

import msgspec

from lotus_server.domain.catalog import Plan, PlanVersion
from lotus_server.domain.invoicing.invoice import InvoiceLine, LineKind
from lotus_server.domain.invoicing.measured import Condition, Measured
from lotus_server.domain.metering import MetricType
from lotus_server.domain.rating import Step
from lotus_server.kernel.currencies import currency
from lotus_server.kernel.quantity import plain, readable


class EventListing(msgspec.Struct, frozen=True):
    """How to list the events behind a line: those of a customer and name in `[start, end)` that meet the conditions."""

    customer_id: str
    event_name: str
    start: datetime
    end: datetime
    conditions: tuple[Condition, ...]


class Explanation(msgspec.Struct, frozen=True):
    """Everything that led to a line's amount.

    The amounts of the steps sum to the exact amount, which was rounded half up to the decimal places of the currency
    `code`. `measured` and `events` are null for a line that charges for no usage, `sold` for one that is by no plan.
    """

    line: InvoiceLine
    sold: tuple[Plan, PlanVersion] | None
    measured: Measured | None
    events: EventListing | None
    code: str

    @property
    def exponent(self) -> int:
        """Return how many decimal places the amount has."""
        return currency(self.code).exponent

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return the steps of the calculation."""
        return self.line.steps


def explain(line: InvoiceLine, sold: tuple[Plan, PlanVersion] | None, *, customer_id: str, code: str) -> Explanation:
    """Return why a line in a currency has its amount; `sold` is the plan and version that it is by, if any."""
    measured, events = line.measured, None
    if measured is not None and measured.event_name:
        # Grouped usage is listed group by group: each grouped property has one value there, or is missing.
        of_group = tuple(_of_group(name, value) for name, value in (line.group or {}).items())
        events = EventListing(
            customer_id,
            measured.event_name,
            measured.since or line.period.start,
            line.period.end,
            (*measured.conditions, *of_group),
        )
    return Explanation(line, sold, measured, events, code)


def sentences(explanation: Explanation) -> tuple[str, ...]:
    """Return the explanation in words: what it is, each step with its arithmetic, and last the amount."""
    line = explanation.line
    found = [f"{_name(line)}, from {line.period.start:%Y-%m-%d %H:%M} until {line.period.end:%Y-%m-%d %H:%M} UTC"]
    if explanation.measured is not None and line.kind is not LineKind.CORRECTION:
        found.append(_measured(line.quantity, explanation.measured))
    if explanation.sold is not None:
        plan, version = explanation.sold
        found.append(f"Priced by version {version.version} of the plan {plan.plan_name} ({version.version_id}).")
    found += [step_sentence(step) for step in line.steps]
    amount = f"{line.amount:f}"
    if line.exact_amount != line.amount:
        places = f"{explanation.exponent} decimal place{'' if explanation.exponent == 1 else 's'}"
        found.append(f"{shown(line.exact_amount)} is rounded half up to {places}.")
    found.append(f"= {amount} {explanation.code}")
    return tuple(found)


def step_sentence(step: Step) -> str:
    """Return a step with its result: `tier 1: 100 units x 2 = 200`."""
    return step.text if step.amount is None else f"{step.text} = {shown(step.amount)}"


def shown(amount: Decimal) -> str:
    """Return an exact amount as people read it: a quotient without end is cut after 12 places, and says so."""
    text = plain(amount)
    whole, _, places = text.partition(".")
    return text if len(places) <= 12 else f"{whole}.{places[:12]}..."


def _name(line: InvoiceLine) -> str:
    if not line.group:
        return line.name
    values = ", ".join(f"without {name}" if value is None else f"{name} {value}" for name, value in line.group.items())
    return f"{line.name} ({values})"


def _measured(quantity: Decimal, measured: Measured) -> str:
    events = "1 event" if measured.counted == 1 else f"{measured.counted} events"
    name = f' named "{measured.event_name}"' if measured.event_name else ""
    where = " and ".join(condition.text for condition in measured.conditions)
    text = f"Quantity {readable(quantity)}: {measured.aggregated}, made from {events}{name}"
    if measured.so_far is not None and measured.since is not None:
        since = f"{measured.since:%Y-%m-%d %H:%M}"
        text = f"Quantity {readable(quantity)}, of {readable(measured.so_far)} since {since}: {measured.aggregated}"
        text = f"{text}, made from {events}{name}"
    if where:
        text += f" where {where}"
    if measured.metric_type == MetricType.GAUGE.value:
        text += "; the level from before the period counts, too"
    for part in measured.without:
        text += f"; those from {part.start:%Y-%m-%d %H:%M} until {part.end:%Y-%m-%d %H:%M}, in a pause, were left out"
    if measured.metric_version > 1:
        text += f", by version {measured.metric_version} of the metric"
    if measured.skipped:
        text += f"; {measured.skipped} more had no usable value and were left out"
    return f"{text}."


def _of_group(name: str, value: str | None) -> Condition:
    if value is None:
        return Condition(name, "not_exists")
    return Condition(name, "eq", msgspec.json.encode(value).decode())
