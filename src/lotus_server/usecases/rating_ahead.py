"""What a billing run takes over from the process beside it: usage that was rated while the run stored the batch before.

The run judges anew whether it is about the same: the same subscription, plan, version and metrics, and no event of
the past that came in or was corrected since. What is not, the run rates itself, as always.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

import msgspec

from lotus_server.domain.catalog import Plan, PlanVersion, as_sold
from lotus_server.domain.invoicing import Terms, is_billed_in_parts, usage_digest, usage_lines
from lotus_server.domain.metering import Metric
from lotus_server.domain.subscriptions import Subscription
from lotus_server.ports.event_store import Since
from lotus_server.ports.rating_ahead import NextDue, RatedOrganization, RatedPeriod, Rater
from lotus_server.ports.records import Transaction
from lotus_server.usecases.catalog_reading import metrics_by_id
from lotus_server.usecases.services import PartKey, RatedUsage, Services
from lotus_server.usecases.usage_reading import part_key, with_usage_at_hand

# A rater takes a second or two of a processor to start, in which the run issues 2,000 to 4,000 invoices by itself. From
# then on each costs the run a quarter less of its time.
RATED_AHEAD_MIN: Final = 10_000
_INSTANT: Final = timedelta(microseconds=1)
_encode: Final = msgspec.json.Encoder(order="deterministic").encode


class _NoRater:
    """Rates nothing: the run is too small for a process of its own."""

    def ask(self, question: NextDue) -> None:
        """Nothing happens."""

    def take(self) -> list[RatedOrganization]:
        """Return nothing."""
        return []


@contextmanager
def rater_for(services: Services, due_count: int) -> Iterator[Rater]:
    """Have something rate ahead while a run is under way for which so many subscriptions are due."""
    if services.rating_ahead is None or due_count < RATED_AHEAD_MIN:
        yield _NoRater()
        return
    with services.rating_ahead.rater() as rater:
        yield rater


def place_of(subscription: Subscription) -> tuple[datetime, str, str]:
    """Return the place of a subscription in the order in which a run bills."""
    assert subscription.due_at is not None, "what is never due is not billed"
    return subscription.due_at, subscription.organization_id, subscription.subscription_id


def rate_next(services: Services, question: NextDue) -> list[RatedOrganization]:
    """Return what the usage of the next due subscriptions comes to. Writes nothing.

    Those whose usage is billed in parts of the period are left out.
    """
    with services.records.snapshot() as tx:
        # What is being billed is still due here: nobody sees the transaction that bills it.
        due = tx.subscriptions.due(question.until, 2 * question.limit, question.organization_id)
        ahead = [each for each in due if place_of(each) > question.after][: question.limit]
        catalog = _Catalog(tx)
        over = [catalog.of(each) for each in ahead if each.open_period.end <= question.until]
    by_organization: dict[str, list[Terms]] = {}
    for terms in over:
        by_organization.setdefault(terms.subscription.organization_id, []).append(terms)
    return [_rated(services, organization_id, due, catalog) for organization_id, due in by_organization.items()]


class _Catalog:
    """The terms that decide what usage comes to, of subscriptions in one transaction, and their digests."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._metrics: dict[str, dict[str, Metric]] = {}
        self._sold: dict[tuple[str, str], tuple[Plan, PlanVersion, str]] = {}

    def of(self, subscription: Subscription) -> Terms:
        """Return a subscription's terms, without what has nothing to do with its usage: tax, discounts, grace."""
        plan, version, _ = self._sold_as(subscription)
        return Terms(subscription, plan, version, self._metrics[subscription.organization_id])

    def inputs(self, subscription: Subscription) -> str:
        """Return 32 hex digits that differ when anything does that decides, besides events, what usage comes to."""
        _, _, sold = self._sold_as(subscription)
        return _digest((subscription, sold))

    def _sold_as(self, subscription: Subscription) -> tuple[Plan, PlanVersion, str]:
        organization_id, version_id = subscription.organization_id, subscription.version_id
        found = self._sold.get((organization_id, version_id))
        if found is None:
            version = self._tx.plans.version(organization_id, version_id)
            assert version is not None, "a subscription's version is never deleted"
            plan = self._tx.plans.get(organization_id, version.plan_id)
            assert plan is not None, "a subscription's plan is never deleted"
            if organization_id not in self._metrics:
                self._metrics[organization_id] = metrics_by_id(self._tx, organization_id)
            version = as_sold(plan, version)
            metrics = [self._metrics[organization_id][each.metric_id] for each in version.components]
            found = plan, version, _digest((plan, version, metrics))
            self._sold[organization_id, version_id] = found
        return found


def _digest(said: object) -> str:
    return hashlib.blake2b(_encode(said), digest_size=16).hexdigest()


def _rated(services: Services, organization_id: str, due: Sequence[Terms], catalog: _Catalog) -> RatedOrganization:
    # Before anybody asks for usage: what comes in meanwhile is after it.
    position = services.events.position(organization_id)
    whole = [terms for terms in due if not is_billed_in_parts(terms)]
    informed = with_usage_at_hand(
        services, [(terms, terms.subscription.open_period) for terms in whole], keeps_aggregates=False
    )
    periods = []
    for terms in whole:
        subscription = terms.subscription
        usages = informed.usage_at_hand.get(part_key(subscription))
        if usages is not None:
            lines = usage_lines(terms, subscription.open_period, usages)
            inputs = catalog.inputs(subscription)
            periods.append(RatedPeriod(subscription.subscription_id, inputs, lines, usage_digest(usages)))
    return RatedOrganization(organization_id, position, periods)


def with_rated(
    services: Services, tx: Transaction, ended: Sequence[Subscription], ahead: Sequence[RatedOrganization]
) -> Services:
    """Return services that know what was rated ahead of subscriptions, as far as it still is what rating now would say.

    Ask for the position of the log before: what comes in later than that position is not looked for here.
    """
    if not ahead:
        return services
    catalog = _Catalog(tx)
    at_hand: dict[PartKey, RatedUsage] = {}
    for organization in ahead:
        rated = {each.subscription_id: each for each in organization.periods}
        own = [each for each in ended if each.organization_id == organization.organization_id]
        found = [(each, rated[each.subscription_id]) for each in own if each.subscription_id in rated]
        same = [(each, period) for each, period in found if period.inputs == catalog.inputs(each)]
        changed = _changed(services, organization, [each for each, _ in same])
        for each, period in same:
            if each.customer_id not in changed:
                at_hand[part_key(each)] = RatedUsage(period.lines, period.usage_digest)
    return msgspec.structs.replace(services, rated_at_hand=at_hand)


def _changed(services: Services, ahead: RatedOrganization, same: Sequence[Subscription]) -> frozenset[str]:
    """Return the customers of whom an event came in, or was corrected, since their usage was rated."""
    ends: dict[str, datetime] = {}
    for each in same:
        ends[each.customer_id] = max(each.open_period.end, ends.get(each.customer_id, each.open_period.end))
    # An event at the very end may count, too.
    since = {customer_id: Since(ahead.position, end + _INSTANT) for customer_id, end in ends.items()}
    return services.events.changed(ahead.organization_id, since)
