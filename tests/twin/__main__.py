"""``python -m tests.twin``: what the same faults do to Ovenbird, and to a script of sixty lines."""

from __future__ import annotations

import contextlib
import io
import logging
import sys

from tests.twin.histories import HISTORIES
from tests.twin.runs import with_ovenbird, with_the_script


def main() -> int:
    """Tell it as a table; 1 if Ovenbird broke anything."""
    logging.disable()
    with contextlib.redirect_stdout(io.StringIO()):  # metrics are printed, as Lambda wants them
        told = [(each.name, with_ovenbird(each), with_the_script(each)) for each in HISTORIES]
    width = max(len(name) for name, _, _ in told)
    rows = [f"{'what happens':{width}}  Ovenbird breaks  the script breaks"]
    for name, ours, theirs in told:
        rows.append(f"{name:{width}}  {_list(ours):15}  {_list(theirs)}")
    worse = [sum(bool(broken) for broken in column) for column in list(zip(*told, strict=True))[1:]]
    rows.append(f"Of {len(told)} histories, Ovenbird breaks {worse[0]}, the script {worse[1]}.")
    sys.stdout.write("\n".join(rows) + "\n")
    return int(bool(worse[0]))


def _list(broken: dict[str, str]) -> str:
    return "; ".join(broken) or "nothing"


if __name__ == "__main__":
    sys.exit(main())
