"""The system's clock."""

from datetime import UTC, datetime


class SystemClock:
    """Tells the time of the machine."""

    def now(self) -> datetime:
        """Return the present as an aware UTC instant, to the microsecond."""
        return datetime.now(UTC)
