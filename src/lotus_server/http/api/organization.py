"""The organization itself: ping, API keys, settings, and a sandbox's clock."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from lotus_server.http.api.deps import Caller, reading, writing
from lotus_server.http.body import json_body
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS, body_of
from lotus_server.kernel.instants import to_text
from lotus_server.usecases.clock import move_clock, read_clock
from lotus_server.usecases.organizations import (
    change_organization,
    create_api_key,
    list_api_keys,
    revoke_api_key,
)
from lotus_server.wire.organization import (
    ApiKeyForm,
    ClockForm,
    OrganizationForm,
    api_key_draft,
    api_key_row,
    clock_instant,
    organization_change,
    organization_row,
)

router = APIRouter(prefix="/api", responses=PROBLEMS)
Writer = Annotated[Caller, Depends(writing)]
Payload = Annotated[object, Depends(json_body)]


@router.get("/ping/", tags=["Organization"], summary="Whose key is this")
def ping(caller: Annotated[Caller, Depends(reading)]) -> Response:
    """Return the organization that the key belongs to."""
    return json_reply(200, {"organization_id": caller.organization.organization_id})


@router.get("/organization/", tags=["Organization"], summary="The organization and its settings")
def organization(caller: Annotated[Caller, Depends(reading)]) -> Response:
    """Return the organization that the key belongs to."""
    return json_reply(200, organization_row(caller.organization))


@router.patch(
    "/organization/", tags=["Organization"], summary="Change settings", openapi_extra=body_of(OrganizationForm)
)
def change(caller: Writer, payload: Payload) -> Response:
    """Change the organization's name, its address and tax, how its documents look, and what events it takes."""
    changed = change_organization(caller.services, caller.organization, organization_change(payload))
    return json_reply(200, organization_row(changed))


@router.get("/clock/", tags=["Sandbox"], summary="A sandbox's present")
def clock(caller: Annotated[Caller, Depends(reading)]) -> Response:
    """Return the sandbox's present."""
    return json_reply(200, {"now": to_text(read_clock(caller.services, caller.organization))})


@router.post("/clock/", tags=["Sandbox"], summary="Move a sandbox's time", openapi_extra=body_of(ClockForm))
def move(caller: Writer, payload: Payload) -> Response:
    """Move the sandbox's time forward; everything that falls due on the way is done before this answers."""
    return json_reply(200, {"now": to_text(move_clock(caller.services, caller.organization, clock_instant(payload)))})


@router.get("/api_keys/", tags=["Organization"], summary="List API keys")
def list_keys(caller: Writer) -> Response:
    """Return the organization's keys with scope and last use; the keys themselves are not kept."""
    return json_reply(200, [api_key_row(key) for key in list_api_keys(caller.services, caller.organization)])


@router.post(
    "/api_keys/", status_code=201, tags=["Organization"], summary="Create an API key", openapi_extra=body_of(ApiKeyForm)
)
def create_key(caller: Writer, payload: Payload) -> Response:
    """Make a key with the scope `full`, `ingest` or `read`.

    The answer is the only place where the key itself is shown.
    """
    name, scope = api_key_draft(payload)
    made = create_api_key(caller.services, caller.organization, name=name, scope=scope)
    return json_reply(201, {**api_key_row(made.key), "api_key": made.api_key})


@router.post("/api_keys/{key_id}/revoke/", tags=["Organization"], summary="Revoke an API key")
def revoke_key(key_id: str, caller: Writer) -> Response:
    """End a key at once."""
    return json_reply(200, api_key_row(revoke_api_key(caller.services, caller.organization, key_id)))
