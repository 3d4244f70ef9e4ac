"""``python -m tests.deploys``: record what the present version writes, before it is released."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from tests.bench.rollouts import quiet
from tests.deploys.recorded import HERE
from tests.deploys.rollouts import ROLLOUTS, State, a_small_fleet, between
from tests.deploys.shapes import fields
from tests.stories.template import ROOT, deployment


def main() -> None:
    """Write the folder of the version in pyproject.toml anew."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    folder = HERE / version
    folder.mkdir(exist_ok=True)
    stack = deployment()
    with quiet():
        states = _states()
    written = {
        "states.json": states,
        "rollout.asl.json": stack.machines[stack.machine("rollout")],
    }
    for name, content in written.items():
        (folder / name).write_text(json.dumps(content, indent=1) + "\n")


def _states() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    known: set[tuple[object, ...]] = set()

    def passed(step: str, state: State) -> State:
        shape = (step, *sorted(fields(state)))
        if shape not in known:
            known.add(shape)
            found.append({"step": step, "state": _without_trace(json.loads(json.dumps(state)))})
        return state

    for rollout in ROLLOUTS:
        with a_small_fleet() as web, between(web, passed=passed):
            rollout(web)
    return found


def _without_trace(state: State) -> State:
    """Where the code lay is of no interest."""
    if "failure" in state:
        cause = json.loads(state["failure"]["Cause"])
        state["failure"]["Cause"] = json.dumps(cause | {"stackTrace": []})
    return state


if __name__ == "__main__":
    main()
