"""Rollouts in whose middle another version of Ovenbird may be deployed, and how they end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

from sandbox.cloud.imaginary import Disk, Ending
from sandbox.cloud.machines import CommandOutcome
from tests.stories.fleets import OLD, Fleet
from tests.stories.story import a_fleet
from tests.stories.template import Function

State = dict[str, Any]
Change = Callable[[str, State], State]  # of what a function is passed, or answers
Rollout = Callable[[Fleet], str]


def released(web: Fleet) -> str:
    web.world.upload("two")
    return _result(web)


def rolled_back(web: Fleet) -> str:
    web.world.upload("two")
    web.world.finish()
    web.roll_back()
    return _result(web)


def stopped(web: Fleet) -> str:
    web.world.upload("two")
    web.world.run_until(
        lambda: bool(web.refreshes) or any(not each.running for each in web.world.rollouts)
    )
    if web.refreshes:
        web.roll_back()
    return _result(web)


def script_failed(web: Fleet) -> str:
    web.world.machines.ends = lambda _script: Ending(outcome=CommandOutcome(2, stderr="tar: no"))
    web.world.upload("two")
    return _result(web)


def never_got_well(web: Fleet) -> str:
    def healthy(_instance: str, disk: Disk) -> bool:
        return disk.revision == OLD

    web.world.machines.healthy = healthy
    web.world.upload("two")
    return _result(web)


ROLLOUTS: dict[Rollout, str] = {
    released: "released",
    rolled_back: "rolled-back",
    stopped: "Stopped",
    script_failed: "BakeFailed",
    never_got_well: "RollFailed",
}


def a_small_fleet() -> AbstractContextManager[Fleet]:
    return a_fleet(size=2, addresses=1, shortcut=True)


def unchanged(_step: str, state: State) -> State:
    return state


@contextmanager
def between(
    web: Fleet, *, passed: Change = unchanged, answered: Change = unchanged
) -> Iterator[None]:
    """What the state machine and the functions of a rollout tell each other is changed."""
    invoke = web.world.lambdas.invoke

    def changed(function: Function, payload: Any) -> Any:
        if not (isinstance(payload, dict) and "rollout" in payload):
            return invoke(function, payload)
        step = function.folder.name
        return answered(step, invoke(function, passed(step, payload)))

    with mock.patch.object(web.world.lambdas, "invoke", changed):
        yield


def _result(web: Fleet) -> str:
    rollout = web.world.finish()
    return str(web.world.ledger()[f"rollout#{rollout.name}"]["result"]["S"])
