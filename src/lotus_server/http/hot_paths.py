"""The description of the paths that are served outside FastAPI."""

from typing import Any, Final

from lotus_server.http.openapi import PROBLEM, parameter

_EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["event_name", "customer_id"],
    "properties": {
        "event_name": {"type": "string", "maxLength": 200},
        "customer_id": {"type": "string", "maxLength": 200},
        "idempotency_id": {"type": "string", "maxLength": 200, "description": "Made up when missing."},
        "time_created": {"type": "string", "description": "RFC 3339, or a date; now when missing."},
        "properties": {"type": "object", "description": "At most 32 KiB; numbers are kept exactly."},
    },
}
_CUSTOMER: Final = parameter("customer_id", "The customer asked about.", is_required=True)


def _answer(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": {}}}}


def _question(summary: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "get": {
            "tags": ["Access"],
            "summary": summary,
            "parameters": [_CUSTOMER, *parameters],
            "responses": {"200": _answer("The answer"), "4XX": PROBLEM},
        }
    }


_TRACK: Final[dict[str, Any]] = {
    "post": {
        "tags": ["Events"],
        "summary": "Send events",
        "description": "Counts every event exactly once by its idempotency_id, for ever. Up to 10,000 events or 10 MB.",
        "parameters": [
            parameter("verbose", "Return the verdict on every event.", choices=("true", "false")),
            parameter("strict", "Reject events of customers that do not exist.", choices=("true", "false")),
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "oneOf": [
                            {
                                "type": "object",
                                "required": ["batch"],
                                "properties": {"batch": {"type": "array", "items": _EVENT}},
                            },
                            {"type": "array", "items": _EVENT},
                            _EVENT,
                        ]
                    }
                },
                "application/cloudevents+json": {"schema": {"type": "object"}},
                "application/cloudevents-batch+json": {"schema": {"type": "array", "items": {"type": "object"}}},
            },
        },
        "responses": {"201": _answer("What became of the events, once they are on disk"), "4XX": PROBLEM},
    }
}

HOT_PATHS: Final[dict[str, Any]] = {
    "/api/track/": _TRACK,
    "/api/customer_access/": _question(
        "May a customer use a feature, or go on with an event",
        parameter("event_name", "The event; exactly one of this and feature_name."),
        parameter("feature_name", "The feature; exactly one of this and event_name."),
        parameter("event_limit_type", "Which limit is meant.", choices=("free", "total")),
    ),
    "/api/metric_access/": _question(
        "Usage and limits of one metric", parameter("metric_id", "The metric.", is_required=True)
    ),
    "/api/feature_access/": _question(
        "Access to one feature", parameter("feature_id", "The feature.", is_required=True)
    ),
    "/api/customer_metric_access/": _question(
        "Usage and limits, a row per subscription (0.9)",
        parameter("event_name", "The event; exactly one of this and metric_id."),
        parameter("metric_id", "The metric; exactly one of this and event_name."),
    ),
    "/api/customer_feature_access/": _question(
        "Access to a feature, a row per subscription (0.9)",
        parameter("feature_name", "The feature.", is_required=True),
    ),
}
