"""Golden numbers through the public endpoints of a running server: price preview, proration preview, drafts.

The entries are those of `tests/scenarios/golden`; what a price is called there is written here as a client sends it.
"""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from lotus_server.kernel.money import total
from tests.scenarios.golden_entries import ENTRIES, comparable
from tests.tenants import NEW_YEAR, Json, Tenant

Case = dict[str, Any]
Runner = Callable[[Tenant, Case, Case], Case]
ROUNDINGS = {"up": "round_up", "down": "round_down", "none": "no_rounding"}
ONE_OF_THEM = {"model": "per_unit", "unit_price": 1}


def preview(tenant: Tenant, price: Json, **usage: Json) -> Json:
    return tenant.post("/api/price_preview/", {"price": price, **usage}, 200)


def tiered(model: str) -> Runner:
    def run(tenant: Tenant, setup: Case, inputs: Case) -> Case:
        price = {"model": model, "tiers": tiers_of(setup["tiers"])}
        return {"amount": preview(tenant, price, quantity=inputs["quantity"])["exact_amount"]}

    return run


def tiers_of(tiers: list[Case]) -> list[Case]:
    names = {"up_to": "up_to", "flat": "flat_fee", "unit": "unit_price", "rate_percent": "rate_percent"}
    return [{names[key]: value for key, value in tier.items() if key in names} for tier in tiers]


def package(tenant: Tenant, setup: Case, inputs: Case) -> Case:
    price = {"model": "package", "free_units": inputs.get("free_units", 0), "rounding": inputs.get("round", "up")}
    return {"amount": preview(tenant, price | setup, quantity=inputs["quantity"])["exact_amount"]}


def percentage(tenant: Tenant, setup: Case, inputs: Case) -> Case:
    """The running totals of the first events give their values; what is left of the total is shared by the others."""
    price = {
        "model": "percentage",
        "rate_percent": setup["rate_percent"],
        "fixed_fee": setup["fixed_per_event"],
        "free_events": inputs["free_events"],
        "free_amount": inputs["free_total"],
    }
    totals = [Decimal(0), *map(Decimal, inputs["running_totals"])]
    values = [after - before for before, after in pairwise(totals)]
    others = inputs["event_count"] - len(values)
    values += [(Decimal(inputs["total"]) - totals[-1]) / others] * others
    answer = preview(tenant, price, events=[{"value": str(value)} for value in values])
    share, fees = answer["lines"][-2:]
    return {
        "free_events_used": inputs["event_count"] - fees["quantity"],
        "paid_units": share["quantity"],
        "amount": answer["exact_amount"],
    }


def mixed(tenant: Tenant, _: Case, inputs: Case) -> Case:
    price: Case = {key: inputs[key] for key in ("model", "package_size", "package_price") if key in inputs}
    if "unit" in inputs:
        price["unit_price"] = inputs["unit"]
    if "tiers" in inputs:
        price["tiers"] = tiers_of(inputs["tiers"])
        price["maximum_spend"] = next((tier["cap"] for tier in inputs["tiers"] if "cap" in tier), None)
    answer = preview(tenant, price, quantity=inputs["quantity"])
    assert answer["amount"] == answer["exact_amount"]
    return {"amount": answer["amount"]}


def split_lines(tenant: Tenant, setup: Case, inputs: Case) -> Case:
    """At a price of 1 a unit, what a line costs is the number of units that are billed on it."""
    price = ONE_OF_THEM | {"free_units": setup["free_quantity"]}
    before, line = Decimal(inputs["already_rated_quantity"]), Decimal(inputs["line_quantity"])
    billed = preview(tenant, price, quantity=str(line), already_rated=str(before))["exact_amount"]
    return {
        "discount_on_line": line - billed,
        "discount_before_line": before - preview(tenant, price, quantity=str(before))["exact_amount"],
        "billable_line_quantity": billed,
    }


