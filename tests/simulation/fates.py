"""How events fare: lost, doubled, late, out of order."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from tests.simulation.journal import Journal
from tests.stories.delivery import PROMPT
from tests.stories.world import World

Fare = Literal["lost", "doubled", "late", "jumbled", "comes again a day later"]
PUSH = "Object Created"  # a push that is lost is no rollout, so pushes are not lost here


@dataclass(frozen=True)
class Fate:
    """``share`` of the events of a kind (the beginning of their detail type) fare so.

    ``amount``: of copies for ``doubled``, of minutes for ``late``, of seconds for ``jumbled``.
    """

    kind: str
    fare: Fare
    share: float = 1.0
    amount: float = 2

    def __str__(self) -> str:
        return f"{self.share:.0%} of the events {self.kind!r}…: {self.fare} ({self.amount:g})"


class Fates:
    """Says of each event when it arrives."""

    def __init__(
        self, world: World, planned: Sequence[Fate], source: random.Random, journal: Journal
    ) -> None:
        self._world, self._planned, self._random = world, list(planned), source
        self._journal = journal
        self.fared: Counter[tuple[Fare, str]] = Counter()

    def stop(self) -> None:
        """Every event arrives from now on."""
        self._planned.clear()

    def __call__(self, event: dict[str, Any]) -> list[timedelta]:
        delays = self._delays(event["detail-type"])
        self._journal.event(self._world.now(), event, delays)
        return delays

    def _delays(self, kind: str) -> list[timedelta]:
        delays = [PROMPT]
        for fate in self._planned:
            if not kind.startswith(fate.kind) or self._random.random() >= fate.share:
                continue
            if fate.fare == "lost" and kind == PUSH:
                continue
            self.fared[fate.fare, kind] += 1
            if fate.fare == "lost":
                return []
            if fate.fare == "doubled":
                delays += [
                    delays[0] + timedelta(seconds=self._random.uniform(0, 90))
                    for _ in range(int(fate.amount) - 1)
                ]
            elif fate.fare == "late":
                delays = [delay + timedelta(minutes=fate.amount) for delay in delays]
            elif fate.fare == "jumbled":
                jumble = self._random.uniform(0, fate.amount)
                delays = [delay + timedelta(seconds=jumble) for delay in delays]
            else:
                delays.append(delays[0] + timedelta(days=1))
        return delays
