"""Passwords: the one way from what somebody types to what is kept of it."""

from collections.abc import Sequence
from typing import Protocol


class Passwords(Protocol):
    """Hashes passwords and compares them."""

    def hash(self, password: str) -> str:
        """Return what is kept of a password: a slow hash with its salt and parameters."""
        ...

    def is_right(self, password: str, kept: str | None) -> bool:
        """Tell whether a password is the one of which `kept` is the hash.

        Null is the hash of nobody's: the answer is no, after the same work as for any other, so that its time does not
        tell whether there is an account.
        """
        ...

    def is_outdated(self, kept: str) -> bool:
        """Tell whether a hash was made with other parameters than new ones."""
        ...

    def is_guessable(self, password: str, about: Sequence[str]) -> bool:
        """Tell whether guessers find a password early: a common one, a pattern, or words `about` its owner."""
        ...
