"""The execution proves its name: no input makes it another one, and ids do not collide."""

from __future__ import annotations

import copy
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest

from sandbox.cloud.imaginary import Ending
from tests.attacks.test_plan import State, rolling
from tests.stories import fleets
from tests.stories.fleets import Fleet
from tests.stories.world import World, present


def start(world: World, name: str, wish: State) -> None:
    """StartExecution by hand."""
    machine = world.deployment.machine("rollout")
    world.states.start({"stateMachineArn": machine, "name": name, "input": json.dumps(wish)})


def baking(world: World) -> tuple[Fleet, State]:
    """A fleet whose builder works, and the input of its execution."""
    web = fleets.make(world, size=2, addresses=0)
    world.machines.ends = lambda _script: Ending(timedelta(minutes=3))
    world.upload("good")
    world.run_until(lambda: bool(world.machines.scripts), hours=1)
    wish: State = json.loads(world.rollouts[0].text)
    return web, wish


def of(content: str) -> str:
    return hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()


def stood_still(world: World, name: str) -> None:
    """The second execution failed, in one sentence, and nothing else has come of it."""
    (second,) = [each for each in world.rollouts if each.name == name]
    assert (second.status, second.error) == ("FAILED", "BadEvent")
    assert "BakeImage" not in second.visited
    assert not any(name in notice for notice in world.notices)
    assert f"rollout#{name}" not in world.ledger()


@pytest.mark.parametrize("forged", [False, True])
def test_a_second_execution_with_the_id_of_another_is_none(forged: bool) -> None:
    with present() as world:
        web, wish = baking(world)
        evil = copy.deepcopy(wish)
        evil["release"] |= {"revision": "evil", "key": "web/evil.tar.gz"}
        if forged:  # the input says who runs it; the machine says otherwise
            evil["execution"] = {"id": "x", "name": wish["rollout"], "began": "x"}
        start(world, "mine", evil)
        world.finish()
        stood_still(world, "mine")
        assert web.revisions == {of("good"): 2}
        assert len(world.notices) == 1
        assert not any(script.revision == "evil" for script in world.machines.scripts)


@pytest.mark.parametrize("name", ["web-0123456789abcdef", "web_back_0123456789abcdef", "web-1"])
def test_an_execution_that_was_not_accepted_plans_nothing(name: str) -> None:
    """Its name is right, and nobody has asked for it."""
    with present() as world:
        web, wish = baking(world)
        world.finish()
        start(world, name, wish | {"rollout": name})
        world.finish()
        stood_still(world, name)
        assert len(web.refreshes) == 1


def test_a_name_that_is_taken_before_its_release_comes_is_told_as_such() -> None:
    with present() as world:
        _, wish = baking(world)
        world.finish()
    with present() as world:
        web = fleets.make(world, size=2, addresses=0)
        start(world, wish["rollout"], wish | {"release": wish["release"] | {"revision": "evil"}})
        world.run_for(seconds=30)
        world.upload("good")
        world.run_for(minutes=10)
        assert web.revisions == {"one": 2}
        assert any(each[2] == "Refused" for each in world.delivery.dead)
        said = [each.message for each in world.lambdas.invocations if each.failure == "Refused"]
        assert any("was started with another input" in each for each in said)


def test_a_dry_run_of_one_fleet_is_no_release_of_another() -> None:
    with present() as world:
        release = {"s3": {"bucket": "acme-releases", "key": "*"}}
        for name in ("web", "web-dry"):
            document = json.dumps({"groups": [name], "release": release})
            path = f"/ovenbird/fleets/{name}"
            world.operator("ssm", "PutParameter", Name=path, Type="String", Value=document)
        wish = {"bucket": "acme-releases", "key": "k", "revision": "1"}
        world.ask("accept_release", {"fleet": "web", "release": wish, "dry_run": True})
        assert world.ask("accept_release", {"fleet": "web-dry", "release": wish})["accepted"]


def test_an_input_that_claims_to_be_undone_is_not() -> None:
    """It begins at UndoRollout then, and clears nothing."""
    with present() as world:
        web, wish = baking(world)
        failure = {"Error": "BakeFailed", "Cause": "https://evil.example"}
        start(world, "mine", wish | {"failure": failure})
        world.finish()
        assert web.revisions == {of("good"): 2}
        assert not any("evil" in notice for notice in world.notices)


def test_a_redriven_execution_that_has_ended_begins_nothing_again() -> None:
    with present() as world:
        web, state = rolling(world)
        (rollout,) = world.rollouts
        world.states.stop({"executionArn": rollout.arn})
        world.finish()
        before: Any = copy.deepcopy(world.ledger()[f"rollout#{state['rollout']}"])
        world.states.redrive({"executionArn": rollout.arn})
        world.finish()
        assert rollout.error == "LaneLost"
        assert world.ledger()[f"rollout#{state['rollout']}"] == before
        assert web.revisions == {"one": 2}
