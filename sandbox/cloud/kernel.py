"""What every service of the model cloud stands on: one clock, one timeline, one bus, one lock."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import RLock
from typing import Any

from sandbox.cloud.bus import Bus
from sandbox.cloud.clock import Clock
from sandbox.cloud.ids import Ids
from sandbox.cloud.timeline import Timeline

Parameters = dict[str, Any]
Result = dict[str, Any]
Operation = Callable[[Parameters], Result]


@dataclass(frozen=True)
class Durations:
    """How long AWS takes, in cloud time; where AWS publishes no figure these are typical ones."""

    boot: timedelta = timedelta(seconds=15)  # pending → running
    agent: timedelta = timedelta(seconds=30)  # running → Run Command says Online
    stop: timedelta = timedelta(seconds=20)  # stopping → stopped
    terminate: timedelta = timedelta(seconds=10)  # shutting-down → terminated
    image: timedelta = timedelta(seconds=120)  # pending → available
    event: timedelta = timedelta(seconds=1)  # from a change to its event


class Kernel:
    """The ground under the services; it knows no service.

    ``visible_after`` is how long a new resource cannot be seen by describe calls (eventual
    consistency, EC2 API reference, "Eventual consistency"); zero unless a test asks for more.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int = 0,
        speed: float = 1.0,
        account: str = "000000000000",
        region: str = "us-east-1",
        durations: Durations | None = None,
    ) -> None:
        self.clock = clock
        self.random = random.Random(seed)
        self.ids = Ids(self.random)
        self.timeline = Timeline(clock, speed=speed)
        self.account, self.region = account, region
        self.bus = Bus(clock, self.ids, account=account, region=region)
        self.durations = durations or Durations()
        self.visible_after = timedelta(0)
        self.lock = RLock()

    def now(self) -> datetime:
        return self.clock.now()

    def after(self, delay: timedelta, action: Callable[[], None]) -> None:
        """Do something later (cloud time; divided by the speed)."""
        self.timeline.after(delay, action)

    def scaled(self, cloud_time: timedelta) -> timedelta:
        """Cloud time as it passes on this kernel's clock."""
        return cloud_time / self.timeline.speed

    def emit(
        self, source: str, detail_type: str, detail: dict[str, Any], resources: tuple[str, ...] = ()
    ) -> None:
        """Put an event on the bus, as late as AWS does."""
        self.after(
            self.durations.event, lambda: self.bus.emit(source, detail_type, detail, resources)
        )

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


@dataclass
class Call:
    """One call that the cloud answered, for the journal and the invariants."""

    at: datetime
    service: str
    operation: str
    params: Parameters
    error: str | None = None


@dataclass
class Journal:
    """Every call, in order."""

    calls: list[Call] = field(default_factory=list)

    def count(self, operation: str) -> int:
        return sum(call.operation == operation and call.error is None for call in self.calls)
