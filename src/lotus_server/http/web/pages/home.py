"""Home: the last days at a glance, events as they come in, and what needs somebody's attention."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from starlette.responses import Response

from lotus_server.domain.analytics import Comparison
from lotus_server.http.web.charts import Chart, Series
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.instants import EPOCH
from lotus_server.kernel.quantity import multiply
from lotus_server.usecases.billing_progress import billing_progress
from lotus_server.usecases.first_steps import first_steps
from lotus_server.usecases.overview import DAYS, Overview, Pulse, event_pulse, overview

pages = Pages()
SPANS: Final = (7, 30, 90)
_HUNDREDTH: Final = Decimal("0.01")
# A page that was asleep for longer begins to measure anew.
_SECONDS_MAX: Final = 60


@pages.get("/")
def home(visit: Visit) -> Response:
    """Show the last days, as many as `days` says."""
    asked = visit.query.get("days", "")
    days = int(asked) if asked in {str(span) for span in SPANS} else DAYS
    found = visit.do(overview, days=days)
    return visit.page(
        "home/home.html",
        found=found,
        run=visit.do(billing_progress),
        days=days,
        spans=SPANS,
        steps=visit.do(first_steps),
        pulse=visit.do(event_pulse),
        rate=None,
        change=change_of,
        revenue_chart=_revenue_chart(found),
        events_chart=_events_chart(found),
        rows=list(zip(found.days, found.revenue.series, found.events.series, strict=True)),
        address_of_pulse=_address_of_pulse,
    )


@pages.get("/pulse")
def pulse_part(visit: Visit) -> Response:
    """Show how many events came in each second since the last look, of which the address tells."""
    pulse = visit.do(event_pulse)
    return visit.page(
        "home/pulse.html",
        fragment="pulse",
        pulse=pulse,
        rate=_rate(visit, pulse),
        address_of_pulse=_address_of_pulse,
    )


def change_of(compared: Comparison) -> Decimal | None:
    """Return the change as a share of one, as pages write it."""
    percent = compared.change_percent
    return None if percent is None else multiply(percent, _HUNDREDTH)


def milliseconds(instant: datetime) -> int:
    """Return the milliseconds since 1970."""
    return (instant - EPOCH) // timedelta(milliseconds=1)


def _address_of_pulse(visit: Visit, pulse: Pulse) -> str:
    return visit.url("pulse", seen=pulse.event_count, at=milliseconds(pulse.counted_at))


def _rate(visit: Visit, pulse: Pulse) -> Decimal | None:
    """Return the events per second since the last look; null when that is not known or too long ago."""
    seen, at = visit.query.get("seen", ""), visit.query.get("at", "")
    if not (seen.isascii() and seen.isdigit() and at.isascii() and at.isdigit()) or len(seen) > 18 or len(at) > 18:
        return None
    passed = milliseconds(pulse.counted_at) - int(at)
    if not 0 < passed <= _SECONDS_MAX * 1_000:
        return None
    return (Decimal(pulse.event_count - int(seen)) * 1_000 / passed).quantize(Decimal("0.1"))


def _revenue_chart(found: Overview) -> Chart:
    days = [f"{day:%Y-%m-%d}" for day in found.days]
    return Chart("bar", days, [Series("Revenue", list(found.revenue.series))], currency=found.currency)


def _events_chart(found: Overview) -> Chart:
    days = [f"{day:%Y-%m-%d}" for day in found.days]
    return Chart("area", days, [Series("Events", list(found.events.series), color="teal")])
