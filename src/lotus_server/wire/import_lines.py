"""The lines of a file, read part by part: none of it is held in memory but the part and the line at hand."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from lotus_server.domain.imports import REFUSED_TEXT_MAX, ROW_BYTES_MAX
from lotus_server.usecases.import_reading import Source

TOO_LONG: Final = (
    f"The line is longer than {ROW_BYTES_MAX // 1_000_000} MB. Is it a table whose lines end in another way?"
)


class Line(NamedTuple):
    """A line without its end: its number, counted from 1, and how many bytes lie before the next one."""

    content: bytes
    number: int
    end: int
    problem: str | None = None


class Lines:
    """The lines of a file from a place on; those that were taken too many are put back."""

    def __init__(self, source: Source, start: int, lines_before: int) -> None:
        """Begin at a place."""
        self._coming = _lines(source, start, lines_before)
        self._again: list[Line] = []

    def __iter__(self) -> Iterator[Line]:
        """Yield the lines."""
        return self

    def __next__(self) -> Line:
        """Return the next line."""
        return self._again.pop() if self._again else next(self._coming)

    def put_back(self, lines: list[Line]) -> None:
        """Let lines be the next ones."""
        self._again += reversed(lines)


def _lines(source: Source, start: int, number: int) -> Iterator[Line]:
    """Yield the lines. Of one that is too long only the beginning is there, with a problem."""
    at, end, rest = start, start, b""
    head: bytes | None = None  # of a line that is too long
    while chunk := source(at):
        at += len(chunk)
        *whole, rest = (rest + chunk).split(b"\n")
        for content in whole:
            number += 1
            end += len(content) + 1
            if head is not None or len(content) > ROW_BYTES_MAX:
                yield Line((head or content)[:REFUSED_TEXT_MAX], number, end, TOO_LONG)
                head = None
            else:
                yield Line(content, number, end)
        if len(rest) > ROW_BYTES_MAX:
            head = head or rest[:REFUSED_TEXT_MAX]
            end += len(rest)
            rest = b""
    if rest or head is not None:
        problem = None if head is None else TOO_LONG
        yield Line(rest if head is None else head, number + 1, end + len(rest), problem)
