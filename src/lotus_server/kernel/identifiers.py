"""Identifiers and names that people and their systems choose: which texts are one."""

import unicodedata
from typing import Final

IDENTIFIER_LENGTH_MAX: Final = 200
NAME_LENGTH_MAX: Final = 200
# Letters, marks, numbers, punctuation of any script, plus the few symbols that ids are in practice built with. Left
# out are control
# and format characters, unassigned code points and pictographs: two of them can look alike and yet differ, and then two
# ids that a person takes for one would be billed apart.
_CATEGORIES: Final = frozenset("LMNP")
_SYMBOLS: Final = frozenset("+=<>|~^`$ ")


def identifier_problem(text: str, *, length_max: int = IDENTIFIER_LENGTH_MAX) -> str | None:
    """Return why a text cannot be an identifier, as the end of a sentence, or None when it can be one.

    An identifier has 1 to `length_max` characters, does not begin or end with a space, and consists of letters,
    marks, numbers, punctuation, inner spaces and `+ = < > | ~ ^ $` or a backquote.
    """
    if not text:
        return "must not be empty"
    if len(text) > length_max:
        return f"must have at most {length_max} characters"
    if text[0] == " " or text[-1] == " ":
        return "must not begin or end with a space"
    if text.isascii():
        return None if text.isprintable() else "must not contain control characters"
    for character in text:
        if character not in _SYMBOLS and unicodedata.category(character)[0] not in _CATEGORIES:
            return f"must not contain the character U+{ord(character):04X} (letters, numbers and punctuation only)"
    return None


# Control characters, halves of surrogate pairs (no text in UTF-8 has them), line and paragraph separators.
_NOT_IN_NAMES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


def name_problem(text: str, *, length_max: int = NAME_LENGTH_MAX) -> str | None:
    """Return why a text cannot be the name of something, as the end of a sentence, or None when it can.

    A name is for people: any characters of any script, 1 to `length_max` of them, on one line, not only spaces.
    """
    if not text.strip():
        return "must not be empty"
    if len(text) > length_max:
        return f"must have at most {length_max} characters"
    if any(unicodedata.category(character) in _NOT_IN_NAMES for character in text):
        return "must not contain control characters"
    return None
