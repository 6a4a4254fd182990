"""Passwords as Argon2id hashes (RFC 9106), and how soon guessers would find them."""

import threading
from collections.abc import Sequence
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

# The second recommendation of RFC 9106, for servers that do more than this.
MEMORY_KIB: Final = 65_536
PASSES: Final = 3
LANES: Final = 4
# A hash takes 64 MiB while it is made. Further ones wait, so that a flood of attempts cannot exhaust the memory.
HASHES_AT_ONCE_MAX: Final = 2
# Of five grades the fourth: more than 100 million guesses.
GRADE_MIN: Final = 3
# The rest of a long password adds nothing to its grade, and much to the time of grading.
GRADED_LENGTH_MAX: Final = 72


class Argon2Passwords:
    """Hashes passwords and compares them."""

    def __init__(self, *, memory_kib: int = MEMORY_KIB, passes: int = PASSES, lanes: int = LANES) -> None:
        """Hash with these parameters; those of hashes that are kept may be others."""
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
        self._turns = threading.BoundedSemaphore(HASHES_AT_ONCE_MAX)
        self._of_nobody: str | None = None

    def hash(self, password: str) -> str:
        with self._turns:
            return self._hasher.hash(password)

    def is_right(self, password: str, kept: str | None) -> bool:
        if kept is None:
            self._verify(password, self._hash_of_nobody())
            return False
        return self._verify(password, kept)

    def is_outdated(self, kept: str) -> bool:
        return self._hasher.check_needs_rehash(kept)

    def is_guessable(self, password: str, about: Sequence[str]) -> bool:
        grade: int = zxcvbn(password[:GRADED_LENGTH_MAX], user_inputs=list(about))["score"]
        return grade < GRADE_MIN

    def _verify(self, password: str, kept: str) -> bool:
        with self._turns:
            try:
                return self._hasher.verify(kept, password)
            except (VerificationError, InvalidHashError):
                return False

    def _hash_of_nobody(self) -> str:
        if self._of_nobody is None:
            self._of_nobody = self.hash("the password of nobody")
        return self._of_nobody
