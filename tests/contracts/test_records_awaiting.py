"""Subscriptions whose invoice waits."""

import msgspec

from lotus_server.domain.subscriptions import Subscription
from lotus_server.kernel.period import Period
from lotus_server.ports.records import Page, Records
from tests import records_values as values


def held(name: str, day: int, **more: object) -> Subscription:
    """A subscription whose open period ends so many days from now."""
    period = Period(values.NOW - values.days(60), values.NOW + values.days(day))
    return values.subscription(name, open_period=period, due_at=values.NOW + values.days(9), **more)


def test_who_awaits_an_invoice_is_listed_by_the_end_of_the_period(records: Records) -> None:
    with records.transaction() as tx:
        values.fill(tx)
        tx.subscriptions.replace(held("sub", -1))
        for each in (held("a", 0), held("b", -1), held("open", 1), held("parked", -2, parked_cause="why")):
            tx.subscriptions.add(each)
        tx.subscriptions.add(msgspec.structs.replace(held("over", -2), due_at=None))

    with records.snapshot() as snapshot:
        subscriptions = snapshot.subscriptions
        found = subscriptions.awaiting("org", values.NOW, Page())
        assert ["b", "sub", "a"] == [each.subscription_id for each in found]
        assert found[1:2] == subscriptions.awaiting("org", values.NOW, Page(1, "b"))
        assert [] == subscriptions.awaiting("org", values.NOW, Page(1, "nobody"))
        assert [3, 0] == [subscriptions.count_awaiting(each, values.NOW) for each in ("org", "other")]
