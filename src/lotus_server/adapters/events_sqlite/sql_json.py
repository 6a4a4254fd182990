"""Reading JSON within SQL, and comparing with patterns: what SQLite does itself with floats, or without bound."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import msgspec

from lotus_server.adapters.events_sqlite.sql_numbers import SqlNumbers, SqlValue

_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode
_STEP: Final = re.compile(r'\.(?:"(?P<quoted>[^"]*)"|(?P<key>[^.\["]+))|\[(?P<end>#-)?(?P<index>\d{1,9})\]')
_PATTERN_LENGTH_MAX: Final = 200
_MISSING: Final = object()

Path = tuple[str | int, ...]


class NotReadable(Exception):
    """A text is no JSON, or a path is none."""


@lru_cache(maxsize=8)
def _document(text: str) -> Any:  # noqa: ANN401 - a JSON value
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise NotReadable("json_extract and ->> take JSON") from error


@lru_cache(maxsize=256)
def _path(text: str) -> Path:
    """Return the steps of a path such as `$.a."b c"[0]`; an index from the end is negative."""
    steps: list[str | int] = []
    at = 1
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            break
        if found["index"] is not None:
            steps.append(-int(found["index"]) if found["end"] else int(found["index"]))
        else:
            steps.append(found["key"] if found["quoted"] is None else found["quoted"])
        at = found.end()
    if not text.startswith("$") or at < len(text):
        raise NotReadable(f"{text} is no path such as $.a.b[0]")
    return tuple(steps)


def _at(value: Any, path: Path) -> Any:  # noqa: ANN401 - a JSON value
    for step in path:
        if isinstance(step, str):
            value = value.get(step, _MISSING) if isinstance(value, dict) else _MISSING
        else:
            value = value[step] if isinstance(value, list) and -len(value) <= step < len(value) else _MISSING
    return None if value is _MISSING else value


class JsonFunctions:
    """Functions that take values out of JSON with exact numbers."""

    def __init__(self, numbers: SqlNumbers) -> None:
        """Hand decimals over as these numbers do."""
        self._numbers = numbers

    def extract(self, *arguments: SqlValue) -> str | int | float | None:
        """Return what stands at a path: `json_extract(text, path)`."""
        if len(arguments) != 2:
            raise NotReadable("json_extract takes a text and one path")
        text, path = arguments
        if text is None or path is None:
            return None
        return self._to_sql(_at(_document(str(text)), _path(str(path))))

    def arrow(self, text: SqlValue, step: SqlValue) -> str | int | float | None:
        """Return what stands at a path, a key or an index: `text ->> step`."""
        if text is None or step is None:
            return None
        path: Path = (step,) if isinstance(step, int) else _path(step) if str(step).startswith("$") else (str(step),)
        return self._to_sql(_at(_document(str(text)), path))

    def _to_sql(self, value: Any) -> str | int | float | None:  # noqa: ANN401 - a JSON value
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, bool):
            return int(value)
        if isinstance(value, (int, Decimal)):
            return self._numbers.to_sql(Decimal(value))
        return _encode(value).decode()


def like(pattern: SqlValue, text: SqlValue) -> int | None:
    """Tell whether a text is like a pattern, in any case of ASCII letters, in time proportional to both.

    SQLite's own function can take for ever with many `%`.
    """
    if pattern is None or text is None:
        return None
    if len(str(pattern)) > _PATTERN_LENGTH_MAX:
        raise NotReadable(f"a pattern for LIKE has at most {_PATTERN_LENGTH_MAX} characters")
    return int(_like(str(pattern)).fullmatch(str(text)) is not None)


def like_with_escape(*_: SqlValue) -> int | None:
    """Refuse the form of LIKE that is not replaced."""
    raise NotReadable("LIKE is taken without ESCAPE; instr finds a text as it is")


@lru_cache(maxsize=64)
def _like(pattern: str) -> re.Pattern[str]:
    first, *others = ["".join("." if sign == "_" else re.escape(sign) for sign in part) for part in pattern.split("%")]
    if not others:
        return re.compile(first, re.DOTALL | re.IGNORECASE | re.ASCII)
    # The first place that fits is as good as any, so the search never has to come back to an earlier part.
    between = "".join(f"(?>.*?{part})" for part in others[:-1])
    return re.compile(f"{first}{between}.*{others[-1]}", re.DOTALL | re.IGNORECASE | re.ASCII)
