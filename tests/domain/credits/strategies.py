"""Generated grants and amounts."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from lotus_server.domain.credits import CreditGrant, HeldCredit

START = datetime(2026, 1, 1, tzinfo=UTC)

# Few days and priorities, so that grants that tie and instants that are borders are common.
days = st.integers(0, 8)
instants = days.map(lambda day: START + timedelta(days=day))
cents = st.integers(0, 10_000).map(lambda minor: Decimal(minor).scaleb(-2))


@st.composite
def grants(draw: st.DrawFn, credit_id: str) -> CreditGrant:
    """A grant that may begin, end and be voided at any time."""
    effective_at = draw(instants)
    lasts = draw(st.none() | st.integers(1, 8))
    return CreditGrant(
        organization_id="org",
        credit_id=credit_id,
        customer_id="acme",
        currency="USD",
        amount=draw(cents),
        granted_at=draw(instants),
        effective_at=effective_at,
        expires_at=None if lasts is None else effective_at + timedelta(days=lasts),
        priority=draw(st.integers(1, 3)),
        voided_at=draw(st.none() | st.none() | st.just(START)),
    )


@st.composite
def held_credits(draw: st.DrawFn) -> tuple[HeldCredit, ...]:
    """Up to six grants, each with some or all of its amount left."""
    found = []
    for number in range(draw(st.integers(0, 6))):
        grant = draw(grants(f"g{number}"))
        found.append(HeldCredit(grant, min(grant.amount, draw(cents))))
    return tuple(found)
