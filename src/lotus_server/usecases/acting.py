"""The way in for people: somebody calls a verb in an organization, if the role there allows it."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import msgspec

from lotus_server.domain.accounts import Actor, Author, AuthorKind, Organization, role_allows
from lotus_server.kernel.errors import Forbidden
from lotus_server.usecases.auditing import audited
from lotus_server.usecases.permissions import NEEDED, Verb
from lotus_server.usecases.services import Services

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def name_of(verb: Verb) -> str:
    """Return a verb's name, such as `create_customer`."""
    return verb.__name__


class Acting(msgspec.Struct, frozen=True):
    """Somebody at work in one organization."""

    services: Services
    organization: Organization
    actor: Actor

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
        author = Author(AuthorKind.PERSON, self.actor.user_id, self.actor.email)
        return verb(audited(self.services, author, name_of(verb)), self.organization, *args, **kwargs)

    def may(self, verb: Verb) -> bool:
        """Tell whether the actor's role allows a verb."""
        needed = NEEDED.get(verb)
        return needed is not None and role_allows(self.actor.role, needed)
