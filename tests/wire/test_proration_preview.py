"""The proration preview in JSON."""

from decimal import Decimal
from typing import Any

import pytest

from lotus_server.kernel.errors import Invalid, Problems
from lotus_server.wire.forms import read
from lotus_server.wire.proration_preview import ProrationPreviewForm

D = Decimal
UPGRADE = {
    "old": {"amount": 100, "timing": "in_advance"},
    "new": {"amount": "300", "timing": "in_advance"},
    "period_start": "2024-02-18",
    "period_end": "2024-03-18",
    "change_at": "2024-02-25",
    "unit": "exact",
}


def _row(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - a JSON value
    problems = Problems()
    return read(ProrationPreviewForm, UPGRADE | changes, problems).to_preview(problems, "USD").row()


def test_a_change_has_a_credit_a_debit_and_their_difference() -> None:
    assert {
        "credit": D("75.86"),
        "debit": D("227.59"),
        "net": D("151.73"),
        "currency": "USD",
        "lines": [
            {"text": "the unused time of the old fee: 100 x 22 of 29 days", "amount": D("-75.86")},
            {"text": "the new fee from the change on: 300 x 22 of 29 days", "amount": D("227.59")},
        ],
    } == _row()


def test_amounts_have_the_decimal_places_of_the_currency() -> None:
    assert ["151.73", "152", "151.724"] == [str(_row(currency=code)["net"]) for code in ("usd", "JPY", {"code": "KWD"})]


def test_nothing_has_the_decimal_places_too() -> None:
    row = _row(new=None, change_at="2024-03-18")

    assert ["0.00", "0.00", "0.00"] == [str(row[key]) for key in ("credit", "debit", "net")]


def test_timing_is_in_advance_and_the_unit_exact_unless_said_otherwise() -> None:
    assert _row() == _row(old={"amount": 100}, new={"amount": 300}, unit=None)


def test_by_day_the_day_of_the_change_is_the_new_plans_and_that_of_the_end_the_old_ones() -> None:
    times = {"period_start": "2025-06-01", "period_end": "2025-07-01", "change_at": "2025-06-16T18:00:00Z"}

    assert (D("50.00"), D("150.00")) == tuple(_row(**times, unit="day")[key] for key in ("credit", "debit"))
    assert D("46.67") == _row(**times, unit="day", new=None)["credit"]
    assert D("47.50") == _row(**times, new=None)["credit"]


def test_each_line_is_rounded_on_its_own() -> None:
    row = _row(old={"amount": "0.01", "timing": "in_arrears"}, new={"amount": "0.01"}, change_at="2024-03-03T12:00:00Z")

    assert D("0.02") == row["debit"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"old": None}, [("old", "required")]),
        ({"old": {}}, [("old.amount", "required")]),
        ({"old": 5}, [("old", "invalid")]),
        ({"new": {"amount": -1}}, [("new.amount", "negative")]),
        ({"new": {"amount": "1e15"}}, [("new.amount", "out_of_range")]),
        ({"new": {"amount": 1, "timing": "later"}}, [("new.timing", "invalid_choice")]),
        ({"new": {"amount": 1, "proration": "half"}}, [("new.proration", "invalid_choice")]),
        ({"unit": "week"}, [("unit", "invalid_choice")]),
        ({"currency": "XXX"}, [("currency", "unknown_currency")]),
        ({"period_end": None}, [("period_end", "required")]),
        ({"change_at": "soon"}, [("change_at", "invalid_time")]),
        ({"period_end": "2024-02-18"}, [("period_end", "end_before_start")]),
        ({"change_at": "2024-02-17"}, [("change_at", "invalid")]),
        ({"change_at": "2024-03-18T00:00:01Z"}, [("change_at", "invalid")]),
        (
            {"unit": "day", "period_end": "2024-02-18T12:00:00Z", "change_at": "2024-02-18"},
            [("period_end", "invalid")],
        ),
        (
            {"old": {"amount": "x"}, "unit": 5, "period_start": "x"},
            [
                ("old.amount", "invalid_number"),
                ("unit", "invalid"),
                ("period_start", "invalid_time"),
            ],
        ),
    ],
)
def test_what_cannot_be_previewed_says_why(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    with pytest.raises(Invalid) as raised:
        _row(**changes)

    assert expected == [(problem.field, problem.code) for problem in raised.value.problems]
