"""What can be expected in a step, and where the API says what is."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from lotus_server.kernel.money import total
from lotus_server.kernel.quantity import ZERO
from lotus_server.scenarios.actions import entries
from lotus_server.scenarios.api import Json
from lotus_server.scenarios.compare import Names, number
from lotus_server.scenarios.play import Play
from lotus_server.scenarios.scenario import Action
from lotus_server.scenarios.yaml_text import Path

INVOICE_NAMES: Final[Names] = {
    "issued": ("issue_date",),
    "due": ("due_date",),
    "customer_id": ("customer", "customer_id"),
    "currency": ("currency", "code"),
    "lines": ("line_items",),
    "subtotal": ("subtotal",),
    "credit_applied": ("credit_applied",),
    "total": ("amount",),
}
DRAFT_NAMES: Final[Names] = {
    "subscription_id": ("subscription", "subscription_id"),
    "start_date": ("subscription", "start_date"),
    "end_date": ("subscription", "end_date"),
    "currency": ("cost_due_currency",),
    "lines": ("lines",),
    "total": ("cost_due",),
}
_NEWEST: Final = 50
_SUMS: Final[Mapping[str, str]] = {
    "total": "amount",
    "subtotal": "subtotal",
    "credit_applied": "credit_applied",
}


def expectation_problems(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield what is wrong with the shape of expectations."""
    for entry, where in entries(value, path):
        if not isinstance(entry, dict):
            yield where, "expect takes a mapping, or a list of mappings."
            continue
        for key, expected in entry.items():
            if key not in _CHECKS:
                yield (*where, key), f"{key!r} is nothing that can be expected; there are {', '.join(_CHECKS)}."
            elif key not in {"balance", "invoices"}:
                for each, at in entries(expected, (*where, key)):
                    if not isinstance(each, dict):
                        yield at, f"{key} is a mapping, or a list of mappings."
            elif key == "invoices":
                yield from _invoices_problems(expected, (*where, key))


def _invoices_problems(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for key in value:
            if key not in {"count", *_SUMS}:
                detail = f"{key!r} is nothing that all new invoices have together; there are count, {', '.join(_SUMS)}."
                yield (*path, key), detail
    elif not isinstance(value, list):
        yield path, "invoices is the list of the new invoices, or a mapping of what they come to together."


def expect(play: Play, action: Action) -> None:
    """Compare everything that is expected, and remember each mismatch."""
    for entry, path in entries(action.arguments, action.path):
        for name, expected in entry.items():
            _CHECKS[name](play, expected, (*path, name))


def new_invoices(play: Play) -> list[Json]:
    """Return the invoices that no expectation has looked at so far, oldest first."""
    found: list[Json] = play.read(f"/api/invoices/?limit={_NEWEST}", ()) or []
    if len(found) == _NEWEST and not any(row["invoice_id"] in play.seen_invoices for row in found):
        found = play.read("/api/invoices/", ()) or []
    new = [row for row in reversed(found) if row["invoice_id"] not in play.seen_invoices]
    play.seen_invoices.update(row["invoice_id"] for row in new)
    return new


def _invoices(play: Play, expected: Json, path: Path) -> None:
    new = new_invoices(play)
    if isinstance(expected, dict):
        sums = {short: total(number(row[key]) or ZERO for row in new) for short, key in _SUMS.items()}
        play.compare(expected, {"count": len(new), **sums}, path)
    else:
        play.compare(expected, new, path, INVOICE_NAMES)


def _drafts(play: Play, expected: Json, path: Path) -> None:
    wanted = [play.filled(entry) for entry, _ in entries(expected, path)]
    customers = [entry["customer_id"] for entry in wanted if "customer_id" in entry]
    customer_id = customers[0] if customers else play.only("customer_id")
    found = play.read(f"/api/draft_invoice/?{urlencode({'customer_id': customer_id or ''})}", path)
    if found is None:
        return
    order = [entry.get("subscription_id") for entry in wanted]
    found = sorted(found, key=lambda row: _place(order, row["subscription"]["subscription_id"]))
    rows = [{key: value for key, value in entry.items() if key != "customer_id"} for entry in wanted]
    if isinstance(expected, dict) and len(found) == 1:
        play.compare(rows[0], found[0], path, DRAFT_NAMES)
    else:
        play.compare(rows, found, path, DRAFT_NAMES)


def _place(order: list[Any], subscription_id: str) -> int:
    return order.index(subscription_id) if subscription_id in order else len(order)


def _usage(play: Play, expected: Json, path: Path) -> None:
    for entry, where in entries(expected, path):
        wanted = play.filled(entry)
        customer_id = wanted.get("customer_id") or play.only("customer_id") or ""
        metric_id = wanted.get("metric_id") or play.only("metric_id") or ""
        query = urlencode({"customer_id": customer_id, "metric_id": metric_id})
        answer = play.read(f"/api/metric_access/?{query}", where)
        if answer is None:
            continue
        rows = [
            {"subscription_id": row["subscription"]["subscription_id"], "value": row["metric_usage"]}
            for row in answer["access_per_subscription"]
            if wanted.get("subscription_id") in {None, row["subscription"]["subscription_id"]}
        ]
        if len(rows) == 1:
            play.compare({"value": wanted.get("value")}, rows[0], where)
        else:
            play.mismatch(where, f"usage of {metric_id}", "one active subscription that has it", f"{len(rows)} of them")


def _access(play: Play, expected: Json, path: Path) -> None:
    for entry, where in entries(expected, path):
        wanted = {"customer_id": play.only("customer_id") or "", **play.filled(entry)}
        asked = ("customer_id", "event_name", "feature_name", "event_limit_type")
        query = urlencode({key: wanted[key] for key in asked if key in wanted})
        answer = play.read(f"/api/customer_access/?{query}", where)
        if answer is not None:
            play.compare({key: value for key, value in wanted.items() if key not in asked}, answer, where)


def _balance(play: Play, expected: Json, path: Path) -> None:
    wanted = expected if isinstance(expected, dict) else {play.only("customer_id") or "": expected}
    for customer_id, amount in wanted.items():
        row = play.read(f"/api/customers/{quote(customer_id, safe='')}/", path)
        if row is not None:
            where = (*path, customer_id) if isinstance(expected, dict) else path
            play.compare(amount, row["balance"], where)


def _row(url: str, key: str) -> Callable[[Play, Json, Path], None]:
    """Return the check that reads the row of one thing by its id."""

    def check(play: Play, expected: Json, path: Path) -> None:
        for entry, where in entries(expected, path):
            wanted = play.filled(entry)
            found_id = wanted.get(key) or (play.only(key) if key in play.made else None) or ""
            row = play.read(f"{url}{quote(str(found_id), safe='')}/", where)
            if row is not None:
                names = INVOICE_NAMES if key == "invoice_id" else {}
                play.compare({each: value for each, value in wanted.items() if each != key}, row, where, names)

    return check


_CHECKS: Final[Mapping[str, Callable[[Play, Json, Path], None]]] = {
    "invoices": _invoices,
    "draft": _drafts,
    "usage": _usage,
    "access": _access,
    "balance": _balance,
    "subscription": _row("/api/subscriptions/", "subscription_id"),
    "customer": _row("/api/customers/", "customer_id"),
    "credit": _row("/api/credits/", "credit_id"),
    "invoice": _row("/api/invoices/", "invoice_id"),
}
