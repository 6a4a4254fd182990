"""Replacing the versions of running subscriptions, in JSON."""

from typing import Any

from lotus_server.usecases.plan_replacement import Replacement, ReplacementPreview


def replacement_row(replacement: Replacement) -> dict[str, Any]:
    """Return what became of the subscriptions."""
    return {
        "replaced": [
            {"subscription_id": each.subscription_id, "new_subscription_id": each.new_subscription_id}
            for each in replacement.replaced
        ],
        "failed": [
            {"subscription_id": each.subscription_id, "code": each.code, "detail": each.detail}
            for each in replacement.failed
        ],
    }


def preview_row(preview: ReplacementPreview) -> dict[str, Any]:
    """Return what a replacement would invoice for one subscription."""
    return {
        "subscription_id": preview.subscription_id,
        "customer_id": preview.customer_id,
        "version": preview.version,
        "currency": preview.currency,
        "credit": preview.credit,
        "due": preview.due,
        "charge": preview.charge,
        "net": preview.net,
    }
