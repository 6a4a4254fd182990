"""The clock: the one source of the present."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the present. Sandbox organizations have their own and do not ask."""

    def now(self) -> datetime:
        """Return the present as an aware UTC instant, to the microsecond."""
        ...
