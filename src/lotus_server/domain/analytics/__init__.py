"""Numbers about the business: revenue, monthly recurring revenue and how it moves, margins."""

from lotus_server.domain.analytics.comparison import Comparison, percent_of
from lotus_server.domain.analytics.margin import Margin
from lotus_server.domain.analytics.movements import (
    Movements,
    PlanRecurring,
    currencies_of,
    movements_of,
    movements_over,
    plans_of,
)
from lotus_server.domain.analytics.recurring import Held, Recurring, monthly_amount
from lotus_server.domain.analytics.revenue import (
    Basis,
    Dimension,
    RevenueSum,
    RevenueSums,
    SoldInvoice,
    SoldLine,
    Takeback,
    source_of,
    spread,
)
from lotus_server.domain.analytics.windows import (
    DAY,
    WINDOW_DAYS_MAX,
    Step,
    begin_of,
    day_of,
    last_days,
    month_of,
    parts_of_window,
    window_before,
    within,
)

__all__ = [
    "DAY",
    "WINDOW_DAYS_MAX",
    "Basis",
    "Comparison",
    "Dimension",
    "Held",
    "Margin",
    "Movements",
    "PlanRecurring",
    "Recurring",
    "RevenueSum",
    "RevenueSums",
    "SoldInvoice",
    "SoldLine",
    "Step",
    "Takeback",
    "begin_of",
    "currencies_of",
    "day_of",
    "last_days",
    "month_of",
    "monthly_amount",
    "movements_of",
    "movements_over",
    "parts_of_window",
    "percent_of",
    "plans_of",
    "source_of",
    "spread",
    "window_before",
    "within",
]
