"""Lanes: one rollout at a time for each fleet, a queue of depth one, the newest release wins.

Item ``lane#<fleet>``: holder (rollout id), holder_order, fence (grows with each new holder), until
(epoch seconds), doorbell (what the holder waits for now), stop_by, stop_reason (a person wants it
to stop), queued, queued_order, queued_reason, barrier; and of the holder's state: seals (part →
digests, :mod:`ovenbird.core.seals`), version (what it published, JSON).

A lane is never deleted: ``until`` is not the table's time to live, because fence, barrier and queue
outlive a holder that died.

Orders are strict (:mod:`ovenbird.core.orders`): of two requests of a fleet one is always the newer.
``barrier`` is the order of the last stop: what was asked for before it is not wanted any more.

A lease that has expired is over, even while its holder still runs: the holder finds out at its
next :func:`hold`. The fence tells two holders apart that bear the same name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ovenbird.core import seals
from ovenbird.core.seals import Claim, Sealing, Seals
from ovenbird.errors import BadEvent, LaneLost, Stopped, Unavailable
from ovenbird.ledger import table
from ovenbird.ledger.table import Item, Unmet, Written

LEASE = timedelta(hours=3)
TURN = timedelta(minutes=5)  # no function runs that long

_FREE = "attribute_not_exists(#holder)"
_EXPIRED = f"({_FREE} OR (#until < :now AND #holder <> :rollout))"
_NEWEST_WAITING = "(attribute_not_exists(#queued) OR #queued = :rollout OR #queued_order < :order)"
_NEWER_THAN_HOLDER = (
    "(attribute_not_exists(#holder) OR #holder = :rollout OR #holder_order < :order)"
)
_WANTED = "(attribute_not_exists(#barrier) OR #barrier <= :order)"
_OURS = "#holder = :rollout AND #fence = :fence"
_OF_THE_HOLDER = "#doorbell, #stop_by, #stop_reason, #version"


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
    until: int = 0
    seals: Seals = field(default_factory=dict, hash=False)
    version: dict[str, Any] | None = field(default=None, hash=False)


@dataclass(frozen=True)
class Taken:
    """The lane is ours. ``displaced`` was waiting and is not wanted any more: ring its doorbell.

    ``sealed`` is what this very holder has sealed before: it takes a lane that it has already.
    """

    fence: int
    displaced: str = ""
    sealed: Seals = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Held:
    """The lane is not ours.

    ``holder`` is empty where the lane is free, but a newer release waits for it or a stop came
    after ours; :func:`queue` then says which. ``expired`` says that its lease is over.
    """

    holder: str
    doorbell: str
    queued: str
    expired: bool = False


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
        until=item.get("until", 0),
        seals=_seals(item),
        version=json.loads(item.get("version", "null")),
    )


def take(fleet: str, rollout: str, now: datetime, *, order: str) -> Taken | Held:
    """Take the lane if it is free or already ours.

    Its holder gets the same fence again, however often it asks.

    Raises:
        Stopped: It is ours already, and a person wants this rollout to stop.

    IAM: dynamodb:UpdateItem
    """
    return _take(fleet, rollout, now, order, _FREE, {})


def overtake(fleet: str, rollout: str, now: datetime, *, order: str) -> Taken | Held:
    """Take the lane if its lease has expired; its holder runs, and sleeps.

    Raises: As :func:`take`.

    IAM: dynamodb:UpdateItem
    """
    return _take(fleet, rollout, now, order, _EXPIRED, {"now": _epoch(now)})


def seize(
    fleet: str,
    rollout: str,
    from_holder: str,
    now: datetime,
    *,
    order: str,
) -> Taken | Held:
    """Take the lane from a holder whose execution is not running any more.

    Without effect where the lane has changed hands since.

    IAM: dynamodb:UpdateItem
    """
    return _take(fleet, rollout, now, order, f"({_FREE} OR #holder = :dead)", {"dead": from_holder})


def hand_over(fleet: str, rollout: str, to: str, now: datetime) -> None:
    """Give the lane of a rollout whose execution has died to the one that undoes it.

    With its seals and what it has published, and with the next fence: whatever still runs of the
    dead one writes no more. Without effect where the rollout has no lane, or not any more.

    IAM: dynamodb:UpdateItem
    """
    table.update(
        _pk(fleet),
        "SET #holder = :to, #fence = #fence + :one, #until = :until REMOVE #doorbell",
        {"rollout": rollout, "to": to, "one": 1, "until": _epoch(now + LEASE)},
        condition="#holder = :rollout",
    )


def queue(fleet: str, rollout: str, order: str, reason: str) -> Queued | Superseded:
    """Wait for the lane, unless a newer release holds it or waits for it; repeating is harmless.

    IAM: dynamodb:UpdateItem
    """
    written = table.update(
        _pk(fleet),
        "SET #queued = :rollout, #queued_order = :order, #queued_reason = :reason",
        {"rollout": rollout, "order": order, "reason": reason},
        condition=f"{_NEWEST_WAITING} AND {_NEWER_THAN_HOLDER} AND {_WANTED}",
        before=True,
    )
    if isinstance(written, Unmet):
        return Superseded(_newer(written.item, order))
    return Queued(displaced=_other(written.item.get("queued", ""), rollout))


def unqueue(fleet: str, rollout: str) -> None:
    """Leave the queue (or take a dead one out of it); without effect where it is not queued.

    IAM: dynamodb:UpdateItem
    """
    table.update(
        _pk(fleet),
        "REMOVE #queued, #queued_order, #queued_reason",
        {"rollout": rollout},
        condition="#queued = :rollout",
    )


def check(claim: Claim) -> Claim:
    """Whether the lane is ours at this moment, and the state what our own steps have answered.

    Returns:
        The claim, with the seals that it was compared with.

    Raises:
        LaneLost: Another rollout owns the fleet now; do not write.
        BadEvent: The state is not that of this rollout; do not write.
        Stopped: A person wants this rollout to stop.

    IAM: dynamodb:GetItem
    """
    return _judge(claim, table.get(_pk(claim.fleet)) or {})


def hold(claim: Claim, now: datetime, *, heeds_stop: bool = True) -> Claim:
    """The same, and nobody can take the lane over before this turn is over.

    Every step that changes what other rollouts touch begins with this. AWS's calls bear no fence
    number, so a lease must not run out between the look at it and the last write of the turn; it is
    prolonged where the rollout has slept for so long that it could. That happens also where
    ``Stopped`` is raised.

    Args:
        heeds_stop: Whether ``Stopped`` is raised at all; not on the way back, which a stop may have
            begun, and which needs the seals that are returned.

    Raises:
        LaneLost, BadEvent, Stopped: As :func:`check`.

    IAM: dynamodb:GetItem, dynamodb:UpdateItem
    """
    item = table.get(_pk(claim.fleet)) or {}
    if _is_ours(claim, item) and item["until"] < _epoch(now + TURN):
        item = _prolong(claim.fleet, claim.execution, claim.fence, now).item
    return _judge(claim, item) if heeds_stop else _compare(claim, item)


def keep(claim: Claim, lane: Lane, now: datetime) -> None:
    """Nobody can take the lane, which was read a moment ago, over before this turn is over.

    Raises:
        LaneLost: Another rollout owns the fleet now; do not write.

    IAM: dynamodb:UpdateItem
    """
    if lane.until < _epoch(now + TURN):
        item = _prolong(claim.fleet, claim.execution, claim.fence, now).item
        with suppress(Stopped):
            _judge(claim, item)


def renew(
    claim: Claim, now: datetime, *, doorbell: str = "", sealing: Sealing | None = None
) -> None:
    """Prolong the lease, say what the rollout waits for, and seal what the step answers.

    The last thing before it waits. The lease is also renewed, and the answer sealed, where
    ``Stopped`` is raised, so undoing may catch it and go on.

    Raises:
        LaneLost: Another rollout owns the fleet now.
        Stopped: A person wants this rollout to stop (and may have rung before the doorbell was
            known here, so waiting would be wrong).
        Unavailable: The state machine has gone on without this attempt.

    IAM: dynamodb:UpdateItem
    """
    values = {"until": _epoch(now + LEASE), "doorbell": doorbell}
    _write(claim, "SET #until = :until, #doorbell = :doorbell", values, sealing)


def seal(claim: Claim, sealing: Sealing, *, version: Mapping[str, Any] | None = None) -> None:
    """Seal what a step answers that does not wait; the last thing before it answers.

    Args:
        version: What it has published, for whoever has to undo it.

    Raises:
        LaneLost, Stopped, Unavailable: As :func:`renew`.

    IAM: dynamodb:UpdateItem
    """
    if version is None:
        _write(claim, "", {}, sealing)
    else:
        written = json.dumps(version, sort_keys=True)
        _write(claim, "SET #version = :version", {"version": written}, sealing)


def request_stop(fleet: str, holder: str, by: str, reason: str, order: str) -> Stopping | None:
    """Tell the holder to stop, and forget whatever was asked for before this.

    Repeating it is harmless, also after a later one. ``None``: the lane is not held by that rollout
    any more.

    IAM: dynamodb:UpdateItem
    """
    written = table.update(
        _pk(fleet),
        "SET #stop_by = :by, #stop_reason = :reason, #barrier = :order "
        "REMOVE #queued, #queued_order, #queued_reason",
        {"holder": holder, "by": by, "reason": reason, "order": order},
        condition=f"#holder = :holder AND {_WANTED}",
        before=True,
    )
    if isinstance(written, Unmet):
        stopped = written.item.get("holder") == holder  # by somebody who asked for it later
        return Stopping(written.item.get("doorbell", "")) if stopped else None
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
        f"REMOVE #holder, #holder_order, #until, #seals, {_OF_THE_HOLDER}",
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
    order: str,
    free: str,
    values: dict[str, Any],
) -> Taken | Held:
    for _ in range(3):
        written = table.update(
            _pk(fleet),
            "SET #holder = :rollout, #holder_order = :order, #until = :until, #seals = :unsealed, "
            "#fence = if_not_exists(#fence, :none) + :one "
            f"REMOVE {_OF_THE_HOLDER}, #queued, #queued_order, #queued_reason",
            {
                "rollout": rollout,
                "order": order,
                "until": _epoch(now + LEASE),
                "unsealed": {},
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
            return Held(
                seen.get("holder", ""),
                seen.get("doorbell", ""),
                seen.get("queued", ""),
                expired=seen.get("until", _epoch(now)) < _epoch(now),
            )
        # Ours already: an answer was lost, or the step runs again.
        prolonged = _prolong(fleet, rollout, seen["fence"], now)
        if isinstance(prolonged, Written):
            claim = _judge(Claim(fleet, rollout, seen["fence"]), prolonged.item)
            return Taken(claim.fence, sealed=claim.sealed)
    raise Unavailable(f"The lane of {fleet} changes hands too quickly to be taken.")


def _prolong(fleet: str, rollout: str, fence: int, now: datetime) -> Written | Unmet:
    return table.update(
        _pk(fleet),
        "SET #until = :until",
        {"rollout": rollout, "fence": fence, "until": _epoch(now + LEASE)},
        condition=_OURS,
    )


def _write(
    claim: Claim, expression: str, values: Mapping[str, Any], sealing: Sealing | None
) -> None:
    """Write into a lane that is ours, with the seal of an answer.

    Another attempt with the same state may seal at the same moment: then both answers count.
    """
    ours = {"rollout": claim.execution, "fence": claim.fence, **values}
    if sealing is None:
        item = table.update(_pk(claim.fleet), expression, ours, condition=_OURS).item
        _judge(replace(claim, carried={}), item)
        return
    attribute = f"#seals.#{sealing.part}"
    before = claim.sealed.get(sealing.part, ())
    for _ in range(3):
        after = sealing.after(before)
        written = table.update(
            _pk(claim.fleet),
            f"{expression}, {attribute} = :after" if expression else f"SET {attribute} = :after",
            {**ours, "after": list(after), **({"before": list(before)} if before else {})},
            condition=f"{_OURS} AND "
            + (f"{attribute} = :before" if before else f"attribute_not_exists({attribute})"),
        )
        stands = _compare(replace(claim, carried={}), written.item).sealed.get(sealing.part, ())
        if stands == after:  # also where the answer of our own write was lost
            _heed_stop(written.item)
            return
        if sealing.given not in stands:
            break
        before = stands
    raise Unavailable(f"The state machine has gone on without this attempt of {claim.rollout}.")


def _judge(claim: Claim, item: Item) -> Claim:
    compared = _compare(claim, item)
    _heed_stop(item)
    return compared


def _compare(claim: Claim, item: Item) -> Claim:
    """The claim with its seals, whether anybody wants the rollout to stop or not."""
    holder = item.get("holder", "")
    if not _is_ours(claim, item):
        owner = "nobody in this place"
        if holder and holder != claim.execution:
            owner = f"rollout {holder}"
        raise LaneLost(
            f"Rollout {claim.rollout} does not hold the lane of {claim.fleet} any more; "
            f"{owner} does."
        )
    sealed = _seals(item)
    if part := seals.broken(claim.carried, sealed):
        raise BadEvent(
            f"{part} is not what the steps of rollout {claim.rollout} have answered; a step takes "
            "the state of its own rollout as it is, from the state machine."
        )
    return replace(claim, sealed=sealed)


def _heed_stop(item: Item) -> None:
    if item.get("stop_by"):
        # Why is what somebody wrote: on a line of its own, so that a notice can mark it as such.
        raise Stopped(f"{item['stop_by']} stopped the rollout:\n{item.get('stop_reason', '')}")


def _is_ours(claim: Claim, item: Item) -> bool:
    return (item.get("holder"), item.get("fence")) == (claim.execution, claim.fence)


def _seals(item: Item) -> Seals:
    return {part: tuple(digests) for part, digests in (item.get("seals") or {}).items()}


def _newer(item: Item, order: str) -> str:
    if item.get("barrier", "") > order:
        return "a stop by hand"
    if item.get("holder") and item.get("holder_order", "") > order:
        return str(item["holder"])
    return str(item.get("queued", ""))


def _other(queued: str, rollout: str) -> str:
    return "" if queued == rollout else queued


def _pk(fleet: str) -> str:
    return f"lane#{fleet}"


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())
