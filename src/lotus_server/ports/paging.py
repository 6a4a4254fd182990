"""Asking for a part of a list."""

import msgspec


class Page(msgspec.Struct, frozen=True):
    """Which part of a list to return: up to `limit` rows after the row with the key `after` (null: from the start.

    Limit null: all).
    """

    limit: int | None = None
    after: str | None = None
