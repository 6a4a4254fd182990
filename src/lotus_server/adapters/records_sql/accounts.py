"""Organizations, API keys and customers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, or_, select, update

from lotus_server.adapters.records_sql.changes import Notes
from lotus_server.adapters.records_sql.customer_lists import (
    Asked,
    conditions_of,
    count_customers,
    customer_part,
    searched_text,
    sorted_name,
)
from lotus_server.adapters.records_sql.rows import Insert, Replace, Unique, Values, of_tenant, portions
from lotus_server.adapters.records_sql.tables import API_KEYS, CUSTOMERS, INVOICE_SERIES, ORGANIZATIONS
from lotus_server.domain.accounts import ApiKey, Customer, Organization
from lotus_server.ports.listing import EVERY_CUSTOMER, Count, CustomerOrder, CustomerQuestion, Part, Slice
from lotus_server.ports.records import Page

_INSERT_ORGANIZATION: Final = Insert(
    ORGANIZATIONS,
    [Unique(("organization_id",), "organization_exists", "An organization with this id exists already.")],
)
_INSERT_SERIES: Final = Insert(
    INVOICE_SERIES,
    [Unique(("organization_id",), "organization_exists", "An organization with this id exists already.")],
)
_REPLACE_ORGANIZATION: Final = Replace(ORGANIZATIONS, Organization.__struct_fields__, "organization")
_ORGANIZATIONS: Final = select(*(ORGANIZATIONS.c[name] for name in Organization.__struct_fields__))
_ORGANIZATION: Final = _ORGANIZATIONS.where(of_tenant(ORGANIZATIONS))
_ORGANIZATION_FOR_UPDATE: Final = _ORGANIZATION.with_for_update(key_share=True)
_ALL_ORGANIZATIONS: Final = _ORGANIZATIONS.order_by(ORGANIZATIONS.c.created_at, ORGANIZATIONS.c.organization_id)

_WITH_RUNNING_CLOCK: Final = _ALL_ORGANIZATIONS.where(ORGANIZATIONS.c.clock_run_until.is_not(None))

_INSERT_KEY: Final = Insert(
    API_KEYS,
    [
        Unique(("organization_id", "key_id"), "api_key_exists", "An API key with this id exists already."),
        Unique(("secret_hash",), "api_key_exists", "This API key exists already."),
    ],
)
_REPLACE_KEY: Final = Replace(API_KEYS, ApiKey.__struct_fields__, "API key")
_KEYS: Final = select(*(API_KEYS.c[name] for name in ApiKey.__struct_fields__))
_KEY_BY_HASH: Final = _KEYS.where(API_KEYS.c.secret_hash == bindparam("secret_hash"))
_KEYS_OF_ORGANIZATION: Final = _KEYS.where(of_tenant(API_KEYS))
_KEY: Final = _KEYS_OF_ORGANIZATION.where(API_KEYS.c.key_id == bindparam("key_id"))
_ALL_KEYS: Final = _KEYS_OF_ORGANIZATION.order_by(API_KEYS.c.created_at, API_KEYS.c.key_id)
# Two servers note uses in any order; the latest stays.
_NOTE_USE: Final = (
    update(API_KEYS)
    .where(
        API_KEYS.c.key_id.in_(bindparam("key_ids", expanding=True)),
        or_(API_KEYS.c.last_used_at.is_(None), API_KEYS.c.last_used_at < bindparam("used_at")),
    )
    .values(last_used_at=bindparam("used_at"))
)

_INSERT_CUSTOMER: Final = Insert(
    CUSTOMERS,
    [Unique(("organization_id", "customer_id"), "customer_exists", "A customer with this id exists already.")],
)
_REPLACE_CUSTOMER: Final = Replace(CUSTOMERS, (*Customer.__struct_fields__, "search_text", "sort_name"), "customer")
_CUSTOMERS: Final = select(*(CUSTOMERS.c[name] for name in Customer.__struct_fields__)).where(of_tenant(CUSTOMERS))
_CUSTOMER: Final = _CUSTOMERS.where(CUSTOMERS.c.customer_id == bindparam("customer_id"))
# The key stays as it is, so rows that refer to the customer can be added meanwhile.
_CUSTOMER_FOR_UPDATE: Final = _CUSTOMER.with_for_update(key_share=True)
_MANY: Final = _CUSTOMERS.where(CUSTOMERS.c.customer_id.in_(bindparam("customer_ids", expanding=True)))
_KNOWN: Final = select(CUSTOMERS.c.customer_id).where(
    of_tenant(CUSTOMERS),
    CUSTOMERS.c.customer_id.in_(bindparam("customer_ids", expanding=True)),
)


def organization_to_row(value: Organization) -> Values:
    """Return an organization's columns."""
    return msgspec.structs.asdict(value)


def organization_from_row(row: Sequence[Any]) -> Organization:
    """Return the organization of a row whose columns are in the order of the fields."""
    return Organization(*row)


def api_key_to_row(value: ApiKey) -> Values:
    """Return an API key's columns."""
    return msgspec.structs.asdict(value)


def api_key_from_row(row: Sequence[Any]) -> ApiKey:
    """Return the API key of a row whose columns are in the order of the fields."""
    return ApiKey(*row)


def customer_to_row(value: Customer) -> Values:
    """Return a customer's columns, those among them that are searched and sorted by."""
    return {
        **msgspec.structs.asdict(value),
        "search_text": searched_text(value.customer_id, value.customer_name, value.email),
        "sort_name": sorted_name(value.customer_name),
    }


