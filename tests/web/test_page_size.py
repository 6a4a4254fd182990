"""No page is over 500 kB, also of a price list as large as any, and nothing of it is lost on the way."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from lotus_server.domain.accounts import Organization
from lotus_server.http.web.forms import Form
from tests.tenants import Tenant
from tests.web.harness import Open, Pages, check_page

BYTES_MAX = 500_000
COMPONENTS = 100
TIERS = 10
PAGES = ["plans/new", "plans/large/", "plans/large/versions/", "plans/large/versions/new", "plans/large/compare"]


def _tiers(model: str = "graduated") -> dict[str, Any]:
    tiers = [
        {"up_to": None if tier == TIERS - 1 else 1000 * (tier + 1), "unit_price": f"0.00{90 - tier}", "flat_fee": tier}
        for tier in range(TIERS)
    ]
    return {"model": model, "tiers": tiers}


def fill(tenant: Tenant, components: int = COMPONENTS) -> None:
    """A plan with so many components of ten tiers, each of a metric of its own."""
    for number in range(components):
        tenant.metric(f"metric-{number}", metric_name=f"Requests to <endpoint> & {number}")
    terms: list[dict[str, Any]] = [{"metric_id": f"metric-{number}", "price": _tiers()} for number in range(components)]
    terms[1] |= {"limit": 50_000}
    tenant.plan("large", plan_name="Large", components=terms)


def test_the_pages_of_a_plan_with_a_hundred_components_of_ten_tiers_stay_small(
    pages: Callable[..., Pages], tenant: Tenant
) -> None:
    fill(tenant)
    tenant.post("/api/plans/large/versions/", {"components": []})
    sizes = {path: len(pages().get(f"{path}").content) for path in PAGES}
    sizes["from the first"] = len(pages().get("plans/large/versions/new?from=1").content)
    assert {} == {path: size for path, size in sizes.items() if size > BYTES_MAX}


def test_the_builder_of_a_large_plan_says_all_its_prices_without_a_script(
    pages: Callable[..., Pages], tenant: Tenant
) -> None:
    fill(tenant)
    text = pages().get("plans/large/versions/new").text
    assert COMPONENTS == len(_typed(text))
    assert COMPONENTS == text.count("Above 8,000, up to 9,000: $0.0082 per unit, $8.00 once")
    assert "Usage ends at 50,000 units." in text


def test_a_component_is_opened_without_a_script_and_nothing_is_made(
    pages: Callable[..., Pages], tenant: Tenant
) -> None:
    fill(tenant, 20)
    form = _typed(pages().get("plans/large/versions/new").text) | {"open:hidden": "components[7]"}
    answer = pages().post("plans/large/versions/new", form)
    assert 200 == answer.status_code
    assert 19 == len(_typed(answer.text))
    assert 'name="components[7].price.tiers[9].unit_price" value="0.0081"' in answer.text
    assert 1 == len(tenant.get("/api/plans/large/")["versions"])


def test_what_stands_closed_is_sent_as_it_was(pages: Callable[..., Pages], tenant: Tenant) -> None:
    fill(tenant, 20)
    form = _typed(pages().get("plans/large/versions/new").text)
    form |= {"currency": "USD", "replace": "new_only", "proration_unit": "exact", "billing_cycle": "anniversary"}
    assert 303 == pages().post("plans/large/versions/new", form).status_code
    first, second = tenant.get("/api/plans/large/")["versions"]
    kept = ("metric_id", "price", "limit")
    assert 20 == len(second["components"])
    assert [[each[key] for key in kept] for each in first["components"]] == [
        [each[key] for key in kept] for each in second["components"]
    ]


def test_a_closed_component_opens_in_its_place_and_is_typed_in(visit: Open, tenant: Tenant) -> None:
    fill(tenant, 20)
    visitor = visit()
    check_page(visitor, "plans/large/versions/new", "plan-version-large", "light")
    page = visitor.page
    page.get_by_role("button", name="Remove this usage").first.click()
    row = page.locator("#components > [data-row]").nth(3)
    row.get_by_role("button", name="Change the price").click()
    expect(row.get_by_label("Metric")).to_be_focused()
    row.get_by_role("textbox", name="Unit price").nth(9).fill("0.5")
    row.get_by_label("What does it cost?").press_sequentially("10000")
    expect(row.locator("[data-amount]")).to_have_text("$622.40")
    page.get_by_label("Trial, in days").press("Enter")
    expect(page.get_by_text("Version 2 of Large is made.")).to_be_visible()
    second = tenant.get("/api/plans/large/")["versions"][1]
    assert [f"metric-{number}" for number in range(1, 20)] == [each["metric_id"] for each in second["components"]]
    assert ["0.0081", "0.5"] == [str(second["components"][n]["price"]["tiers"][9]["unit_price"]) for n in (2, 3)]


def test_a_problem_of_a_closed_component_opens_it(pages: Callable[..., Pages], tenant: Tenant) -> None:
    fill(tenant, 20)
    form = _typed(pages().get("plans/large/versions/new").text)
    form["components[4]:folded"] = form["components[4]:folded"].replace('"0.0088"', '"cheap"')
    answer = pages().post("plans/large/versions/new", form)
    assert 422 == answer.status_code
    assert 19 == len(_typed(answer.text))
    assert 'is-invalid" id="components[4].price.tiers[2].unit_price"' in answer.text


def test_a_hundred_wrong_components_are_all_told_on_a_small_page(pages: Callable[..., Pages], tenant: Tenant) -> None:
    fill(tenant)
    form = _typed(pages().get("plans/large/versions/new").text)
    wrong = {name: text.replace('"0.0088"', '"cheap"') for name, text in form.items()}
    answer = pages().post("plans/large/versions/new", wrong)
    assert len(answer.content) < BYTES_MAX
    assert COMPONENTS == answer.text.count("unit_price must be a number")


def test_a_matrix_of_many_groups_is_closed_group_by_group(pages: Callable[..., Pages], tenant: Tenant) -> None:
    tenant.metric("storage", metric_name="Storage", group_by=["region"])
    cells = [{"when": {"region": f"zone {number}"}, "price": _tiers("volume")} for number in range(60)]
    price = {
        "model": "matrix",
        "dimensions": ["region"],
        "cells": cells,
        "default": {"model": "per_unit", "unit_price": 1},
    }
    tenant.plan("large", components=[{"metric_id": "storage", "price": price}])
    closed = pages().get("plans/large/versions/new")
    opened = pages().post("plans/large/versions/new", _typed(closed.text) | {"open:hidden": "components[0]"})
    group = pages().post(
        "plans/large/versions/new", _typed(opened.text) | {"open:hidden": "components[0].price.cells[59]"}
    )
    assert [1, 60, 59] == [len(_typed(answer.text)) for answer in (closed, opened, group)]
    assert all(len(answer.content) < BYTES_MAX for answer in (closed, opened, group))
    assert 'value="region = zone 59"' in group.text
    assert 303 == pages().post("plans/large/versions/new", _typed(closed.text) | {"currency": "USD"}).status_code
    first, second = tenant.get("/api/plans/large/")["versions"]
    assert first["components"][0]["price"] == second["components"][0]["price"]


def test_many_metrics_are_named_once_in_a_page(pages: Callable[..., Pages], tenant: Tenant) -> None:
    fill(tenant, 21)
    text = pages().get("plans/new").text
    assert 1 == text.count('value="metric-7"')
    assert '<datalist id="all-metrics">' in text


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"price":7}', '{"price":{"tiers":[[]]}}', "[" * 100_000])
def test_a_closed_row_that_cannot_be_read_is_refused_in_words(
    pages: Callable[..., Pages], tenant: Tenant, text: str
) -> None:
    tenant.plan()
    for path in ("open:hidden", "other"):
        form = {"components[0]:folded": text, path: "components[0]"}
        assert pages().post("plans/pro/versions/new", form).status_code in {200, 303, 422}


def test_opening_nothing_shows_the_page(pages: Callable[..., Pages], organization: Organization) -> None:
    for path in ("", "components", "components[9]", "components[0].price.cells[x]"):
        assert 200 == pages().post("plans/new", {"open:hidden": path}).status_code


def test_a_closed_row_keeps_kinds_and_rows_that_are_blank() -> None:
    pairs = {
        "components[2].price.dimensions:list": "region, tier",
        "components[2].price.cells[0].when:pairs": "region = eu",
        "components[2].price.cells[1].when:pairs": "",
        "components[2].asked.quantity:hidden": "3",
    }
    form = Form(pairs.items())
    again = Form([("components[0]:folded", form.folded("components[0]").unescape())])
    assert form.payload(keeps_rows=True) == again.payload(keeps_rows=True)
    assert again.is_folded("components[0]")


def _typed(text: str) -> dict[str, str]:
    """The closed rows of a page, as its form sends them."""
    found = re.findall(r'<textarea name="([^"]+:folded)" hidden>\n(.*?)</textarea>', text, re.DOTALL)
    return {name: html.unescape(value) for name, value in found}
