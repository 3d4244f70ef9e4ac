"""Whole rollouts in virtual time, made to be counted: quiet, and with what is known of each."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unittest import mock

from ovenbird.entry import logger
from sandbox.cloud.kernel import Durations
from tests.stories import fleets
from tests.stories.asl.execution import Execution
from tests.stories.calls import HandlerCall
from tests.stories.template import deployment
from tests.stories.world import World, present

_MEMBERS = (
    "EC2 Instance Launch Successful",
    "EC2 Instance Terminate Successful",
    "EC2 Instance State-change Notification",
)


@dataclass
class Told:
    """A finished rollout.

    ``calls`` are those of its own steps, ``besides`` those that events led to meanwhile;
    ``changes`` are the moments at which AWS's things really changed.
    """

    execution: Execution
    calls: list[HandlerCall]
    besides: list[HandlerCall]
    answers: list[tuple[str, dict[str, Any]]]  # function, answer; of its own steps
    changes: list[tuple[datetime, str]]  # when, what (JSON)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Nobody reads the handlers' logs and metrics here."""
    (handler,) = logger.handlers
    nothing = io.StringIO()
    with mock.patch.object(handler, "stream", nothing), contextlib.redirect_stdout(nothing):
        yield


def roll(
    *,
    seed: int = 0,
    size: int = 4,
    addresses: int = 2,
    polls: bool = False,
    members_tell: bool = True,
    durations: Durations | None = None,
    hours: float = 48,
) -> Told:
    """One push to its end.

    Args:
        polls: Let a machine do it that looks every 15 seconds and is never woken.
        members_tell: Whether launches and terminations in the group send their events.
    """
    with quiet(), present(seed) as world:
        if durations is not None:
            world.cloud.kernel.durations = durations
        if polls:
            arn = world.deployment.machine("rollout")
            world.states.add(arn, polling(deployment().machines[arn]))
        if not members_tell:
            _hush(world)
        fleet = fleets.make(world, size=size, addresses=addresses, maximum=2 * size)
        changes = _changes(world)
        before = len(world.calls), len(world.lambdas.invocations)
        world.upload("two")
        execution = world.finish(hours=hours)
        assert execution.status == "SUCCEEDED", (execution.error, execution.cause)
        assert set(fleet.versions) == {"2"}
        own = [
            one
            for one in world.lambdas.invocations[before[1] :]
            if one.event.get("rollout") == execution.name or one.function == "accept_release"
        ]
        numbers = {one.number for one in own}
        return Told(
            execution,
            [call for call in world.calls[before[0] :] if call.invocation in numbers],
            [call for call in world.calls[before[0] :] if call.invocation not in numbers],
            [(one.function, one.answer) for one in own],
            changes,
        )


def polling(machine: dict[str, Any]) -> dict[str, Any]:
    """The same machine without doorbells: it waits 15 seconds and looks."""
    copy: dict[str, Any] = json.loads(json.dumps(machine))
    for name, state in copy["States"].items():
        if str(state.get("Resource", "")).endswith(".waitForTaskToken"):
            copy["States"][name] = {"Type": "Wait", "Seconds": 15, "Next": state["Next"]}
    return copy


def _changes(world: World) -> list[tuple[datetime, str]]:
    seen: list[tuple[datetime, str]] = []
    late = world.cloud.kernel.durations.event

    def listen(event: dict[str, Any]) -> None:
        seen.append((world.now() - late, json.dumps(event["detail"])))

    world.cloud.kernel.bus.listeners.append(listen)
    return seen


def _hush(world: World) -> None:
    put = world.delivery.put

    def tell(event: dict[str, Any]) -> None:
        if event["detail-type"] not in _MEMBERS or _builder(world, event):
            put(event)

    world.cloud.kernel.bus.listeners[:] = [tell]


def _builder(world: World, event: dict[str, Any]) -> bool:
    instance = event["detail"].get("instance-id", "")
    return world.cloud.ec2.tags.of(instance).get("ovenbird:role") == "builder"
