"""The two clocks that the model cloud can run on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Something that knows the time."""

    def now(self) -> datetime: ...


class WallClock:
    """The real time (the sandbox)."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class VirtualClock:
    """A time that only moves when it is told to (the stories)."""

    def __init__(self, start: datetime = datetime(2026, 1, 5, 9, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance_to(self, moment: datetime) -> None:
        """Move forward; a moment that has passed changes nothing."""
        self._now = max(self._now, moment)

    def sleep(self, seconds: float) -> None:
        """Stand in for ``time.sleep`` (the SDK's back-off runs on this clock too)."""
        self._now += timedelta(seconds=seconds)
