"""A history with Ovenbird in the account, and the same one with the script in its place."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock

from botocore.exceptions import BotoCoreError, ClientError

from ovenbird.aws import clients
from sandbox.cloud.faults import Killed
from tests.stories import fleets
from tests.stories.fleets import Fleet
from tests.stories.lambdas import Invocation
from tests.stories.world import World, present
from tests.twin import script
from tests.twin.eyes import Eyes
from tests.twin.histories import History

FIRST, SECOND = "two", "three"
MEANWHILE = timedelta(minutes=1)
JOB = timedelta(hours=6)  # then the CI ends its job, as GitHub does
RUNS = 2  # whoever sees a red job runs it once more


class Ended(BaseException):
    """The CI has ended its job. Not an ``Exception``: the script may not catch it."""


def with_ovenbird(history: History) -> dict[str, str]:
    """What broke, by the invariant's name."""
    with present() as world:
        eyes = _scene(world, history)
        pushed = [world.upload(FIRST)]
        if history.twice:
            world.after(MEANWHILE, lambda: pushed.append(world.upload(SECOND)))
            world.run_for(minutes=2)
        rollout = world.finish(hours=24)
        eyes.judge(green=rollout.status == "SUCCEEDED", pushed=pushed)
        return eyes.broken


def with_the_script(history: History) -> dict[str, str]:
    """What broke, by the invariant's name."""
    with present() as world:
        world.delivery.delays = lambda event: []  # there is no Ovenbird in this account
        eyes = _scene(world, history)
        pushed, green = [FIRST], []
        if history.twice:
            pushed.append(SECOND)
            world.after(MEANWHILE, lambda: green.append(_job(world, eyes.fleet, SECOND)))
        green.append(_job(world, eyes.fleet, FIRST))
        world.run_until(lambda: eyes.fleet.group.refresh is None, hours=6)
        eyes.judge(green=all(green), pushed=pushed)
        return eyes.broken


def _scene(world: World, history: History) -> Eyes:
    fleet = fleets.make(world)
    if not fleet.holders:  # nobody moves addresses here by himself: their owner does at first
        for allocation, instance in zip(fleet.allocations, fleet.serving, strict=False):
            world.operator("ec2", "AssociateAddress", AllocationId=allocation, InstanceId=instance)
    eyes = Eyes(world, fleet)
    fleet.forgive = eyes.forgive
    history.strike(fleet)
    return eyes


def _job(world: World, fleet: Fleet, revision: str) -> bool:
    """The CI's job, and once more when it is red; whether it is green at last."""
    return any(_run(world, fleet, revision) for _ in range(RUNS))


def _run(world: World, fleet: Fleet, revision: str) -> bool:
    """One run of the script: a process that calls AWS, sleeps, and may die."""
    ends = world.now() + JOB

    def sleep(seconds: float) -> None:
        world.run_for(seconds=seconds)
        if world.now() > ends:
            raise Ended

    def strftime(form: str) -> str:
        return world.now().strftime(form)

    clock: Any = SimpleNamespace(sleep=sleep, strftime=strftime)
    with (
        mock.patch.object(script, "time", clock),
        mock.patch("botocore.waiter.time", clock),
        _process(world),
    ):
        try:
            script.release(clients.session, fleet.name, revision)
        except (BotoCoreError, ClientError, Killed, Ended):
            return False
    return True


@contextmanager
def _process(world: World) -> Iterator[None]:
    """Somebody who may call: the world takes calls of what runs only."""
    running = world.lambdas.running
    running.append(Invocation(0, "script", {}, deadline=math.inf))
    try:
        yield
    finally:
        running.pop()
