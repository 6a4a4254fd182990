"""Commitments: the least that a billing period comes to, and what is used beyond it."""

from decimal import Decimal

from lotus_server.domain.invoicing.charge_lines import invoiced_changes
from lotus_server.domain.invoicing.draft import advance_lines
from lotus_server.domain.invoicing.invoice import BillingType, InvoiceLine, LineKind
from lotus_server.domain.invoicing.lines import line_of
from lotus_server.domain.invoicing.parts import divided
from lotus_server.domain.invoicing.terms import Terms
from lotus_server.domain.rating import Rated, Step, share_of, share_text
from lotus_server.domain.subscriptions import charged_parts
from lotus_server.kernel.currencies import currency
from lotus_server.kernel.money import round_to_minor_unit, total
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ONE, ZERO, multiply, plain, subtract

TRUE_UP_NAME = "Minimum commitment"
OVERAGE_NAME = "Beyond the commitment"


def commitment_lines(
    terms: Terms, lines: tuple[InvoiceLine, ...], *, opened: Period, held: Period
) -> tuple[InvoiceLine, ...]:
    """Return the line that a version's commitment adds to the lines for `held`, or nothing.

    Below the commitment it is the difference, beyond it the part of the overage factor above 1. `lines` are those for
    usage and charges of `held`, which is the period `opened`, or its part up to the present, a cancellation, or a
    switch; what is due in advance was invoiced for all of `opened`. A part of a whole period is committed to in the
    version's unit, rounded to the minor unit, as its charges are.
    """
    if terms.version.commitment is None or terms.subscription.is_trial_at(held.start):
        return ()
    return commitment_beyond(terms, reached_by(terms, lines, opened=opened), held=held)


def reached_by(terms: Terms, lines: tuple[InvoiceLine, ...], *, opened: Period) -> Decimal:
    """Return how much of a version's commitment lines reach, and what was invoiced for `opened` before them."""
    commitment = terms.version.commitment
    assert commitment is not None, "only a version that has a commitment is asked"
    before = (*advance_lines(terms, opened), *invoiced_changes(terms, opened))
    return total(
        line.amount
        for line in (*before, *lines)
        if line.kind is not LineKind.RECURRING or commitment.includes_recurring_charges
    )


def commitment_beyond(terms: Terms, reached: Decimal, *, held: Period) -> tuple[InvoiceLine, ...]:
    """Return the line that a version's commitment adds where a period has reached so much of it, or nothing."""
    commitment = terms.version.commitment
    if commitment is None or not held.microseconds:
        return ()
    committed, text = _committed(terms, held)
    if reached < committed:
        missing = subtract(committed, reached)
        steps = (
            Step(text, amount=committed),
            Step("less what the period came to", amount=subtract(ZERO, reached)),
        )
        return (_line(terms, Rated(missing, steps), TRUE_UP_NAME, held),)
    factor = subtract(commitment.overage_factor, ONE)
    excess = subtract(reached, committed)
    if not factor or not excess:
        return ()
    beyond = f"{plain(excess)} beyond {plain(committed)}, at {plain(commitment.overage_factor)} times its price"
    amount = multiply(excess, factor)
    return (_line(terms, Rated(amount, (Step(beyond, excess, factor, amount),)), OVERAGE_NAME, held),)


def _committed(terms: Terms, held: Period) -> tuple[Decimal, str]:
    """Return what the held part of a whole period is committed to, rounded, and how that comes about."""
    commitment = terms.version.commitment
    assert commitment is not None, "it was looked at before"
    found = charged_parts(terms.subscription, held)
    parts, whole = divided(terms, [part for part, _ in found])
    charged = [part for part, (_, is_charged) in zip(parts, found, strict=True) if is_charged]
    text = f"a commitment of {plain(commitment.amount)}"
    if charged != [whole]:
        shares = " + ".join(share_text(part=part, whole=whole) for part in charged) or "0"
        text = f"{text} x {shares}" if len(charged) < 2 else f"{text} x ({shares})"
    exact = total(share_of(commitment.amount, part=part, whole=whole) for part in charged)
    return round_to_minor_unit(exact, currency(terms.version.currency)), text


def _line(terms: Terms, rated: Rated, name: str, held: Period) -> InvoiceLine:
    return line_of(
        terms,
        rated,
        name=name,
        kind=LineKind.COMMITMENT,
        billing_type=BillingType.IN_ARREARS,
        period=held,
        quantity=ONE,
        charge_id=LineKind.COMMITMENT.value,
    )
