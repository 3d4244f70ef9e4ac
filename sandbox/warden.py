"""The sandbox's warden: a small process that outlives a crash of the sandbox by a second.

It waits for the end of its standard input, which comes when the sandbox closes it or dies, however
it dies. Then it kills every process that is written down in ``pids/`` and removes the state
directory. So nothing survives the sandbox, not even ``kill -9``. It imports nothing of ours: it is
run as ``python -I -S warden.py <state directory>``.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from pathlib import Path


def kill(pids: Path) -> int:
    """Kill every process group (or process) that is written down; return how many there were."""
    found = 0
    for note in pids.glob("*"):
        try:
            pid = int(note.read_text())
        except (OSError, ValueError):  # it is being written or removed this moment
            continue
        found += 1
        for way in (os.killpg, os.kill):  # a Lambda worker leads no group
            try:
                way(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
            break
        note.unlink(missing_ok=True)
    return found


def watch(state: Path) -> None:
    """Wait for the end of the sandbox and clean up after it."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    sys.stdin.buffer.read()
    for _ in range(10):  # a process may have been between its birth and its note
        kill(state / "pids")
        time.sleep(0.05)
    shutil.rmtree(state, ignore_errors=True)


if __name__ == "__main__":
    watch(Path(sys.argv[1]))
