"""``python -m tests.twin``: what the same faults do to Ovenbird, and to a script of sixty lines.

Answers 1 if Ovenbird broke anything.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import os
import sys
from collections import Counter
from contextlib import AbstractContextManager

from tests.simulation.run import run
from tests.twin import seeded
from tests.twin.histories import HISTORIES
from tests.twin.runs import with_ovenbird, with_the_script


def main() -> int:
    """Tell the histories, and then the seeds."""
    parser = argparse.ArgumentParser(prog="python -m tests.twin", description=__doc__)
    parser.add_argument("--seeds", type=int, default=int(os.environ.get("SEEDS", "500")))
    last = parser.parse_args().seeds
    logging.disable()
    with _silence():
        told = [(each.name, with_ovenbird(each), with_the_script(each)) for each in HISTORIES]
    width = max(len(name) for name, _, _ in told)
    _say(f"{'what happens':{width}}  Ovenbird breaks  the script breaks")
    for name, ours, theirs in told:
        _say(f"{name:{width}}  {_list(ours):15}  {_list(theirs)}")
    worse = sum(bool(ours) for _, ours, _ in told)
    return int(bool(worse + _seeds(last)))


def _seeds(last: int) -> int:
    """Tell what breaks under the simulation's seeds; how many Ovenbird breaks."""
    chosen = [seed for seed in range(last) if seeded.comparable(seed)]
    with _silence():
        ours = [seed for seed in chosen if run(seed).broken]
        theirs = {seed: seeded.broken(seed) or {} for seed in chosen}
    bad = sum(bool(broken) for broken in theirs.values())
    _say(
        f"\nOf the first {last} seeds of the simulation, {len(chosen)} are faults at calls alone:\n"
        f"Ovenbird breaks an invariant in {len(ours)} of them, the script in {bad}."
    )
    for name, times in Counter(name for each in theirs.values() for name in each).most_common():
        _say(f"{times:6}  {name}")
    for seed in ours:
        _say(f"Ovenbird broke one; this replays it: make simulate SEED={seed}")
    return len(ours)


def _silence() -> AbstractContextManager[object]:
    """Metrics are printed, as Lambda wants them."""
    return contextlib.redirect_stdout(io.StringIO())


def _list(broken: dict[str, str]) -> str:
    return "; ".join(broken) or "nothing"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
