"""Imports in the web app: a file is sent, looked at, started, watched over a reload, and its refused rows read."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from lotus_server.domain.accounts import Role
from tests.server_process import ServerProcess
from tests.tenants import Tenant
from tests.web.harness import Open, Pages, check_page

ROWS = 12_000


def table(path: Path, rows: int) -> Path:
    """A file of customers, every thousandth of whom has no address."""
    lines = ["Account ID,Company Name,E-mail,Plan"]
    lines += [f"c{n},Company {n},{'none' if n % 1_000 == 7 else f'c{n}@example.com'},gold" for n in range(rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_table_of_customers_is_imported(visit: Open, tenant: Tenant, tmp_path: Path) -> None:
    visitor = visit()
    page = visitor.open("customers/")
    page.get_by_role("link", name="Import").click()
    page.locator("#file").set_input_files(table(tmp_path / "customers.csv", ROWS))
    page.get_by_role("button", name="Send the file").click()

    expect(page.get_by_role("heading", name="customers.csv")).to_be_visible()
    expect(page.get_by_text("email must be an e-mail address.")).to_be_visible()
    expect(page.get_by_text("Nothing is taken from: Plan.")).to_be_visible()
    page.get_by_label("Where Plan goes").select_option("properties.Plan")
    page.get_by_role("button", name="Show what that would do").click()
    expect(page.get_by_text('"properties":{"Plan":"gold"}').first).to_be_visible()
    visitor.check_accessibility()

    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("The import is under way.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("12,000 rows were read")).to_be_visible(timeout=120_000)
    expect(page.get_by_text("Made").locator("xpath=../..").get_by_text("11,988")).to_be_visible()
    expect(page.get_by_role("cell", name="email must be an e-mail address.").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert "lotus_line,lotus_problems,Account ID" in download.value.path().read_text()
    visitor.check_accessibility()
    assert tenant.get("/api/customers/c1/")["properties"] == {"Plan": "gold"}
    page.get_by_role("link", name="Look at the customers").click()
    expect(page.get_by_role("heading", name="Customers")).to_be_visible()


def test_events_are_imported_without_a_script(visit: Open, tenant: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text('{"event_name":"call","customer_id":"acme","idempotency_id":"e1","time_created":"2025-12-31"}\n')
    page = visit(script=False).open("settings/imports/new?kind=events")
    page.locator("#file").set_input_files(file)
    page.get_by_role("button", name="Send the file").click()
    page.get_by_role("button", name="Check the whole file").click()
    for _ in range(20):
        page.reload()
        if page.get_by_text("The whole file was checked").is_visible():
            break
        page.wait_for_timeout(500)
    page.get_by_role("button", name="Start").click()
    for _ in range(20):
        page.reload()
        if page.get_by_text("1 rows were read").is_visible():
            break
        page.wait_for_timeout(500)
    assert len(tenant.get("/api/events/")) == 1


def test_an_import_is_stopped_after_a_question(visit: Open, tmp_path: Path) -> None:
    visitor = visit()
    page = visitor.open("settings/imports/new")
    page.locator("#file").set_input_files(table(tmp_path / "a.csv", 10))
    page.get_by_role("button", name="Send the file").click()
    page.get_by_role("link", name="Discard").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped behind 0 rows.")).to_be_visible()


def test_a_file_that_is_none_is_refused_beside_its_field(visit: Open, tmp_path: Path) -> None:
    visitor = visit()
    visitor.expect_refusal(422)
    file = tmp_path / "a.xlsx"
    file.write_bytes(b"PK\x03\x04")
    page = visitor.open("settings/imports/new")
    page.locator("#file").set_input_files(file)
    page.get_by_role("button", name="Send the file").click()
    expect(page.get_by_text("Save it as CSV")).to_be_visible()
    visitor.check_accessibility()


def test_pages_are_good_in_every_look(visit: Open, tenant: Tenant) -> None:
    made = tenant.post("/api/imports/", {"kind": "customers", "file_name": "customers.csv"})
    content = (
        "Account ID,Company Name,E-mail,City,Plan\nacme,Acme Ltd,billing@acme.example,London,gold\n,No id,none,,gold\n"
    )
    path = f"/api/imports/{made['import_id']}/file/"
    tenant.client.put(path, params={"is_last": "true"}, content=content.encode())
    here = f"settings/imports/{made['import_id']}/"
    visitor = visit()
    for name, address in (("imports", "settings/imports/"), ("import-new", "settings/imports/new"), ("import", here)):
        check_page(visitor, address, name, "all")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.FINANCE])
def test_who_may_not_import_sees_nothing_of_it(pages: Callable[..., Pages], role: Role, server: ServerProcess) -> None:
    assert pages(role=role).get("settings/imports/").status_code == 403
    assert pages(role=role).get("settings/imports/new").status_code == 403
