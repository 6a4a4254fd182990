"""The pages, a module per area; each has its functions in `pages`, which is listed here."""

from typing import Final

from lotus_server.http.web.pages import (
    api_keys,
    customers,
    events,
    features,
    invoice_actions,
    invoice_drafts,
    invoices,
    metrics,
    plan,
    plans,
    pricing_units,
    sign_in,
    start,
    subscriptions,
)
from lotus_server.http.web.routing import Pages

AREAS: Final[tuple[Pages, ...]] = (
    start.open_pages,
    sign_in.pages,
    start.pages,
    customers.pages,
    plans.pages,
    plan.pages,
    pricing_units.pages,
    features.pages,
    api_keys.pages,
    metrics.pages,
    events.pages,
    invoice_drafts.pages,
    invoices.pages,
    invoice_actions.pages,
    subscriptions.pages,
)
