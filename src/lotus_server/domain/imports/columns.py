"""Where the columns of a table go: the fields that a row can have, and what a header most likely means."""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from lotus_server.kernel.errors import Problems

COLUMNS_MAX: Final = 500
PROPERTIES: Final = "properties."
# Columns of a file of refused rows that say why; brought back, they go nowhere.
ROW_COLUMN: Final = "lotus_line"
PROBLEMS_COLUMN: Final = "lotus_problems"


class ImportKind(StrEnum):
    """What the rows of a file are."""

    CUSTOMERS = "customers"
    EVENTS = "events"


class Column(msgspec.Struct, frozen=True):
    """A column of a table, by its name in the header: the field that its cells go to; null: nowhere.

    The field is a path in the JSON of the API, such as `address.city` or `properties.plan`. A cell of a property that
    looks like a number, or is true or false, becomes one, unless the column `is_text`.
    """

    name: str
    field: str | None
    is_text: bool = False


_ADDRESS: Final = ("line1", "line2", "city", "state", "postal_code", "country")
_OF_CUSTOMERS: Final = (
    "customer_id",
    "customer_name",
    "email",
    "currency",
    "timezone",
    "tax_id",
    "tax_rate",
    "tax_status",
    "payment_provider",
    "payment_provider_id",
    "invoice_grouping",
    *(f"{address}.{name}" for address in ("address", "billing_address", "shipping_address") for name in _ADDRESS),
)
_OF_EVENTS: Final = ("event_name", "customer_id", "time_created", "idempotency_id")

FIELDS: Final = {ImportKind.CUSTOMERS: _OF_CUSTOMERS, ImportKind.EVENTS: _OF_EVENTS}
"""The fields of each kind, the most usual first. Beside them, every row has properties of any name."""

REQUIRED: Final = {ImportKind.CUSTOMERS: ("customer_id",), ImportKind.EVENTS: ("event_name", "customer_id")}
"""The fields without which no row can be taken."""

# What other systems call a field, in the form of `_plain`.
_ALSO: Final = {
    ImportKind.CUSTOMERS: {
        "customer_id": (
            "id",
            "customer",
            "external_id",
            "external_customer_id",
            "account_id",
            "client_id",
            "customerid",
        ),
        "customer_name": (
            "name",
            "company",
            "company_name",
            "account_name",
            "full_name",
            "organization",
            "customername",
        ),
        "email": ("e_mail", "mail", "email_address", "billing_email", "customer_email"),
        "currency": ("default_currency", "default_currency_code", "currency_code"),
        "timezone": ("time_zone", "tz"),
        "tax_id": ("vat", "vat_id", "vat_number", "tax_number", "tax_identifier", "ein", "gstin", "ust_id"),
        "tax_rate": ("tax_percent", "vat_rate", "tax"),
        "payment_provider_id": ("provider_id", "payment_id"),
        "address.line1": ("address", "street", "address1", "address_1", "address_line_1", "address_line1", "line1"),
        "address.line2": ("address2", "address_2", "address_line_2", "address_line2", "line2"),
        "address.city": ("city", "town", "address_city"),
        "address.state": ("state", "province", "region", "county", "address_state"),
        "address.postal_code": ("postal_code", "zip", "zip_code", "zipcode", "postcode", "plz", "address_zip"),
        "address.country": ("country", "country_code", "address_country"),
    },
    ImportKind.EVENTS: {
        "event_name": ("event", "name", "event_type", "type", "code", "metric"),
        "customer_id": (
            "customer",
            "subject",
            "account_id",
            "external_customer_id",
            "client_id",
            "user_id",
            "tenant_id",
        ),
        "time_created": (
            "time",
            "timestamp",
            "happened_at",
            "created_at",
            "occurred_at",
            "event_time",
            "date",
            "datetime",
        ),
        "idempotency_id": ("id", "event_id", "idempotency_key", "transaction_id", "uuid", "message_id"),
    },
}


def guessed_columns(kind: ImportKind, header: Sequence[str]) -> tuple[Column, ...]:
    """Return where the columns of a header most likely go, each field taken by one column only.

    A name that is a field's own wins over one that merely sounds like it. Of the rest, columns of events become
    properties of their names; those of customers go nowhere, unless they are named `properties.NAME`.
    """
    plain = [_plain(name) for name in header]
    taken: dict[int, str] = {}
    for names in ({field: (_plain(field),) for field in FIELDS[kind]}, _ALSO[kind]):
        for field in FIELDS[kind]:
            wanted = () if field in taken.values() else names.get(field, ())
            found = next((plain.index(name) for name in wanted if name in plain), None)
            if found is not None:
                taken.setdefault(found, field)
    return tuple(Column(name, taken.get(at) or _rest(kind, name)) for at, name in enumerate(header))


def _rest(kind: ImportKind, name: str) -> str | None:
    if name in {ROW_COLUMN, PROBLEMS_COLUMN}:
        return None
    if name.startswith(PROPERTIES) and len(name) > len(PROPERTIES):
        return name
    return f"{PROPERTIES}{name}" if kind is ImportKind.EVENTS else None


def _plain(name: str) -> str:
    """Return a name of a column in lower case, with an underscore for whatever is no letter and no digit."""
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def check_columns(kind: ImportKind, columns: Iterable[Column], problems: Problems) -> None:
    """Add a problem for each field that is none, that two columns go to, and that is needed and comes from nowhere."""
    fields = [column.field for column in columns if column.field is not None]
    known = FIELDS[kind]
    for field in dict.fromkeys(fields):
        if field not in known and not (field.startswith(PROPERTIES) and len(field) > len(PROPERTIES)):
            problems.add(field, "invalid_choice", f"{field!r} is no field of {kind.value}.")
        elif fields.count(field) > 1:
            problems.add(field, "duplicate_column", f"Two columns go to {field}; one field takes one column.")
    for field in REQUIRED[kind]:
        if field not in fields:
            problems.add(field, "required", f"No column goes to {field}, which every row needs.")
