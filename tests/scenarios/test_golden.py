"""Numbers on which independent billing systems agree, run through the domain.

The public endpoints have those that a preview can answer in `tests/http/test_golden_previews.py`.

An entry's `source` names whose tests the numbers were re-stated from. `dialect` names a rule on which systems disagree.
"""

from collections.abc import Callable, Container, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lotus_server.domain.catalog import (
    Graduated,
    GraduatedPercentage,
    Package,
    Percentage,
    PercentageTier,
    PerUnit,
    Price,
    Rounding,
    Tier,
    Volume,
)
from lotus_server.domain.credits import CreditGrant, HeldCredit, after, burn_down
from lotus_server.domain.metering import Aggregation, Event, MetricDefinition, Selection, usage_of
from lotus_server.domain.rating import RatedUsage, rate, rate_each, rate_on_top
from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import parse_instant
from lotus_server.kernel.money import allocate
from lotus_server.kernel.period import Duration, Period, boundary, period_at
from lotus_server.kernel.quantity import plain
from lotus_server.wire.components import ComponentForm
from lotus_server.wire.forms import read
from lotus_server.wire.proration_preview import ProrationPreviewForm
from tests.http.test_golden_previews import RUNNERS as PREVIEWS
from tests.repository import ROOT
from tests.scenarios.golden_entries import ENTRIES, comparable
from tests.scenarios.golden_invoicing import adjustment_and_tax, true_up

Case = dict[str, Any]
Runner = Callable[[Case, Case], Case]

# Entries that are played as timelines, by their ids; some of them are run here too.
TIMELINES = {path.stem.partition("_")[0] for path in (Path(__file__).parent / "timelines" / "golden").glob("*.yaml")}
USD = CURRENCIES["USD"]
YEAR = Period(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))

# Entries whose rule is not ours, each with the rule that we have instead.
OUT_OF_DIALECT = {
    "E02": "credit pays invoices; usage beyond it is invoiced, and never taken from a later grant",
}

# Entries without numbers: the law that they state is tested elsewhere.
LAWS = {"E05": "tests/domain/credits/test_burn_down.py, test_settlement.py; tests/usecases/test_credit_settlement.py"}


def _cases() -> Iterator[Any]:
    for entry_id, entry in ENTRIES.items():
        if entry_id in RUNNERS:
            for index, case in enumerate(entry["cases"]):
                yield pytest.param(entry_id, entry.get("setup", {}), case, id=f"{entry_id}-{index}")


def _decimal(text: str | int) -> Decimal:
    return Decimal(str(text))


def _tiers(tiers: list[Case]) -> tuple[Tier, ...]:
    return tuple(
        Tier(None if tier["up_to"] is None else _decimal(tier["up_to"]), Decimal(tier["unit"]), Decimal(tier["flat"]))
        for tier in tiers
    )


def _tiered(model: type[Graduated | Volume]) -> Runner:
    def run(setup: Case, inputs: Case) -> Case:
        return {"amount": rate(model(_tiers(setup["tiers"])), Decimal(inputs["quantity"])).amount}

    return run


def _percentage(setup: Case, inputs: Case) -> Case:
    """The running totals of the first events give their values; what is left of the total belongs to the last."""
    price = Percentage(
        Decimal(setup["rate_percent"]),
        Decimal(setup["fixed_per_event"]),
        inputs["free_events"],
        None if inputs["free_total"] is None else Decimal(inputs["free_total"]),
    )
    usage = RatedUsage(Decimal(inputs["total"]), inputs["event_count"])
    if inputs["running_totals"]:
        totals = [Decimal(0), *map(Decimal, inputs["running_totals"]), usage.quantity]
        usage = RatedUsage.of_events(after - before for before, after in pairwise(totals))
    rated = rate(price, usage)
    share, fees = rated.steps[-2:]
    assert fees.quantity is not None
    return {
        "free_events_used": inputs["event_count"] - fees.quantity,
        "paid_units": share.quantity,
        "amount": rated.amount,
    }


def _graduated_percentage(setup: Case, inputs: Case) -> Case:
    tiers = tuple(
        PercentageTier(
            None if tier["up_to"] is None else _decimal(tier["up_to"]),
            Decimal(tier["rate_percent"]),
            Decimal(tier["flat"]),
        )
        for tier in setup["tiers"]
    )
    return {"amount": rate(GraduatedPercentage(tiers), Decimal(inputs["quantity"])).amount}


