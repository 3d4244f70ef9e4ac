"""An execution of one of our state machines has ended otherwise than well.

    {
      "version": "0", "id": "315c1398-40ff-4850-8135-158f73e60175",
      "detail-type": "Step Functions Execution Status Change", "source": "aws.states",
      "account": "123456789012", "time": "2026-01-05T09:12:21Z", "region": "eu-west-1",
      "resources": ["arn:aws:states:eu-west-1:123456789012:execution:ovenbird-rollout:web-4f1c2d7"],
      "detail": {
        "executionArn": "arn:aws:states:eu-west-1:123456789012:execution:ovenbird-rollout:web-4f…",
        "stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:ovenbird-rollout",
        "name": "web-4f1c2d7", "status": "ABORTED", "startDate": 1767603600123,
        "stopDate": 1767604341456, "input": "{…}", "inputDetails": {"included": true},
        "output": null, "outputDetails": null, "error": null, "cause": "stopped by hand"
      }
    }

Only which execution it is, is believed; how it stands is looked up. Such events come as best Step
Functions can deliver them: lost, late and doubled ones are possible.

Source: Step Functions developer guide, "Automating Step Functions event delivery with EventBridge".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ovenbird.core.quotes import quoted
from ovenbird.errors import BadEvent
from ovenbird.events.envelope import Ignored, at, text

_ENDED = ("FAILED", "TIMED_OUT", "ABORTED")


@dataclass(frozen=True)
class Ended:
    """An execution that has ended.

    ``at`` is when, if the event says so; ``input``, ``error`` and ``cause`` are what it tells of
    them, mostly: not where they are long, or under a key of their own.
    """

    arn: str
    name: str
    of_addresses: bool = False
    at: datetime | None = None
    input: str = ""
    error: str = ""
    cause: str = ""


def parse(event: dict[str, Any], *, rollouts: str, addresses: str) -> Ended | Ignored:
    """The execution, if it is one of ours.

    Args:
        rollouts, addresses: The ARNs of our state machines.

    Raises:
        BadEvent: The event is not well made.
    """
    if "source" not in event:
        return _by_hand(event, rollouts)
    status, arn = text(event, "detail.status"), text(event, "detail.executionArn")
    if status not in _ENDED:
        return Ignored(f"an execution that is {status} has not died")
    for machine in (rollouts, addresses):
        start = _executions(machine)
        if arn.startswith(start):
            return Ended(
                arn,
                name=arn.removeprefix(start),
                of_addresses=machine == addresses,
                at=_time(event),
                input=_told(event, "detail.input"),
                error=_told(event, "detail.error"),
                cause=_told(event, "detail.cause"),
            )
    return Ignored(f"{arn} is no execution of ours")


def _by_hand(event: dict[str, Any], machine: str) -> Ended:
    rollout = text(event, "rollout")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", rollout):
        raise BadEvent(f"rollout is {quoted(rollout)}; it must be a rollout's id.")
    return Ended(_executions(machine) + rollout, rollout)


def _executions(machine: str) -> str:
    return f"{machine.replace(':stateMachine:', ':execution:')}:"


def _told(event: dict[str, Any], field: str) -> str:
    written = at(event, field)
    return written if isinstance(written, str) else ""


def _time(event: dict[str, Any]) -> datetime | None:
    stopped = at(event, "detail.stopDate")
    if isinstance(stopped, bool) or not isinstance(stopped, int) or not 0 < stopped < 10**14:
        return None
    return datetime.fromtimestamp(stopped / 1000, UTC)
