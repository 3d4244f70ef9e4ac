"""Lanes: one rollout at a time for each fleet, a queue of depth one, the newest release wins.

Item ``lane#<fleet>``: holder (rollout id), holder_at, fence (grows with each new holder), expires
(epoch seconds), doorbell (what the holder waits for now), stop_by, stop_reason (a person wants it
to stop), queued, queued_at, queued_reason, barrier.

``at`` is the time of the release, ISO 8601 in UTC, so that texts compare like times. ``barrier`` is
the time of the last stop: what was released before it is not wanted any more.

A lease that has expired is over, even while its holder still runs: the holder finds out at its
next :func:`hold`. The fence tells two holders apart that bear the same name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ovenbird.errors import LaneLost, Stopped, Unavailable
from ovenbird.ledger import table
from ovenbird.ledger.table import Item, Unmet, Written

LEASE = timedelta(minutes=30)
TURN = timedelta(minutes=5)  # no function runs that long

_FREE = "(attribute_not_exists(#holder) OR (#expires < :now AND #holder <> :rollout))"
_NEWEST_WAITING = "(attribute_not_exists(#queued) OR #queued = :rollout OR #queued_at <= :at)"
_NEWER_THAN_HOLDER = "(attribute_not_exists(#holder) OR #holder_at <= :at)"
_WANTED = "(attribute_not_exists(#barrier) OR #barrier <= :at)"
_OURS = "#holder = :rollout AND #fence = :fence"


@dataclass(frozen=True)
class Lane:
    """A lane as it stands; empty texts mean nobody and nothing."""

    holder: str = ""
    fence: int = 0
    doorbell: str = ""
    queued: str = ""
    queued_reason: str = ""
    stop_by: str = ""
    stop_reason: str = ""


@dataclass(frozen=True)
class Taken:
    """The lane is ours. ``displaced`` was waiting and is not wanted any more: ring its doorbell."""

    fence: int
    displaced: str = ""


@dataclass(frozen=True)
class Held:
    """The lane is not ours.

    ``holder`` is empty where the lane is free, but a newer release waits for it or a stop came
    after ours; :func:`queue` then says which.
    """

    holder: str
    doorbell: str
    queued: str


@dataclass(frozen=True)
class Queued:
    """We are next. ``displaced`` was next before and is not any more: ring its doorbell."""

    displaced: str = ""


@dataclass(frozen=True)
class Superseded:
    """A newer release holds the lane or waits for it, or a person stopped the fleet after ours.

    ``by`` is a rollout id, or ``a stop by hand``.
    """

    by: str


@dataclass(frozen=True)
class Stopping:
    """The holder was told to stop: ring its ``doorbell`` (if any), and that of ``displaced``."""

    doorbell: str
    displaced: str = ""


def read(fleet: str) -> Lane:
    """The lane as it stands; a fleet that never rolled has an empty one.

    IAM: dynamodb:GetItem
    """
    item = table.get(_pk(fleet)) or {}
    return Lane(
        holder=item.get("holder", ""),
        fence=item.get("fence", 0),
        doorbell=item.get("doorbell", ""),
        queued=item.get("queued", ""),
        queued_reason=item.get("queued_reason", ""),
        stop_by=item.get("stop_by", ""),
        stop_reason=item.get("stop_reason", ""),
    )


def take(fleet: str, rollout: str, now: datetime, *, at: str) -> Taken | Held:
    """Take the lane if it is free, expired or already ours.

    Its holder gets the same fence again, however often it asks.

    IAM: dynamodb:UpdateItem
    """
    return _take(fleet, rollout, now, at, _FREE, {})


def seize(
    fleet: str,
    rollout: str,
    from_holder: str,
    now: datetime,
    *,
    at: str,
) -> Taken | Held:
    """Take the lane from a holder whose execution is not running any more.

    Without effect where the lane has changed hands since.

    IAM: dynamodb:UpdateItem
    """
    return _take(fleet, rollout, now, at, f"({_FREE} OR #holder = :dead)", {"dead": from_holder})


def queue(fleet: str, rollout: str, at: str, reason: str) -> Queued | Superseded:
    """Wait for the lane, unless a newer release holds it or waits for it; repeating is harmless.

    IAM: dynamodb:UpdateItem
    """
    written = table.update(
        _pk(fleet),
        "SET #queued = :rollout, #queued_at = :at, #queued_reason = :reason",
        {"rollout": rollout, "at": at, "reason": reason},
        condition=f"{_NEWEST_WAITING} AND {_NEWER_THAN_HOLDER} AND {_WANTED}",
        before=True,
    )
    if isinstance(written, Unmet):
        return Superseded(_newer(written.item, at))
    return Queued(displaced=_other(written.item.get("queued", ""), rollout))


def unqueue(fleet: str, rollout: str) -> None:
    """Leave the queue (or take a dead one out of it); without effect where it is not queued.

    IAM: dynamodb:UpdateItem
    """
    table.update(
        _pk(fleet),
        "REMOVE #queued, #queued_at, #queued_reason",
        {"rollout": rollout},
        condition="#queued = :rollout",
    )


def check(fleet: str, rollout: str, fence: int) -> None:
    """Whether the lane is ours at this moment.

    Raises:
        LaneLost: Another rollout owns the fleet now; do not write.
        Stopped: A person wants this rollout to stop.

    IAM: dynamodb:GetItem
    """
    _judge(fleet, rollout, fence, table.get(_pk(fleet)) or {})


def hold(fleet: str, rollout: str, fence: int, now: datetime) -> None:
    """The lane is ours, and nobody can take it over before this turn is over.

    Every step that changes what other rollouts touch begins with this. AWS's calls bear no fence
    number, so a lease must not run out between the look at it and the last write of the turn; it is
    prolonged where the rollout has slept for so long that it could. That happens also where
    ``Stopped`` is raised, so undoing may catch it and go on.

    Raises:
        LaneLost: Another rollout owns the fleet now; do not write.
        Stopped: A person wants this rollout to stop.

    IAM: dynamodb:GetItem, dynamodb:UpdateItem
    """
    item = table.get(_pk(fleet)) or {}
    ours = (item.get("holder"), item.get("fence")) == (rollout, fence)
    if ours and item["expires"] < _epoch(now + TURN):
        item = _prolong(fleet, rollout, fence, now).item
    _judge(fleet, rollout, fence, item)


def renew(
    fleet: str,
    rollout: str,
    fence: int,
    now: datetime,
    *,
    doorbell: str = "",
) -> None:
    """Prolong the lease and say what the rollout waits for; the last thing before it waits.

    The lease is also renewed where ``Stopped`` is raised, so undoing may catch it and go on.

    Raises:
        LaneLost: Another rollout owns the fleet now.
        Stopped: A person wants this rollout to stop (and may have rung before the doorbell was
            known here, so waiting would be wrong).

    IAM: dynamodb:UpdateItem
    """
    written = table.update(
        _pk(fleet),
        "SET #expires = :expires, #doorbell = :doorbell",
        {
            "rollout": rollout,
            "fence": fence,
            "expires": _epoch(now + LEASE),
            "doorbell": doorbell,
        },
        condition=_OURS,
    )
    _judge(fleet, rollout, fence, written.item)


def request_stop(fleet: str, holder: str, by: str, reason: str, at: str) -> Stopping | None:
    """Tell the holder to stop, and forget whatever was released before ``at``.

    Repeating it is harmless. ``None``: the lane is not held by that rollout any more.

    IAM: dynamodb:UpdateItem
    """
    written = table.update(
        _pk(fleet),
        "SET #stop_by = :by, #stop_reason = :reason, #barrier = :at "
        "REMOVE #queued, #queued_at, #queued_reason",
        {"holder": holder, "by": by, "reason": reason, "at": at},
        condition="#holder = :holder",
        before=True,
    )
    if isinstance(written, Unmet):
        return None
    return Stopping(written.item.get("doorbell", ""), written.item.get("queued", ""))


def release(fleet: str, rollout: str, fence: int) -> str | None:
    """Give the lane back.

    Returns:
        The rollout that waits for it: ring ``queue-<rollout>``. Asking again says it again, until
        somebody takes the lane.

    IAM: dynamodb:UpdateItem
    """
    written = table.update(
        _pk(fleet),
        "REMOVE #holder, #holder_at, #expires, #doorbell, #stop_by, #stop_reason",
        {"rollout": rollout, "fence": fence},
        condition=_OURS,
        before=True,
    )
    if isinstance(written, Unmet) and written.item.get("holder"):
        return None
    return written.item.get("queued") or None


def _take(
    fleet: str,
    rollout: str,
    now: datetime,
    at: str,
    free: str,
    values: dict[str, Any],
) -> Taken | Held:
    for _ in range(3):
        written = table.update(
            _pk(fleet),
            "SET #holder = :rollout, #holder_at = :at, #expires = :expires, "
            "#fence = if_not_exists(#fence, :none) + :one "
            "REMOVE #doorbell, #stop_by, #stop_reason, #queued, #queued_at, #queued_reason",
            {
                "rollout": rollout,
                "at": at,
                "now": _epoch(now),
                "expires": _epoch(now + LEASE),
                "none": 0,
                "one": 1,
                **values,
            },
            condition=f"{free} AND {_NEWEST_WAITING} AND {_WANTED}",
            before=True,
        )
        seen = written.item
        if not isinstance(written, Unmet):
            return Taken(seen.get("fence", 0) + 1, _other(seen.get("queued", ""), rollout))
        if seen.get("holder") != rollout:
            return Held(seen.get("holder", ""), seen.get("doorbell", ""), seen.get("queued", ""))
        # Ours already: an answer was lost, or the step runs again.
        if not isinstance(_prolong(fleet, rollout, seen["fence"], now), Unmet):
            return Taken(seen["fence"])
    raise Unavailable(f"The lane of {fleet} changes hands too quickly to be taken.")


def _prolong(fleet: str, rollout: str, fence: int, now: datetime) -> Written | Unmet:
    return table.update(
        _pk(fleet),
        "SET #expires = :expires",
        {"rollout": rollout, "fence": fence, "expires": _epoch(now + LEASE)},
        condition=_OURS,
    )


def _judge(fleet: str, rollout: str, fence: int, item: Item) -> None:
    holder = item.get("holder", "")
    if holder != rollout or item.get("fence") != fence:
        owner = f"rollout {holder}" if holder and holder != rollout else "nobody in this place"
        raise LaneLost(
            f"Rollout {rollout} does not hold the lane of {fleet} any more; {owner} does."
        )
    if item.get("stop_by"):
        raise Stopped(f"{item['stop_by']} stopped the rollout: {item.get('stop_reason', '')}")


def _newer(item: Item, at: str) -> str:
    if item.get("barrier", "") > at:
        return "a stop by hand"
    if item.get("holder") and item.get("holder_at", "") > at:
        return str(item["holder"])
    return str(item.get("queued", ""))


def _other(queued: str, rollout: str) -> str:
    return "" if queued == rollout else queued


def _pk(fleet: str) -> str:
    return f"lane#{fleet}"


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())