def _package(setup: Case, inputs: Case) -> Case:
    price = Package(
        _decimal(setup["package_size"]),
        Decimal(setup["package_price"]),
        _decimal(inputs.get("free_units", 0)),
        Rounding(inputs.get("round", "up")),
    )
    return {"amount": rate(price, Decimal(inputs["quantity"])).amount}


def _mixed(_: Case, inputs: Case) -> Case:
    price: Price
    match inputs["model"]:
        case "per_unit":
            price = PerUnit(Decimal(inputs["unit"]))
        case "package":
            price = Package(_decimal(inputs["package_size"]), Decimal(inputs["package_price"]))
        case model:
            caps = [Decimal(tier["cap"]) for tier in inputs["tiers"] if "cap" in tier]
            # A cap on the one tier of a price is a maximum spend.
            assert not caps or len(inputs["tiers"]) == 1
            kind = Graduated if model == "graduated" else Volume
            price = kind(_tiers(inputs["tiers"]), maximum_spend=caps[0] if caps else None)
    return {"amount": rate(price, Decimal(inputs["quantity"])).amount}


def _split_lines(setup: Case, inputs: Case) -> Case:
    """At a price of 1 a unit, what a line costs is the number of units that are billed on it."""
    price = PerUnit(Decimal(1), free_units=Decimal(setup["free_quantity"]))
    before, line = Decimal(inputs["already_rated_quantity"]), Decimal(inputs["line_quantity"])
    billed = rate_on_top(price, line, before).amount
    return {
        "discount_on_line": line - billed,
        "discount_before_line": before - rate(price, before).amount,
        "billable_line_quantity": billed,
    }


def _unique_groups(setup: Case, inputs: Case) -> Case:
    definition = MetricDefinition("event", Aggregation.UNIQUE, "item", group_by=tuple(setup["group_by"]))
    usage = usage_of(Selection(definition, "customer", YEAR), _events(inputs["events"]))
    rated = rate_each(PerUnit(Decimal(setup["unit_price"])), [group.quantity for group in usage.groups.values()])
    return {"total_amount_cents": rated.amount * 100}


def _unique(_: Case, inputs: Case) -> Case:
    definition = MetricDefinition("event", Aggregation.UNIQUE, "value")
    events = _events([{"value": value} for value in inputs["property_values"]])
    return {"usage": usage_of(Selection(definition, "customer", YEAR), events).quantity}


def _events(properties: list[Case]) -> list[Event]:
    return [
        Event(number, f"e{number}", "customer", "event", YEAR.start, YEAR.start, each)
        for number, each in enumerate(properties)
    ]


def _plan_change(setup: Case, inputs: Case) -> Case:
    """Through the proration preview. A new plan whose cycle starts anew is charged a whole period."""
    if "period" in setup:
        start, end = setup["period"]
        old, new, restarts = inputs["old_cents"], inputs["new_cents"], False
    else:
        (interval, old), (new_interval, new) = inputs["old"], inputs["new"]
        start, restarts = inputs["cycle_start"], new_interval != interval
        duration = {"month": Duration.MONTHLY, "year": Duration.YEARLY}[interval]
        end = boundary(_instant(start), duration, 1).date().isoformat()
    payload = {
        "old": {"amount": Decimal(old).scaleb(-2), "timing": "in_advance"},
        "new": {"amount": Decimal(new).scaleb(-2), "proration": "full" if restarts else "prorate"},
        "period_start": start,
        "period_end": end,
        "change_at": inputs["change"],
    }
    problems = Problems()
    row = read(ProrationPreviewForm, payload, problems).to_preview(problems, "USD").row()
    return {f"{key}_cents": row[key] * 100 for key in ("credit", "debit", "net")}


def _month_ends(_: Case, inputs: Case) -> Case:
    anchor = _instant(inputs["anchor"])
    starts = [boundary(anchor, Duration.MONTHLY, count) for count in range(inputs["count"])]
    assert [period_at(anchor, Duration.MONTHLY, start).start for start in starts] == starts
    return {"starts": [start.date().isoformat() for start in starts]}


