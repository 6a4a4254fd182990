"""Taking events in."""

import asyncio

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.ports.event_store import Decoder, Receipt, Submission
from lotus_server.usecases.services import Services


async def ingest(services: Services, submission: Submission) -> Receipt:
    """Store the events of a request; every event that the receipt calls accepted is on disk.

    Events of customers and of names that nothing is known of yet are kept, and count once there is such a customer
    or metric.
    """
    return await services.events.append(submission)


async def ingest_known_customers_only(
    services: Services, organization: Organization, submission: Submission, decode: Decoder
) -> Receipt:
    """Store only the events of customers that exist; the others are rejected one by one."""
    known = await asyncio.to_thread(_known_customers, services, organization, submission, decode)
    return await ingest(services, msgspec.structs.replace(submission, known_customers=known))


def _known_customers(
    services: Services, organization: Organization, submission: Submission, decode: Decoder
) -> frozenset[str]:
    named = sorted({event.customer_id for event in decode(submission).events})
    with services.records.snapshot() as tx:
        return tx.customers.known(organization.organization_id, named)
