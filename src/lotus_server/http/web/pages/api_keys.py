"""API keys: made, shown once, revoked."""

from starlette.responses import Response

from lotus_server.domain.accounts import ApiKey, Scope
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.errors import Invalid, LotusError, NotFound
from lotus_server.usecases.organizations import (
    create_api_key,
    list_api_keys,
    rename_api_key,
    revoke_api_key,
)

pages = Pages()


@pages.get("/settings/api-keys/")
def list_page(visit: Visit) -> Response:
    """List the keys, valid ones first."""
    return _keys_page(visit)


@pages.get("/settings/api-keys/new")
def new_page(visit: Visit) -> Response:
    """Show the empty form."""
    visit.require(create_api_key)
    return visit.page("settings/api_key_new.html", fragment="dialog", scopes=list(Scope))


@pages.post("/settings/api-keys/new")
def create(visit: Visit) -> Response:
    """Make a key and show it, this once."""
    try:
        new_key = visit.do(create_api_key, name=visit.form.text("name"), scope=_scope(visit.form.text("scope")))
    except LotusError as error:
        return visit.again(error, "settings/api_key_new.html", fragment="dialog", scopes=list(Scope))
    return visit.page("settings/api_key_made.html", fragment="dialog", new_key=new_key)


@pages.get("/settings/api-keys/{key_id}/rename")
def rename_page(visit: Visit) -> Response:
    """Ask what a key is to be called."""
    visit.require(rename_api_key)
    key = _key(visit)
    visit.form.put_if_missing("name", key.name)
    return visit.page("settings/api_key_rename.html", fragment="dialog", key=key)


@pages.post("/settings/api-keys/{key_id}/rename")
def rename(visit: Visit) -> Response:
    """Give a key another name."""
    try:
        key = visit.do(rename_api_key, visit.part("key_id"), name=visit.form.text("name"))
    except Invalid as error:
        return visit.again(error, "settings/api_key_rename.html", fragment="dialog", key=_key(visit))
    return visit.redirect(visit.url("settings/api-keys/"), f"The key is called {key.name!r} now.")


@pages.get("/settings/api-keys/{key_id}/revoke")
def revoke_page(visit: Visit) -> Response:
    """Ask before a key is ended."""
    return visit.page("settings/api_key_revoke.html", fragment="dialog", key=_key(visit))


@pages.post("/settings/api-keys/{key_id}/revoke")
def revoke(visit: Visit) -> Response:
    """End a key at once."""
    key = visit.do(revoke_api_key, visit.part("key_id"))
    return visit.redirect(visit.url("settings/api-keys/"), f"The key {key.name!r} opens nothing any more.")


def _key(visit: Visit) -> ApiKey:
    key_id = visit.part("key_id")
    key = next((each for each in visit.do(list_api_keys) if each.key_id == key_id), None)
    if key is None:
        raise NotFound(f"There is no API key {key_id!r}.", code="api_key_not_found")
    return key


def _keys_page(visit: Visit) -> Response:
    keys = sorted(visit.do(list_api_keys), key=lambda each: each.revoked_at is not None)
    return visit.page("settings/api_keys.html", keys=keys)


def _scope(text: str) -> Scope:
    try:
        return Scope(text)
    except ValueError:
        raise Invalid.field("scope", "invalid", "Choose what the key may do.") from None
