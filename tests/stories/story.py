"""The frame of a story: a fleet that serves, and what must hold whatever happens to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.stories import fleets
from tests.stories.fleets import Fleet
from tests.stories.invariants import Invariants
from tests.stories.world import present


@contextmanager
def a_fleet(
    *,
    seed: int = 0,
    min_healthy_percent: int = 100,
    may_pin: bool = False,
    shortcut: bool = False,
    **options: Any,
) -> Iterator[Fleet]:
    """A fleet in a world of its own; the invariants hold after every call and at the end.

    Args:
        options: As :func:`tests.stories.fleets.make`.
    """
    with present(seed, shortcut=shortcut) as world:
        fleet = fleets.make(world, **options)
        invariants = Invariants(
            world, fleet, min_healthy_percent=min_healthy_percent, may_pin=may_pin
        )
        fleet.forgive, fleet.edited = invariants.forgive, invariants.edited
        try:
            yield fleet
            invariants.at_end()
        except BaseException:
            print(world.told())  # noqa: T201  (shown only when the story fails)
            raise
