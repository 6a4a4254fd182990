"""Usage x price -> an amount that explains itself."""

from lotus_server.domain.rating.change import Change, Fee, change_fee, in_days
from lotus_server.domain.rating.conversion import in_money
from lotus_server.domain.rating.curve import curve_of
from lotus_server.domain.rating.lines import Rated, Step
from lotus_server.domain.rating.overage import rate_beyond
from lotus_server.domain.rating.proration import prorate, share_of, share_text
from lotus_server.domain.rating.rate import rate, rate_each, rate_on_top
from lotus_server.domain.rating.usage import RatedUsage
from lotus_server.domain.rating.windows import rate_windows

__all__ = [
    "Change",
    "Fee",
    "Rated",
    "RatedUsage",
    "Step",
    "change_fee",
    "curve_of",
    "in_days",
    "in_money",
    "prorate",
    "rate",
    "rate_beyond",
    "rate_each",
    "rate_on_top",
    "rate_windows",
    "share_of",
    "share_text",
]
