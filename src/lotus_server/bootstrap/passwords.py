"""Passwords, their library loaded with the first one: few starts and few commands need it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import override

from lotus_server.ports.passwords import Passwords

if TYPE_CHECKING:
    from lotus_server.adapters.passwords_argon2 import Argon2Passwords


class LaterPasswords(Passwords):
    """Hashes passwords with an adapter that is imported on first use."""

    def __init__(self) -> None:
        """Nothing is loaded yet."""
        self._loaded: Argon2Passwords | None = None

    @override
    def hash(self, password: str) -> str:
        """Return what is kept of a password."""
        return self._adapter().hash(password)

    @override
    def is_right(self, password: str, kept: str | None) -> bool:
        """Tell whether a password is the one of which `kept` is the hash."""
        return self._adapter().is_right(password, kept)

    @override
    def is_outdated(self, kept: str) -> bool:
        """Tell whether a hash was made with other parameters than new ones."""
        return self._adapter().is_outdated(kept)

    @override
    def is_guessable(self, password: str, about: Sequence[str]) -> bool:
        """Tell whether guessers find a password early."""
        return self._adapter().is_guessable(password, about)

    def _adapter(self) -> "Argon2Passwords":
        if self._loaded is None:
            from lotus_server.adapters.passwords_argon2 import Argon2Passwords

            self._loaded = Argon2Passwords()
        return self._loaded
