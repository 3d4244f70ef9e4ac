"""RingDoorbell: something has changed; whoever waits for it looks again.

The event is only believed to say *what* changed. Only doorbells that somebody has read exist, so
events about other people's instances and images ring nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ovenbird import answers, events
from ovenbird.answers import Answer
from ovenbird.aws import executions
from ovenbird.events import Ignored, ssm
from ovenbird.ledger import doorbells, lanes
from ovenbird.settings import settings


def step(event: dict[str, Any], now: datetime) -> Answer:
    """Ring; repeating it makes whoever waits look once more.

    Raises:
        BadEvent: The event is not well made.
    """
    bells = _bells(event)
    if isinstance(bells, Ignored):
        return answers.done(f"Ignored: {bells.reason}.", ignored=bells.reason)
    outcomes = [executions.complete(doorbells.ring(bell)) for bell in bells]
    return answers.done(
        f"Rang {', '.join(bells)}: {', '.join(outcomes)}.",
        rung=list(bells),
        counts={"StaleTokens": outcomes.count("stale"), "Woken": outcomes.count("woken")},
    )


def _bells(event: dict[str, Any]) -> tuple[str, ...] | Ignored:
    fleet = ssm.paused_fleet(event, settings().parameters)
    if fleet is None:
        return events.doorbells(event)
    queued = lanes.read(fleet).queued
    if not queued:
        return Ignored(f"the pause of fleet {fleet} changed, and nothing waits in its queue")
    return (f"queue-{queued}",)
