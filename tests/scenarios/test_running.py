"""What a run says about a scenario that does not come out as it expects."""

from collections.abc import Iterator

import pytest

from lotus_server.kernel.errors import Conflict, Invalid, Unavailable
from lotus_server.scenarios import Stage, check_scenario, run_scenario
from lotus_server.scenarios.over_http import HttpApi, OneOrganization
from tests.scenarios.stages import play, read
from tests.server_process import ServerProcess, free_port

SETUP = """\
name: A fee
plans:
  - {plan_id: pro, plan_name: Pro, plan_duration: monthly, recurring_charges: [{name: fee, amount: 10}]}
customers: [acme]
steps:
  - at: 2026-01-01
    subscribe: {}
"""


def test_every_mismatch_is_told_with_its_line(in_process: Stage) -> None:
    expected = "      - issued: 2026-01-02\n        total: 11\n        lines: {Pro fee: 12}\n"
    text = f"{SETUP}    expect:\n      invoices:\n{expected}"

    found = [(each.line, each.what, each.expected, each.actual) for each in play(in_process, text)]

    assert found == [
        (10, "invoices[0].issued", "2026-01-02", "2026-01-01T00:00:00Z"),
        (11, "invoices[0].total", "11", "10"),
        (12, "invoices[0].lines.Pro fee", "12", "10.00"),
    ]


def test_a_mismatch_is_the_same_in_process_and_over_http(in_process: Stage, on_server: Stage) -> None:
    text = f"{SETUP}    expect: {{invoices: [{{total: 11}}], balance: 3, access: {{event_name: call, access: true}}}}\n"

    found = play(in_process, text)

    assert len(found) == 3
    assert found == play(on_server, text)


def test_an_invoice_that_no_step_expects_is_a_mismatch(in_process: Stage) -> None:
    (found,) = play(in_process, SETUP)

    assert (found.where, found.what) == ("at the end", "an invoice that no step expects")
    assert "Pro fee" in found.actual


def test_lists_of_other_lengths_are_shown_in_full(in_process: Stage) -> None:
    (found,) = play(in_process, SETUP + "    expect: {invoices: []}\n")

    assert found.expected == "none"
    assert found.actual.startswith("1:\n- issued: 2026-01-01T00:00:00Z")


def test_a_refusal_ends_the_scenario_and_names_each_wrong_field(in_process: Stage) -> None:
    text = (
        SETUP.replace("{}", "{start_date: soon, end_date: later}") + "  - at: 2026-02-01\n    expect: {balance: 99}\n"
    )

    found = play(in_process, text)

    assert [(7, "subscribe.start_date"), (7, "subscribe.end_date")] == [(each.line, each.what) for each in found]


def test_a_refusal_that_is_expected_is_compared(in_process: Stage) -> None:
    cancel = "{bill_now: true, revoke_access: false, error: bill_now_needs_revoke}"
    good = f"    cancel: {cancel}\n    expect: {{invoices: {{count: 1}}}}\n"
    bad = good.replace("needs_revoke", "needs_nothing")

    assert play(in_process, SETUP + good) == []
    (found,) = play(in_process, SETUP + bad)
    assert (found.expected, found.actual) == ("bill_now_needs_nothing", "bill_now_needs_revoke")


def test_a_call_that_should_be_refused_and_is_not_is_a_mismatch(in_process: Stage) -> None:
    (found,) = play(in_process, SETUP + "    cancel: {error: invalid_state}\n    expect: {invoices: {count: 1}}\n")

    assert (found.expected, found.actual) == ("refused: code: invalid_state", "200, carried out")


def test_events_that_are_not_new_are_a_mismatch(in_process: Stage) -> None:
    events = "    events:\n    - {event_name: call, idempotency_id: a}\n    - {event_name: call, idempotency_id: a}\n"

    (found,) = play(in_process, SETUP + events + "    expect: {invoices: {count: 1}}\n")

    assert found.expected == "2 accepted"


def test_what_a_call_answers_can_be_compared_and_used_later(in_process: Stage) -> None:
    text = (
        SETUP
        + """\
    expect: {invoices: {count: 1}}
    call:
      - {path: /api/invoices/, save: {first: 0.invoice_id}, reply: [{payment_status: unpaid}]}
      - {path: /api/invoices/$first/, method: PATCH, body: {payment_status: paid}, reply: {payment_status: paid}}
      - {path: /api/invoices/nothing/, status: 404, reply: {title: invoice_not_found}}
      - {path: /api/plans/, status: 404}
"""
    )

    (found,) = play(in_process, text)

    assert (found.line, found.expected, found.actual) == (13, "404", "200")


def test_checking_finds_what_the_api_refuses_of_a_setup(in_process: Stage) -> None:
    text = """\
name: Wrong plans
metrics:
  - {metric_id: m, metric_name: m, aggregation_type: sum}
plans:
  - plan_id: p
    plan_name: P
    plan_duration: monthy
    components:
      - {metric_id: n, price: {model: graduated}}
  - {plan_id: q, plan_name: Q, plan_duration: hourly}
steps:
  - at: 2026-01-01
"""

    found = check_scenario(in_process, read(text)).mismatches

    assert {3, 7, 9, 10} == {each.line for each in found}


@pytest.fixture(scope="module")
def sandbox_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    env = {"LOTUS_BOOTSTRAP_TYPE": "sandbox", "LOTUS_BOOTSTRAP_NOW": "2025-12-01T00:00:00Z"}
    with ServerProcess(tmp_path_factory.mktemp("sandbox") / "data", env) as server:
        yield server


def test_an_empty_sandbox_is_played_in_by_its_key_and_only_once(sandbox_server: ServerProcess) -> None:
    stage = OneOrganization(sandbox_server.url, sandbox_server.api_key)
    scenario = read(SETUP + "    expect: {invoices: [{total: 10}]}\n")

    assert run_scenario(stage, scenario).is_as_expected
    with pytest.raises(Conflict, match="has customers already"):
        run_scenario(stage, scenario)


def test_an_organization_in_real_time_is_left_alone(tmp_path_factory: pytest.TempPathFactory) -> None:
    with ServerProcess(tmp_path_factory.mktemp("production") / "data") as server:
        with pytest.raises(Conflict) as refused:
            run_scenario(OneOrganization(server.url, server.api_key), read(SETUP))

        assert refused.value.code == "not_a_sandbox"
        assert server.get("/api/plans/") == []


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        HttpApi(f"http://127.0.0.1:{free_port()}", "key").call("GET", "/api/ping/")


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://localhost", ""])
def test_what_is_no_address_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        HttpApi(url, "key")


TYPING_ERRORS = """\
name: Typing errors
plans:
  - plan_id: pro
    plan_name: Pro
    plan_duration: monthly
    recuring_charges: []
    recurring_charges:
      - {name: fee, amount: 10, timeing: in_arrears}
customers: [acme]
steps:
  - at: 2026-01-01
    repeat: 2
    every: 1 month
    subscribe: {start_date: 2026-01-01, metadata: {anything: goes}, meta: 1}
"""


def test_a_key_that_the_api_does_not_know_is_told_by_its_line(in_process: Stage) -> None:
    found = check_scenario(in_process, read(TYPING_ERRORS)).mismatches

    assert [(each.line, each.what) for each in found] == [
        (6, "plans[0].recuring_charges"),
        (8, "plans[0].recurring_charges[0].timeing"),
        (14, "subscribe.meta"),
    ]


def test_a_run_tells_unknown_keys_too(in_process: Stage) -> None:
    assert [6, 8, 14] == [each.line for each in play(in_process, TYPING_ERRORS)][:3]
