"""`lotus explain`: why an invoice, or what is owed so far, is that much."""

from typing import Annotated

import typer

from lotus_server.cli.chosen import Data, OrganizationId, chosen_organization
from lotus_server.cli.terminal import console


def explain(
    invoice: Annotated[str | None, typer.Argument(help="An invoice's id.")] = None,
    customer: Annotated[str | None, typer.Option(help="A customer's id: explain what it owes so far.")] = None,
    data: Data = None,
    organization: OrganizationId = None,
) -> None:
    """Say why an invoice is that much: what was counted, each step of the calculation, and the rounding."""
    from lotus_server.kernel.errors import Invalid
    from lotus_server.usecases.drafts import draft_invoices
    from lotus_server.usecases.invoices import get_invoice
    from lotus_server.wire.explain import draft_text, invoice_text

    with chosen_organization(data, organization) as (services, chosen):
        if (invoice is None) == (customer is None):
            raise Invalid.field("invoice", "exactly_one", "Give an invoice's id, or --customer.")
        if invoice is not None:
            texts = [invoice_text(get_invoice(services, chosen, invoice))]
        else:
            assert customer is not None, "one of the two is given"
            known, drafts = draft_invoices(services, chosen, customer)
            texts = [draft_text(draft, known) for draft in drafts]
    for text in texts:
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    if not texts:
        console.print("The customer has no active subscription.", highlight=False)
