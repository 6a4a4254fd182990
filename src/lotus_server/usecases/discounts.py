"""Coupons and discounts: made, given to customers, ended."""

from datetime import datetime

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.invoicing import Coupon, Discount, DiscountTerms
from lotus_server.kernel.errors import Conflict, FieldProblem, Invalid, NotFound, Problems
from lotus_server.kernel.identifiers import identifier_problem
from lotus_server.ports.records import Page, Transaction
from lotus_server.usecases.customers import require_customer
from lotus_server.usecases.services import Services, present


class CouponDraft(msgspec.Struct, frozen=True):
    """A coupon to be made. Without an id it gets one. `problems` are those found when the input was read."""

    terms: DiscountTerms
    coupon_id: str | None = None
    invoices_max: int | None = None
    redeem_until: datetime | None = None
    redemptions_max: int | None = None
    problems: tuple[FieldProblem, ...] = ()


class DiscountDraft(msgspec.Struct, frozen=True):
    """A discount to be given to a customer: that of a coupon, or terms of its own; exactly one of the two.

    Without `starts_at` it applies from now on.
    """

    coupon_id: str | None = None
    terms: DiscountTerms | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    invoices_max: int | None = None
    problems: tuple[FieldProblem, ...] = ()


class CouponView(msgspec.Struct, frozen=True):
    """A coupon, and by how many customers it was redeemed, as of `now`."""

    coupon: Coupon
    redeemed: int
    now: datetime

    @property
    def is_redeemable(self) -> bool:
        """Tell whether customers that do not have it yet can be given it."""
        coupon = self.coupon
        return not (
            coupon.archived
            or (coupon.redeem_until is not None and self.now >= coupon.redeem_until)
            or (coupon.redemptions_max is not None and self.redeemed >= coupon.redemptions_max)
        )


def create_coupon(services: Services, organization: Organization, draft: CouponDraft) -> Coupon:
    """Make a coupon. Raises Invalid with every problem, Conflict `coupon_exists`."""
    problems = Problems()
    problems.extend(draft.problems)
    draft.terms.add_problems(problems)
    coupon_id = draft.coupon_id if draft.coupon_id is not None else services.ids.new("coupon")
    if wrong := identifier_problem(coupon_id):
        problems.add("coupon_id", "invalid", f"coupon_id {wrong}.")
    for field, count in (("invoices_max", draft.invoices_max), ("redemptions_max", draft.redemptions_max)):
        if count is not None and count <= 0:
            problems.add(field, "not_positive", f"{field} must be at least 1.")
    problems.raise_if_any()
    coupon = Coupon(
        organization_id=organization.organization_id,
        coupon_id=coupon_id,
        terms=draft.terms,
        created_at=present(services, organization),
        invoices_max=draft.invoices_max,
        redeem_until=draft.redeem_until,
        redemptions_max=draft.redemptions_max,
    )
    with services.records.transaction() as tx:
        tx.coupons.add(coupon)
    return coupon


def list_coupons(services: Services, organization: Organization) -> list[Coupon]:
    """Return all coupons, archived ones too, oldest first."""
    with services.records.snapshot() as tx:
        return tx.coupons.all(organization.organization_id)


def view_coupons(services: Services, organization: Organization, page: Page) -> list[CouponView]:
    """Return coupons with how often each was redeemed, newest first; `page.after` is a coupon id."""
    organization_id, now = organization.organization_id, present(services, organization)
    with services.records.snapshot() as tx:
        found = tx.coupons.all(organization_id)[::-1]
        start = next((place + 1 for place, each in enumerate(found) if each.coupon_id == page.after), 0)
        shown = found[start:] if page.limit is None else found[start : start + page.limit]
        return [CouponView(each, tx.discounts.count_of_coupon(organization_id, each.coupon_id), now) for each in shown]


def get_coupon(services: Services, organization: Organization, coupon_id: str) -> CouponView:
    """Return one coupon. Raises NotFound `coupon_not_found`."""
    organization_id, now = organization.organization_id, present(services, organization)
    with services.records.snapshot() as tx:
        coupon = tx.coupons.get(organization_id, coupon_id)
        if coupon is None:
            raise NotFound(f"There is no coupon {coupon_id!r}.", code="coupon_not_found")
        return CouponView(coupon, tx.discounts.count_of_coupon(organization_id, coupon_id), now)


def archive_coupon(services: Services, organization: Organization, coupon_id: str) -> Coupon:
    """Nobody can redeem the coupon any more; discounts that came from it go on. Raises NotFound `coupon_not_found`."""
    with services.records.transaction() as tx:
        archived = msgspec.structs.replace(_require_coupon(tx, organization, coupon_id), archived=True)
        tx.coupons.replace(archived)
        return archived


