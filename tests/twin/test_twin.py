"""The faults bite: what they do to a script, and what they do not do to Ovenbird."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.simulation.run import run
from tests.twin import script, seeded
from tests.twin.histories import HISTORIES, History
from tests.twin.runs import with_ovenbird, with_the_script

EACH = pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.name)


@EACH
def test_ovenbird_breaks_nothing(history: History) -> None:
    assert with_ovenbird(history) == {}


@EACH
def test_the_script_breaks_what_its_history_says(history: History) -> None:
    assert set(with_the_script(history)) == set(history.breaks)


def test_the_script_does_its_job_where_nothing_happens() -> None:
    assert with_the_script(HISTORIES[0]) == {}


def test_it_breaks_many_different_things() -> None:
    assert len({name for history in HISTORIES for name in history.breaks}) >= 6


def test_under_the_seeds_of_the_simulation_it_breaks_what_ovenbird_does_not() -> None:
    chosen = [seed for seed in range(60) if seeded.comparable(seed)][:6]  # `make twin`: more
    assert len(chosen) == 6
    assert [outcome.broken for seed in chosen if (outcome := run(seed)).broken] == []
    struck = [broken for seed in chosen if (broken := seeded.broken(seed)) is not None]
    assert len(struck) >= 4
    assert sum(bool(broken) for broken in struck) > len(struck) / 2


def test_it_has_sixty_lines_at_most() -> None:
    assert script.__file__
    text = Path(script.__file__).read_text()
    (release,) = [one for one in ast.parse(text).body if isinstance(one, ast.FunctionDef)]
    assert release.end_lineno
    lines = text.splitlines()[release.lineno - 1 : release.end_lineno]
    assert len([line for line in lines if line.strip() and "#" not in line]) <= 60
