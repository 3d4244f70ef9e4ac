"""The pages in ``docs/`` lead to what exists and speak of what the code has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from ovenbird.core import addresses, bakes, rolls, undos
from ovenbird.fleet import document_schema
from tests.template import reference
from tests.template.deployed import ROOT, machine

PAGES = sorted((ROOT / "docs").rglob("*.md"))
HOW = (ROOT / "docs/how-it-works.md").read_text()
# Nothing in our code speaks of them: the one of Step Functions cannot be caught, the other one is a
# reason of a balancer's, which is told as it came.
OTHERS = {"DataLimitExceeded", "ResponseCodeMismatch"}
_FENCED = re.compile(r"^```.*?^```$", re.M | re.S)


def anchors(page: str) -> set[str]:
    """The anchors that GitHub makes of the headings."""
    titles = re.findall(r"^#+ (.+)$", _FENCED.sub("", page), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def words() -> str:
    """Everything that a page may name: our code, template, definitions and the sandbox."""
    folders = ("layers/ovenbird/ovenbird", "sandbox", "statemachine", "functions", "events")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    files += [ROOT / "template.yaml", ROOT / "Makefile"]
    kinds = {".py", ".json", ".yaml", ""}
    return "\n".join(path.read_text() for path in files if path.suffix in kinds)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    page = path.read_text()
    for target in re.findall(r"\]\(([^)\s]+)\)", _FENCED.sub("", page)):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), target
        assert not anchor or anchor in anchors(there.read_text()), target


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_fields_of_the_fleet_document_exist(path: Path) -> None:
    fields = set(reference.paths(document_schema()))
    by_hand = {
        f"release.{name}" for name in ("bucket", "key", "version_id", "etag", "sha256", "revision")
    }
    named = re.findall(r"`((?:release|bake|roll|addresses)\.[a-z][a-z_.0-9]*)`", path.read_text())
    assert {name for name in named if not name.endswith(".json")} <= fields | by_hand | {
        "release.description"
    }


@pytest.mark.parametrize("name", ["reference", "how-it-works", "limits", "operate"])
def test_names_in_code_exist(name: str) -> None:
    """Names of two words or more, as ours and AWS's are; they stand somewhere in the code."""
    page = _FENCED.sub("", (ROOT / f"docs/{name}.md").read_text())
    spans = " ".join(re.findall(r"`([^`\n]+)`", page))
    known = words()
    named = set(re.findall(r"\b(?:[A-Z][a-z]+){2,}\b|\b[a-z]+(?:_[a-z]+)+\b", spans))
    assert {each for each in named if not re.search(rf"\b{each}\b", known)} <= OTHERS


def drawn(title: str) -> str:
    """The one diagram of a chapter."""
    chapter = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", HOW, re.M | re.S)
    assert chapter, title
    (diagram,) = re.findall(r"```mermaid\n(.*?)```", chapter[1], re.S)
    return str(diagram)


def states(title: str) -> set[str]:
    """The states of a state diagram."""
    arrows = re.findall(r"(\w+|\[\*\]) --> (\w+|\[\*\])", drawn(title))
    return {state for arrow in arrows for state in arrow} - {"[*]"}


def names(*decisions: Any) -> set[str]:
    return {each.__name__ for each in decisions}


def test_every_numbered_step_has_one_diagram() -> None:
    titles = re.findall(r"^## (\d+ .+|\d+\. .+)$", HOW, re.M)
    assert [int(title.split(".")[0]) for title in titles] == list(range(1, 12))
    assert all(drawn(title) for title in titles)


def test_a_bake_is_drawn_with_its_decisions() -> None:
    waits = bakes.Wait.__subclasses__()
    others = [each for each in bakes.Decision.__subclasses__() if each is not bakes.Wait]
    assert states("3. Bake") == names(*waits, *others)


def test_a_roll_and_its_undoing_are_drawn_with_their_decisions() -> None:
    assert states("5. Roll") == names(*get_args(rolls.Decision)) | {"Look"}
    ends = {"RolloutFailed", "UndoFailed"}
    assert ends <= set(machine("rollout")["States"])
    assert states("8. Undo") == names(*get_args(undos.Decision)) | {"Look", "ClearUp"} | ends


def test_the_placing_of_an_address_is_drawn_with_its_decisions() -> None:
    said = set(re.findall(r"\(\[(\w+)", drawn("6. Addresses"))) - {"an"}
    assert said == names(*get_args(addresses.Placement))
