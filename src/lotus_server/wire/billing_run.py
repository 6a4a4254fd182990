"""The JSON shape of a billing run under way."""

from typing import Any

from lotus_server.kernel.instants import to_text
from lotus_server.usecases.billing_progress import BillingProgress


def billing_run_row(progress: BillingProgress | None) -> dict[str, Any]:
    """Return what the API says of the run under way (null: there is none). Times are in whole seconds, and real."""
    if progress is None:
        return {"running": False}
    left = progress.left
    return {
        "running": True,
        "began_at": to_text(progress.began_at),
        "due": progress.total,
        "done": progress.done,
        "remaining": progress.remaining,
        "seconds_left": None if left is None else round(left.total_seconds()),
    }
