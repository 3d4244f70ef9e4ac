"""The faults at calls: planned, armed, fired and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.simulation.journal import Journal
from tests.simulation.kinds import KINDS, Struck, next_page
from tests.simulation.places import Place, of
from tests.stories.calls import Go, HandlerCall
from tests.stories.world import World

Pair = tuple[str, Place]  # kind of fault, where


@dataclass(frozen=True)
class Strike:
    """A fault from the ``nth`` call on where it is possible, ``times`` in a row at the same place.

    Args:
        place: ``None`` counts the calls of all places.
    """

    kind: str
    nth: int = 1
    times: int = 1
    place: Place | None = None

    def __str__(self) -> str:
        return f"{self.kind} × {self.times} at call {self.nth} of {self.place or 'all'}"


class _Armed:
    """A strike on its way."""

    def __init__(self, strike: Strike) -> None:
        self.strike, self.kind = strike, KINDS[strike.kind]
        self.place, self.before, self.left = strike.place, strike.nth - 1, strike.times

    def hits(self, place: Place, struck: Struck, call: HandlerCall) -> bool:
        if not self.left or not self.kind.possible(place) or self.place not in (None, place):
            return False
        if not self.kind.chance(struck, call):
            return False
        if self.before:
            self.before -= 1
            return False
        self.place = place
        return True


class Strikes:
    """An interference with every call; ``fired`` counts, ``places`` are all that were come by.

    Where it ``scouts``, ``pairs`` are the faults that could have been fired, and where.
    """

    def __init__(
        self, world: World, planned: Sequence[Strike], journal: Journal, *, scouts: bool = False
    ) -> None:
        self._world, self._journal = world, journal
        self._struck = Struck(world)
        self._armed = [_Armed(strike) for strike in planned]
        self._scouts = scouts
        self._remembers = scouts or any(strike.kind == "old answer" for strike in planned)
        self.fired: Counter[Pair] = Counter()
        self.places: set[Place] = set()
        self.pairs: set[Pair] = set()

    def stop(self) -> None:
        """Nothing strikes from now on."""
        self._armed.clear()

    def __call__(self, call: HandlerCall, go: Go) -> Any:
        place = of(call)
        self.places.add(place)
        try:
            answer = self._strike(call, place, go)
        except BaseException as failure:
            self._journal.called(call, type(failure).__name__, str(failure))
            raise
        self._journal.called(call)
        return answer

    def _strike(self, call: HandlerCall, place: Place, go: Go) -> Any:
        page = next_page(self._struck, call)
        if page is not None:
            return page
        if self._scouts:
            self.pairs.update(
                (kind.name, place)
                for kind in KINDS.values()
                if kind.possible(place) and kind.chance(self._struck, call)
            )
        for armed in self._armed:
            if armed.hits(place, self._struck, call):
                armed.left -= 1
                self.fired[armed.kind.name, place] += 1
                self._journal.note(self._world.now(), f"FAULT {armed.kind.name} at {place}")
                return armed.kind.act(self._struck, call, go)
        answer = go()
        if self._remembers:
            self._struck.remember(call, answer)
        return answer
