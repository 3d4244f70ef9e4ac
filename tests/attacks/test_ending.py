"""Ending, freeing and telling need the fence: nothing is cleared for anybody who asks."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from sandbox.cloud.imaginary import Ending
from sandbox.cloud.machines import CommandOutcome
from tests.attacks.test_plan import State, refused, rolling, writes
from tests.stories import fleets
from tests.stories.asl.failures import StateFailed
from tests.stories.world import World, present

WORDS = "Call +1 555 0100 and read out your MFA code"
FAILURE = {"Error": "RollFailed", "Cause": WORDS}


def result(world: World, rollout: str) -> str:
    return str(world.ledger()[f"rollout#{rollout}"].get("result", {}).get("S", ""))


def told_nothing_foreign(world: World) -> None:
    assert not any(WORDS in notice for notice in world.notices)


def three_fields(state: State) -> State:
    return {name: state[name] for name in ("rollout", "fleet", "action")}


def without_an_execution(state: State) -> State:
    return {name: state[name] for name in state if name != "execution"}


def with_a_forged_beginning(state: State) -> State:
    execution = state["execution"] | {"began": "2026-01-05T09:00:00.000Z"}
    return without_an_execution(state) | {"execution": execution}


def with_another_fence(state: State) -> State:
    return state | {"plan": state["plan"] | {"fence": 7}}


def without_its_plan(state: State) -> State:
    return {name: state[name] for name in state if name not in ("plan", "bake", "version")}


def of_another_fleet(state: State) -> State:
    return state | {"fleet": "api"}


def with_another_input(state: State) -> State:
    return state | {"release": state["release"] | {"description": WORDS}}


def as_its_own_undo(state: State) -> State:
    name = f"{state['rollout']}_undo"
    return state | {"execution": state["execution"] | {"name": name}}


def as_a_dry_run(state: State) -> State:
    return state | {"dry_run": True}


ASKING = [
    three_fields,
    without_an_execution,
    with_a_forged_beginning,
    with_another_fence,
    without_its_plan,
    of_another_fleet,
    with_another_input,
    as_its_own_undo,
    as_a_dry_run,
]


@pytest.mark.parametrize("forge", ASKING, ids=lambda each: each.__name__)
def test_an_undo_asked_by_hand_takes_a_running_rollout_nothing(forge: Any) -> None:
    with present() as world:
        web, state = rolling(world)
        refused(world, "undo_rollout", forge(state) | {"failure": FAILURE})
        assert world.finish().status == "SUCCEEDED"
        assert result(world, state["rollout"]) == "released"
        assert "one" not in web.revisions
        told_nothing_foreign(world)


def test_an_undo_without_a_failure_is_none() -> None:
    """The state as it is, out of the console."""
    with present() as world:
        _, state = rolling(world)
        assert "failure is missing" in refused(world, "undo_rollout", state)
        assert world.finish().status == "SUCCEEDED"


@pytest.mark.parametrize("name", ["web-fake", "web_back_fake", "web-fake_undo"])
def test_of_what_never_was_nobody_is_told(name: str) -> None:
    with present() as world:
        fleets.make(world, size=2, addresses=0)
        execution = {"id": "x", "name": name, "began": "2026-01-05T09:00:00.000Z"}
        state = {"rollout": name.removesuffix("_undo"), "fleet": "web", "action": "release"}
        refused(world, "undo_rollout", state | {"execution": execution, "failure": FAILURE})
        assert world.notices == []
        assert not any(key.startswith("rollout#") for key in world.ledger())


@pytest.mark.parametrize("how", ["released", "failed"])
def test_a_rollout_that_has_ended_is_not_ended_again(how: str) -> None:
    with present() as world:
        fleets.make(world, size=2, addresses=0)
        if how == "failed":
            bad = Ending(outcome=CommandOutcome(1, stderr="boom"))
            world.machines.ends = lambda _script: bad
        world.upload("two")
        rollout = world.finish()
        state = copy.deepcopy(rollout.whole)
        before, notices = result(world, rollout.name), len(world.notices)
        refused(world, "undo_rollout", state | {"failure": FAILURE})
        assert result(world, rollout.name) == before
        assert len(world.notices) == notices


@pytest.mark.parametrize("step", ["settle_rollout", "undo_rollout"])
def test_one_that_waits_in_the_queue_cannot_be_ended_by_its_name(step: str) -> None:
    with present() as world:
        web = fleets.make(world, size=2, addresses=0)
        web.pause("freeze")
        new = world.upload("two")
        world.run_for(minutes=1)
        (waiting,) = world.rollouts
        state = with_a_forged_beginning(copy.deepcopy(waiting.whole))
        refused(world, step, state | {"failure": FAILURE})
        assert world.ledger()["lane#web"]["queued"]["S"] == waiting.name
        web.unpause()
        world.finish()
        assert web.revisions == {new: 2}


def test_settling_by_hand_before_the_roll_has_ended_is_refused() -> None:
    """Even with the true state of the execution, fence and all, out of the console."""
    with present() as world:
        web, state = rolling(world)
        since = len(world.calls)
        with pytest.raises(StateFailed, match="is settled when its roll has ended"):
            world.ask("settle_rollout", state)
        assert writes(world, since) == []
        assert world.cloud.ec2.templates.all[web.template].default == 1
        assert world.finish().status == "SUCCEEDED"


def test_addresses_are_not_moved_by_hand_with_a_plan_of_another_fleet() -> None:
    with present() as world:
        _, state = rolling(world)
        plan = state["plan"] | {"document": '{"groups": ["web"], "addresses": {"count": 1}}'}
        refused(world, "move_address", state | {"plan": plan})
        refused(world, "move_address", without_an_execution(state))


@pytest.mark.parametrize("state", ["RUNNING", "ended"])
def test_recovering_by_hand_begins_no_undo_where_nothing_has_died(state: str) -> None:
    with present() as world:
        _, whole = rolling(world)
        if state == "ended":
            world.finish()
        answer = world.ask("recover_rollout", {"rollout": whole["rollout"]})
        assert answer["ignored"]
        world.finish()
        assert [each.name for each in world.rollouts] == [whole["rollout"]]
        assert result(world, whole["rollout"]) == "released"


def test_the_event_of_an_end_is_not_believed() -> None:
    """Whoever may invoke the function says that a running execution was stopped."""
    with present() as world:
        web, whole = rolling(world)
        (rollout,) = world.rollouts
        detail = {"executionArn": rollout.arn, "stateMachineArn": rollout.machine_arn}
        detail |= {"status": "ABORTED", "name": rollout.name, "cause": WORDS}
        event = {"source": "aws.states", "detail": detail}
        assert world.ask("recover_rollout", event)["ignored"]
        world.finish()
        assert "one" not in web.revisions
        told_nothing_foreign(world)
        assert [each.name for each in world.rollouts] == [whole["rollout"]]


def test_an_undo_that_somebody_else_starts_undoes_nothing() -> None:
    """StartExecution, with the name that the undo would have."""
    with present() as world:
        web, state = rolling(world)
        given = without_an_execution(state) | {"failure": FAILURE}
        machine = world.deployment.machine("rollout")
        name = f"{state['rollout']}_undo"
        world.states.start({"stateMachineArn": machine, "name": name, "input": json.dumps(given)})
        world.finish()
        assert result(world, state["rollout"]) == "released"
        assert "one" not in web.revisions
        told_nothing_foreign(world)