def _split_discount(_: Case, inputs: Case) -> Case:
    lines = [Decimal(cents).scaleb(-2) for cents in inputs["lines_cents"]]
    discount = min(Decimal(inputs["discount_cents"]).scaleb(-2), sum(lines, Decimal(0)))
    parts = allocate(discount, lines, USD)
    assert sum(parts) == discount
    return {"taxable_cents": [(line - part) * 100 for line, part in zip(lines, parts, strict=True)]}


def _original_tiers(_: Case, inputs: Case) -> Case:
    """Through the form in which the original's clients send tiers."""
    roundings = {"up": "round_up", "down": "round_down", "none": "no_rounding"}
    tiers = [
        {"type": "free", "range_start": 0, "range_end": tier["free_to"]}
        if "free_to" in tier
        else {
            "type": "per_unit",
            "range_start": tier["from"],
            "range_end": tier.get("to"),
            "cost_per_batch": tier["unit"],
            "metric_units_per_batch": tier.get("batch", 1),
            "batch_rounding_type": roundings[inputs.get("rounding", "none")],
        }
        for tier in inputs["tiers"]
    ]
    problems = Problems()
    component = read(ComponentForm, {"metric_id": "m", "tiers": tiers}, problems).to_draft(problems, "")
    assert problems.found == ()
    assert isinstance(component.price, Graduated) == (inputs["model"] == "graduated")
    return {"amount": rate(component.price, Decimal(inputs["quantity"])).amount}


def _burn_down(_: Case, inputs: Case) -> Case:
    held = [
        HeldCredit(
            CreditGrant(
                organization_id="org",
                credit_id=grant["id"],
                customer_id="customer",
                currency="USD",
                amount=Decimal(grant["amount"]),
                granted_at=YEAR.start,
                effective_at=YEAR.start,
                expires_at=YEAR.start + timedelta(days=grant["expires_days"]) if "expires_days" in grant else None,
                priority=grant["priority"],
            ),
            Decimal(grant["amount"]),
        )
        for grant in inputs["grants"]
    ]
    left = after(held, burn_down(held, Decimal(inputs["usage"]), YEAR.start))
    return {"balances": {each.grant.credit_id: plain(each.remaining) for each in left}}


RUNNERS: dict[str, Runner] = {
    "A01": _tiered(Graduated),
    "A04": _tiered(Graduated),
    "A06": _tiered(Volume),
    "A08": _package,
    "A10": _package,
    "A11": _percentage,
    "A13": _graduated_percentage,
    "A17": _mixed,
    "A20": _split_lines,
    "B04": _unique_groups,
    "C04": _plan_change,
    "C05": _plan_change,
    "C10": _month_ends,
    "D01": true_up,
    "D08": _split_discount,
    "E01": _burn_down,
    "L02": _unique,
    "L07": _original_tiers,
    "L17": adjustment_and_tax,
}


def _instant(text: str) -> datetime:
    found = parse_instant(text)
    assert found is not None
    return found


@pytest.mark.parametrize(("entry_id", "setup", "case"), list(_cases()))
def test_a_golden_entry_comes_out_as_elsewhere(entry_id: str, setup: Case, case: Case) -> None:
    found = RUNNERS[entry_id](setup, case["inputs"])

    assert comparable(list(case["expected"].values())) == comparable([found[key] for key in case["expected"]])


def test_every_golden_entry_is_run_or_has_another_rule() -> None:
    assert ENTRIES.keys() == RUNNERS.keys() | TIMELINES | OUT_OF_DIALECT.keys() | LAWS.keys()
    assert not OUT_OF_DIALECT.keys() & (RUNNERS.keys() | TIMELINES)


def test_the_table_of_the_documentation_says_how_every_golden_entry_is_run() -> None:
    page = (ROOT / "docs/reference/golden-numbers.md").read_text(encoding="utf-8")
    rows = {
        cells[1]: cells[4]
        for cells in ([cell.strip() for cell in line.split("|")] for line in page.splitlines() if line.startswith("| "))
    }

    ways: dict[str, Container[str]] = {
        "preview": PREVIEWS,
        "domain": RUNNERS,
        "timeline": TIMELINES,
        "law": LAWS,
        "no": OUT_OF_DIALECT,
    }
    assert {
        entry_id: ", ".join(way for way, entries in ways.items() if entry_id in entries) for entry_id in ENTRIES
    } == {entry_id: rows.get(entry_id) for entry_id in ENTRIES}
