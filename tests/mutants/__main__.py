"""``python -m tests.mutants [name …]``: break Ovenbird on purpose; answers 1 if nobody notices.

``JOBS`` says how many mutants are hunted side by side.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.mutants import ALL
from tests.mutants.hunt import Unclear, Verdict, hunt, innocent
from tests.mutants.mutant import Mutant, Stale

_WIDTH = max(len(mutant.name) for mutant in ALL)


def main() -> int:
    """Hunt, and tell; 0 when every mutant was killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these mutants")
    parser.add_argument("--jobs", type=int, default=int(os.environ.get("JOBS", "2")))
    wanted = parser.parse_args()
    mutants = [mutant for mutant in ALL if not wanted.names or mutant.name in wanted.names]
    if unknown := set(wanted.names) - {mutant.name for mutant in ALL}:
        parser.error(f"there is no mutant {', '.join(sorted(unknown))}")
    _say(f"{'mutant':{_WIDTH}}  seconds  by         killed by")
    with ThreadPoolExecutor(wanted.jobs) as pool:
        verdicts = [_told(each) for each in pool.map(_hunt, mutants)]
    alive = [v.mutant for v in verdicts if isinstance(v, Verdict) and not v.killer]
    unclear = sum(not isinstance(verdict, Verdict) for verdict in verdicts)
    for mutant in alive:
        _say(f"\n{mutant.name} survived: {mutant.breaks} No test notices; write one that does.")
    killed = len(mutants) - len(alive) - unclear
    _say(f"\n{killed} of {len(mutants)} mutants were killed.")
    false = _false({v.killer for v in verdicts if isinstance(v, Verdict) and v.killer})
    if false:
        _say(f"But without any mutant: {false}, so nothing was shown.")
    return int(bool(alive or unclear or false))


def _false(killers: set[str]) -> str:
    """Why the killers' word is worth nothing, if it is."""
    if not killers:
        return ""
    try:
        failed = innocent(killers)
    except Unclear as unclear:
        return str(unclear)
    return f"{failed} fails too" if failed else ""


def _hunt(mutant: Mutant) -> Verdict | str:
    try:
        return hunt(mutant)
    except (Stale, Unclear) as failure:
        return f"{mutant.name}: {failure}"


def _told(verdict: Verdict | str) -> Verdict | str:
    if isinstance(verdict, str):
        _say(verdict)
        return verdict
    row = f"{verdict.mutant.name:{_WIDTH}}  {verdict.seconds:7.1f}  {verdict.kind:9}"
    _say(f"{row}  {verdict.killer}".rstrip())
    return verdict


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
