"""Organizations and their API keys."""

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from lotus_server.domain.accounts import ApiKey, Organization, OrganizationType, Principal, Scope
from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.errors import NotFound, Problems, Unauthenticated
from lotus_server.kernel.identifiers import name_problem
from lotus_server.ports.records import Transaction
from lotus_server.usecases.services import Services, changing, present


class OrganizationDraft(msgspec.Struct, frozen=True):
    """An organization to be made.

    `clock_now` starts a sandbox's clock; null lets it run in real time until it is first moved.
    """

    name: str
    type: OrganizationType = OrganizationType.PRODUCTION
    default_currency: str = "USD"
    clock_now: datetime | None = None


class OrganizationChange(msgspec.Struct, frozen=True):
    """What is to change of an organization (null: nothing). `invoice_settings` has the fields that change, by name."""

    name: str | None = None
    rejects_unknown_customers: bool | None = None
    invoice_settings: dict[str, Any] = msgspec.field(default_factory=dict)


class NewKey(msgspec.Struct, frozen=True):
    """A key just made. `api_key` is shown this once: only its hash is kept."""

    key: ApiKey
    api_key: str


def create_organization(
    services: Services, draft: OrganizationDraft, *, api_key: str | None = None
) -> tuple[Organization, NewKey]:
    """Make an organization with a first key of full scope; `api_key` sets that key instead of a random one."""
    problems = Problems()
    if not draft.name.strip():
        problems.add("name", "required", "An organization has a name.")
    if draft.default_currency not in CURRENCIES:
        problems.add("default_currency", "unknown_currency", f"{draft.default_currency!r} is not an ISO 4217 code.")
    if draft.clock_now is not None and draft.type is not OrganizationType.SANDBOX:
        problems.add("clock_now", "not_a_sandbox", "Only a sandbox has a clock of its own.")
    problems.raise_if_any()
    now = services.clock.now()
    organization = Organization(
        organization_id=services.ids.new("org"),
        name=draft.name.strip(),
        type=draft.type,
        default_currency=draft.default_currency,
        created_at=now,
        clock_now=draft.clock_now,
    )
    with services.records.transaction() as tx:
        tx.organizations.add(organization)
        new_key = _add_key(services, tx, organization, name="First key", scope=Scope.FULL, api_key=api_key)
    return organization, new_key


def create_api_key(services: Services, organization: Organization, *, name: str, scope: Scope) -> NewKey:
    """Make a further key. Raises Invalid when it has no name."""
    _check_key_name(name)
    with services.records.transaction() as tx:
        return _add_key(services, tx, organization, name=name.strip(), scope=scope, api_key=None)


def list_api_keys(services: Services, organization: Organization) -> list[ApiKey]:
    """Return the organization's keys, oldest first, revoked ones too."""
    with services.records.snapshot() as tx:
        return tx.api_keys.all(organization.organization_id)


def rename_api_key(services: Services, organization: Organization, key_id: str, *, name: str) -> ApiKey:
    """A key is called something else; what it opens stays. Raises NotFound, Invalid when it has no name."""
    _check_key_name(name)
    with services.records.transaction() as tx:
        key = tx.api_keys.get(organization.organization_id, key_id)
        if key is None:
            raise NotFound(f"There is no API key {key_id!r}.", code="api_key_not_found")
        key = msgspec.structs.replace(key, name=name.strip())
        tx.api_keys.replace(key)
        return key


def revoke_api_key(services: Services, organization: Organization, key_id: str) -> ApiKey:
    """End a key at once; ending it again changes nothing. Raises NotFound."""
    with services.records.transaction() as tx:
        key = tx.api_keys.get(organization.organization_id, key_id)
        if key is None:
            raise NotFound(f"There is no API key {key_id!r}.", code="api_key_not_found")
        if key.revoked_at is None:
            key = msgspec.structs.replace(key, revoked_at=services.clock.now())
            tx.api_keys.replace(key)
        return key


def authenticate(services: Services, api_key: str) -> Principal:
    """Return who a key belongs to. Raises Unauthenticated, in the same words for unknown, revoked and expired keys."""
    with services.records.snapshot() as tx:
        key = tx.api_keys.by_hash(hash_of(api_key))
        organization = tx.organizations.get(key.organization_id) if key else None
    if key is None or organization is None or not key.is_valid_at(services.clock.now()):
        raise Unauthenticated("The API key is not valid.")
    return Principal(organization, key.key_id, key.scope, key.name)


def note_key_uses(services: Services, key_ids: list[str]) -> None:
    """Keep that keys were used, as of now."""
    with services.records.transaction() as tx:
        tx.api_keys.note_use(key_ids, services.clock.now())


def change_organization(services: Services, organization: Organization, change: OrganizationChange) -> Organization:
    """Change an organization and its settings; invoices issued from now on follow them.

    Raises Invalid with every problem.
    """
    with changing(services, organization) as tx:
        changed = changed_organization(_load(tx, organization), change)
        tx.organizations.replace(changed)
        return changed


def changed_organization(organization: Organization, change: OrganizationChange) -> Organization:
    """Return what an organization would be after a change. Raises Invalid with every problem."""
    problems = Problems()
    settings = msgspec.structs.replace(organization.invoice_settings, **change.invoice_settings)
    problems.extend(settings.problems())
    name = organization.name if change.name is None else change.name.strip()
    if wrong := name_problem(name):
        problems.add("organization_name", "invalid", f"organization_name {wrong}.")
    problems.raise_if_any()
    rejects = change.rejects_unknown_customers
    return msgspec.structs.replace(
        organization,
        name=name,
        rejects_unknown_customers=organization.rejects_unknown_customers if rejects is None else rejects,
        invoice_settings=settings,
    )


def hash_of(api_key: str) -> str:
    """Return the hash under which a key is kept.

    A key carries 256 random bits, so a plain SHA-256 cannot be guessed back; a slow hash would only slow each
    request down.
    """
    return hashlib.sha256(api_key.encode()).hexdigest()


def _check_key_name(name: str) -> None:
    problems = Problems()
    if not name.strip():
        problems.add("name", "required", "A key has a name, so that people can tell keys apart.")
    problems.raise_if_any()


def _load(tx: Transaction, organization: Organization) -> Organization:
    found = tx.organizations.get(organization.organization_id)
    assert found is not None, "a principal's organization exists"
    return found


def _add_key(
    services: Services, tx: Transaction, organization: Organization, *, name: str, scope: Scope, api_key: str | None
) -> NewKey:
    text = api_key or f"{services.ids.secret()[:8]}.{services.ids.secret()}"
    key = ApiKey(
        organization_id=organization.organization_id,
        key_id=services.ids.new("key"),
        name=name,
        prefix=text.partition(".")[0][:8],
        secret_hash=hash_of(text),
        scope=scope,
        created_at=present(services, organization),
    )
    tx.api_keys.add(key)
    return NewKey(key, text)
