"""What customers cost and bring."""

from decimal import Decimal

import msgspec

from lotus_server.domain.analytics.comparison import percent_of
from lotus_server.kernel.quantity import ZERO, subtract


class Margin(msgspec.Struct, frozen=True):
    """The revenue and the cost of a customer, or of all, in one currency."""

    revenue: Decimal = ZERO
    cost: Decimal = ZERO

    @property
    def amount(self) -> Decimal:
        """Return what is left of the revenue."""
        return subtract(self.revenue, self.cost)

    @property
    def percent(self) -> Decimal | None:
        """Return what is left in percent of the revenue, to a tenth; null when there is no revenue."""
        return percent_of(self.amount, self.revenue)
