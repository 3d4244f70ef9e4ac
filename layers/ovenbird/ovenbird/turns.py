"""Whose turn it is: a rollout takes its fleet's lane, waits for it, or gives way for good.

Shared by the steps at both ends of a rollout. The decisions themselves are conditions in the
ledger (:mod:`ovenbird.ledger.lanes`); here they are put in an order in which nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ovenbird import recovery
from ovenbird.aws import executions, parameters
from ovenbird.errors import Unavailable
from ovenbird.ledger import doorbells, lanes
from ovenbird.ledger.lanes import Held, Superseded, Taken
from ovenbird.settings import settings


@dataclass(frozen=True)
class InQueue:
    """It is not our turn; ``rings`` of the doorbell were counted before that was looked at."""

    doorbell: str
    rings: int
    reason: str


def take(
    fleet: str, rollout: str, order: str, now: datetime, *, pauses: bool
) -> Taken | Superseded | InQueue:
    """Take the lane, or join the queue for it.

    The queue is joined first and everything looked at once more afterwards: whoever frees the lane
    or ends the pause then finds us there, or we find it done.

    Args:
        order: Its place among the requests of the fleet; the newest goes first.
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
            taken = _take(fleet, rollout, order, now)
            if isinstance(taken, Taken):
                wake(taken.displaced)
                return taken
            blocked = f"rollout {taken.holder or taken.queued} goes first"
        if waits:
            return InQueue(bell, rings, f"Fleet {fleet} has to wait: {waits}.")
        queued = lanes.queue(fleet, rollout, order, blocked)
        if not isinstance(queued, Superseded):
            wake(queued.displaced)
            waits = blocked
        elif _dead(fleet, queued.by):
            lanes.unqueue(fleet, queued.by)
        else:
            return queued
    raise Unavailable(f"The lane of {fleet} changes too quickly; look again.")


def _take(fleet: str, rollout: str, order: str, now: datetime) -> Taken | Held:
    """Take the lane, also from one that can do nothing with it any more.

    What a rollout has left whose execution has died is undone first, by the next holder.
    """
    taken = lanes.take(fleet, rollout, now, order=order)
    if isinstance(taken, Taken) or not taken.holder:
        return taken
    holder = executions.describe(settings().execution_arn(taken.holder))
    if holder is not None and holder.is_running:
        return lanes.overtake(fleet, rollout, now, order=order) if taken.expired else taken
    heir = recovery.heir(fleet, taken.holder, holder, now)
    if heir:
        return replace(taken, holder=heir)
    return lanes.seize(fleet, rollout, taken.holder, now, order=order)


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