def customer_from_row(row: Sequence[Any]) -> Customer:
    """Return the customer of a row whose columns are in the order of the fields."""
    return Customer(*row)


class SqlOrganizations:
    """The tenants."""

    def __init__(self, connection: Connection, notes: Notes) -> None:
        """Work within one transaction."""
        self._connection = connection
        self._notes = notes

    def add(self, organization: Organization) -> None:
        _INSERT_ORGANIZATION(self._connection, organization_to_row(organization))
        series = {"organization_id": organization.organization_id, "last_number": 0, "last_credit_note_number": 0}
        _INSERT_SERIES(self._connection, series)
        self._notes.add(organization.organization_id)

    def get(self, organization_id: str, *, for_update: bool = False) -> Organization | None:
        query = _ORGANIZATION_FOR_UPDATE if for_update else _ORGANIZATION
        row = self._connection.execute(query, {"organization_id": organization_id}).first()
        return None if row is None else organization_from_row(row)

    def all(self) -> list[Organization]:
        return [organization_from_row(row) for row in self._connection.execute(_ALL_ORGANIZATIONS)]

    def with_running_clock(self) -> list[Organization]:
        return [organization_from_row(row) for row in self._connection.execute(_WITH_RUNNING_CLOCK)]

    def replace(self, organization: Organization) -> None:
        _REPLACE_ORGANIZATION(self._connection, organization_to_row(organization))
        self._notes.add(organization.organization_id)


class SqlApiKeys:
    """The API keys, by the hash of their secret."""

    def __init__(self, connection: Connection, notes: Notes) -> None:
        """Work within one transaction."""
        self._connection = connection
        self._notes = notes

    def add(self, key: ApiKey) -> None:
        _INSERT_KEY(self._connection, api_key_to_row(key))
        self._notes.add(key.organization_id)

    def by_hash(self, secret_hash: str) -> ApiKey | None:
        row = self._connection.execute(_KEY_BY_HASH, {"secret_hash": secret_hash}).first()
        return None if row is None else api_key_from_row(row)

    def all(self, organization_id: str) -> list[ApiKey]:
        rows = self._connection.execute(_ALL_KEYS, {"organization_id": organization_id})
        return [api_key_from_row(row) for row in rows]

    def get(self, organization_id: str, key_id: str) -> ApiKey | None:
        row = self._connection.execute(_KEY, {"organization_id": organization_id, "key_id": key_id}).first()
        return None if row is None else api_key_from_row(row)

    def replace(self, key: ApiKey) -> None:
        _REPLACE_KEY(self._connection, api_key_to_row(key))
        self._notes.add(key.organization_id)

    def note_use(self, key_ids: Sequence[str], used_at: datetime) -> None:
        for some in portions(sorted(key_ids)):
            self._connection.execute(_NOTE_USE, {"key_ids": some, "used_at": used_at})


class SqlCustomers:
    """The customers."""

    def __init__(self, connection: Connection, notes: Notes) -> None:
        """Work within one transaction."""
        self._connection = connection
        self._notes = notes

    def add(self, customer: Customer) -> None:
        _INSERT_CUSTOMER(self._connection, customer_to_row(customer))
        self._notes.add(customer.organization_id, customer.customer_id)

    def get(self, organization_id: str, customer_id: str, *, for_update: bool = False) -> Customer | None:
        keys = {"organization_id": organization_id, "customer_id": customer_id}
        row = self._connection.execute(_CUSTOMER_FOR_UPDATE if for_update else _CUSTOMER, keys).first()
        return None if row is None else customer_from_row(row)

    def known(self, organization_id: str, customer_ids: Sequence[str]) -> frozenset[str]:
        found: set[str] = set()
        for some in portions(customer_ids):
            keys = {"organization_id": organization_id, "customer_ids": some}
            found.update(self._connection.execute(_KNOWN, keys).scalars())
        return frozenset(found)

    def many(self, organization_id: str, customer_ids: Sequence[str]) -> dict[str, Customer]:
        found: dict[str, Customer] = {}
        for some in portions(customer_ids):
            keys = {"organization_id": organization_id, "customer_ids": some}
            customers = [customer_from_row(row) for row in self._connection.execute(_MANY, keys)]
            found.update({customer.customer_id: customer for customer in customers})
        return found

    def page(
        self,
        organization_id: str,
        page: Page,
        question: CustomerQuestion = EVERY_CUSTOMER,
        at: datetime | None = None,
    ) -> list[Customer]:
        query = (
            _CUSTOMERS.where(*conditions_of(self._connection, question, at))
            .order_by(CUSTOMERS.c.customer_id)
            .limit(page.limit)
        )
        if page.after is not None:
            query = query.where(CUSTOMERS.c.customer_id > page.after)
        rows = self._connection.execute(query, {"organization_id": organization_id})
        return [customer_from_row(row) for row in rows]

    def part(
        self, organization_id: str, question: CustomerQuestion, order: CustomerOrder, wanted: Slice, at: datetime
    ) -> Part[Customer]:
        asked = Asked(organization_id, question, at)
        return customer_part(self._connection, asked, order, wanted)

    def count(self, organization_id: str, question: CustomerQuestion, at: datetime) -> Count:
        return count_customers(self._connection, Asked(organization_id, question, at))

    def replace(self, customer: Customer) -> None:
        _REPLACE_CUSTOMER(self._connection, customer_to_row(customer))
        self._notes.add(customer.organization_id, customer.customer_id)
