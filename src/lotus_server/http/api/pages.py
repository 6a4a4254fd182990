"""Pages of lists that are short enough to be read whole, such as an organization's price list."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from lotus_server.kernel.errors import Invalid
from lotus_server.ports.records import Page

Item = TypeVar("Item")


def page_of(items: Sequence[Item], page: Page, key: Callable[[Item], str]) -> Sequence[Item]:
    """Return the part of a list that a page asks for: up to `limit` items after the one with the key `after`."""
    start = 0
    if page.after is not None:
        keys = [key(item) for item in items]
        if page.after not in keys:
            raise Invalid.field("cursor", "invalid", "The cursor is not one of ours.")
        start = keys.index(page.after) + 1
    return items[start:] if page.limit is None else items[start : start + page.limit]
