"""What the cloud will do later: actions in the order of their due times."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from sandbox.cloud.clock import Clock

Action = Callable[[], None]


class Timeline:
    """A queue of actions; actions due at the same moment run in the order they were added.

    ``speed`` divides every delay: in the sandbox the clock is real and the cloud is fast.
    """

    def __init__(self, clock: Clock, *, speed: float = 1.0) -> None:
        self.clock = clock
        self.speed = speed
        self._queue: list[tuple[datetime, int, Action]] = []
        self._order = count()

    def after(self, delay: timedelta, action: Action) -> None:
        """Run the action when ``delay`` (cloud time) has passed."""
        due = self.clock.now() + delay / self.speed
        heapq.heappush(self._queue, (due, next(self._order), action))

    @property
    def next_due(self) -> datetime | None:
        """When the next action is due, or ``None`` when nothing is planned."""
        return self._queue[0][0] if self._queue else None

    def run_due(self) -> int:
        """Run every action whose time has come; return how many ran."""
        ran = 0
        while self._queue and self._queue[0][0] <= self.clock.now():
            _, _, action = heapq.heappop(self._queue)
            action()
            ran += 1
        return ran
