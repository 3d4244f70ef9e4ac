"""Let the tests loose on a mutant, in a copy of the repository of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.mutant import Mutant

ROOT = Path(__file__).resolve().parents[2]
REST = ("stories", "unit")  # who is asked when none of a mutant's hunters has noticed
PATIENCE_SECONDS = 1800

# Not the environments, which are large and the same for every mutant, and no caches: Python trusts
# a cache whose source looks as old as it did.
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "node_modules")
_FAILED = re.compile(r"^FAILED (?:tests/)?(\S+?(?:\[.*?\])?)(?: - (?P<why>.*))?$", re.M)
_PASSED, _SOME_FAILED = 0, 1  # pytest's exit codes; all others mean that it did not come to testing


class Unclear(Exception):
    """The tests neither passed nor failed: they could not be run, so they say nothing."""


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant; ``killer`` is the first test that failed, empty if none did."""

    mutant: Mutant
    killer: str
    why: str
    seconds: float

    @property
    def kind(self) -> str:
        """Who noticed: an invariant, a story itself, or only a unit test."""
        if not self.killer:
            return "SURVIVED"
        if "Broken" in self.why.partition(":")[0]:
            return "invariant"
        return "unit" if self.killer.startswith("unit") else "story"


def hunt(mutant: Mutant, rest: Sequence[str] = REST) -> Verdict:
    """Ask the mutant's hunters, and then everybody else.

    Raises:
        Stale: The mutant's text is not in its file exactly once.
        Unclear: The tests did not come to an end, or not even to a beginning.
    """
    began = time.monotonic()
    with _copy() as root:
        mutant.apply(root)
        failed = _first_failure(root, mutant.hunters)
        if failed is None and rest:
            failed = _first_failure(root, rest)
    killer, why = failed or ("", "")
    return Verdict(mutant, killer, why, time.monotonic() - began)


def innocent(killers: AbstractSet[str]) -> str:
    """The first of these tests that fails without any mutant, so that its word is worth nothing."""
    with _copy() as root:
        failed = _first_failure(root, sorted(killers))
    return failed[0] if failed else ""


@contextmanager
def _copy() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ovenbird-mutant-") as folder:
        root = Path(folder) / "repository"
        copy_to(root)
        yield root


def copy_to(root: Path) -> None:
    """A copy of the repository, without environments and caches."""
    shutil.copytree(ROOT, root, ignore=_LEFT_OUT)


def _first_failure(root: Path, tests: Sequence[str]) -> tuple[str, str] | None:
    """The first test that fails and what it said, or ``None``."""
    command = [sys.executable, "-m", "pytest", "-x", "--tb=no", "--no-header", "-rf", "--thorough"]
    try:
        ran = subprocess.run(
            [*command, *(f"tests/{test}" for test in tests)],
            cwd=root,
            env={**os.environ, "COLUMNS": "300"},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise Unclear(f"{' '.join(tests)} took more than {PATIENCE_SECONDS} seconds") from late
    if ran.returncode == _PASSED:
        return None
    found = _FAILED.search(ran.stdout)
    if ran.returncode != _SOME_FAILED or found is None:
        raise Unclear(f"pytest could not test {' '.join(tests)}:\n{ran.stdout}{ran.stderr}")
    return found[1], found["why"] or ""
