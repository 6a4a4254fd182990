"""A small Lotus in memory: enough of the HTTP contract to hold a client against it, and able to misbehave.

`FakeLotus.answer` is plain data in, plain data out. It is served in process by `httpx.MockTransport`, and on a real
socket by `serve`. `python lotus_fake.py PORT` serves it until interrupted.
"""

import contextlib
import gzip
import json
import sys
import threading
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx

API_KEY = "key.secret"


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict
    headers: dict
    raw: bytes
    connection: object = None

    @property
    def json(self):
        body = gzip.decompress(self.raw) if self.headers.get("content-encoding") == "gzip" else self.raw
        return json.loads(body, parse_float=Decimal) if body else None


@dataclass(frozen=True)
class Answer:
    status: int
    body: object = None
    headers: dict = field(default_factory=dict)

    @property
    def content(self):
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body, default=float).encode()


class Dropped(Exception):  # noqa: N818 - it is what happens to the connection
    """The connection ends instead of an answer."""


def problem(status, code, detail, **more):
    body = {"type": f"https://lotus.test/errors/{code}", "title": code, "detail": detail, "status": status, **more}
    return Answer(status, body, {"content-type": "application/problem+json", "x-request-id": "req_1"})


class FakeLotus:
    """Keeps what it is told.

    Attributes:
        misbehaviour: taken from the left, one for each request: an Answer to give, an exception to raise, a function of
            the Seen request that returns one of these, or None to behave.
    """

    def __init__(self, *, events_max=None, is_verbose=True):
        self.seen = []
        self.misbehaviour = deque()
        self.events_max = events_max
        self.is_verbose = is_verbose
        self.latest = "2100"
        self.answers = {}
        self.events = {}
        self.customers = {}
        self.metrics = {}
        self.features = {}
        self.plans = {}
        self.subscriptions = {}
        self.lock = threading.Lock()

    def answer(self, seen):
        with self.lock:
            self.seen.append(seen)
            fault = self.misbehaviour.popleft() if self.misbehaviour else None
        fault = fault(seen) if callable(fault) else fault
        if isinstance(fault, Exception):
            raise fault
        if fault is not None:
            return fault
        if seen.headers.get("x-api-key") != API_KEY:
            return problem(401, "authentication_failed", "No such API key.")
        with self.lock:
            key = seen.headers.get("idempotency-key")
            if key is None or key not in self.answers:
                name = seen.method.lower() + seen.path.removeprefix("/api").replace("/", "_").rstrip("_")
                name = "get_usage" if seen.path.endswith("/usage/") else name
                self.answers[key] = getattr(self, name)(seen)
            return self.answers[key]

    def transport(self):
        def handle(request):
            seen = Seen(
                request.method,
                request.url.path,
                parse_qs(request.url.query.decode()),
                dict(request.headers),
                request.read(),
            )
            return self._as_httpx(seen)

        return httpx.MockTransport(handle)

    def async_transport(self):
        async def handle(request):
            body = await request.aread()
            seen = Seen(
                request.method, request.url.path, parse_qs(request.url.query.decode()), dict(request.headers), body
            )
            return self._as_httpx(seen)

        return httpx.MockTransport(handle)

    def _as_httpx(self, seen):
        answer = self.answer(seen)
        return httpx.Response(answer.status, headers=answer.headers, content=answer.content)

    # Events.

    def post_track(self, seen):
        batch = seen.json["batch"]
        if self.events_max and len(batch) > self.events_max:
            return problem(413, "too_large", "Too many events.")
        results = [self._track(event) for event in batch]
        failed = {each["idempotency_id"]: each["reason"] for each in results if "reason" in each}
        success = "all" if not failed else "none" if len(failed) == len(batch) else "some"
        body = {"success": success, "failed_events": failed}
        if self.is_verbose and seen.query.get("verbose") == ["true"]:
            body["results"] = results
        return Answer(400 if success == "none" else 201, body)

    def _track(self, event):
        name = event["idempotency_id"]
        if event["event_name"] == "rejected" or event["time_created"] > self.latest:
            return {"idempotency_id": name, "status": "rejected", "reason": "Invalid time_created"}
        known = self.events.setdefault(name, event)
        if known is event:
            return {"idempotency_id": name, "status": "accepted"}
        if known == event:
            return {"idempotency_id": name, "status": "duplicate"}
        return {"idempotency_id": name, "status": "conflict", "reason": "other content"}

    # What can be asked about events, and corrections of them.

    def get_usage(self, seen):
        metric = self.metrics.get(seen.query["metric_id"][0])
        if metric is None:
            return problem(404, "metric_not_found", "No such metric.")
        day = {"window_start": "2026-01-01T00:00:00Z", "window_end": "2026-01-02T00:00:00Z"}
        return Answer(200, [{**day, "group": None, "value": len(self.events)}])

    def post_events_void(self, seen):
        return self._corrected(seen.json["idempotency_ids"])

    def post_events_amend(self, seen):
        return self._corrected([seen.json["idempotency_id"]])

    def _corrected(self, ids):
        results = [{"idempotency_id": each, "status": "done" if each in self.events else "unknown"} for each in ids]
        return Answer(200, {"corrected": sum(each["status"] == "done" for each in results), "results": results})

    def post_verify_idems_received(self, seen):
        missing = [each for each in seen.json["idempotency_ids"] if each not in self.events]
        return Answer(200, {"status": "success", "ids_not_found": missing})

    # Customers, plans, subscriptions.

    def get_customers(self, _seen):
        return Answer(200, list(self.customers.values()))

    def post_customers(self, seen):
        body = seen.json
        if body.get("currency", "USD") not in ("USD", "EUR"):
            return problem(400, "unknown_currency", "No such currency.", validation_errors=[{"field": "currency"}])
        if body["customer_id"] in self.customers:
            return problem(409, "duplicate_customer", "This customer_id is taken.")
        row = {"customer_name": None, "email": None, "currency": "USD", "balance": 0, **body}
        self.customers[row["customer_id"]] = row
        return Answer(201, row)

    def post_metrics(self, seen):
        body = {"metric_id": str(uuid.uuid4()), **seen.json}
        self.metrics[body["metric_id"]] = body
        return Answer(201, body)

    def post_features(self, seen):
        self.features[seen.json["feature_name"]] = seen.json
        return Answer(201, seen.json)

    def get_plans(self, _seen):
        return Answer(200, list(self.plans.values()))

    def post_plans(self, seen):
        body = seen.json
        body = {"plan_id": str(uuid.uuid4()), **body}
        row = {**body, "billing_plan_id": body["plan_id"], "name": body["plan_name"]}
        self.plans[row["plan_id"]] = row
        return Answer(201, row)

    def get_subscriptions(self, seen):
        rows = list(self.subscriptions.values())
        if "customer_id" in seen.query:
            rows = [row for row in rows if [row["customer"]["customer_id"]] == seen.query["customer_id"]]
        if "status" in seen.query:
            rows = [row for row in rows if row["status"] in seen.query["status"]]
        return Answer(200, rows)

    def post_subscriptions(self, seen):
        body = seen.json
        plan_id = body.get("billing_plan_id") or body.get("plan_id")
        if plan_id not in self.plans or body["customer_id"] not in self.customers:
            return problem(404, "not_found", "No such plan or customer.")
        name = body.get("subscription_id") or str(uuid.uuid4())
        if name in self.subscriptions:
            return problem(409, "duplicate_subscription", "This subscription_id is taken.")
        row = {
            "subscription_id": name,
            "customer": self.customers[body["customer_id"]],
            "billing_plan": self.plans[plan_id],
            "start_date": body["start_date"],
            "end_date": body.get("end_date"),
            "status": "active",
            "auto_renew": True,
        }
        self.subscriptions[name] = row
        return Answer(201, row)

    def post_cancel_subscription(self, seen):
        body = seen.json
        row = self.subscriptions.get(body["subscription_id"])
        if row is None:
            return problem(404, "not_found", "No such subscription.")
        bills = body.get("bill_now", True)
        revokes = body.get("revoke_access", bills)
        if bills and not revokes:
            errors = [{"field": "revoke_access", "code": "invalid", "detail": "must be true when bill_now is true"}]
            return problem(400, "validation_error", "One field is wrong.", validation_errors=errors)
        if row["status"] != "active":
            return problem(400, "already_canceled", "The subscription is canceled already.")
        row["auto_renew"] = False
        row["status"] = "canceled" if revokes else "active"
        return Answer(200, {"status": "success", "detail": "done"})

    # What the events come to: each component is free_units, then unit_price, up to limit.

    def get_draft_invoice(self, seen):
        customer = seen.query["customer_id"][0]
        if customer not in self.customers:
            return problem(404, "not_found", "No such customer.")
        rows = []
        for subscription in self._active(customer):
            used = [(each, self._used(customer, each)) for each in subscription["billing_plan"]["components"]]
            components = {self.metrics[each["metric_id"]]["metric_name"]: {"usage_qty": qty} for each, qty in used}
            cost = sum((_price(each, qty) for each, qty in used), Decimal(0))
            row = {
                "cost_due_currency": "USD",
                "cust_connected_to_payment_provider": False,
                "org_connected_to_cust_payment_provider": False,
                "line_items": {"components": components},
                "organization": {"company_name": "Test"},
                "customer": {"customer_id": customer, "customer_name": self.customers[customer]["customer_name"]},
                "subscription": subscription,
            }
            rows.append(json.dumps(row, default=float)[:-1] + f', "cost_due": {cost:.2f}}}')
        return Answer(200, f"[{','.join(rows)}]".encode())

    def get_customer_access(self, seen):
        query = {name: values[0] for name, values in seen.query.items()}
        customer = query["customer_id"]
        if customer not in self.customers:
            return problem(404, "not_found", "No such customer.")
        plans = [each["billing_plan"] for each in self._active(customer)]
        if "feature_name" in query:
            return Answer(
                200, {"access": any(query["feature_name"] in each["features"] for each in plans), "usages": []}
            )
        usages = []
        for component in [each for plan in plans for each in plan["components"]]:
            metric = self.metrics[component["metric_id"]]
            if metric["event_name"] == query["event_name"]:
                free = Decimal(component["price"].get("free_units", 0))
                limit = free if query.get("event_limit_type") == "free" else component.get("limit")
                used = self._used(customer, component)
                access = limit is None or used < Decimal(limit)
                usages.append({"metric_name": metric["metric_name"], "metric_usage": used, "access": access})
        return Answer(200, {"access": bool(usages) and all(each["access"] for each in usages), "usages": usages})

    def _active(self, customer):
        rows = self.subscriptions.values()
        return [row for row in rows if row["customer"]["customer_id"] == customer and row["status"] == "active"]

    def _used(self, customer, component):
        metric = self.metrics[component["metric_id"]]
        events = [each for each in self.events.values() if each["customer_id"] == customer]
        events = [each for each in events if each["event_name"] == metric["event_name"]]
        name = metric.get("property_name")
        return sum(
            (Decimal(str(each.get("properties", {}).get(name, 0))) if name else 1 for each in events), Decimal(0)
        )


def _price(component, quantity):
    price = component["price"]
    return max(Decimal(0), quantity - Decimal(price.get("free_units", 0))) * Decimal(price["unit_price"])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True

    def _serve(self):
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        seen = Seen(self.command, url.path, parse_qs(url.query), headers, body, connection=self.client_address)
        try:
            answer = self.server.lotus.answer(seen)
        except Dropped:
            self.close_connection = True
            return
        content = answer.content
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    do_GET = do_POST = _serve  # noqa: N815 - the base class decides the names

    def log_message(self, *_args):
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


@contextlib.contextmanager
def serve(lotus, port=0):
    """Serve on a local socket; gives the host to call."""
    server = _Server(("127.0.0.1", port), _Handler)
    server.lotus = lotus
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


if __name__ == "__main__":
    fake = FakeLotus()
    fake.latest = (datetime.now(timezone.utc) + timedelta(days=1)).isoformat()
    with serve(fake, int(sys.argv[1])), contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
