"""The words of an expression: numbers, texts, names, and marks such as `+` and `&&`."""

import re
from decimal import Decimal
from enum import Enum, auto
from typing import Final

import msgspec

from lotus_server.domain.metering.expressions.syntax import ExpressionProblem
from lotus_server.kernel.quantity import in_range


class Kind(Enum):
    """What a word is."""

    NUMBER = auto()
    TEXT = auto()
    NAME = auto()
    MARK = auto()
    END = auto()


class Token(msgspec.Struct, frozen=True):
    """One word, the value of a number or text, and its place."""

    kind: Kind
    text: str
    at: int
    value: Decimal | str | None = None


_SPACE: Final = re.compile(r"(?:[ \t\r\n\f]+|//[^\n]*)+")
_WORD: Final = re.compile(
    r"(?P<text>[rR]?(?:'''|\"\"\"|'|\"))"
    r"|(?P<number>0[xX][0-9a-fA-F]+[uU]?|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,3})?[uU]?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<mark>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]{}])",
    re.ASCII,
)
_ESCAPE: Final = re.compile(
    r"\\(?:([abfnrtv\\?\"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|)", re.ASCII
)
_ESCAPED: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_SURROGATES: Final = range(0xD800, 0xE000)


def tokens_of(text: str) -> list[Token]:
    """Return the words of a text, the last one being its end. Raises ExpressionProblem where there is no word."""
    found: list[Token] = []
    place = 0
    while True:
        space = _SPACE.match(text, place)
        place = space.end() if space else place
        if place == len(text):
            found.append(Token(Kind.END, "", place))
            return found
        word = _WORD.match(text, place)
        if word is None:
            raise ExpressionProblem(place, f"{text[place]!r} has no meaning here.")
        token, place = _token(text, word)
        found.append(token)


def _token(text: str, word: re.Match[str]) -> tuple[Token, int]:
    """Return the word that begins at a match, and where it ends."""
    at, written = word.start(), word.group()
    match word.lastgroup:
        case "text":
            return _text(text, at, written)
        case "number":
            return Token(Kind.NUMBER, written, at, _number(written, at, text[word.end() : word.end() + 1])), word.end()
        case "name":
            return Token(Kind.NAME, written, at), word.end()
        case _:
            return Token(Kind.MARK, written, at), word.end()


def _number(written: str, at: int, following: str) -> Decimal:
    if following.isalnum() or following == "_":
        raise ExpressionProblem(at, f"{written + following!r} is no number.")
    digits = written.rstrip("uU")
    value = Decimal(int(digits, 16)) if digits[:2] in {"0x", "0X"} else Decimal(digits)
    if not in_range(value):
        raise ExpressionProblem(at, "A number has at most 30 digits before and 30 after the decimal point.")
    return value


def _text(text: str, at: int, opening: str) -> tuple[Token, int]:
    is_raw = opening[0] in "rR"
    quote = opening[1:] if is_raw else opening
    place = at + len(opening)
    parts: list[str] = []
    while not text.startswith(quote, place):
        character = text[place : place + 1]
        if not character or (character in "\r\n" and len(quote) == 1):
            raise ExpressionProblem(at, "The text has no end.")
        if character == "\\" and not is_raw:
            character, place = _escaped(text, place)
        else:
            place += 1
        parts.append(character)
    end = place + len(quote)
    return Token(Kind.TEXT, text[at:end], at, "".join(parts)), end


def _escaped(text: str, place: int) -> tuple[str, int]:
    escape = _ESCAPE.match(text, place)
    if escape is None or escape.lastindex is None:
        raise ExpressionProblem(place, "There is no such escape in a text.")
    simple, byte, short, long, octal = escape.groups()
    if simple:
        return _ESCAPED.get(simple, simple), escape.end()
    code = int(octal, 8) if octal else int(byte or short or long, 16)
    if code in _SURROGATES or code > 0x10FFFF:
        raise ExpressionProblem(place, "There is no such character.")
    return chr(code), escape.end()