def plan_change(tenant: Tenant, setup: Case, inputs: Case) -> Case:
    """A new plan whose cycle starts anew is charged a whole period; the whole period ends a month or year later."""
    if "period" in setup:
        (start, end), old, new = setup["period"], inputs["old_cents"], inputs["new_cents"]
        restarts = False
    else:
        (interval, old), (new_interval, new) = inputs["old"], inputs["new"]
        start, restarts = inputs["cycle_start"], new_interval != interval
        first = date.fromisoformat(start)
        end = (
            first.replace(year=first.year + 1) if interval == "year" else first.replace(month=first.month + 1)
        ).isoformat()
    body = {
        "old": {"amount": str(Decimal(old) / 100), "timing": "in_advance"},
        "new": {"amount": str(Decimal(new) / 100), "proration": "full" if restarts else "prorate"},
        "period_start": start,
        "period_end": end,
        "change_at": inputs["change"],
    }
    answer = tenant.post("/api/proration_preview/", body, 200)
    return {f"{key}_cents": answer[key] * 100 for key in ("credit", "debit", "net")}


def unique(tenant: Tenant, _: Case, inputs: Case) -> Case:
    used(tenant, [{"item": value} for value in inputs["property_values"]])
    return {"usage": tried(tenant)["quantity"]}


def unique_groups(tenant: Tenant, setup: Case, inputs: Case) -> Case:
    """The groups of the metric, each at the price of the setup."""
    used(tenant, inputs["events"])
    groups = tried(tenant, group_by=setup["group_by"])["groups"]
    price = ONE_OF_THEM | {"unit_price": setup["unit_price"]}
    answer = preview(tenant, price, windows=[group["value"] for group in groups])
    return {"total_amount_cents": answer["amount"] * 100}


def used(tenant: Tenant, events: list[Case]) -> None:
    tenant.customer()
    tenant.track(*(tenant.event("used", properties=each, time_created=NEW_YEAR) for each in events))


def tried(tenant: Tenant, **more: Json) -> Json:
    """The metric preview of different items."""
    definition = {"event_name": "used", "aggregation_type": "unique", "property_name": "item", **more}
    span = {"customer_id": "acme", "start": "2026-01-01", "end": "2026-02-01"}
    return tenant.post("/api/metrics/preview/", definition | span, 200)


def original_tiers(tenant: Tenant, _: Case, inputs: Case) -> Case:
    """Tiers as the original's clients send them, in a plan whose draft shows what the quantity comes to."""
    tiers = [
        {"type": "free", "range_start": 0, "range_end": tier["free_to"]}
        if "free_to" in tier
        else {
            "type": "per_unit",
            "range_start": tier["from"],
            "range_end": tier.get("to"),
            "cost_per_batch": tier["unit"],
            "metric_units_per_batch": tier.get("batch", 1),
            "batch_rounding_type": ROUNDINGS[inputs.get("rounding", "none")],
        }
        for tier in inputs["tiers"]
    ]
    tenant.metric("units", aggregation_type="sum", property_name="n", event_name="used")
    tenant.plan("pro", components=[{"metric_id": "units", "tiers": tiers}])
    tenant.customer()
    tenant.subscribe()
    tenant.track(tenant.event("used", properties={"n": inputs["quantity"]}, time_created=NEW_YEAR))
    (draft,) = tenant.get("/api/draft_invoice/", customer_id="acme")
    return {"amount": total(line["exact_amount"] for line in draft["lines"])}


RUNNERS: dict[str, Runner] = {
    "A01": tiered("graduated"),
    "A04": tiered("graduated"),
    "A06": tiered("volume"),
    "A08": package,
    "A10": package,
    "A11": percentage,
    "A13": tiered("graduated_percentage"),
    "A17": mixed,
    "A20": split_lines,
    "B04": unique_groups,
    "C04": plan_change,
    "C05": plan_change,
    "L02": unique,
    "L07": original_tiers,
}


def cases() -> Iterator[Any]:
    for entry_id in RUNNERS:
        for index, case in enumerate(ENTRIES[entry_id]["cases"]):
            yield pytest.param(entry_id, case, id=f"{entry_id}-{index}")


@pytest.mark.parametrize(("entry_id", "case"), list(cases()))
def test_a_golden_entry_comes_out_as_elsewhere(sandbox: Tenant, entry_id: str, case: Case) -> None:
    found = RUNNERS[entry_id](sandbox, ENTRIES[entry_id].get("setup", {}), case["inputs"])

    assert comparable(list(case["expected"].values())) == comparable([found[key] for key in case["expected"]])
