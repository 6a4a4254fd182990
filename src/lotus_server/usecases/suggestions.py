"""What somebody may mean who is typing: customers, and the properties that events really have."""

from collections import Counter
from typing import Final

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.ports.event_store import EventQuery
from lotus_server.ports.listing import CustomerOrder, CustomerQuestion, CustomerSort, Slice
from lotus_server.usecases.services import Services, present

SUGGESTED_MAX: Final = 8
# So many of the newest events tell what events look like.
EVENTS_READ: Final = 300


class Property(msgspec.Struct, frozen=True):
    """A property with its texts, the most frequent first."""

    name: str
    values: tuple[str, ...]


def suggest_customers(services: Services, organization: Organization, text: str) -> list[Customer]:
    """Return up to eight customers with a text in id, name or e-mail address, by name; one with that id first."""
    organization_id = organization.organization_id
    order = CustomerOrder(CustomerSort.NAME)
    with services.records.snapshot() as tx:
        exact = tx.customers.get(organization_id, text) if text else None
        question = CustomerQuestion(search=text)
        found = tx.customers.part(
            organization_id, question, order, Slice(SUGGESTED_MAX), present(services, organization)
        )
    others = [each for each in found.rows if exact is None or each.customer_id != exact.customer_id]
    return ([exact] if exact else []) + others[: SUGGESTED_MAX - (exact is not None)]


def event_properties(services: Services, organization: Organization) -> list[Property]:
    """Return the properties that have texts in the newest events, the most frequent first."""
    query = EventQuery(limit=EVENTS_READ)
    seen: dict[str, Counter[str]] = {}
    for event in services.events.events(organization.organization_id, query):
        for name, value in event.properties.items():
            if isinstance(value, str):
                seen.setdefault(name, Counter())[value] += 1
    names = sorted(seen, key=lambda name: (-seen[name].total(), name))
    return [Property(name, tuple(value for value, _ in seen[name].most_common())) for name in names]
