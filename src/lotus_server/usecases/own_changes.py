"""What people change about how they sign in, noted where they are members: it concerns everybody there."""

from lotus_server.domain.accounts import AuditEntry, Author, AuthorKind, Content, User
from lotus_server.kernel.instants import to_text
from lotus_server.ports.records import Transaction
from lotus_server.usecases.services import Services


def note_own_change(
    services: Services,
    tx: Transaction,
    user: User,
    action: str,
    *,
    before: Content,
    after: Content,
    author: Author | None = None,
) -> None:
    """The audit log of each of a person's organizations has an entry about the person, who is its author by default."""
    author = author or Author(AuthorKind.PERSON, user.user_id, user.email)
    tx.audit.add(
        [
            AuditEntry(
                organization.organization_id,
                services.ids.new("audit"),
                services.clock.now(),
                author,
                action,
                "person",
                user.user_id,
                before,
                after,
            )
            for organization, _ in tx.people.memberships.of_user(user.user_id)
        ]
    )


def note_new_password(services: Services, tx: Transaction, before: User, after: User, action: str) -> None:
    """That a person has another password is noted, and nothing of it."""
    times = [
        {"password_changed_at": None if each.password_changed_at is None else to_text(each.password_changed_at)}
        for each in (before, after)
    ]
    note_own_change(services, tx, after, action, before=times[0], after=times[1])
