"""Whose turn it is: a rollout takes its fleet's lane, waits for it, or gives way for good.

Shared by the steps at both ends of a rollout. The decisions themselves are conditions in the
ledger (:mod:`ovenbird.ledger.lanes`); here they are put in an order in which nothing is lost.
"""

from __future__ import annotations

from datetime import datetime

from ovenbird import answers
from ovenbird.answers import Answer
from ovenbird.aws import executions, parameters
from ovenbird.errors import Unavailable
from ovenbird.ledger import doorbells, lanes
from ovenbird.ledger.lanes import Held, Superseded, Taken


def take(
    fleet: str, rollout: str, at: str, now: datetime, *, pauses: bool
) -> Taken | Superseded | Answer:
    """Take the lane, or the answer that waits for it.

    The queue is joined first and everything looked at once more afterwards: whoever frees the lane
    or ends the pause then finds us there, or we find it done.

    Args:
        at: The time of the release; the newest goes first.
        pauses: Whether a pause of the fleet holds it back.

    Raises:
        Unavailable: Others changed the lane all the time; look again.
    """
    bell = f"queue-{rollout}"
    rings = doorbells.read(bell)
    waits = ""
    for _ in range(4):
        blocked = _paused(fleet) if pauses else ""
        if not blocked:
            taken = lanes.take(fleet, rollout, now, at=at)
            if isinstance(taken, Held) and taken.holder and not executions.is_running(taken.holder):
                taken = lanes.seize(fleet, rollout, taken.holder, now, at=at)
            if isinstance(taken, Taken):
                wake(taken.displaced)
                return taken
            blocked = f"rollout {taken.holder or taken.queued} goes first"
        if waits:
            return answers.wait(bell, rings, f"Fleet {fleet} has to wait: {waits}.")
        queued = lanes.queue(fleet, rollout, at, blocked)
        if not isinstance(queued, Superseded):
            wake(queued.displaced)
            waits = blocked
        elif _dead(fleet, queued.by):
            lanes.unqueue(fleet, queued.by)
        else:
            return queued
    raise Unavailable(f"The lane of {fleet} changes too quickly; look again.")


def leave(fleet: str, rollout: str, fence: int) -> None:
    """Give the lane back, and wake the rollout that waits for it; repeating it is harmless."""
    wake(lanes.release(fleet, rollout, fence))


def wake(rollout: str | None) -> None:
    """Let a rollout in the queue look again; empty or ``None`` is nobody."""
    if rollout:
        executions.complete(doorbells.ring(f"queue-{rollout}"))


def _paused(fleet: str) -> str:
    reason = parameters.paused(fleet)
    return "" if reason is None else f"it is paused ({reason[:300]})"


def _dead(fleet: str, by: str) -> bool:
    """Whether what stands before us in the queue is an execution that has ended."""
    return lanes.read(fleet).queued == by and not executions.is_running(by)
