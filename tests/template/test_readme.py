"""What the README shows is what there is: the machine's states, the commands, the links."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()
MACHINE = json.loads((ROOT / "statemachine/rollout.asl.json").read_text())
DIAGRAM = re.search(r"```mermaid\n(.*?)```", README, re.S)


def drawn() -> set[tuple[str, str]]:
    assert DIAGRAM
    arrows = re.findall(r"(\S+) --> (\S+)", DIAGRAM[1])
    return {(one, other) for one, other in arrows if "[*]" not in (one, other)}


def following(state: dict[str, Any]) -> Iterator[str]:
    """Where a state goes when nothing fails."""
    if "Next" in state:
        yield state["Next"]
    for choice in state.get("Choices", []):
        yield choice["Next"]
    if "Default" in state:
        yield state["Default"]


def test_the_diagram_has_exactly_the_machines_states() -> None:
    assert {state for arrow in drawn() for state in arrow} == set(MACHINE["States"])


def test_the_diagram_has_every_way_that_is_no_failure() -> None:
    ways = {(name, to) for name, state in MACHINE["States"].items() for to in following(state)}
    assert ways <= drawn()


def test_the_diagram_has_no_way_that_is_not_there() -> None:
    failures = {
        (name, caught["Next"])
        for name, state in MACHINE["States"].items()
        for caught in state.get("Catch", [])
    }
    ways = {(name, to) for name, state in MACHINE["States"].items() for to in following(state)}
    assert drawn() <= ways | failures


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^\$ make ([\w-]+)", README, re.M))))
def test_every_make_command_is_there(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"events/[\w.-]+\.json", README))))
def test_every_payload_is_there(path: str) -> None:
    assert (ROOT / path).is_file()


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)", README))))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()
