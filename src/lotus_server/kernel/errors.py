"""Errors as types with a stable code. What an error means in HTTP is decided once, in `http/problems.py`.

LotusError
|-- Invalid          the input is wrong; `problems` lists every wrong field
|-- Unauthenticated  no key, or a key that is not (or no longer) valid
|-- Forbidden        the key is valid but may not do this
|-- NotFound         no such thing in this organization
|-- Conflict         it exists already, or its state does not allow this
|-- TooLarge         more than a named limit
|-- Throttled        too often in a short time; the same is fine later
`-- Unavailable      a part of the system cannot answer now; trying again later is right
"""

from typing import ClassVar, Self

import msgspec


class FieldProblem(msgspec.Struct, frozen=True):
    """One thing wrong with one field. `field` is a path such as `components[2].price.tiers[0].up_to`."""

    field: str
    code: str
    detail: str


class LotusError(Exception):
    """Base of every error that a caller of a use case may see. `code` is stable; `detail` is for people."""

    default_code: ClassVar[str] = "error"

    def __init__(self, detail: str, *, code: str | None = None, problems: tuple[FieldProblem, ...] = ()) -> None:
        """Keep the sentence for people, the stable code, and the problems of single fields."""
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.default_code
        self.problems = problems


class Invalid(LotusError):
    """The input is wrong, and nothing was done with it."""

    default_code = "validation_error"

    @classmethod
    def field(cls, field: str, code: str, detail: str) -> Self:
        """Return the error for a single wrong field."""
        return cls(detail, code=code, problems=(FieldProblem(field, code, detail),))

    @classmethod
    def all_of(cls, problems: tuple[FieldProblem, ...]) -> Self:
        """Return the error that names every problem; a single problem lends the error its own code."""
        if len(problems) == 1:
            return cls(problems[0].detail, code=problems[0].code, problems=problems)
        return cls(f"{len(problems)} fields are not valid.", problems=problems)


class Unauthenticated(LotusError):
    """No API key was given, or it is unknown, revoked or expired."""

    default_code = "authentication_failed"


class Forbidden(LotusError):
    """The API key is valid, but its scope does not cover this call."""

    default_code = "permission_denied"


class NotFound(LotusError):
    """There is no such thing in this organization."""

    default_code = "not_found"


class Conflict(LotusError):
    """The thing exists already, or is in a state that does not allow this."""

    default_code = "conflict"


class TooLarge(LotusError):
    """The input is larger than a named limit."""

    default_code = "too_large"


class Throttled(LotusError):
    """Somebody tries too often; nothing was done, and the same may be tried later."""

    default_code = "too_many_attempts"


class Unavailable(LotusError):
    """A part of the system cannot answer at this moment; nothing was acknowledged, so trying again is safe."""

    default_code = "unavailable"


class Problems:
    """Collects field problems, so that all of an input's problems are reported at once.

    Of one field only the first problem is kept, and none of a field within it: what follows from a value that is wrong
    already is no news.
    """

    def __init__(self, prefix: str = "") -> None:
        """Start empty; every field added is reported below `prefix`."""
        self._prefix = prefix
        self._found: dict[str, FieldProblem] = {}

    def add(self, field: str, code: str, detail: str) -> None:
        """Remember one problem."""
        path = f"{self._prefix}{field}"
        is_known = path in self._found or any(
            path[:end] in self._found for end, character in enumerate(path) if character in ".["
        )
        if not is_known:
            self._found[path] = FieldProblem(path, code, detail)

    def extend(self, problems: tuple[FieldProblem, ...], under: str = "") -> None:
        """Remember problems found elsewhere, their fields moved below `under`."""
        for problem in problems:
            self.add(f"{under}{problem.field}", problem.code, problem.detail)

    def any_below(self, field: str) -> bool:
        """Tell whether a field, or one within it, has a problem."""
        path = f"{self._prefix}{field}"
        return any(found == path or found.startswith((f"{path}.", f"{path}[")) for found in self._found)

    @property
    def found(self) -> tuple[FieldProblem, ...]:
        """Return the problems so far, in the order in which they were found."""
        return tuple(self._found.values())

    def raise_if_any(self) -> None:
        """Raise Invalid with every problem found; do nothing when there is none."""
        if self._found:
            raise Invalid.all_of(self.found)
