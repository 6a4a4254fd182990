"""Coupons, and the discounts that customers have."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, select

from lotus_server.adapters.records_sql.discount_tables import COUPONS, DISCOUNTS
from lotus_server.adapters.records_sql.rows import Insert, Replace, Unique, Values, can_lock, of_tenant, portions
from lotus_server.domain.invoicing import Coupon, Discount

_INSERT_COUPON: Final = Insert(
    COUPONS,
    [Unique(("organization_id", "coupon_id"), "coupon_exists", "A coupon with this id exists already.")],
)
_REPLACE_COUPON: Final = Replace(COUPONS, Coupon.__struct_fields__, "coupon")
_COUPONS: Final = select(*(COUPONS.c[name] for name in Coupon.__struct_fields__)).where(of_tenant(COUPONS))
_COUPON: Final = _COUPONS.where(COUPONS.c.coupon_id == bindparam("coupon_id"))
_COUPON_FOR_UPDATE: Final = _COUPON.with_for_update()
_ALL_COUPONS: Final = _COUPONS.order_by(COUPONS.c.created_at, COUPONS.c.coupon_id)
_INSERT_DISCOUNT: Final = Insert(
    DISCOUNTS,
    [Unique(("organization_id", "discount_id"), "discount_exists", "A discount with this id exists already.")],
)
_REPLACE_DISCOUNT: Final = Replace(DISCOUNTS, ("ends_at", "invoices_left"), "discount")
_OF_CUSTOMER: Final = (
    select(*(DISCOUNTS.c[name] for name in Discount.__struct_fields__))
    .where(of_tenant(DISCOUNTS), DISCOUNTS.c.customer_id == bindparam("customer_id"))
    .order_by(DISCOUNTS.c.starts_at, DISCOUNTS.c.discount_id)
)
_OF_CUSTOMER_FOR_UPDATE: Final = _OF_CUSTOMER.with_for_update()
_OF_CUSTOMERS_FOR_UPDATE: Final = (
    select(*(DISCOUNTS.c[name] for name in Discount.__struct_fields__))
    .where(of_tenant(DISCOUNTS), DISCOUNTS.c.customer_id.in_(bindparam("customer_ids", expanding=True)))
    .order_by(DISCOUNTS.c.customer_id, DISCOUNTS.c.starts_at, DISCOUNTS.c.discount_id)
    .with_for_update()
)
_COUNT: Final = (
    select(func.count())
    .select_from(DISCOUNTS)
    .where(of_tenant(DISCOUNTS), DISCOUNTS.c.coupon_id == bindparam("coupon_id"))
)


def coupon_to_row(value: Coupon) -> Values:
    """Return a coupon's columns."""
    return {name: getattr(value, name) for name in Coupon.__struct_fields__}


def coupon_from_row(row: Sequence[Any]) -> Coupon:
    """Return the coupon of a row whose columns are in the order of the fields."""
    return Coupon(*row)


def discount_to_row(value: Discount) -> Values:
    """Return a discount's columns."""
    return {name: getattr(value, name) for name in Discount.__struct_fields__}


def discount_from_row(row: Sequence[Any]) -> Discount:
    """Return the discount of a row whose columns are in the order of the fields."""
    return Discount(*row)


class SqlCoupons:
    """The coupons."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def add(self, coupon: Coupon) -> None:
        _INSERT_COUPON(self._connection, coupon_to_row(coupon))

    def get(self, organization_id: str, coupon_id: str, *, for_update: bool = False) -> Coupon | None:
        keys = {"organization_id": organization_id, "coupon_id": coupon_id}
        row = self._connection.execute(_COUPON_FOR_UPDATE if for_update else _COUPON, keys).first()
        return None if row is None else coupon_from_row(row)

    def all(self, organization_id: str) -> list[Coupon]:
        rows = self._connection.execute(_ALL_COUPONS, {"organization_id": organization_id})
        return [coupon_from_row(row) for row in rows]

    def replace(self, coupon: Coupon) -> None:
        _REPLACE_COUPON(self._connection, coupon_to_row(coupon))


class SqlDiscounts:
    """The discounts that customers have."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def add(self, discount: Discount) -> None:
        _INSERT_DISCOUNT(self._connection, discount_to_row(discount))

    def of_customer(self, organization_id: str, customer_id: str, *, for_update: bool = False) -> list[Discount]:
        statement = _OF_CUSTOMER_FOR_UPDATE if for_update and can_lock(self._connection) else _OF_CUSTOMER
        rows = self._connection.execute(statement, {"organization_id": organization_id, "customer_id": customer_id})
        return [discount_from_row(row) for row in rows]

    def of_customers(self, organization_id: str, customer_ids: Sequence[str]) -> dict[str, list[Discount]]:
        """Return the discounts of several customers as `of_customer` with `for_update` does; no key without any."""
        found: dict[str, list[Discount]] = {}
        for some in portions(customer_ids):
            keys = {"organization_id": organization_id, "customer_ids": some}
            for row in self._connection.execute(_OF_CUSTOMERS_FOR_UPDATE, keys):
                discount = discount_from_row(row)
                found.setdefault(discount.customer_id, []).append(discount)
        return found

    def count_of_coupon(self, organization_id: str, coupon_id: str) -> int:
        keys = {"organization_id": organization_id, "coupon_id": coupon_id}
        return int(self._connection.execute(_COUNT, keys).scalar_one())

    def replace(self, discount: Discount) -> None:
        _REPLACE_DISCOUNT(self._connection, discount_to_row(discount))
