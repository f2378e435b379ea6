"""The system's clock, in UTC."""

from datetime import UTC, datetime


class SystemClock:
    """Implements `registry.ports.Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)
