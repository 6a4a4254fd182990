"""Whose usage has to be compared with spend thresholds when events have come in."""

from lotus_server.domain.catalog import PlanVersion, SpendThreshold, is_overridden, threshold_problems
from lotus_server.domain.metering import LogPosition
from lotus_server.domain.subscriptions import Subscription, with_own_thresholds
from lotus_server.kernel.errors import Problems
from lotus_server.ports.invoicing_records import SpendWatch
from lotus_server.ports.records import Transaction


def own_thresholds(
    subscription: Subscription, thresholds: tuple[SpendThreshold, ...] | None, version: PlanVersion
) -> Subscription:
    """Return a subscription with thresholds of its own, or with those of its version (null).

    Raises Invalid with every problem.
    """
    problems = Problems()
    problems.extend(threshold_problems(thresholds or (), "usage_thresholds"))
    if thresholds and is_overridden(version):
        detail = "An amount takes the place of what a period of this plan charges: it cannot be invoiced in parts."
        problems.add("usage_thresholds", "not_with_usage_in_parts", detail)
    problems.raise_if_any()
    return with_own_thresholds(subscription, thresholds, version)


def watch_spend(tx: Transaction, subscription: Subscription, before: Subscription | None = None) -> None:
    """A subscription with thresholds is watched from now on, from the beginning of the log; `before` is what it was.

    One that had the same thresholds is watched already.
    """
    thresholds = subscription.cadence.thresholds
    if not thresholds or subscription.is_fully_billed:
        return
    if before is not None and before.cadence.thresholds == thresholds:
        return
    watch = SpendWatch(
        subscription.organization_id, subscription.subscription_id, subscription.customer_id, LogPosition()
    )
    tx.spend_watches.put(watch)
