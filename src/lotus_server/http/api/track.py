"""`POST /api/track/`: the hot way in. The body is passed on as it came; the event store decodes it."""

import time
from typing import Final

from lotus_server.domain.accounts import Scope
from lotus_server.http import metrics
from lotus_server.http.json_reply import JSON, encode
from lotus_server.http.problems import PROBLEM_JSON
from lotus_server.http.requests import Reply, Request
from lotus_server.http.scopes import require_scope
from lotus_server.ports.event_store import BodyForm, Decoder, Submission
from lotus_server.usecases.ingest import ingest, ingest_known_customers_only
from lotus_server.usecases.services import Services, present
from lotus_server.wire.track_reply import reply_of

_TRUE: Final = frozenset({"true", "1", "yes"})


class TrackPath:
    """Takes events in."""

    def __init__(self, services: Services, decode: Decoder) -> None:
        """Store events through the services; `decode` is only for calls that turn unknown customers away."""
        self._services = services
        self._decode = decode

    async def handle(self, request: Request) -> Reply:
        """Store the events of a request, and answer once everything accepted is on disk."""
        require_scope(request.principal, Scope.INGEST)
        organization = request.principal.organization
        query = request.query() if request.scope["query_string"] else {}
        submission = Submission(
            organization_id=organization.organization_id,
            body=await request.body(),
            now=present(self._services, organization),
            form=_form(request.header(b"content-type") or b""),
            is_gzip=b"gzip" in (request.header(b"content-encoding") or b""),
            wants_results=query.get("verbose", "").lower() in _TRUE,
        )
        began = time.perf_counter()
        if organization.rejects_unknown_customers or query.get("strict", "").lower() in _TRUE:
            receipt = await ingest_known_customers_only(self._services, organization, submission, self._decode)
        else:
            receipt = await ingest(self._services, submission)
        metrics.observe_append(time.perf_counter() - began)
        metrics.count_events(accepted=receipt.accepted, duplicates=receipt.duplicates, failed=len(receipt.failures))
        status, payload = reply_of(receipt)
        return Reply(status, encode(payload), JSON if status < 400 else PROBLEM_JSON)


def _form(content_type: bytes) -> BodyForm:
    if content_type.startswith(b"application/cloudevents-batch+json"):
        return BodyForm.CLOUDEVENTS
    if content_type.startswith(b"application/cloudevents+json"):
        return BodyForm.CLOUDEVENT
    return BodyForm.JSON