def give_discount(services: Services, organization: Organization, customer_id: str, draft: DiscountDraft) -> Discount:
    """Give a customer a discount on invoices issued from now on, or from its own start.

    Raises Invalid with every problem, NotFound `customer_not_found` or `coupon_not_found`, Conflict
    `coupon_not_redeemable` for a coupon that is archived, over, used up, or that the customer has already.
    """
    _check(draft)
    now = present(services, organization)
    with services.records.transaction() as tx:
        require_customer(tx, organization, customer_id, for_update=True)
        return give_within(services, tx, organization, customer_id, draft, now=now)


def _check(draft: DiscountDraft) -> None:
    problems = Problems()
    problems.extend(draft.problems)
    if (draft.coupon_id is None) == (draft.terms is None):
        problems.add("coupon_id", "exactly_one", "Give either a coupon_id, or name, type and amount.")
    if draft.terms is not None:
        draft.terms.add_problems(problems)
    if draft.invoices_max is not None and draft.invoices_max <= 0:
        problems.add("invoices_max", "not_positive", "invoices_max must be at least 1.")
    problems.raise_if_any()


def give_within(
    services: Services,
    tx: Transaction,
    organization: Organization,
    customer_id: str,
    draft: DiscountDraft,
    *,
    now: datetime,
) -> Discount:
    """Give a customer, who is kept from everybody else, a discount in the given transaction.

    Raises as `give_discount` for what is wrong with the coupon or the end.
    """
    terms, invoices_max = draft.terms, draft.invoices_max
    if draft.coupon_id is not None:
        coupon = _redeemable(tx, organization, draft.coupon_id, customer_id, now)
        terms, invoices_max = coupon.terms, coupon.invoices_max
    assert terms is not None, "exactly one of the two was given"
    starts_at = draft.starts_at or now
    if draft.ends_at is not None and draft.ends_at <= starts_at:
        raise Invalid.field("ends_at", "end_before_start", "ends_at must lie after starts_at.")
    discount = Discount(
        organization_id=organization.organization_id,
        discount_id=services.ids.new("discount"),
        customer_id=customer_id,
        terms=terms,
        starts_at=starts_at,
        ends_at=draft.ends_at,
        invoices_left=invoices_max,
        coupon_id=draft.coupon_id,
    )
    tx.discounts.add(discount)
    return discount


def list_discounts(services: Services, organization: Organization, customer_id: str) -> list[Discount]:
    """Return a customer's discounts, also those that are over. Raises NotFound `customer_not_found`."""
    with services.records.snapshot() as tx:
        require_customer(tx, organization, customer_id)
        return tx.discounts.of_customer(organization.organization_id, customer_id)


def end_discount(services: Services, organization: Organization, customer_id: str, discount_id: str) -> Discount:
    """The discount applies to no invoice from now on. Once more changes nothing.

    Raises NotFound `discount_not_found`.
    """
    now = present(services, organization)
    with services.records.transaction() as tx:
        held = tx.discounts.of_customer(organization.organization_id, customer_id, for_update=True)
        found = next((each for each in held if each.discount_id == discount_id), None)
        if found is None:
            raise NotFound(f"The customer has no discount {discount_id!r}.", code="discount_not_found")
        if found.ends_at is None or found.ends_at > now:
            found = msgspec.structs.replace(found, ends_at=now)
            tx.discounts.replace(found)
        return found


def _require_coupon(tx: Transaction, organization: Organization, coupon_id: str) -> Coupon:
    coupon = tx.coupons.get(organization.organization_id, coupon_id, for_update=True)
    if coupon is None:
        raise NotFound(f"There is no coupon {coupon_id!r}.", code="coupon_not_found")
    return coupon


def _redeemable(tx: Transaction, organization: Organization, coupon_id: str, customer_id: str, now: datetime) -> Coupon:
    coupon = _require_coupon(tx, organization, coupon_id)
    held = tx.discounts.of_customer(organization.organization_id, customer_id)
    redeemed = tx.discounts.count_of_coupon(organization.organization_id, coupon_id)
    reasons = (
        ("is archived", coupon.archived),
        ("could be redeemed only until then", coupon.redeem_until is not None and now >= coupon.redeem_until),
        ("is used up", coupon.redemptions_max is not None and redeemed >= coupon.redemptions_max),
        ("was redeemed by this customer", any(each.coupon_id == coupon_id for each in held)),
    )
    for reason, holds in reasons:
        if holds:
            raise Conflict(f"The coupon {coupon_id!r} {reason}.", code="coupon_not_redeemable")
    return coupon
