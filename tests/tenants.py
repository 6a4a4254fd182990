"""A tenant of a running server, and short ways to make what a test needs there, always over HTTP."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx
import msgspec

Json = Any  # whatever JSON holds
JsonObject = dict[str, Any]
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
NEW_YEAR = "2026-01-01T00:00:00Z"


def exact(response: httpx.Response) -> Json:
    """The JSON of a response, its numbers exact."""
    return _decode(response.content)


@dataclass
class Tenant:
    """An organization with its own client. Ids that are made up differ within it."""

    organization_id: str
    api_key: str
    client: httpx.Client
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def get(self, path: str, status: int = 200, /, **query: Json) -> Json:
        """Read; the status is the expected one."""
        response = self.client.get(path, params=query)
        assert response.status_code == status, f"GET {path}: {response.status_code} {response.text}"
        return exact(response)

    def post(self, path: str, body: Json = None, status: int = 201) -> Json:
        """Write; the status is the expected one."""
        response = self.client.post(path, content=None if body is None else msgspec.json.encode(body))
        assert response.status_code == status, f"POST {path}: {response.status_code} {response.text}"
        return exact(response)

    def patch(self, path: str, body: Json, status: int = 200) -> Json:
        """Change; the status is the expected one."""
        response = self.client.patch(path, content=msgspec.json.encode(body))
        assert response.status_code == status, f"PATCH {path}: {response.status_code} {response.text}"
        return exact(response)

    def move_clock(self, now: str) -> None:
        """Move the sandbox's time forward."""
        self.post("/api/clock/", {"now": now}, 200)

    def customer(self, customer_id: str = "acme", **more: Json) -> Json:
        """Make a customer."""
        return self.post("/api/customers/", {"customer_id": customer_id, "customer_name": "Acme Inc.", **more})

    def metric(self, metric_id: str = "calls", **more: Json) -> Json:
        """Make a metric that counts the events named like it."""
        body = {
            "metric_id": metric_id,
            "metric_name": f"name of {metric_id}",
            "event_name": metric_id,
            "aggregation_type": "count",
            **more,
        }
        return self.post("/api/metrics/", body)

    def feature(self, feature_name: str = "sso") -> Json:
        """Make a feature with an id like its name."""
        return self.post("/api/features/", {"feature_id": f"{feature_name}_id", "feature_name": feature_name})

    def plan(self, plan_id: str = "pro", **more: Json) -> Json:
        """Make a monthly plan, without any charges unless they are given."""
        body = {"plan_id": plan_id, "plan_name": f"name of {plan_id}", "plan_duration": "monthly", **more}
        return self.post("/api/plans/", body)

    def subscribe(
        self, customer_id: str = "acme", plan_id: str = "pro", start_date: str = "2026-01-01", **more: Json
    ) -> Json:
        """Subscribe a customer to a plan."""
        body = {"customer_id": customer_id, "billing_plan_id": plan_id, "start_date": start_date, **more}
        return self.post("/api/subscriptions/", body)

    def event(
        self, event_name: str = "calls", customer_id: str = "acme", properties: Json = None, **more: Json
    ) -> JsonObject:
        """An event with a new id."""
        made: JsonObject = {
            "idempotency_id": f"event_{next(self.numbers)}",
            "event_name": event_name,
            "customer_id": customer_id,
            **more,
        }
        return made if properties is None else {**made, "properties": properties}

    def track(self, *events: JsonObject) -> Json:
        """Send events, all of which are accepted."""
        reply = self.post("/api/track/", {"batch": list(events)})
        assert reply["success"] == "all", reply
        return reply

    def use(self, count: int, event_name: str = "calls", customer_id: str = "acme", **more: Json) -> None:
        """Track so many events."""
        self.track(*(self.event(event_name, customer_id, **more) for _ in range(count)))

    def cancel(self, subscription_id: str, status: int = 200, **how: Json) -> Json:
        """Cancel in the form of the first clients."""
        return self.post("/api/cancel_subscription/", {"subscription_id": subscription_id, **how}, status)

    def drafts(self, customer_id: str = "acme") -> Json:
        """What the customer owes so far."""
        return self.get("/api/draft_invoice/", customer_id=customer_id)

    def invoices(self, **query: Json) -> Json:
        """Issued invoices, newest first."""
        return self.get("/api/invoices/", **query)

    def access(self, customer_id: str = "acme", status: int = 200, **question: Json) -> Json:
        """The answer to the first clients' question about access."""
        return self.get("/api/customer_access/", status, customer_id=customer_id, **question)
