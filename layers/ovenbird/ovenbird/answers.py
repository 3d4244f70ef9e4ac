"""What a step answers to the state machine: wait (for which doorbell), or done.

A failure is no answer: the step raises one of :mod:`ovenbird.errors` and the machine catches it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ovenbird.core import looks
from ovenbird.core.looks import Looks, Part, Sweep, TooMany
from ovenbird.errors import LimitNear

Answer = dict[str, Any]


def wait(
    state: Mapping[str, Any],
    part: Part,
    doorbell: str,
    rings: int,
    reason: str,
    *,
    now: datetime,
    sweep: Sweep = "late",
    after: timedelta | None = None,
    **facts: Any,
) -> Answer:
    """Come back when the doorbell rings, or when it is time to look again.

    Args:
        state: What the step was passed; ``part`` of it is the step's last answer.
        doorbell: The id of the thing that is waited for: ``ami-…``, ``i-…``, a command or refresh
            id, or ``queue-<rollout>``.
        rings: Its counter, read *before* the thing itself was looked at; the wait state stores its
            task token only while the counter is still that.
        sweep: ``soon`` for what AWS has no event for (seconds), ``late`` for the rest (minutes).
        after: When to look again at the latest, if that is sooner.
        facts: What the step wants to be told again when it comes back; small, JSON.

    Returns:
        With ``look_again_after`` and, where the looks come too fast, ``rest_seconds``: then the
        state machine rests so long and looks again.

    Raises:
        LimitNear: There were too many looks.
    """
    again = looks.again(Looks.from_json(state.get(part) or {}), part, doorbell, sweep, now)
    if isinstance(again, TooMany):
        raise LimitNear(again.reason)
    soonest = again.after if after is None else max(min(after, again.after), looks.SHORTEST)
    rest = {"rest_seconds": _seconds(again.rest)} if again.rest else {}
    return {
        "next": "wait",
        "doorbell": doorbell,
        "rings": str(rings),
        "sweep": sweep,
        "look_again_after": _seconds(soonest),
        "reason": reason,
        "pace": again.to_json(),
        **rest,
        **facts,
    }


def done(reason: str, **facts: Any) -> Answer:
    """The step has reached its goal."""
    return {"next": "done", "reason": reason, **facts}


def _seconds(duration: timedelta) -> int:
    return math.ceil(duration.total_seconds())
