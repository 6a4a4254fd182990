"""Which version of a plan a customer gets, and which one takes the place of another when a subscription renews."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from lotus_server.domain.catalog.plans import PlanVersion, VersionStatus


def is_for(version: PlanVersion, customer_id: str) -> bool:
    """Tell whether a customer may have a version: everybody may have one that is not custom."""
    return not version.is_custom or customer_id in version.target_customer_ids


def sold_versions(versions: Sequence[PlanVersion], customer_id: str, now: datetime) -> list[PlanVersion]:
    """Return the versions that a customer can subscribe to at `now`: their custom ones if there are any, else all."""
    sold = [each for each in versions if each.status_at(now) is VersionStatus.ACTIVE and is_for(each, customer_id)]
    return [each for each in sold if each.is_custom] or sold


def version_in(sold: Sequence[PlanVersion], currencies: Sequence[str]) -> PlanVersion | None:
    """Return the newest version in the first of the currencies in which there is one.

    If there is none in any of them, and all are in one other currency, it is the newest of those; null when they are
    in several, or there are none at all.
    """
    for currency in currencies:
        fitting = [each for each in sold if each.currency == currency]
        if fitting:
            return _newest(fitting)
    return _newest(sold) if len({each.currency for each in sold}) == 1 else None


def version_after_renewal(version: PlanVersion, versions: Mapping[str, PlanVersion], at: datetime) -> PlanVersion:
    """Return the version that a subscription has after a renewal at an instant: its own, or the one that replaces it.

    `versions` has those of the plan by id. A version does not replace anything before it is on sale.
    """
    seen = {version.version_id}
    while version.replace_with is not None and version.replace_with not in seen:
        following = versions[version.replace_with]
        if at < (following.active_from or following.created_at):
            break
        seen.add(following.version_id)
        version = following
    return version


def _newest(versions: Sequence[PlanVersion]) -> PlanVersion:
    return max(versions, key=lambda each: each.version)
