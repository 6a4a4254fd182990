"""The replies of requests that carried an `Idempotency-Key`."""

from lotus_server.ports.records import StoredReply
from lotus_server.usecases.services import Services


def find_reply(services: Services, organization_id: str, key: str) -> StoredReply | None:
    """Return the reply that was kept for a key."""
    with services.records.snapshot() as tx:
        return tx.replies.get(organization_id, key)


def keep_reply(services: Services, reply: StoredReply) -> None:
    """Keep a reply. Raises Conflict when one is kept for the key already."""
    with services.records.transaction() as tx:
        tx.replies.add(reply)
