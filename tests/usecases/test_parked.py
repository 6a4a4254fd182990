"""A parked subscription is tried again when somebody asks for it."""

from decimal import Decimal

import msgspec

from lotus_server.usecases.billing_on_request import retry_billing
from tests.business import Business, at, charge

SUB = "sub_acme_pro"


def _park(business: Business) -> None:
    with business.services.records.transaction() as tx:
        subscription = tx.subscriptions.get(business.organization_id, SUB)
        assert subscription is not None
        parked = msgspec.structs.replace(subscription, parked_cause="broken", due_at=at("2026-03-01"))
        tx.subscriptions.replace(parked)


def test_a_retry_bills_what_was_parked(business: Business) -> None:
    business.plan("pro", charge("31"))
    business.subscribe()
    _park(business)
    business.move("2026-02-05")

    view = retry_billing(business.services, business.organization, SUB)

    assert view.subscription.parked_cause is None
    assert business.amounts() == [("2026-01-01", Decimal(31)), ("2026-02-01", Decimal(31))]


def test_a_retry_of_what_is_not_parked_changes_nothing(business: Business) -> None:
    business.plan("pro", charge("31"))
    before = business.subscribe()

    assert retry_billing(business.services, business.organization, SUB).subscription == before
