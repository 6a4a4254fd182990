"""Features, plans and their versions, pricing units."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, and_, bindparam, select

from lotus_server.adapters.records_sql.changes import Notes
from lotus_server.adapters.records_sql.rows import Insert, Replace, Unique, Values, next_number, of_tenant, portions
from lotus_server.adapters.records_sql.tables import FEATURES, PLAN_VERSIONS, PLANS, PRICING_UNITS
from lotus_server.domain.catalog import Feature, FeatureValue, Plan, PlanVersion, PricingUnit, VersionStatus
from lotus_server.ports.listing import SoldAs

_FEATURE_NAME: Final = Unique(
    ("organization_id", "feature_name"),
    "feature_name_exists",
    "A feature with this name exists already.",
    among={"archived": False},
)
_INSERT_FEATURE: Final = Insert(
    FEATURES,
    [
        Unique(("organization_id", "feature_id"), "feature_exists", "A feature with this id exists already."),
        _FEATURE_NAME,
    ],
    {"made_number": next_number(FEATURES)},
)
_REPLACE_FEATURE: Final = Replace(FEATURES, Feature.__struct_fields__, "feature", _FEATURE_NAME)
_FEATURES: Final = select(*(FEATURES.c[name] for name in Feature.__struct_fields__)).where(of_tenant(FEATURES))
_FEATURE: Final = _FEATURES.where(FEATURES.c.feature_id == bindparam("feature_id"))
_ALL_FEATURES: Final = _FEATURES.order_by(FEATURES.c.made_number, FEATURES.c.feature_id)

_INSERT_PLAN: Final = Insert(
    PLANS,
    [Unique(("organization_id", "plan_id"), "plan_exists", "A plan or add-on with this id exists already.")],
    {"made_number": next_number(PLANS)},
)
_REPLACE_PLAN: Final = Replace(PLANS, Plan.__struct_fields__, "plan")
_PLANS: Final = select(*(PLANS.c[name] for name in Plan.__struct_fields__)).where(of_tenant(PLANS))
_PLAN: Final = _PLANS.where(PLANS.c.plan_id == bindparam("plan_id"))
_ALL_PLANS: Final = _PLANS.order_by(PLANS.c.made_number, PLANS.c.plan_id)

_INSERT_VERSION: Final = Insert(
    PLAN_VERSIONS,
    [
        Unique(("organization_id", "version_id"), "plan_version_exists", "A version with this id exists already."),
        Unique(
            ("organization_id", "plan_id", "version"),
            "plan_version_exists",
            "The plan has a version with this number already.",
        ),
    ],
)
# Terms never change, so nothing can be replaced but whether and to whom a version is sold.
_SALE_COLUMNS: Final = (
    "status",
    "active_from",
    "active_to",
    "localized_name",
    "target_customer_ids",
    "replace_with",
    "transition_to",
)
_REPLACE_SALE: Final = Replace(PLAN_VERSIONS, _SALE_COLUMNS, "plan version")
_VERSIONS: Final = select(*(PLAN_VERSIONS.c[name] for name in PlanVersion.__struct_fields__)).where(
    of_tenant(PLAN_VERSIONS)
)
_VERSION: Final = _VERSIONS.where(PLAN_VERSIONS.c.version_id == bindparam("version_id"))
_ALL_VERSIONS: Final = _VERSIONS.order_by(PLAN_VERSIONS.c.plan_id, PLAN_VERSIONS.c.version)
_VERSIONS_OF_PLAN: Final = _ALL_VERSIONS.where(PLAN_VERSIONS.c.plan_id == bindparam("plan_id"))

_SOLD_AS: Final = (
    select(PLANS.c.plan_id, PLANS.c.plan_name, PLAN_VERSIONS.c.version_id, PLAN_VERSIONS.c.version)
    .join(
        PLANS,
        and_(PLANS.c.organization_id == PLAN_VERSIONS.c.organization_id, PLANS.c.plan_id == PLAN_VERSIONS.c.plan_id),
    )
    .where(of_tenant(PLAN_VERSIONS), PLAN_VERSIONS.c.version_id.in_(bindparam("version_ids", expanding=True)))
)

_INSERT_UNIT: Final = Insert(
    PRICING_UNITS,
    [Unique(("organization_id", "code"), "pricing_unit_exists", "A pricing unit with this code exists already.")],
    {"made_number": next_number(PRICING_UNITS)},
)
_UNITS: Final = select(*(PRICING_UNITS.c[name] for name in PricingUnit.__struct_fields__)).where(
    of_tenant(PRICING_UNITS)
)
_UNIT: Final = _UNITS.where(PRICING_UNITS.c.code == bindparam("code"))
_ALL_UNITS: Final = _UNITS.order_by(PRICING_UNITS.c.made_number, PRICING_UNITS.c.code)


def feature_to_row(value: Feature) -> Values:
    """Return a feature's columns."""
    return msgspec.structs.asdict(value)


def feature_from_row(row: Sequence[Any]) -> Feature:
    """Return the feature of a row whose columns are in the order of the fields."""
    return Feature(*row)


def plan_to_row(value: Plan) -> Values:
    """Return a plan's columns."""
    return msgspec.structs.asdict(value)


def plan_from_row(row: Sequence[Any]) -> Plan:
    """Return the plan of a row whose columns are in the order of the fields."""
    return Plan(*row)


