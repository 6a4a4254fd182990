"""Track usage and manage customers, plans and subscriptions in Lotus.

Make a client, `Lotus` or `AsyncLotus`; or set `lotus.api_key` (and `lotus.host`) and call the functions of this module,
which share one `Lotus` client that is made at the first call. To give that client other options, make it yourself:
`lotus.default_client = lotus.Lotus(...)`.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from lotus._async import AsyncEventHandle, AsyncLotus
from lotus._calls import (
    AccessFields,
    AmendFields,
    CancelFields,
    CustomerFields,
    JsonObject,
    MetricUsageFields,
    SubscriptionFields,
    SubscriptionFilters,
    UsageFields,
    VerifyFields,
    VoidFields,
)
from lotus._core import OnError, Stats
from lotus._events import EventFields, Verdict
from lotus._options import ClientOptions
from lotus._sync import EventHandle, Lotus
from lotus._version import __version__
from lotus.errors import (
    ApiError,
    AuthenticationError,
    ConflictError,
    EventRejectedError,
    LotusConnectionError,
    LotusError,
    LotusTimeoutError,
    NotFoundError,
    QueueFullError,
    RateLimitError,
    ServerError,
    ValidationError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Unpack

__all__ = [
    "AccessFields",
    "AmendFields",
    "ApiError",
    "AsyncEventHandle",
    "AsyncLotus",
    "AuthenticationError",
    "CancelFields",
    "ClientOptions",
    "ConflictError",
    "CustomerFields",
    "EventFields",
    "EventHandle",
    "EventRejectedError",
    "JsonObject",
    "Lotus",
    "LotusConnectionError",
    "LotusError",
    "LotusTimeoutError",
    "MetricUsageFields",
    "NotFoundError",
    "OnError",
    "QueueFullError",
    "RateLimitError",
    "ServerError",
    "Stats",
    "SubscriptionFields",
    "SubscriptionFilters",
    "UsageFields",
    "ValidationError",
    "Verdict",
    "VerifyFields",
    "VoidFields",
    "__version__",
    "amend_event",
    "cancel_subscription",
    "create_customer",
    "create_subscription",
    "flush",
    "get_current_usage",
    "get_customer_access",
    "get_customers",
    "get_plans",
    "get_subscriptions",
    "get_usage",
    "shutdown",
    "track_event",
    "verify_events_received",
    "void_events",
]

api_key: str | None = None
"""The key of the functions below; None: `LOTUS_API_KEY` of the environment."""
host: str | None = None
"""The server of the functions below; None: `LOTUS_HOST` of the environment, else Lotus Cloud."""
on_error: OnError | None = None
"""Called by the functions below with an error and the events it kept from being counted; None: they are logged."""
default_client: Lotus | None = None
"""The client of the functions below; None: one is made from the three settings above."""

_made: tuple[tuple[object, ...], Lotus] | None = None
_making = threading.Lock()


def track_event(fields: Mapping[str, Any] | None = None, /, **named: Unpack[EventFields]) -> EventHandle:
    """Queue one event to be sent in the background; see `Lotus.track_event`."""
    return _client().track_event(fields, **named)


def get_customers() -> list[JsonObject]:
    """Return all customers."""
    return _client().get_customers()


def create_customer(fields: Mapping[str, Any] | None = None, /, **named: Unpack[CustomerFields]) -> JsonObject:
    """Create a customer and return it; see `CustomerFields`."""
    return _client().create_customer(fields, **named)


def get_current_usage(fields: Mapping[str, Any] | None = None, /, **named: Unpack[UsageFields]) -> list[JsonObject]:
    """Return what each active subscription of a customer has come to so far; see `UsageFields`."""
    return _client().get_current_usage(fields, **named)


def get_plans() -> list[JsonObject]:
    """Return all plans."""
    return _client().get_plans()


def get_subscriptions(
    fields: Mapping[str, Any] | None = None, /, **named: Unpack[SubscriptionFilters]
) -> list[JsonObject]:
    """Return all subscriptions, or those that match; see `SubscriptionFilters`."""
    return _client().get_subscriptions(fields, **named)


def create_subscription(fields: Mapping[str, Any] | None = None, /, **named: Unpack[SubscriptionFields]) -> JsonObject:
    """Subscribe a customer to a plan and return the subscription; see `SubscriptionFields`."""
    return _client().create_subscription(fields, **named)


def cancel_subscription(fields: Mapping[str, Any] | None = None, /, **named: Unpack[CancelFields]) -> JsonObject:
    """Cancel a subscription; see `CancelFields`."""
    return _client().cancel_subscription(fields, **named)


def get_customer_access(fields: Mapping[str, Any] | None = None, /, **named: Unpack[AccessFields]) -> JsonObject:
    """Return whether a customer may use a feature or send one more event; see `AccessFields`."""
    return _client().get_customer_access(fields, **named)


def get_usage(fields: Mapping[str, Any] | None = None, /, **named: Unpack[MetricUsageFields]) -> list[JsonObject]:
    """Return what a customer used of a metric, by windows and groups; see `MetricUsageFields`."""
    return _client().get_usage(fields, **named)


def void_events(fields: Mapping[str, Any] | None = None, /, **named: Unpack[VoidFields]) -> JsonObject:
    """Take events back, with a reason; see `VoidFields`."""
    return _client().void_events(fields, **named)


def amend_event(fields: Mapping[str, Any] | None = None, /, **named: Unpack[AmendFields]) -> JsonObject:
    """Give an event another content, as if it had come so; see `AmendFields`."""
    return _client().amend_event(fields, **named)


def verify_events_received(fields: Mapping[str, Any] | None = None, /, **named: Unpack[VerifyFields]) -> JsonObject:
    """Return which of some ids no event has; see `VerifyFields`."""
    return _client().verify_events_received(fields, **named)


def flush(timeout_seconds: float | None = None) -> None:
    """Send what waits now; see `Lotus.flush`."""
    _client().flush(timeout_seconds)


def shutdown(timeout_seconds: float | None = None) -> None:
    """Send what waits and close the shared client; the next call makes a new one."""
    global _made, default_client  # noqa: PLW0603 - the shared client belongs to the module
    with _making:
        clients = [default_client, _made[1] if _made else None]
        _made = default_client = None
    for client in clients:
        if client is not None:
            client.close(timeout_seconds)


def _client() -> Lotus:
    """Return the shared client; when the settings have changed, a new one, after the old one has sent what waits."""
    global _made  # noqa: PLW0603 - the shared client belongs to the module
    if default_client is not None:
        return default_client
    settings = (api_key, host, on_error)
    with _making:
        if _made is not None and _made[0] == settings:
            return _made[1]
        old, client = _made, Lotus(api_key, host=host, on_error=on_error)
        _made = (settings, client)
    if old is not None:
        old[1].close()
    return client


def _renew_lock_in_child() -> None:
    global _making  # noqa: PLW0603 - a fork may have copied the lock while another thread held it
    _making = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock_in_child)
