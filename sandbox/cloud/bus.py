"""The events that the cloud's services put on the default bus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sandbox.cloud.clock import Clock
from sandbox.cloud.ids import Ids

Event = dict[str, Any]
Listener = Callable[[Event], None]


class Bus:
    """Builds the envelope and tells every listener, in order; ``sent`` keeps them all."""

    def __init__(self, clock: Clock, ids: Ids, *, account: str, region: str) -> None:
        self._clock, self._ids = clock, ids
        self._account, self._region = account, region
        self.listeners: list[Listener] = []
        self.sent: list[Event] = []

    def emit(
        self, source: str, detail_type: str, detail: dict[str, Any], resources: Sequence[str] = ()
    ) -> None:
        event: Event = {
            "version": "0",
            "id": self._ids.uuid(),
            "detail-type": detail_type,
            "source": source,
            "account": self._account,
            "time": self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self._region,
            "resources": list(resources),
            "detail": detail,
        }
        self.sent.append(event)
        for listener in self.listeners:
            listener(event)
