"""The pages, a module per area; each has its functions in `pages`, which is listed here."""

from typing import Final

from lotus_server.http.web.pages import (
    account,
    analytics,
    analytics_files,
    api_keys,
    audit,
    customers,
    events,
    features,
    home,
    invitations,
    invoice_actions,
    invoice_drafts,
    invoices,
    metrics,
    plan,
    plans,
    pricing_units,
    quick_start,
    sign_in,
    start,
    subscriptions,
    team,
)
from lotus_server.http.web.routing import Pages

AREAS: Final[tuple[Pages, ...]] = (
    start.open_pages,
    sign_in.pages,
    invitations.pages,
    account.pages,
    home.pages,
    quick_start.pages,
    analytics.pages,
    analytics_files.pages,
    customers.pages,
    plans.pages,
    plan.pages,
    pricing_units.pages,
    features.pages,
    api_keys.pages,
    team.pages,
    audit.pages,
    metrics.pages,
    events.pages,
    invoice_drafts.pages,
    invoices.pages,
    invoice_actions.pages,
    subscriptions.pages,
)
