"""``make bench``: the figures, each from this run. Nothing here is timed by a test.

python -m tests.bench              groups of 1, 100 and 1,000 instances
python -m tests.bench 10000        and one of 10,000 (some minutes)
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from statistics import mean

from sandbox.cloud.kernel import Durations
from tests.bench.profile import shares
from tests.bench.rollouts import Told, roll
from tests.bench.waits import Wait, waits

ROLLOUTS = 30
SEEDS = 20
SIZES = (1, 100, 1_000)


def main(sizes: list[int]) -> None:
    for part in (_speed(), _waiting(), _long_waits(), _calls(sizes), _members()):
        for line in part:
            print(line, flush=True)  # noqa: T201


def _speed() -> Iterator[str]:
    roll()  # imports, the template's translation, boto3's clients
    began = time.process_time()
    calls = sum(len(roll(seed=seed).calls) for seed in range(ROLLOUTS))
    spent = time.process_time() - began
    yield f"Simulated rollouts of a group of 4, without faults, on one core ({ROLLOUTS}):"
    yield f"  {ROLLOUTS / spent:.1f} a second; {1e6 * spent / calls:.0f} µs for each of their calls"
    yield "  the time goes to:"
    for owner, share in shares(lambda: [roll(seed=seed) for seed in range(5)]):
        yield f"    {share:4.0%}  {owner}"
    yield ""


def _waiting() -> Iterator[str]:
    """Against a machine that waits 15 seconds and looks, over rollouts of different lengths."""
    ours: list[Wait] = []
    theirs: list[Wait] = []
    ratios: list[float] = []
    for seed in range(SEEDS):
        durations = _some(random.Random(seed))
        doorbell, polled = (roll(seed=seed, durations=durations, polls=p) for p in (False, True))
        ours += waits(doorbell, durations.agent)
        theirs += waits(polled, durations.agent)
        ratios.append(doorbell.execution.transitions / polled.execution.transitions)
    event = Durations().event.total_seconds()
    heard = _late([wait for wait in ours if wait.by_event])
    looked = _late([wait for wait in theirs if wait.by_event])
    yield f"Doorbells against polling every 15 s ({SEEDS} rollouts, virtual time):"
    yield f"  transitions for each rollout: {mean(ratios):.2f} of polling's"
    yield f"  from a change to the look that sees it, where AWS sends an event: {heard:.1f} s,"
    yield f"    polling {looked:.1f} s: ratio {heard / looked:.2f}"
    yield f"    without the {event:.0f} s that AWS's event takes: {(heard - event) / looked:.2f}"
    unheard, guessed = (_late([w for w in all_ if not w.by_event]) for all_ in (ours, theirs))
    yield "  where AWS sends none (the agent of a builder):"
    yield f"    {unheard:.1f} s, polling {guessed:.1f} s"
    yield ""


def _some(draw: random.Random) -> Durations:
    def between(least: int, most: int) -> timedelta:
        return timedelta(seconds=draw.uniform(least, most))

    return Durations(
        boot=between(10, 40), agent=between(15, 60), stop=between(10, 60), image=between(60, 900)
    )


def _late(some: list[Wait]) -> float:
    return mean(wait.late.total_seconds() for wait in some)


def _long_waits() -> Iterator[str]:
    yield "An image that is pending for long (every sweep is a look; a history holds 25,000):"
    yield "  pending    transitions  of polling's   history events    polling's"
    for minutes in (2, 30, 120, 600):
        durations = Durations(image=timedelta(minutes=minutes))
        one, other = (roll(durations=durations, polls=polls).execution for polls in (False, True))
        yield (
            f"  {minutes:4} min {one.transitions:12,} {one.transitions / other.transitions:14.2f}"
            f" {len(one.history):16,} {len(other.history):12,}"
        )
    yield ""


def _calls(sizes: list[int]) -> Iterator[str]:
    yield "API calls of a rollout's own steps, by the size of the group:"
    yield "  instances   calls   AWS reads   AWS writes   ledger   transitions"
    for size in sizes:
        told = roll(size=size, addresses=0, members_tell=False)
        ledger, reads, writes = _kinds(told)
        yield (
            f"  {size:9,} {len(told.calls):7} {reads:11} {writes:12} {ledger:8}"
            f" {told.execution.transitions:13}"
        )
    told = roll(addresses=0)
    steps = Counter(call.function for call in told.calls)
    yield "  by step: " + ", ".join(f"{step} {number}" for step, number in steps.most_common())
    yield ""


def _kinds(told: Told) -> tuple[int, int, int]:
    ledger = sum(call.service == "dynamodb" for call in told.calls)
    reads = sum(call.only_looks for call in told.calls if call.service != "dynamodb")
    return ledger, reads, len(told.calls) - ledger - reads


def _members() -> Iterator[str]:
    yield "Besides, for each instance that is replaced (its events, a group of 20):"
    for addresses in (0, 2):
        told = roll(size=20, addresses=addresses)
        by = Counter(call.function for call in told.besides)
        each = ", ".join(f"{function} {number / 20:.1f}" for function, number in by.most_common())
        yield f"  with {addresses} addresses: {sum(by.values()) / 20:.1f} calls ({each})"


if __name__ == "__main__":
    main([*SIZES, *map(int, sys.argv[1:])])
