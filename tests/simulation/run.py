"""One seed, from its schedule to its outcome."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import sys
from collections import Counter
from collections.abc import Iterator
from unittest import mock

from ovenbird import entry
from tests.simulation import judgement, seeds
from tests.simulation.journal import Journal
from tests.simulation.outcome import Outcome
from tests.simulation.schedule import Schedule
from tests.simulation.simulated import Simulated
from tests.stories.invariants import Broken
from tests.stories.world import World, present

# Handlers that run at the same time are nested calls here, and an event may come fifty times.
sys.setrecursionlimit(10_000)


def run(seed: int, *, full: bool = False) -> Outcome:
    """Play the history of a seed.

    Args:
        full: Whether the journal shall hold every call and event.
    """
    return play(seeds.schedule(seed), full=full)


def play(schedule: Schedule, *, full: bool = False, scouts: bool = False) -> Outcome:
    """Play a schedule; whatever breaks is in the outcome, nothing is raised.

    Args:
        scouts: Whether the outcome shall say which faults would have been possible, and where.
    """
    journal = Journal(full=full)
    outcome = Outcome(schedule.seed)
    with _silence(), present(schedule.seed, shortcut=True) as world:
        simulated: Simulated | None = None
        try:
            simulated = Simulated(world, schedule, journal, scouts=scouts)
            simulated.play()
            simulated.heal()
            if judgement.needs_encore(simulated):
                judgement.encore(simulated)
            judgement.at_end(simulated)
        except Broken as broken:
            outcome.broken = str(broken)
        except Exception as failure:  # whatever it is, it is this seed's outcome
            outcome.broken = f"{type(failure).__name__}: {failure}"
            logging.getLogger(__name__).debug("in seed %s", schedule.seed, exc_info=failure)
        if outcome.broken:
            journal.note(world.now(), f"BROKEN {outcome.broken}")
        if simulated is not None:
            _tell(outcome, simulated)
        if full or outcome.broken:
            outcome.journal = f"{schedule}\n\n{journal.text(world.states.executions.values())}"
        outcome.calls = len(world.calls)
        outcome.digest = _digest(world)
    return outcome


def _tell(outcome: Outcome, simulated: Simulated) -> None:
    results = simulated.rollout_results()
    outcome.results = Counter(
        results[each.name] or each.status.lower() for each in simulated.world.rollouts
    )
    outcome.fired = +simulated.strikes.fired
    outcome.fared = Counter({(str(f), kind): n for (f, kind), n in simulated.fates.fared.items()})
    outcome.mishaps = Counter(simulated.mishaps)
    outcome.places, outcome.pairs = simulated.strikes.places, simulated.strikes.pairs


def _digest(world: World) -> str:
    seen = hashlib.sha256()
    for call in world.calls:
        seen.update(f"{call.at} {call.function} {call.operation} {call.error}\n".encode())
    return seen.hexdigest()[:16]


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """The handlers neither log nor count: that would be most of what the run prints."""
    with (
        mock.patch.dict("os.environ", {"POWERTOOLS_METRICS_DISABLED": "true"}),
        mock.patch.object(entry, "_count", lambda *_: None),
        mock.patch.object(entry.metrics, "add_dimensions", lambda **_: None),
    ):
        level = entry.logger.log_level
        entry.logger.setLevel("CRITICAL")
        try:
            yield
        finally:
            entry.logger.setLevel(level)
