"""What versions of Ovenbird wrote: the states of their rollouts, and the state machine itself.

One folder for each version. An execution that runs when a later version is deployed keeps its
definition and its data, so whatever is recorded here must be understood for ever.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.deploys.rollouts import State

HERE = Path(__file__).parent
VERSIONS = sorted(each.name for each in HERE.iterdir() if (each / "states.json").exists())


@dataclass(frozen=True)
class Turn:
    """What a function of the rollout was passed."""

    step: str
    state: State


@cache
def turns(version: str) -> tuple[Turn, ...]:
    """Every turn in which a state had fields that no earlier turn had."""
    written = json.loads((HERE / version / "states.json").read_text())
    return tuple(Turn(each["step"], each["state"]) for each in written)


@cache
def definition(version: str) -> dict[str, Any]:
    """The state machine of the rollout."""
    written: dict[str, Any] = json.loads((HERE / version / "rollout.asl.json").read_text())
    return written
