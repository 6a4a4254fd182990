"""What the tests of this folder need on the server, and how it is made over HTTP."""

from dataclasses import dataclass


@dataclass(frozen=True)
class World:
    """Ids of what was made for one test.

    Attributes:
        plan: usage of `event` costs 0.10 for each unit of the property `n` above 10 free ones, and ends at 20.
        feature: what the plan has.
        customer: an id that no customer has yet.
        metric: the id of the metric that counts `event`.
    """

    plan: str
    event: str
    feature: str
    customer: str
    metric: str


def make_world(create, ids):
    """Make metric, feature and plan with the given ids; return the ids."""
    metric = create(
        "/api/metrics/",
        {
            "metric_id": ids.metric,
            "metric_name": f"metric of {ids.event}",
            "event_name": ids.event,
            "metric_type": "counter",
            "aggregation_type": "sum",
            "property_name": "n",
        },
    )
    create("/api/features/", {"feature_name": ids.feature})
    create(
        "/api/plans/",
        {
            "plan_id": ids.plan,
            "plan_name": f"Plan {ids.plan}",
            "plan_duration": "monthly",
            "currency": "USD",
            "recurring_charges": [],
            "components": [
                {
                    "metric_id": metric["metric_id"],
                    "price": {"model": "per_unit", "unit_price": "0.10", "free_units": "10"},
                    "limit": "20",
                }
            ],
            "features": [ids.feature],
        },
    )
    return ids