def plan_version_to_row(value: PlanVersion) -> Values:
    """Return a plan version's columns."""
    # Servers of the release before know of no times, only whether a version is on sale.
    status = VersionStatus.ACTIVE if value.active_to is None else VersionStatus.INACTIVE
    return {**msgspec.structs.asdict(value), "status": status}


def plan_version_from_row(row: Sequence[Any]) -> PlanVersion:
    """Return the plan version of a row whose columns are in the order of the fields."""
    columns = dict(zip(PlanVersion.__struct_fields__, row, strict=True))
    stored_values = columns.pop("feature_values")
    return PlanVersion(feature_values={key: _value(stored) for key, stored in stored_values.items()}, **columns)


def _value(stored: Any) -> FeatureValue:  # noqa: ANN401 - a JSON scalar
    """Return a feature's value: in JSON, numbers are told from texts by their form, and every number is a Decimal."""
    return Decimal(stored) if isinstance(stored, int) and not isinstance(stored, bool) else stored


def pricing_unit_to_row(value: PricingUnit) -> Values:
    """Return a pricing unit's columns."""
    return msgspec.structs.asdict(value)


def pricing_unit_from_row(row: Sequence[Any]) -> PricingUnit:
    """Return the pricing unit of a row whose columns are in the order of the fields."""
    return PricingUnit(*row)


class SqlFeatures:
    """The features."""

    def __init__(self, connection: Connection, notes: Notes) -> None:
        """Work within one transaction."""
        self._connection = connection
        self._notes = notes

    def add(self, feature: Feature) -> None:
        _INSERT_FEATURE(self._connection, feature_to_row(feature))
        self._notes.add(feature.organization_id)

    def get(self, organization_id: str, feature_id: str) -> Feature | None:
        keys = {"organization_id": organization_id, "feature_id": feature_id}
        row = self._connection.execute(_FEATURE, keys).first()
        return None if row is None else feature_from_row(row)

    def all(self, organization_id: str) -> list[Feature]:
        rows = self._connection.execute(_ALL_FEATURES, {"organization_id": organization_id})
        return [feature_from_row(row) for row in rows]

    def replace(self, feature: Feature) -> None:
        """Keep new values of an existing feature. Raises Conflict `feature_name_exists` as `add` does."""
        _REPLACE_FEATURE(self._connection, feature_to_row(feature))
        self._notes.add(feature.organization_id)


class SqlPlans:
    """The plans and their versions."""

    def __init__(self, connection: Connection, notes: Notes) -> None:
        """Work within one transaction."""
        self._connection = connection
        self._notes = notes

    def add(self, plan: Plan) -> None:
        _INSERT_PLAN(self._connection, plan_to_row(plan))
        self._notes.add(plan.organization_id)

    def get(self, organization_id: str, plan_id: str) -> Plan | None:
        row = self._connection.execute(_PLAN, {"organization_id": organization_id, "plan_id": plan_id}).first()
        return None if row is None else plan_from_row(row)

    def all(self, organization_id: str) -> list[Plan]:
        rows = self._connection.execute(_ALL_PLANS, {"organization_id": organization_id})
        return [plan_from_row(row) for row in rows]

    def replace(self, plan: Plan) -> None:
        _REPLACE_PLAN(self._connection, plan_to_row(plan))
        self._notes.add(plan.organization_id)

    def add_version(self, version: PlanVersion) -> None:
        _INSERT_VERSION(self._connection, plan_version_to_row(version))
        self._notes.add(version.organization_id)

    def version(self, organization_id: str, version_id: str) -> PlanVersion | None:
        keys = {"organization_id": organization_id, "version_id": version_id}
        row = self._connection.execute(_VERSION, keys).first()
        return None if row is None else plan_version_from_row(row)

    def sold_as(self, organization_id: str, version_ids: Sequence[str]) -> dict[str, SoldAs]:
        found: dict[str, SoldAs] = {}
        for some in portions(version_ids):
            keys = {"organization_id": organization_id, "version_ids": some}
            found.update({row[2]: SoldAs(*row) for row in self._connection.execute(_SOLD_AS, keys)})
        return found

    def versions(self, organization_id: str, plan_id: str | None = None) -> list[PlanVersion]:
        if plan_id is None:
            rows = self._connection.execute(_ALL_VERSIONS, {"organization_id": organization_id})
        else:
            keys = {"organization_id": organization_id, "plan_id": plan_id}
            rows = self._connection.execute(_VERSIONS_OF_PLAN, keys)
        return [plan_version_from_row(row) for row in rows]

    def replace_version(self, version: PlanVersion) -> None:
        """Keep when and to whom an existing version is sold, and what replaces it."""
        _REPLACE_SALE(self._connection, plan_version_to_row(version))
        self._notes.add(version.organization_id)


class SqlPricingUnits:
    """The pricing units."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def add(self, unit: PricingUnit) -> None:
        _INSERT_UNIT(self._connection, pricing_unit_to_row(unit))

    def get(self, organization_id: str, code: str) -> PricingUnit | None:
        row = self._connection.execute(_UNIT, {"organization_id": organization_id, "code": code}).first()
        return None if row is None else pricing_unit_from_row(row)

    def all(self, organization_id: str) -> list[PricingUnit]:
        rows = self._connection.execute(_ALL_UNITS, {"organization_id": organization_id})
        return [pricing_unit_from_row(row) for row in rows]
