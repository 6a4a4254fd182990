"""What an endpoint gets: the caller's organization and the services, once the caller's scope allows the call."""

from typing import Annotated

import msgspec
from fastapi import Query, Request

from lotus_server.domain.accounts import Author, AuthorKind, Organization, Principal, Scope
from lotus_server.http.scopes import require_scope
from lotus_server.kernel.errors import Invalid
from lotus_server.ports.records import Page
from lotus_server.usecases.auditing import audited
from lotus_server.usecases.services import Services

PAGE_LIMIT_MAX = 1_000


class Caller(msgspec.Struct, frozen=True):
    """Who is calling, and what serves them."""

    organization: Organization
    services: Services
    scope: Scope


def reading(request: Request) -> Caller:
    """Return the caller of a call that only reads. Raises Forbidden for a key that may only send events."""
    return _caller(request, Scope.READ)


def writing(request: Request) -> Caller:
    """Return the caller of a call that writes, with services that note what it changes.

    Raises Forbidden for a key that may not.
    """
    caller = _caller(request, Scope.FULL)
    principal: Principal = request.scope["lotus.principal"]
    author = Author(AuthorKind.API_KEY, principal.key_id, principal.key_name)
    action = f"{request.method} {request.scope['route'].path}"
    return msgspec.structs.replace(caller, services=audited(caller.services, author, action))


def _caller(request: Request, needed: Scope) -> Caller:
    principal: Principal = request.scope["lotus.principal"]
    require_scope(principal, needed)
    return Caller(principal.organization, request.app.state.services, principal.scope)


def paging(
    limit: Annotated[
        int | None, Query(ge=1, le=PAGE_LIMIT_MAX, description="Rows per page; all rows without it.")
    ] = None,
    cursor: Annotated[str | None, Query(description="Where the page begins: from the Link header before.")] = None,
) -> Page:
    """Return the page that a list call asks for."""
    if cursor is not None and ("\x00" in cursor or len(cursor) > 500):
        raise Invalid.field("cursor", "invalid", "The cursor is not one of ours.")
    return Page(limit, cursor)


def link_to_next(request: Request, page: Page, keys: list[str]) -> dict[str, str] | None:
    """Return the Link header of a full page, which leads to the one after it."""
    if page.limit is None or len(keys) < page.limit:
        return None
    url = request.url.include_query_params(cursor=keys[-1])
    return {"Link": f'<{url}>; rel="next"'}
