"""What a key's scope allows, asked by every path."""

from lotus_server.domain.accounts import Principal, Scope, allows
from lotus_server.kernel.errors import Forbidden


def require_scope(principal: Principal, needed: Scope) -> None:
    """Raise Forbidden `permission_denied` when the key's scope does not cover the call."""
    if not allows(principal.scope, needed):
        raise Forbidden(f"A key with the scope {principal.scope!r} may not do this; it needs the scope {needed!r}.")
