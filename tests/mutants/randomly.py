"""``python -m tests.mutants.randomly --number 150 --seed 1``: break Ovenbird at random.

Draws mutants by the syntax tree of the layer, the template and the state machines, and tells which
of them no test noticed. ``make mutants RANDOM=150 SEED=1`` calls it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants import reach
from tests.mutants.change import Change
from tests.mutants.drawing import LAYER, draw
from tests.mutants.equivalents import EQUIVALENT, Equivalent
from tests.mutants.trial import Tried, bench

AIM_PERCENT = 92
_WIDEST_PLACE = 46


def main() -> int:
    """Draw, try, and tell; 0 when the aim was reached."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants.randomly", description=__doc__)
    parser.add_argument("--number", type=int, default=150)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--jobs", type=int, default=int(os.environ.get("JOBS", "2")))
    parser.add_argument("--only", type=int, nargs="*", help="the numbers of some of them")
    parser.add_argument("--list", action="store_true", help="draw and show them, and try nothing")
    wanted = parser.parse_args()
    drawn = list(enumerate(draw(reach.ROOT, wanted.number, wanted.seed), 1))
    if wanted.only:
        drawn = [(number, change) for number, change in drawn if number in wanted.only]
    if wanted.list:
        for number, change in drawn:
            _say(f"\n{_title(number, change)}\n{change.diff(reach.ROOT)}")
        return 0
    _say(f"{len(drawn)} mutants, seed {wanted.seed}")
    known = reach.measure(wanted.jobs, _say)
    with bench(known, wanted.jobs) as tries, ThreadPoolExecutor(wanted.jobs) as pool:
        tried = list(
            pool.map(lambda each: _told(each[0], tries.try_out(each[1])), drawn, chunksize=1)
        )
    return _judged(dict(drawn), dict(zip(dict(drawn), tried, strict=True)), wanted.seed)


def excuse(change: Change, root: Path) -> Equivalent | None:
    """Why nobody can notice the change, if that was said before."""
    lines = change.diff(root).splitlines()
    minus = next((line[1:].strip() for line in lines if line.startswith("-")), "")
    plus = next((line[1:].strip() for line in lines if line.startswith("+")), "")
    for known in EQUIVALENT:
        if (known.path, known.minus, known.plus) == (change.path, minus, plus):
            return known
    return None


def _judged(drawn: dict[int, Change], tried: dict[int, Tried], seed: int) -> int:
    alive = {number: each for number, each in tried.items() if not each.killer}
    excused = {number: excuse(each.change, reach.ROOT) for number, each in alive.items()}
    survivors = [number for number, why in excused.items() if why is None]
    for number in survivors:
        _say(f"\n{_title(number, drawn[number])} survived {alive[number].asked} tests:")
        _say(drawn[number].diff(reach.ROOT))
    for number, why in excused.items():
        if why is not None:
            _say(f"\n{_title(number, drawn[number])} is equivalent: {why.why}")
    killed = len(tried) - len(alive)
    counted = killed + len(survivors)
    by = Counter(each.killer.partition("/")[0] for each in tried.values() if each.killer)
    _say("\nkilled by " + ", ".join(f"{suite} {times}" for suite, times in by.most_common()))
    for part, number_of in sorted(_parts(drawn, survivors).items()):
        _say(f"  {part:12} {number_of[0]:3} of {number_of[1]:3}")
    percent = 100 * killed / counted if counted else 100.0
    _say(
        f"\n{killed} of {counted} mutants were killed ({percent:.1f} %), seed {seed}; "
        f"{len(tried) - counted} more are equivalent."
    )
    return int(percent < AIM_PERCENT)


def _parts(drawn: dict[int, Change], survivors: list[int]) -> dict[str, tuple[int, int]]:
    """Package → how many died, of how many."""
    found: dict[str, tuple[int, int]] = {}
    for number, change in drawn.items():
        inside = change.path.removeprefix(f"{LAYER}/")
        part = inside.partition("/")[0] if "/" in inside else inside.removesuffix(".py")
        part = part if "/" in inside or not change.path.startswith(LAYER) else "top"
        died, of = found.get(part, (0, 0))
        found[part] = (died + (number not in survivors), of + 1)
    return found


def _title(number: int, change: Change) -> str:
    return f"#{number} {change.place.removeprefix(f'{LAYER}/')} {change.kind}"


def _told(number: int, tried: Tried) -> Tried:
    place = tried.change.place.removeprefix(f"{LAYER}/")
    row = f"#{number:<4} {place:{_WIDEST_PLACE}} {tried.change.kind:18} {tried.seconds:6.1f}"
    _say(f"{row}  {tried.killer or 'SURVIVED'}")
    return tried


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
