"""Which subscriptions of a batch need not look back at billed periods: nothing says anything else of them by now."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final

import msgspec

from lotus_server.domain.invoicing import is_billed_in_parts
from lotus_server.domain.metering import LogPosition
from lotus_server.domain.subscriptions import LookedBack, Subscription
from lotus_server.ports.event_store import Since
from lotus_server.ports.records import Transaction
from lotus_server.usecases.catalog_reading import terms_of
from lotus_server.usecases.corrections import closed_periods, corrections_of
from lotus_server.usecases.services import Services
from lotus_server.usecases.usage_reading import part_key, with_usage_at_hand

Key = tuple[str, str]
# An event at the very end of what was billed may count, too.
_INSTANT: Final = timedelta(microseconds=1)


def key_of(subscription: Subscription) -> Key:
    """Return what names a subscription among those of all organizations."""
    return subscription.organization_id, subscription.subscription_id


class Past(msgspec.Struct, frozen=True):
    """What is known about looking back before a batch is billed.

    `notes` has what a subscription can remember when its billed periods are right; `unchanged` are those of which that
    is known without looking. The others look when their turn comes.
    """

    notes: dict[Key, LookedBack]
    unchanged: frozenset[Key]


def past_of(services: Services, tx: Transaction, ended: Sequence[Subscription]) -> Past:
    """Return what is known about claimed subscriptions whose open periods are over.

    The position of the log is taken here, before anybody asks for usage: what comes in later is after it.
    """
    past = Past({}, frozenset())
    for organization_id in sorted({each.organization_id for each in ended}):
        own = [each for each in ended if each.organization_id == organization_id]
        position = services.events.position(organization_id)
        found = _past_of_organization(services, tx, own, position)
        past = Past({**past.notes, **found.notes}, past.unchanged | found.unchanged)
    return past


def _past_of_organization(
    services: Services, tx: Transaction, ended: Sequence[Subscription], position: LogPosition
) -> Past:
    organization_id = ended[0].organization_id
    of_ended = tx.billed_periods.of_ended(organization_id, [each.customer_id for each in ended])
    entangled = _entangled(ended, tx.pending_lines.customers(organization_id))
    notes: dict[Key, LookedBack] = {}
    asked: list[Subscription] = []
    since: dict[str, Since] = {}
    for each in ended:
        if each.customer_id in entangled or each.cadence.interval or each.cadence.invoiced_until:
            continue
        others = of_ended.get(each.customer_id)
        note = notes[key_of(each)] = LookedBack(position, others.periods if others else 0)
        before = each.looked_back
        if before is not None and before.others == note.others:
            # What is billed of it lies before its open period.
            end = max(each.open_period.start, others.end) if others else each.open_period.start
            question = Since(before.position, end + _INSTANT)
            since[each.customer_id] = _both(since.get(each.customer_id, question), question)
            asked.append(each)
    changed = services.events.changed(organization_id, since)
    return Past(notes, frozenset(key_of(each) for each in asked if each.customer_id not in changed))


def _both(one: Since, other: Since) -> Since:
    """Return a question that covers two."""
    event = min(one.position.event, other.position.event)
    correction = min(one.position.correction, other.position.correction)
    return Since(LogPosition(event, correction), max(one.before, other.before))


def _entangled(ended: Sequence[Subscription], waited: Collection[str]) -> frozenset[str]:
    """Return the customers one of whose subscriptions may change what another one carries, while the batch is billed.

    By its end, or by lines that waited.
    """
    count = Counter(each.customer_id for each in ended)
    ending = {each.customer_id for each in ended if each.ends_at is not None or not each.auto_renew}
    return frozenset(name for name, several in count.items() if several > 1 and (name in ending or name in waited))


def without_past(past: Past, claimed: Sequence[Subscription]) -> set[tuple[str, str]]:
    """Return the customers, as (organization id, customer id), none of whose claimed subscriptions looks back."""
    customers = {(each.organization_id, each.customer_id) for each in claimed}
    looking = {(each.organization_id, each.customer_id) for each in claimed if key_of(each) not in past.unchanged}
    return customers - looking


def with_past(
    services: Services, tx: Transaction, ended: Sequence[Subscription], past: Past
) -> tuple[Services, dict[Key, LookedBack]]:
    """Return services that know the usage of the open periods of subscriptions, which are over, asked at once.

    And what to remember on each subscription whose billed periods are right, so that it need not look back itself.
    """
    looking, rated = past.notes.keys() - past.unchanged, services.rated_at_hand
    asking = [each for each in ended if key_of(each) in looking or part_key(each) not in rated]
    every = [terms for terms in (terms_of(tx, each) for each in asking) if not is_billed_in_parts(terms)]
    opened = [(terms, terms.subscription.open_period) for terms in every if part_key(terms.subscription) not in rated]
    closed = {
        key_of(terms.subscription): closed_periods(tx, terms)
        for terms in every
        if key_of(terms.subscription) in looking
    }
    informed = with_usage_at_hand(services, opened, [each.part for some in closed.values() for each in some])
    right = {key for key, some in closed.items() if not corrections_of(informed, some).found}
    return informed, {key: past.notes[key] for key in past.unchanged | right}
