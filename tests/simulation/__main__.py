"""``make simulate``: many histories, or one with its journal.

Exit codes: 0 when every invariant held (and, with the first 10,000 seeds, every pair was fired),
else 1.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tests.simulation import seeds
from tests.simulation.report import Report
from tests.simulation.run import run
from tests.simulation.runner import Watch, outcomes

FIRST = 0
EVERYTHING = 10_000  # so many from the first on must have fired every pair


def main() -> int:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=400, help="how many histories")
    parser.add_argument("--first", type=int, default=FIRST, help="the first seed of them")
    parser.add_argument("--seed", type=int, help="replay this one and print its journal")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--table", type=Path, help="write the table to this file too")
    wanted = parser.parse_args()
    if wanted.seed is not None:
        return _replay(wanted.seed)
    chosen = range(wanted.first, wanted.first + wanted.seeds)
    return _simulate(chosen, max(1, wanted.jobs), wanted.table)


def _replay(seed: int) -> int:
    outcome = run(seed, full=True)
    _say(outcome.journal)
    _say(f"\n{seeds.schedule(seed)}\n")
    _say(f"{outcome.calls} calls, digest {outcome.digest}, results {dict(outcome.results)}")
    _say(f"BROKEN: {outcome.broken}" if outcome.broken else "every invariant held")
    return 1 if outcome.broken else 0


def _simulate(chosen: range, jobs: int, table: Path | None) -> int:
    report, watch = Report(), Watch(len(chosen))
    for outcome in outcomes(chosen, jobs):
        report.add(outcome)
        if outcome.broken:
            _say(f"BROKEN {outcome.broken[:300]}\n  make simulate SEED={outcome.seed}")
        if watch.due():
            _say(watch.line(report.histories, len(report.broken)))
    text = report.table()
    _say(text)
    if table is not None:
        table.write_text(text + "\n")
    _say(
        f"\n{report.histories} histories, {sum(report.results.values())} rollouts, "
        f"{report.calls} calls in {watch.seconds:.0f} s: "
        f"{sum(report.results.values()) / watch.seconds:.1f} rollouts a second with {jobs} "
        f"process{'' if jobs == 1 else 'es'}; {len(report.broken)} broken"
    )
    missing = report.missing()
    if missing and _is_everything(chosen):
        _say("never fired: " + "; ".join(f"{kind} at {place}" for kind, place in missing))
        return 1
    return 1 if report.broken else 0


def _is_everything(chosen: range) -> bool:
    """Whether each pair has had its turn: that begins with the first seed of all."""
    return chosen.start == FIRST and len(chosen) >= EVERYTHING


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
