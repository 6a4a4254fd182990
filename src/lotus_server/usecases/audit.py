"""Reading the audit log."""

from lotus_server.domain.accounts import AuditEntry, Organization
from lotus_server.ports.audit_records import AuditQuestion
from lotus_server.ports.records import Page
from lotus_server.usecases.services import Services


def list_audit(services: Services, organization: Organization, page: Page, question: AuditQuestion) -> list[AuditEntry]:
    """Return who changed what, the newest first; `page.after` is an entry's id."""
    with services.records.snapshot() as tx:
        return tx.audit.page(organization.organization_id, page, question)
