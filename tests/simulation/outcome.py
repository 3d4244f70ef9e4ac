"""How one history ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.simulation.places import Place
from tests.simulation.strikes import Pair


@dataclass
class Outcome:
    """``broken`` is empty where everything held; ``results`` counts how the rollouts ended.

    ``digest`` is the same for the same history: every call with its time and its answer's kind.
    """

    seed: int
    broken: str = ""
    results: Counter[str] = field(default_factory=Counter)
    fired: Counter[Pair] = field(default_factory=Counter)
    fared: Counter[tuple[str, str]] = field(default_factory=Counter)
    mishaps: Counter[str] = field(default_factory=Counter)
    places: set[Place] = field(default_factory=set)
    pairs: set[Pair] = field(default_factory=set)  # that were possible, if somebody scouted
    calls: int = 0
    digest: str = ""
    journal: str = ""

    @property
    def rollouts(self) -> int:
        return sum(self.results.values())
