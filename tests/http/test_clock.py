"""`/api/clock/`: a sandbox's time moves forward, and what falls due on the way is done in order."""

from tests.tenants import Tenant


def test_a_sandbox_tells_its_time(sandbox: Tenant) -> None:
    assert sandbox.get("/api/clock/") == {"now": "2026-01-01T00:00:00Z"}


def test_moving_the_clock_bills_everything_on_the_way_in_order(sandbox: Tenant) -> None:
    sandbox.plan(recurring_charges=[{"name": "Fee", "amount": "10"}])
    for number in range(3):
        sandbox.customer(f"customer_{number}")
        sandbox.subscribe(f"customer_{number}", start_date=f"2026-01-0{number + 1}")

    sandbox.move_clock("2026-03-15T00:00:00Z")

    issued = [(row["issue_date"][:10], row["customer"]["customer_id"]) for row in reversed(sandbox.invoices())]
    assert issued == [(f"2026-0{month}-0{n + 1}", f"customer_{n}") for month in (1, 2, 3) for n in range(3)]


def test_the_clock_stands_still_until_it_is_moved_again(sandbox: Tenant) -> None:
    sandbox.move_clock("2026-02-01T10:00:00+02:00")

    assert sandbox.get("/api/clock/") == {"now": "2026-02-01T08:00:00Z"}


def test_the_clock_does_not_go_backwards(sandbox: Tenant) -> None:
    sandbox.move_clock("2026-02-01")

    problem = sandbox.post("/api/clock/", {"now": "2026-01-31T23:59:59Z"}, 400)

    assert problem["title"] == "clock_backwards"
    assert sandbox.get("/api/clock/") == {"now": "2026-02-01T00:00:00Z"}


def test_moving_the_clock_to_where_it_stands_is_allowed(sandbox: Tenant) -> None:
    sandbox.move_clock("2026-01-01")

    assert sandbox.get("/api/clock/") == {"now": "2026-01-01T00:00:00Z"}


def test_an_organization_in_real_time_has_no_clock_to_move(tenant: Tenant) -> None:
    assert tenant.post("/api/clock/", {"now": "2030-01-01"}, 409)["title"] == "not_a_sandbox"
    assert tenant.get("/api/clock/", 409)["title"] == "not_a_sandbox"


def test_the_clock_cannot_leave_the_centuries_that_are_billed(sandbox: Tenant) -> None:
    problem = sandbox.post("/api/clock/", {"now": "9999-12-31T23:59:59Z"}, 400)

    assert [each["field"] for each in problem["validation_errors"]] == ["now"]


def test_two_sandboxes_have_times_of_their_own(sandbox: Tenant, tenant: Tenant) -> None:
    sandbox.move_clock("2026-05-01")
    tenant.customer()

    assert sandbox.get("/api/clock/") == {"now": "2026-05-01T00:00:00Z"}
