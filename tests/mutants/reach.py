"""Which tests reach which line: from one run of coverage, kept as long as nothing has changed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from coverage import CoverageData

from tests.mutants import contexts
from tests.mutants.change import Change

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".mutants"
SUITES = ("unit", "stories", "attacks", "hostile", "deploys", "moto", "template")
_SOURCES = ("layers/ovenbird/ovenbird", "tests", "sandbox", "statemachine", "functions", "events")
_LAYER = "layers/ovenbird/ovenbird"


class Unmeasured(Exception):
    """The tests did not run as far as a result, so nobody knows what they reach."""


@dataclass(frozen=True)
class Reach:
    """``lines``: file → line → the tests that executed it; ``seconds``: what each test takes."""

    lines: dict[str, dict[int, frozenset[str]]]
    seconds: dict[str, float]

    def tests(self, change: Change) -> frozenset[str]:
        """The tests that reach a change; for what is executed at import, those of its module."""
        of = self.lines.get(change.path, {})
        first, last = change.lines
        found: frozenset[str] = frozenset().union(
            *(of.get(line, frozenset()) for line in range(first, last + 1))
        )
        return found or frozenset().union(*of.values())

    def ordered(self, tests: Iterable[str], suites: Sequence[str]) -> list[str]:
        """Those of some suites, the fast ones first, and from each file one after the other."""
        by_file: dict[str, list[str]] = {}
        for test in sorted(tests, key=lambda each: (self.seconds[each], each)):
            file = test.partition("::")[0]
            if file.split("/")[1] in suites:
                by_file.setdefault(file, []).append(test)
        rounds = [
            (number, self.seconds[test], test)
            for of in by_file.values()
            for number, test in enumerate(of)
        ]
        return [test for _, _, test in sorted(rounds)]


def measure(jobs: int, tell: Callable[[str], None]) -> Reach:
    """What was measured for exactly these sources, or measure it now (some minutes).

    Raises:
        Unmeasured: The tests could not be run.
    """
    kept = CACHE / f"reach-{digest(ROOT)}.json"
    if not kept.exists():
        tell("Measuring which test reaches which line; it is kept until a source changes.")
        CACHE.mkdir(exist_ok=True)
        for old in CACHE.glob("reach-*.json"):
            old.unlink()
        kept.write_text(json.dumps(_measured(jobs)))
    return _read(json.loads(kept.read_text()))


def digest(root: Path) -> str:
    """Of every source whose change may change what a test reaches."""
    sum_ = hashlib.sha256()
    files = [root / "template.yaml"]
    for folder in _SOURCES:
        files += [each for each in (root / folder).rglob("*") if each.suffix in (".py", ".json")]
    for file in sorted(files):
        sum_.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    return sum_.hexdigest()[:16]


def _files() -> Iterator[str]:
    for suite in SUITES:
        yield from (str(each) for each in sorted((ROOT / "tests" / suite).rglob("test_*.py")))


def _measured(jobs: int) -> dict[str, object]:
    files = list(_files())
    shards = [files[number::jobs] for number in range(jobs)]
    scratch = CACHE / "coverage"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(lambda each: _run(scratch, *each), enumerate(shards)))
    data = CoverageData(str(scratch / "all"))
    seconds: dict[str, float] = {}
    for number in range(len(shards)):
        part = CoverageData(str(scratch / f"data-{number}"))
        part.read()
        data.update(part)
        seconds |= json.loads((scratch / f"seconds-{number}").read_text())
    tests = sorted(seconds)
    known = {test: index for index, test in enumerate(tests)}
    lines = {}
    for file in data.measured_files():
        path = str(Path(file).relative_to(ROOT))
        of = data.contexts_by_lineno(file)
        lines[path] = {
            line: sorted(known[each] for each in reached if each in known)
            for line, reached in of.items()
        }
    shutil.rmtree(scratch)
    return {"tests": tests, "seconds": seconds, "lines": lines}


def _run(scratch: Path, number: int, files: Sequence[str]) -> None:
    command = [sys.executable, "-m", "coverage", "run", f"--data-file={scratch}/data-{number}"]
    command += [
        f"--source={ROOT / _LAYER}",
        "-m",
        "pytest",
        "--thorough",
        "-p",
        contexts.__name__,
        "--tb=short",
    ]
    ran = subprocess.run(
        [*command, *files],
        cwd=ROOT,
        env={**os.environ, contexts.SECONDS: str(scratch / f"seconds-{number}")},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode not in (0, 1):  # one test that fails is not asked, and does no harm
        raise Unmeasured(f"pytest could not run:\n{ran.stdout[-4000:]}{ran.stderr[-2000:]}")


def _read(written: dict[str, object]) -> Reach:
    tests = written["tests"]
    seconds = written["seconds"]
    lines = written["lines"]
    assert isinstance(tests, list) and isinstance(seconds, dict) and isinstance(lines, dict)
    return Reach(
        {
            path: {
                int(line): frozenset(tests[index] for index in reached)
                for line, reached in of.items()
            }
            for path, of in lines.items()
        },
        seconds,
    )
