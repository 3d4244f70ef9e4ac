"""How many instances may be replaced now: arithmetic, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """Never fewer ready instances than ``least``, never more active ones than ``most``."""

    least: int
    most: int


@dataclass(frozen=True)
class Seat:
    """An active instance (pending or in service) as the arithmetic sees it.

    ``ready`` is in service, healthy and warm; ``outdated`` is still to be replaced; ``held`` must
    not be terminated. Seats are given in the order in which they would be terminated.
    """

    instance_id: str
    ready: bool
    outdated: bool = False
    updated: bool = False
    held: bool = False


@dataclass(frozen=True)
class Step:
    """What to do now."""

    launch: int = 0
    terminate: tuple[str, ...] = ()


def bounds(desired: int, minimum: int, maximum: int | None) -> Bounds:
    """The bounds that the percentages of the desired capacity mean.

    AWS does not publish how it rounds the maximum; the minimum was once documented as "rounded
    up to the nearest integer". Both are taken here to the safe side: up for the least, down for
    the most. Where no whole instance fits between them:

    - an explicit maximum launches one before it terminates one, above the desired capacity;
    - an omitted one terminates and launches at the same time, below the minimum.

    Source: Auto Scaling API reference, RefreshPreferences, MaxHealthyPercentage.
    """
    if desired == 0:
        return Bounds(0, 0)
    least = -(-desired * minimum // 100)
    if maximum is None:
        return Bounds(min(least, desired - 1), desired)
    most = desired * maximum // 100
    return Bounds(least, max(most, least + 1, desired))


def replace(seats: Sequence[Seat], desired: int, within: Bounds, allowed: int) -> Step:
    """The next step of a replacement.

    Args:
        seats: All active instances, the ones to be terminated first in front.
        allowed: How many updated instances there may be before the next checkpoint.
    """
    active, ready = len(seats), sum(seat.ready for seat in seats)
    updated = sum(seat.updated for seat in seats)
    outdated = sum(seat.outdated for seat in seats)
    kept = sum(not seat.outdated and not seat.updated for seat in seats)
    leave = max(0, desired - kept - allowed)  # outdated ones that the checkpoint still protects
    victims: list[str] = []
    for seat in seats:
        if not seat.outdated or seat.held or outdated <= leave:
            continue
        # One that is not ready serves nothing, but it may be about to: it goes only when enough
        # others are there.
        if (ready - 1 if seat.ready else active - 1) < within.least:
            continue
        victims.append(seat.instance_id)
        outdated, active, ready = outdated - 1, active - 1, ready - seat.ready
    staying = sum(not seat.outdated or seat.held for seat in seats)
    wanted = min(desired - staying, allowed - updated, within.most - active)
    launch = max(0, desired - active, wanted)
    pending_victims = any(
        seat.outdated and not seat.held and seat.instance_id not in victims for seat in seats
    )
    if not pending_victims and active > desired:
        victims += surplus([s for s in seats if s.instance_id not in victims], active - desired)
        launch = 0
    return Step(launch, tuple(victims))


def keep(seats: Sequence[Seat], desired: int, most: int) -> Step:
    """Keep the size: fill up to the desired capacity, go down to ``most``."""
    if len(seats) > most:
        return Step(0, tuple(surplus(seats, len(seats) - most)))
    return Step(max(0, desired - len(seats)))


def surplus(seats: Sequence[Seat], count: int) -> list[str]:
    """Which instances a scale-in takes; protected ones never."""
    return [seat.instance_id for seat in seats if not seat.held][:count]
