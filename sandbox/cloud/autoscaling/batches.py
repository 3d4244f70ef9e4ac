"""How many instances may be replaced now: arithmetic, nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """Never fewer ready units than ``least``, never more active ones than ``most``.

    A unit is an instance, unless instances have weights.
    """

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
    weight: int = 1


@dataclass(frozen=True)
class Step:
    """What to do now: how many instances to launch, and which to terminate."""

    launch: int = 0
    terminate: tuple[str, ...] = ()


def units(seats: Iterable[Seat]) -> int:
    """How much capacity the seats are."""
    return sum(seat.weight for seat in seats)


def bounds(desired: int, minimum: int, maximum: int | None, weight: int = 1) -> Bounds:
    """The bounds that the percentages of the desired capacity mean.

    AWS does not publish how it rounds the maximum; the minimum was once documented as "rounded
    up to the nearest integer". Both are taken here to the safe side: up for the least, down for
    the most. Where no whole instance fits between them:

    - an explicit maximum launches one before it terminates one, above the desired capacity;
    - an omitted one terminates and launches at the same time, below the minimum.

    Args:
        weight: The units of the next instance that is launched.

    Source: Auto Scaling API reference, RefreshPreferences, MaxHealthyPercentage.
    """
    if desired == 0:
        return Bounds(0, 0)
    least = -(-desired * minimum // 100)
    if maximum is None:
        return Bounds(min(least, desired - weight), desired)
    most = desired * maximum // 100
    return Bounds(least, max(most, least + weight, desired))


def replace(
    seats: Sequence[Seat], desired: int, within: Bounds, allowed: int, weight: int = 1
) -> Step:
    """The next step of a replacement.

    Args:
        seats: All active instances, the ones to be terminated first in front.
        allowed: How many updated units there may be before the next checkpoint.
        weight: The units of the next instance that is launched.
    """
    active, ready = units(seats), units(seat for seat in seats if seat.ready)
    updated = units(seat for seat in seats if seat.updated)
    outdated = units(seat for seat in seats if seat.outdated)
    kept = units(seat for seat in seats if not seat.outdated and not seat.updated)
    leave = max(0, desired - kept - allowed)  # outdated ones that the checkpoint still protects
    victims: list[str] = []
    for seat in seats:
        if not seat.outdated or seat.held or outdated <= leave:
            continue
        # One that is not ready serves nothing, but it may be about to: it goes only when enough
        # others are there.
        if (ready if seat.ready else active) - seat.weight < within.least:
            continue
        victims.append(seat.instance_id)
        outdated, active = outdated - seat.weight, active - seat.weight
        ready -= seat.weight if seat.ready else 0
    staying = units(seat for seat in seats if not seat.outdated or seat.held)
    wanted = min(
        _whole(desired - staying, weight),
        _whole(allowed - updated, weight),
        (within.most - active) // weight,
    )
    launch = max(0, _whole(desired - active, weight), wanted)
    pending_victims = any(
        seat.outdated and not seat.held and seat.instance_id not in victims for seat in seats
    )
    if not pending_victims and active > desired:
        victims += surplus([s for s in seats if s.instance_id not in victims], active - desired)
        launch = 0
    return Step(launch, tuple(victims))


def keep(seats: Sequence[Seat], desired: int, most: int, weight: int = 1) -> Step:
    """Keep the size: fill up to the desired capacity, go down to ``most``."""
    if units(seats) > most:
        return Step(0, tuple(surplus(seats, units(seats) - most)))
    return Step(max(0, _whole(desired - units(seats), weight)))


def surplus(seats: Sequence[Seat], excess: int) -> list[str]:
    """Which instances a scale-in takes; protected ones never, nor one that is more than that.

    Source: Auto Scaling user guide, "Configure an Auto Scaling group to use instance weights"
    (the capacity is at the desired one, or above it).
    """
    taken = []
    for seat in seats:
        if not seat.held and seat.weight <= excess:
            taken.append(seat.instance_id)
            excess -= seat.weight
    return taken


def _whole(missing: int, weight: int) -> int:
    """So many instances cover what is missing; the last one may be more than that."""
    return -(-missing // weight)
