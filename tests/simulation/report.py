"""The counts of many histories, and the table that the run ends with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.simulation import directed
from tests.simulation.kinds import KINDS
from tests.simulation.outcome import Outcome
from tests.simulation.places import Place
from tests.simulation.strikes import Pair

_FAILURES_SHOWN = 10


@dataclass
class Report:
    """Outcomes, added up."""

    histories: int = 0
    calls: int = 0
    results: Counter[str] = field(default_factory=Counter)
    fired: Counter[Pair] = field(default_factory=Counter)
    fared: Counter[tuple[str, str]] = field(default_factory=Counter)
    mishaps: Counter[str] = field(default_factory=Counter)
    places: set[Place] = field(default_factory=set)
    broken: dict[int, str] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        self.histories += 1
        self.calls += outcome.calls
        self.results += outcome.results
        self.fired += outcome.fired
        self.fared += outcome.fared
        self.mishaps += outcome.mishaps
        self.places |= outcome.places
        if outcome.broken:
            self.broken[outcome.seed] = outcome.broken

    def pairs(self) -> list[Pair]:
        """Every pair: those of the directed seeds, and all at places that these do not come by."""
        known = set(directed.pairs())
        strange = self.places - {place for _kind, place in known}
        return sorted(
            known | {(k.name, p) for p in strange for k in KINDS.values() if k.possible(p)},
            key=lambda pair: (pair[1], pair[0]),
        )

    def missing(self) -> list[Pair]:
        """Those that were never fired."""
        return [pair for pair in self.pairs() if not self.fired[pair]]

    def table(self) -> str:
        """Everything for people."""
        return "\n\n".join(
            [
                self._fired(),
                _columns("what events suffered", Counter(_by_fare(self.fared))),
                _columns("what else went wrong", self.mishaps),
                _columns("how the rollouts ended", self.results),
                *([self._broken()] if self.broken else []),
            ]
        )

    def _fired(self) -> str:
        """A line for each call, a column for each kind: how often it struck there."""
        names, possible = list(KINDS), set(self.pairs())
        places = sorted({place for _kind, place in possible})
        width = max((len(str(place)) for place in places), default=0)
        lines = ["faults at calls: how often each was fired ('·' where it is not possible)", ""]
        lines += [f"{letter}  {name}" for letter, name in zip(_LETTERS, names, strict=False)]
        head = " ".join(f"{_LETTERS[index]:>4}" for index in range(len(names)))
        lines += ["", f"{'':{width}} {head}"]
        for place in places:
            cells = [
                f"{self.fired[name, place]:>4}"
                if (name, place) in possible or self.fired[name, place]
                else "   ·"
                for name in names
            ]
            lines.append(f"{place!s:{width}} {' '.join(cells)}")
        lines.append(
            f"\n{len(possible) - len(self.missing())} of {len(possible)} pairs of fault and call "
            f"were fired, {sum(self.fired.values())} times in all"
        )
        return "\n".join(lines)

    def _broken(self) -> str:
        lines = [f"BROKEN in {len(self.broken)} of {self.histories} histories; to replay one:"]
        for seed, what in sorted(self.broken.items())[:_FAILURES_SHOWN]:
            lines.append(f"  make simulate SEED={seed}    # {what[:160]}")
        return "\n".join(lines)


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _by_fare(fared: Counter[tuple[str, str]]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for (fare, kind), times in fared.items():
        counted[f"{fare}: {kind}"] += times
    return counted


def _columns(title: str, counted: Counter[str]) -> str:
    if not counted:
        return f"{title}: nothing"
    width = max(map(len, counted))
    return "\n".join([title, *(f"  {name:{width}}  {counted[name]}" for name in sorted(counted))])
