"""What a price is applied to: the usage of one period, as far as it is known."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Self

import msgspec

from lotus_server.domain.catalog import DimensionValues
from lotus_server.kernel.money import total
from lotus_server.kernel.quantity import add


class RatedUsage(msgspec.Struct, frozen=True, gc=False):
    """The usage of one period, from which a price takes what it needs.

    `quantity` is what the metric answers: units, or for a price of amounts the sum of the events' amounts. A running
    count and sum are enough for it and for `event_count`, the number of events. `values` are those of each event in
    the order in which they happened, and sum to the quantity. `groups` is the usage of each group, under its values of
    the price's dimensions, in their order. Null: not known, and then a price that needs it cannot be rated. `skipped`
    is the number of further events that name no amount for a dynamic price.
    """

    quantity: Decimal
    event_count: int | None = None
    values: tuple[Decimal, ...] | None = None
    groups: Mapping[DimensionValues, "RatedUsage"] | None = None
    skipped: int = 0

    @classmethod
    def of_events(cls, values: Iterable[Decimal]) -> Self:
        """Return the usage that events with these values, in the order in which they happened, add up to."""
        kept = tuple(values)
        return cls(total(kept), len(kept), kept)

    @classmethod
    def of_groups(cls, groups: Mapping[DimensionValues, "RatedUsage"]) -> Self:
        """Return the usage of which these are the groups."""
        return cls(total(group.quantity for group in groups.values()), groups=groups)

    def and_then(self, later: "RatedUsage") -> "RatedUsage":
        """Return this usage and what came after it in the same period; known is what is known of both."""
        return RatedUsage(
            add(self.quantity, later.quantity),
            None if self.event_count is None or later.event_count is None else self.event_count + later.event_count,
            None if self.values is None or later.values is None else self.values + later.values,
            None if self.groups is None or later.groups is None else _joined(self.groups, later.groups),
            self.skipped + later.skipped,
        )


def _joined(
    first: Mapping[DimensionValues, RatedUsage], second: Mapping[DimensionValues, RatedUsage]
) -> dict[DimensionValues, RatedUsage]:
    joined = dict(first)
    for group, usage in second.items():
        joined[group] = joined[group].and_then(usage) if group in joined else usage
    return joined
