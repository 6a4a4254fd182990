"""Invoicing corrections at once, for customers who get no other invoice that would carry them."""

from lotus_server.domain.accounts import Organization
from lotus_server.usecases.catalog_reading import tax_terms
from lotus_server.usecases.corrections import Corrections, corrections_of, of_finished_periods, with_terms
from lotus_server.usecases.customers import require_customer
from lotus_server.usecases.invoices import InvoiceView, view_of
from lotus_server.usecases.issuing import Heading, issue_under
from lotus_server.usecases.services import Services, present


def invoice_corrections(services: Services, organization: Organization, customer_id: str) -> list[InvoiceView]:
    """Issue an invoice of everything that is open for a customer, one in each currency; none when nothing is open.

    It is of no subscription. Raises NotFound `customer_not_found`.
    """
    with services.records.transaction() as tx:
        customer = require_customer(tx, organization, customer_id, for_update=True)
        discounts = tx.discounts.of_customer(organization.organization_id, customer_id, for_update=True)
        found = corrections_of(
            services,
            with_terms(tx, of_finished_periods(tx, organization.organization_id, customer_id, for_update=True), []),
        ).found
        now = present(services, organization)
        views = []
        for code in sorted({each.billed.currency for each in found if each.lines}):
            corrections = Corrections(tuple(each for each in found if each.billed.currency == code))
            heading = Heading(
                organization.organization_id,
                customer_id,
                None,
                code,
                tax_terms(organization, customer),
                tuple(each for each in discounts if each.applies_at(now, code)),
                organization.invoice_settings.payment_term_days,
            )
            cause = f"corrections:{services.ids.new('corrections')}"
            invoice = issue_under(services, tx, heading, corrections.lines, cause=cause, now=now)
            for each in corrections.found:
                tx.billed_periods.replace(each.billed)
            views.append(view_of(tx, organization, invoice))
        return views
