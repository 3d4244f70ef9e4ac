"""The mutants fit the code as it is, and the hunt tells the dead from the living."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants import ALL
from tests.mutants.hunt import ROOT, hunt, innocent
from tests.mutants.mutant import LAYER, Mutant, Stale


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: mutant.name)
def test_its_text_is_there_once_and_its_hunters_exist(mutant: Mutant) -> None:
    assert (ROOT / mutant.path).read_text().count(mutant.find) == 1
    assert mutant.find != mutant.put
    assert mutant.hunters
    for hunter in mutant.hunters:
        file, _, test = hunter.partition("::")
        assert f"def {test}" in (ROOT / "tests" / file).read_text()


def test_no_two_have_the_same_name() -> None:
    assert len({mutant.name for mutant in ALL}) == len(ALL)


def test_a_mutant_whose_text_has_moved_on_is_told(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("one\none\n")
    for gone in ("two", "one"):
        with pytest.raises(Stale, match="not once"):
            Mutant("moved", "It moved.", "app.py", gone, "three", ()).apply(tmp_path)


def test_a_mutant_is_killed_by_the_story_that_notices() -> None:
    story = "stories/test_happy_path.py::test_a_push_becomes_a_fleet_on_the_new_version"
    (found,) = [mutant for mutant in ALL if mutant.name == "lane-kept-by-a-release"]
    verdict = hunt(Mutant(found.name, found.breaks, found.path, found.find, found.put, (story,)))
    assert (verdict.killer, verdict.kind) == (story, "invariant")
    assert innocent({story}) == ""


def test_a_mutant_that_breaks_nothing_survives() -> None:
    harmless = Mutant(
        "harmless",
        "Nothing: a sentence is shorter.",
        f"{LAYER}/turns.py",
        "Whose turn it is",
        "Whose turn",
        ("unit/test_settings.py",),
    )
    verdict = hunt(harmless, rest=())
    assert (verdict.killer, verdict.kind) == ("", "SURVIVED")
