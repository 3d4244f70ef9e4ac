"""Same word everywhere: folder, function, step module, event files."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.template.deployed import ROOT, functions, written

STEPS = sorted(functions())
# What a person asks accept_release for besides a release.
ACTIONS = {"roll_back": "accept_release"}


def names(folder: str, pattern: str) -> set[str]:
    return {path.stem for path in (ROOT / folder).glob(pattern)}


def sample_of(path: Path) -> str:
    """``ring-doorbell.image.json`` is a sample for ``ring_doorbell``."""
    return path.name.split(".")[0].replace("-", "_")


def test_every_function_has_a_folder_and_a_step_and_every_one_of_these_is_deployed() -> None:
    assert names("functions", "[!_]*") == set(STEPS)
    assert names("layers/ovenbird/ovenbird/steps", "[!_]*.py") == set(STEPS)


@pytest.mark.parametrize("step", STEPS)
def test_the_code_of_a_function_is_its_folder(step: str) -> None:
    properties = written()["Resources"][functions()[step]]["Properties"]
    assert properties["CodeUri"] == f"functions/{step}"


@pytest.mark.parametrize("step", STEPS)
def test_an_entry_point_has_no_logic(step: str) -> None:
    tree = ast.parse((ROOT / f"functions/{step}/app.py").read_text())
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert {node.module for node in imports} == {
        "__future__",
        "ovenbird.aws",
        "ovenbird.entry",
        f"ovenbird.steps.{step}",
    }
    docstring, *rest = (ast.unparse(node) for node in tree.body if node not in imports)
    assert docstring
    warm, handler = rest
    assert warm.startswith("clients.warm(")
    assert handler == f"handler = entry('{step}', step)"


def test_every_sample_belongs_to_a_function() -> None:
    samples = {sample_of(path) for path in (ROOT / "events").glob("*.json")}
    assert samples <= set(STEPS) | set(ACTIONS)
    by_hand_or_by_event = {"accept_release", "plan_rollout", "move_address", "ring_doorbell"}
    by_event_too = {"answer_alarm", "check_fleet", "recover_rollout", "roll_back"}
    assert by_hand_or_by_event | by_event_too <= samples
