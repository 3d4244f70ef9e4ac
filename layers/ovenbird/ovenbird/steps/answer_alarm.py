"""AnswerAlarm: an alarm that a rolling fleet names went off; its rollout looks at once.

AWS itself fails the refresh and rolls it back (the alarm is among the refresh's own); we only
notice sooner than at the next sweep.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ovenbird import answers, catalogue, events
from ovenbird.answers import Answer
from ovenbird.aws import executions
from ovenbird.aws.parameters import Documents
from ovenbird.events import Ignored
from ovenbird.ledger import doorbells, lanes


def step(event: dict[str, Any], now: datetime) -> Answer:
    """Ring the doorbell of every rollout whose fleet names the alarm; repeating it is harmless.

    Raises:
        BadEvent: The event is not well made.
    """
    alarm = events.alarm(event)
    if isinstance(alarm, Ignored):
        return answers.done(f"Ignored: {alarm.reason}.", ignored=alarm.reason)
    documents = catalogue.recent(now)
    if documents is None or _naming(alarm.alarm, documents):
        documents = catalogue.read(now)
    counts = {"BadFleets": len(documents.bad)}
    named = _naming(alarm.alarm, documents)
    if not named:
        reason = f"no fleet names the alarm {alarm.alarm} in roll.alarms"
        return answers.done(f"Ignored: {reason}.", ignored=reason, counts=counts)
    rung, outcomes = [], []
    for name in named:
        lane = lanes.read(name)
        if lane.holder and lane.doorbell:
            outcomes.append(executions.complete(doorbells.ring(lane.doorbell)))
            rung.append(lane.doorbell)
    if not rung:
        reason = f"alarm {alarm.alarm} is of {', '.join(named)}, and no rollout waits there"
        return answers.done(f"Ignored: {reason}.", ignored=reason, counts=counts)
    counts |= {"StaleTokens": outcomes.count("stale"), "Woken": outcomes.count("woken")}
    return answers.done(
        f"Alarm {alarm.alarm} of {', '.join(named)} went off: {alarm.reason}",
        rung=rung,
        counts=counts,
    )


def _naming(alarm: str, documents: Documents) -> list[str]:
    """The fleets that name an alarm. Every alarm of the account comes here; most are nobody's."""
    return [fleet.name for fleet in documents.fleets if alarm in fleet.roll.alarms]
