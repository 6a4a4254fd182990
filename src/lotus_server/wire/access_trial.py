"""Trying out access, in the words of a query."""

from lotus_server.kernel.errors import Problems
from lotus_server.kernel.quantity import ONE, parse_decimal
from lotus_server.usecases.access_trial import AccessTrial
from lotus_server.wire.lists import Query


def access_trial(customer_id: str, query: Query) -> AccessTrial:
    """Return what a query wants to try; it carries everything that is wrong with it."""
    problems = Problems()
    more, text = ONE, query.get("more")
    if text is not None:
        parsed = parse_decimal(text)
        if parsed is None:
            problems.add("more", "invalid_number", "more must be a number.")
        more = ONE if parsed is None else parsed
    return AccessTrial(
        customer_id,
        metric_id=query.get("metric_id"),
        feature_id=query.get("feature_id"),
        more=more,
        problems=problems.found,
    )
