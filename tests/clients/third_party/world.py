"""What the calls are about: a metric, a feature, plans, and new customers as they are needed."""

import itertools
from datetime import UTC, datetime
from typing import Any

import msgspec

from tests.clients.third_party.lotus_process import LotusProcess

_numbers = itertools.count(1)


class World(msgspec.Struct, frozen=True):
    """Ids of what exists. Both plans cost 0.10 a unit above 10 and have the feature; they differ in their fee."""

    server: LotusProcess
    metric_id: str
    event_name: str
    feature_id: str
    feature_name: str
    plan_id: str
    version_id: str
    other_plan_id: str

    def new_customer(self, **fields: object) -> str:
        """The id of a new customer."""
        customer_id = f"customer {next(_numbers)}"
        body = {"customer_id": customer_id, "customer_name": "Acme", "email": "acme@example.com", **fields}
        self.server.post("/api/customers/", body)
        return customer_id

    def new_subscription(self, customer_id: str | None = None, **fields: object) -> dict[str, Any]:
        """A new subscription, of a new customer unless one is given."""
        body = {
            "customer_id": customer_id or self.new_customer(),
            "plan_id": self.plan_id,
            "start_date": today(),
            **fields,
        }
        made: dict[str, Any] = self.server.post("/api/subscriptions/", body)
        return made


def today() -> str:
    """This day's date, as clients write it."""
    return f"{datetime.now(UTC):%Y-%m-%d}"


def make_world(server: LotusProcess) -> World:
    """Everything is made that the calls need to exist."""
    metric = server.post(
        "/api/metrics/",
        {
            "metric_name": "Units",
            "event_name": "unit_used",
            "metric_type": "counter",
            "aggregation_type": "sum",
            "property_name": "n",
        },
    )
    feature = server.post("/api/features/", {"feature_name": "sso", "feature_description": "Single sign-on"})
    plans = [
        server.post(
            "/api/plans/",
            {
                "plan_name": name,
                "description": f"The {name} plan",
                "plan_duration": "monthly",
                "recurring_charges": [{"name": "Seat", "amount": fee, "timing": "in_advance"}],
                "components": [
                    {
                        "metric_id": metric["metric_id"],
                        "price": {"model": "per_unit", "unit_price": "0.1", "free_units": 10},
                        "limit": 100,
                    }
                ],
                "features": [feature["feature_id"]],
            },
        )
        for name, fee in (("Basic", 30), ("Pro", 90))
    ]
    return World(
        server=server,
        metric_id=metric["metric_id"],
        event_name="unit_used",
        feature_id=feature["feature_id"],
        feature_name="sso",
        plan_id=plans[0]["plan_id"],
        version_id=plans[0]["display_version"]["version_id"],
        other_plan_id=plans[1]["plan_id"],
    )
