"""What people change about themselves: name, password, and where they are signed in."""

import msgspec

from lotus_server.domain.accounts import User, UserSession
from lotus_server.kernel.errors import Invalid, NotFound, Problems
from lotus_server.kernel.identifiers import name_problem
from lotus_server.usecases.own_changes import note_new_password, note_own_change
from lotus_server.usecases.second_factor import require_password
from lotus_server.usecases.services import Services
from lotus_server.usecases.sign_in import SignedIn, check_password, normal_password


def change_name(services: Services, signed_in: SignedIn, name: str) -> User:
    """The person has another name. Raises Invalid."""
    if wrong := name_problem(name):
        raise Invalid.field("name", "invalid", f"The name {wrong}.")
    with services.records.transaction() as tx:
        user = tx.people.users.get(signed_in.user.user_id, for_update=True)
        assert user is not None, "who is signed in exists"
        changed = msgspec.structs.replace(user, name=name.strip())
        tx.people.users.replace(changed)
        if changed.name != user.name:
            before, after = {"name": user.name}, {"name": changed.name}
            note_own_change(services, tx, user, "change_name", before=before, after=after)
        return changed


def change_password(services: Services, signed_in: SignedIn, *, current: str, password: str) -> None:
    """The person has another password, and is signed in nowhere else any more.

    Raises Invalid `wrong_password` for `current_password`, and what is wrong with the new one.
    """
    user = signed_in.user
    require_password(services, user, current, field="current_password")
    typed, problems = normal_password(password), Problems()
    check_password(services, typed, about=(user.email, user.name), problems=problems)
    problems.raise_if_any()
    password_hash = services.passwords.hash(typed)
    now = services.clock.now()
    with services.records.transaction() as tx:
        present_one = tx.people.users.get(user.user_id, for_update=True)
        assert present_one is not None, "who is signed in exists"
        changed = msgspec.structs.replace(present_one, password_hash=password_hash, password_changed_at=now)
        tx.people.users.replace(changed)
        note_new_password(services, tx, present_one, changed, "change_password")
        others = [each.session_id for each in tx.people.sessions.of_user(user.user_id)]
        tx.people.sessions.remove([each for each in others if each != signed_in.session.session_id])


def list_sessions(services: Services, signed_in: SignedIn) -> list[UserSession]:
    """Return where the person is signed in, the one used last first."""
    now = services.clock.now()
    with services.records.snapshot() as tx:
        found = tx.people.sessions.of_user(signed_in.user.user_id)
    return [each for each in found if each.is_valid_at(now) and not each.needs_second_factor]


def end_session(services: Services, signed_in: SignedIn, session_id: str) -> None:
    """One of the person's sessions opens nothing any more. Raises NotFound `session_not_found`."""
    with services.records.transaction() as tx:
        own = {each.session_id for each in tx.people.sessions.of_user(signed_in.user.user_id)}
        if session_id not in own:
            raise NotFound("You are not signed in there (any more).", code="session_not_found")
        tx.people.sessions.remove([session_id])


def end_other_sessions(services: Services, signed_in: SignedIn) -> int:
    """The person is signed in here alone. Return how many other sessions there were."""
    with services.records.transaction() as tx:
        own = [each.session_id for each in tx.people.sessions.of_user(signed_in.user.user_id)]
        others = [each for each in own if each != signed_in.session.session_id]
        tx.people.sessions.remove(others)
        return len(others)
