"""Which version of a plan a customer gets when a subscription begins, or is switched."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.catalog import Plan, PlanVersion, VersionStatus, is_for, sold_versions, version_in
from lotus_server.kernel.errors import Invalid, NotFound
from lotus_server.ports.records import Transaction
from lotus_server.usecases.plans import require_plan


class Wish(msgspec.Struct, frozen=True):
    """A plan or one of its versions, exactly one of the two, and the names of the fields that said so."""

    plan_id: str | None
    version_id: str | None
    plan_field: str = "plan_id"
    version_field: str = "version_id"


def choose_version(
    tx: Transaction,
    organization: Organization,
    customer: Customer,
    wish: Wish,
    *,
    now: datetime,
    currencies: Sequence[str] = (),
) -> tuple[Plan, PlanVersion]:
    """Return the version that is wished for and sold to the customer at `now`, with its plan.

    Of a plan it is a custom version of the customer's before others, and the newest in the first of `currencies`
    (without any: the customer's, then the organization's) in which there is one, or else the only one. Raises NotFound
    `plan_not_found`, `plan_version_not_found`; Invalid `plan_archived`, `no_active_version`, `other_currency`,
    `version_not_on_sale`, `not_for_customer`.
    """
    organization_id = organization.organization_id
    if wish.version_id is not None:
        version = tx.plans.version(organization_id, wish.version_id)
        plan = None if version is None else tx.plans.get(organization_id, version.plan_id)
        if version is None or plan is None or plan.addon is not None:
            raise NotFound(f"There is no plan version {wish.version_id!r}.", code="plan_version_not_found")
        _refuse_archived(plan, wish.version_field)
        _refuse_what_is_not_sold(version, customer, wish.version_field, now)
        return plan, version
    assert wish.plan_id is not None, "validated before"
    plan = require_plan(tx, organization, wish.plan_id)
    _refuse_archived(plan, wish.plan_field)
    sold = sold_versions(tx.plans.versions(organization_id, plan.plan_id), customer.customer_id, now)
    if not sold:
        detail = f"Plan {plan.plan_id!r} has no version that is sold now."
        raise Invalid.field(wish.plan_field, "no_active_version", detail)
    version = version_in(sold, currencies or (customer.currency, organization.default_currency))
    if version is None:
        codes = ", ".join(sorted({each.currency for each in sold}))
        detail = f"Plan {plan.plan_id!r} is sold in {codes}, none of which is the customer's: name a version."
        raise Invalid.field(wish.plan_field, "other_currency", detail)
    return plan, version


def _refuse_archived(plan: Plan, field: str) -> None:
    if plan.archived:
        raise Invalid.field(field, "plan_archived", f"Plan {plan.plan_id!r} is archived and no longer sold.")


def _refuse_what_is_not_sold(version: PlanVersion, customer: Customer, field: str, now: datetime) -> None:
    if not is_for(version, customer.customer_id):
        detail = f"Version {version.version_id!r} is for other customers only."
        raise Invalid.field(field, "not_for_customer", detail)
    if version.status_at(now) is not VersionStatus.ACTIVE:
        detail = f"Version {version.version_id!r} is not on sale now."
        raise Invalid.field(field, "version_not_on_sale", detail)
