"""The cache of callers and customers never outlives what the records say."""

import pytest

from lotus_server.domain.accounts import Scope
from lotus_server.kernel.errors import Unauthenticated
from lotus_server.usecases.access import AccessCache, load_entitlements, load_principal
from lotus_server.usecases.organizations import create_api_key, revoke_api_key
from tests.business import Business, charge


def test_a_key_that_is_revoked_while_it_is_looked_up_is_not_remembered(business: Business) -> None:
    cache = AccessCache(business.services)
    made = create_api_key(business.services, business.organization, name="app", scope=Scope.FULL)
    cache.principal("somebody else's key")
    as_of = cache.changes_seen
    principal = load_principal(business.services, made.api_key)
    revoke_api_key(business.services, business.organization, made.key.key_id)
    cache.principal("somebody else's key")  # another request notices the change first

    cache.keep_principal(made.api_key, principal, as_of)

    assert cache.principal(made.api_key) is None
    with pytest.raises(Unauthenticated):
        load_principal(business.services, made.api_key)


def test_a_customer_that_changes_while_it_is_looked_up_is_not_remembered(business: Business) -> None:
    business.plan("pro", charge("10"))
    cache = AccessCache(business.services)
    cache.principal("a key")
    as_of = cache.changes_seen
    entitlements = load_entitlements(business.services, business.organization, "acme")
    business.subscribe()
    cache.principal("a key")

    cache.keep_entitlements(business.organization_id, entitlements, as_of)

    assert cache.entitlements(business.organization_id, "acme") is None


def test_what_is_looked_up_in_peace_is_remembered_until_it_changes(business: Business) -> None:
    business.plan("pro", charge("10"))
    cache = AccessCache(business.services)
    cache.principal("a key")
    cache.keep_entitlements(
        business.organization_id,
        load_entitlements(business.services, business.organization, "acme"),
        cache.changes_seen,
    )
    before = cache.entitlements(business.organization_id, "acme")

    business.subscribe()
    cache.principal("a key")

    assert before is not None
    assert cache.entitlements(business.organization_id, "acme") is None


def test_used_keys_are_told_once(business: Business) -> None:
    cache = AccessCache(business.services)
    made = create_api_key(business.services, business.organization, name="app", scope=Scope.FULL)
    cache.principal(made.api_key)
    cache.keep_principal(made.api_key, load_principal(business.services, made.api_key), cache.changes_seen)

    assert (cache.take_used_keys(), cache.take_used_keys()) == ([made.key.key_id], [])
