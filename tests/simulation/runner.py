"""Many seeds, over several processes."""

from __future__ import annotations

import gc
import multiprocessing
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

from tests.simulation import directed
from tests.simulation.outcome import Outcome
from tests.simulation.run import run

_AT_ONCE = 4  # seeds that a process takes at a time


def outcomes(seeds: Iterable[int], jobs: int) -> Iterator[Outcome]:
    """The outcome of each seed, in no order; journals are left out, a replay writes them."""
    directed.pairs()  # once, before the processes part
    gc.freeze()  # what stays is not looked through again and again; a world is garbage as a whole
    gc.set_threshold(200_000, 20, 20)
    if jobs == 1:
        yield from map(_run, seeds)
        return
    # Forked processes find everything imported, translated and warm.
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from pool.imap_unordered(_run, seeds, chunksize=_AT_ONCE)


def _run(seed: int) -> Outcome:
    return replace(run(seed), journal="")


class Watch:
    """How long it takes, said now and then."""

    def __init__(self, total: int) -> None:
        self._began = self._said = time.monotonic()
        self._total = total

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def due(self, every: float = 10) -> bool:
        """Whether something should be said again."""
        if time.monotonic() - self._said < every:
            return False
        self._said = time.monotonic()
        return True

    def line(self, done: int, broken: int) -> str:
        left = self.seconds / done * (self._total - done)
        return (
            f"{done} of {self._total} histories, {done / self.seconds:.1f} a second, "
            f"{broken} broken, about {left:.0f} s to go"
        )
