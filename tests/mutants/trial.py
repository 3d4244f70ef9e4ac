"""A change before its tests: those that reach it, the fast ones first, until one notices."""

from __future__ import annotations

import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mutants import chosen
from tests.mutants.change import Change
from tests.mutants.drawing import LAYER
from tests.mutants.hunt import copy_to
from tests.mutants.reach import Reach

# Who is asked, one group after the other, and how long each may take. What tests/template compares
# is texts, which no coverage can see: all of it is asked, about everything.
_STAGES: tuple[tuple[tuple[str, ...], float], ...] = (
    (("unit", "moto"), 40),
    (("stories", "attacks", "hostile", "deploys"), 100),
)
_TEMPLATE: tuple[tuple[str, ...], float] = (("template",), 120)
_SLOWER = 6  # so much longer than usual everything may take before it is called endless
_STARTING_SECONDS = 60
_FAILED = re.compile(r"^(?:FAILED|ERROR) (?:tests/)?(\S+?(?:\[.*?\])?)(?: - .*)?$", re.M)


@dataclass(frozen=True)
class Tried:
    """What became of a change; ``killer`` is the test that noticed, empty if none did."""

    change: Change
    killer: str
    seconds: float
    asked: int  # how many tests


class Bench:
    """So many copies of the repository, in which changes are tried side by side."""

    def __init__(self, reach: Reach, folders: list[Path]) -> None:
        self._reach = reach
        self._free: queue.Queue[Path] = queue.Queue()
        self._clock = time.time() - 1_000_000
        for folder in folders:
            self._free.put(folder)

    def try_out(self, change: Change) -> Tried:
        """Break a copy, ask the tests, and mend the copy again."""
        root = self._free.get()
        file = root / change.path
        before = file.read_bytes()
        began = time.monotonic()
        try:
            change.apply(root)
            self._touch(file)
            killer, asked = self._ask(root, change)
        finally:
            file.write_bytes(before)
            self._touch(file)
            self._free.put(root)
        return Tried(change, killer, time.monotonic() - began, asked)

    def _touch(self, file: Path) -> None:
        """Another time for each: Python trusts a cache whose source looks as old as it did."""
        self._clock += 10
        os.utime(file, (self._clock, self._clock))

    def _ask(self, root: Path, change: Change) -> tuple[str, int]:
        asked = 0
        for tests, seconds in self._stages(change):
            if not tests:
                continue
            asked += len(tests)
            if killer := _first_failure(root, tests, seconds):
                return killer, asked
        return "", asked

    def _stages(self, change: Change) -> Iterator[tuple[list[str], float]]:
        everybody = self._reach.seconds
        if change.path.startswith(LAYER):
            tests = self._reach.tests(change)
            for suites, seconds in _STAGES:
                yield self._reach.ordered(tests, suites), seconds
            yield self._reach.ordered(everybody, _TEMPLATE[0]), _TEMPLATE[1]
            return
        yield self._reach.ordered(everybody, _TEMPLATE[0]), _TEMPLATE[1]
        yield self._reach.ordered(everybody, _STAGES[1][0]), _STAGES[1][1]


@contextmanager
def bench(reach: Reach, jobs: int) -> Iterator[Bench]:
    """A bench of its own for the length of the block."""
    with tempfile.TemporaryDirectory(prefix="ovenbird-mutants-") as scratch:
        folders = [Path(scratch) / str(number) / "repository" for number in range(jobs)]
        for folder in folders:
            copy_to(folder)
        yield Bench(reach, folders)


def _first_failure(root: Path, tests: list[str], seconds: float) -> str:
    """The first test that fails, in the given time; or ``time-out`` where they do not end."""
    choice = root.parent / "choice.json"
    choice.write_text(json.dumps({"tests": tests, "seconds": seconds + 10}))
    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
    command = [sys.executable, "-m", "pytest", "-x", "--tb=no", "--no-header", "-rfE", "--thorough"]
    try:
        ran = subprocess.run(
            [*command, "-p", chosen.__name__, *files],
            cwd=root,
            env={**os.environ, "COLUMNS": "300", chosen.CHOICE: str(choice)},
            capture_output=True,
            text=True,
            timeout=_STARTING_SECONDS + _SLOWER * seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "time-out"
    if ran.returncode == 0:
        return ""
    found = _FAILED.search(ran.stdout)
    return found[1] if found else f"exit code {ran.returncode}: {ran.stdout.strip()[-200:]}"
