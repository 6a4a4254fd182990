"""`/api/organization/logo/`."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from lotus_server.domain.accounts import LOGO_TYPES
from lotus_server.http.api.deps import Caller, reading, writing
from lotus_server.http.openapi import PROBLEMS
from lotus_server.usecases.logos import get_logo, put_logo, remove_logo

router = APIRouter(prefix="/api/organization/logo", tags=["Organization"], responses=PROBLEMS)

_PICTURE: Final[dict[str, Any]] = {media_type: {"schema": {"type": "string"}} for media_type in LOGO_TYPES}
# A drawing can hold scripts; opened as a page of its own it must not run any.
_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "x-content-type-options": "nosniff",
}


async def _body(request: Request) -> bytes:
    return await request.body()


@router.put(
    "/",
    status_code=204,
    summary="Put a logo on documents",
    openapi_extra={"requestBody": {"required": True, "content": _PICTURE}},
)
def put(
    request: Request, caller: Annotated[Caller, Depends(writing)], content: Annotated[bytes, Depends(_body)]
) -> Response:
    """Keep the body, a picture of at most 256 KiB in PNG, JPEG or SVG, as the logo of the organization's documents."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    put_logo(caller.services, caller.organization, media_type=media_type, content=content)
    return Response(status_code=204)


@router.get(
    "/", summary="The logo", response_class=Response, responses={200: {"description": "The logo", "content": _PICTURE}}
)
def get(caller: Annotated[Caller, Depends(reading)]) -> Response:
    """Return the logo as it was put."""
    logo = get_logo(caller.services, caller.organization)
    return Response(logo.content, media_type=logo.media_type, headers=_HEADERS)


@router.delete("/", status_code=204, summary="Take the logo off documents")
def remove(caller: Annotated[Caller, Depends(writing)]) -> Response:
    """Leave the organization without a logo; its documents show its name instead."""
    remove_logo(caller.services, caller.organization)
    return Response(status_code=204)
