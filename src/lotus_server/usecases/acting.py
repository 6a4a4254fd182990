"""The way in for people: somebody calls a verb in an organization, if the role there allows it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Concatenate, Final, ParamSpec, TypeVar

import msgspec

from lotus_server.domain.accounts import (
    Actor,
    AuditEntry,
    Author,
    AuthorKind,
    Organization,
    Permission,
    role_allows,
)
from lotus_server.kernel.errors import Forbidden
from lotus_server.usecases.auditing import audited
from lotus_server.usecases.permissions import NEEDED, Verb
from lotus_server.usecases.services import Services
from lotus_server.usecases.undoing import can_be_undone, entries_to_undo, undo

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
UNDO: Final = "undo"


def name_of(verb: Verb) -> str:
    """Return a verb's name, such as `create_customer`."""
    return verb.__name__


# What was done is undone by who may do it.
_NEEDED_BY_NAME: Final[Mapping[str, Permission]] = {name_of(verb): needed for verb, needed in NEEDED.items()}


class Acting(msgspec.Struct, frozen=True):
    """Somebody at work in one organization. `noted` is what the audit log has of it so far."""

    services: Services
    organization: Organization
    actor: Actor
    noted: list[AuditEntry] = []

    def do(
        self,
        verb: Callable[Concatenate[Services, Organization, Arguments], Answer],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Answer:
        """Return what `verb(services, organization, *args, **kwargs)` does, and note in the audit log what it changes.

        Raises Forbidden when the actor's role does not allow the verb, or nobody's does, and what the verb raises.
        """
        if not self.may(verb):
            raise Forbidden(f"The role {self.actor.role.value!r} may not do this.")
        return verb(self._audited(name_of(verb)), self.organization, *args, **kwargs)

    def may(self, verb: Verb) -> bool:
        """Tell whether the actor's role allows a verb."""
        needed = NEEDED.get(verb)
        return needed is not None and role_allows(self.actor.role, needed)

    def undoable(self) -> tuple[str, ...]:
        """Return the ids of what was noted so far, if all of it can be undone together; nothing otherwise."""
        if not can_be_undone(self.services, self.organization, self.actor, self.noted):
            return ()
        return tuple(each.entry_id for each in self.noted)

    def undo(self, entry_ids: Sequence[str]) -> None:
        """What the actor changed, by the ids in the audit log, is as it was before; the log has that, too.

        Raises NotFound, Forbidden for the action of somebody else or one that the role does not allow (any more),
        Conflict `cannot_be_undone` with the reason.
        """
        entries = entries_to_undo(self.services, self.organization, self.actor, entry_ids)
        for needed in (_NEEDED_BY_NAME.get(each.action) for each in entries):
            if needed is None or not role_allows(self.actor.role, needed):
                raise Forbidden(f"The role {self.actor.role.value!r} may not undo this.")
        undo(self._audited(UNDO), self.organization, self.actor, entries)

    def _audited(self, action: str) -> Services:
        author = Author(AuthorKind.PERSON, self.actor.user_id, self.actor.email)
        return audited(self.services, author, action, self.noted)
