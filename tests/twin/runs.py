"""A history with Ovenbird in the account, and the same one with the script in its place."""

from __future__ import annotations

import json
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


def with_ovenbird(history: History) -> dict[str, str]:
    """What broke, by the invariant's name."""
    with present() as world:
        eyes = _scene(world, history)
        pushed = [world.upload(FIRST)]
        if history.twice:
            world.after(MEANWHILE, lambda: pushed.append(world.upload(SECOND)))
            world.run_for(minutes=2)
        world.finish(hours=24)
        good = [each.text for each in world.rollouts if each.status == "SUCCEEDED"]
        eyes.judge(green=[json.loads(text)["release"]["revision"] for text in good], pushed=pushed)
        return eyes.broken


def with_the_script(history: History) -> dict[str, str]:
    """What broke, by the invariant's name."""
    with present() as world:
        world.delivery.delays = lambda event: []  # there is no Ovenbird in this account
        eyes = _scene(world, history)
        pushed = [FIRST, SECOND] if history.twice else [FIRST]
        green: list[str] = []

        def release(revision: str) -> None:
            if job(world, eyes.fleet, revision):
                green.append(revision)

        if history.twice:
            world.after(MEANWHILE, lambda: release(SECOND))
        release(FIRST)
        world.run_until(lambda: eyes.fleet.group.refresh is None, hours=6)
        eyes.judge(green=green, pushed=pushed)
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


def job(world: World, fleet: Fleet, revision: str) -> bool:
    """The CI's job, and once more when it is red; whether it is green at last."""
    return any(_run(world, fleet, revision) for _ in range(RUNS))


def _run(world: World, fleet: Fleet, revision: str) -> bool:
    """One run of the script: a process that calls AWS, sleeps, and may die."""
    clock: Any = SimpleNamespace(
        sleep=lambda seconds: world.run_for(seconds=seconds),
        strftime=lambda form: world.now().strftime(form),
    )
    process = Invocation(0, "script", {}, deadline=(world.now() + JOB).timestamp())
    with mock.patch.object(script, "time", clock), mock.patch("botocore.waiter.time", clock):
        world.lambdas.running.append(process)  # the world takes calls of what runs only
        try:
            script.release(clients.session, fleet.name, revision)
        except (BotoCoreError, ClientError, Killed):
            return False
        finally:
            world.lambdas.running.remove(process)
    return True
