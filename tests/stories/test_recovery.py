"""Executions that die: the fleet is undone, people are told, the queue goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sandbox.cloud.errors import AwsError
from tests.stories.asl.execution import Execution
from tests.stories.calls import Go, HandlerCall
from tests.stories.fleets import OLD, Fleet
from tests.stories.story import a_fleet
from tests.stories.test_queue import results, waits_for_lane


def stop(web: Fleet, execution: Execution) -> None:
    """StopExecution by hand."""
    asked = {"executionArn": execution.arn, "cause": "wrong one"}
    web.world.states.stop(asked)


def history_is_full(_web: Fleet, execution: Execution) -> None:
    """Source: Step Functions developer guide, Quotas: 25,000 events, then the execution fails."""
    execution.error = "States.Runtime"
    execution.cause = "The execution reached the maximum number of history events (25000)."
    execution._end("FAILED")


def too_much_state(_web: Fleet, execution: Execution) -> None:
    """Nothing catches States.DataLimitExceeded."""
    execution.error = "States.DataLimitExceeded"
    execution._end("FAILED")


def time_is_over(_web: Fleet, execution: Execution) -> None:
    execution._time_out()


DEATHS: list[tuple[Callable[[Fleet, Execution], None], str]] = [
    (stop, "Stopped"),
    (history_is_full, "ExecutionLost"),
    (too_much_state, "ExecutionLost"),
    (time_is_over, "ExecutionLost"),
]
deaths = pytest.mark.parametrize(
    ("dies", "named"), DEATHS, ids=[dies.__name__ for dies, _ in DEATHS]
)


def until(web: Fleet, state: str) -> Execution:
    """Until the one execution that there is stands in that state, and a little longer."""
    web.world.run_until(lambda: [each.state for each in web.world.rollouts] == [state], hours=2)
    web.world.run_for(milliseconds=5)
    (execution,) = web.world.rollouts
    return execution


def result(web: Fleet, execution: Execution) -> str:
    return str(web.world.ledger()[f"rollout#{execution.name}"]["result"]["S"])


def test_one_that_is_stopped_in_the_middle_of_a_roll_is_undone_and_told_within_a_minute() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.run_until(lambda: len(web.revisions) == 2, hours=2)
        (execution,) = web.world.rollouts
        stop(web, execution)
        web.world.run_for(seconds=5)
        (notice,) = web.world.notices
        assert f"Rollout: {execution.name}" in notice
        assert "Why: Somebody stopped its execution (wrong one)." in notice
        assert f"by the execution {execution.name}_undo" in notice
        assert web.refreshes[0].status.startswith("Rollback")
        web.world.run_for(seconds=55)
        assert web.is_as_before()
        assert result(web, execution) == "Stopped"
        assert "Now: Group web is back" in web.world.notices[-1]
        web.world.finish()
        assert len(web.world.notices) == 2


@deaths
@pytest.mark.parametrize("state", ["WaitForBake", "PublishTemplate", "WaitForRoll", "MoveAddress"])
def test_whatever_ends_an_execution_it_is_undone(
    dies: Callable[[Fleet, Execution], None], named: str, state: str
) -> None:
    with a_fleet(size=2, addresses=1) as web:
        web.world.upload("two")
        dies(web, until(web, state))
        web.world.finish()
        execution, undo = web.world.rollouts
        assert (undo.name, undo.error) == (f"{execution.name}_undo", named)
        assert result(web, execution) == named
        assert web.is_as_before()
        assert "holder" not in web.world.ledger()["lane#web"]
        assert [f"Rollout: {execution.name}" in each for each in web.world.notices] == [True] * 2


@deaths
def test_one_that_dies_after_all_was_settled_has_only_its_lane_left(
    dies: Callable[[Fleet, Execution], None], named: str
) -> None:
    with a_fleet(size=2, addresses=0) as web:
        new = web.world.upload("two")
        until(web, "WaitForRoll")
        (execution,) = web.world.rollouts

        def settled() -> bool:
            return "result" in web.world.ledger()[f"rollout#{execution.name}"]

        web.world.run_until(settled, hours=2)
        dies(web, execution)
        web.world.finish()
        assert web.world.rollouts == [execution]
        assert result(web, execution) == "released", named
        assert web.revisions == {new: 2}


@deaths
def test_one_that_dies_while_it_undoes_is_undone_by_another_one(
    dies: Callable[[Fleet, Execution], None], named: str
) -> None:
    with a_fleet(size=2, addresses=0) as web:
        web.world.upload("two")
        execution = until(web, "WaitForRoll")
        web.roll_back()
        web.world.run_until(lambda: execution.state.startswith("WaitForUndo"))
        dies(web, execution)
        web.world.finish()
        (_, undo) = web.world.rollouts
        assert (undo.name, result(web, execution)) == (f"{execution.name}_undo", named)
        assert web.is_as_before()


@deaths
def test_one_that_dies_in_the_queue_is_told_and_the_next_one_goes_on(
    dies: Callable[[Fleet, Execution], None], named: str
) -> None:
    with a_fleet(size=2, addresses=0) as web:
        web.pause("freeze")
        web.world.upload("two")
        dead = until(web, "WaitForLane")
        dies(web, dead)
        web.world.run_for(minutes=1)
        assert "queued" not in web.world.ledger()["lane#web"]
        assert result(web, dead) == named
        assert [f"Rollout: {dead.name}" in each for each in web.world.notices] == [True]
        web.unpause()
        new = web.world.upload("three")
        web.world.finish()
        assert web.revisions == {new: 2}


def test_who_waits_behind_one_that_dies_begins_when_it_is_undone() -> None:
    with a_fleet(size=2, addresses=0) as web:
        web.world.upload("two")
        dead = until(web, "WaitForRoll")
        new = web.world.upload("three")
        web.world.run_for(seconds=30)
        waiting = web.world.rollouts[-1]
        assert waits_for_lane(waiting)
        stop(web, dead)
        web.world.run_for(seconds=30)
        assert waits_for_lane(waiting)  # the undo has the lane
        web.world.finish()
        assert result(web, dead) == "Stopped"
        assert result(web, waiting) == "released"
        assert web.revisions == {new: 2}


def test_a_dry_run_that_somebody_stops_is_nobodys_business() -> None:
    with a_fleet(size=2, addresses=0) as web:
        payload = {"fleet": "web", "release": {"revision": "x"}, "dry_run": True}
        web.world.ask("accept_release", payload)
        (execution,) = web.world.rollouts
        stop(web, execution)
        web.world.finish()
        assert web.world.notices == []
        assert web.world.rollouts == [execution]


@pytest.mark.parametrize("fare", ["late", "doubled"])
def test_events_of_the_end_may_come_late_and_twice(fare: str) -> None:
    kind = "Step Functions"
    with a_fleet(size=2, addresses=0) as web:
        if fare == "late":
            web.world.delivery.late[kind] = timedelta(days=1)
        else:
            web.world.delivery.doubled.add(kind)
        web.world.upload("two")
        stop(web, until(web, "WaitForRoll"))
        web.world.finish(hours=60)
        execution, undo = web.world.rollouts
        assert undo.name == f"{execution.name}_undo"
        assert result(web, execution) == "Stopped"
        assert len(web.world.notices) == 2


def test_where_the_event_is_lost_the_next_rollout_lets_it_be_undone_first() -> None:
    with a_fleet(size=2, addresses=0) as web:
        web.world.delivery.lost.add("Step Functions")
        web.world.upload("two")
        dead = until(web, "WaitForRoll")
        stop(web, dead)
        web.world.run_for(hours=3)  # the lease is over too; AWS has rolled the group
        new = web.world.upload("three")
        web.world.finish()
        assert [each.name for each in web.world.rollouts] == [
            dead.name,
            web.world.rollouts[1].name,
            f"{dead.name}_undo",
        ]
        assert result(web, dead) == "Stopped"
        assert result(web, web.world.rollouts[1]) == "released"
        assert web.revisions == {new: 2}


def test_where_the_event_is_lost_a_person_can_ask_for_it() -> None:
    with a_fleet(size=2, addresses=0) as web:
        web.world.delivery.lost.add("Step Functions")
        web.world.upload("two")
        dead = until(web, "WaitForRoll")
        running = web.world.ask("recover_rollout", {"rollout": dead.name})
        assert running["ignored"] == f"{dead.name} runs"
        stop(web, dead)
        web.world.ask("recover_rollout", {"rollout": dead.name})
        web.world.finish()
        assert web.is_as_before()
        assert result(web, dead) == "Stopped"


def test_a_roll_back_by_hand_after_a_stop_goes_no_further_back() -> None:
    """What the person wants is what the undo brings."""
    with a_fleet(size=2, addresses=0) as web:
        first = web.world.upload("two")
        web.world.finish()
        web.world.upload("three")
        web.world.run_until(lambda: web.world.rollouts[-1].state == "WaitForRoll", hours=2)
        dead = web.world.rollouts[-1]
        stop(web, dead)
        answer = web.roll_back()
        assert answer["accepted"][0]["stopping"]
        web.world.finish()
        assert web.revisions == {first: 2}
        assert result(web, dead) == "Stopped"


@deaths
def test_if_the_undo_dies_too_people_are_told_once_and_the_fleet_goes_on(
    dies: Callable[[Fleet, Execution], None], named: str
) -> None:
    with a_fleet(size=2, addresses=0) as web:
        web.world.upload("two")
        dead = until(web, "WaitForRoll")
        dies(web, dead)
        web.world.run_until(lambda: web.world.rollouts[-1].state.startswith("WaitForUndo"))
        undo = web.world.rollouts[-1]
        before = len(web.world.notices)
        dies(web, undo)
        web.world.finish()
        assert web.world.rollouts == [dead, undo], named
        (notice,) = web.world.notices[before:]
        assert "UndoFailed" in notice
        assert "A person must look" in notice
        assert result(web, dead) == "UndoFailed"
        assert "holder" not in web.world.ledger()["lane#web"]
        web.world.run_for(hours=1)  # AWS ends the rollback by itself
        new = web.world.upload("three")
        web.world.finish()
        assert web.revisions == {new: 2}


def test_who_waits_behind_one_whose_undo_dies_too_begins_then() -> None:
    with a_fleet(size=2, addresses=0) as web:
        web.world.upload("two")
        dead = until(web, "WaitForBake")
        new = web.world.upload("three")
        web.world.run_for(seconds=5)
        waiting = web.world.rollouts[-1]
        assert waits_for_lane(waiting)
        stop(web, dead)
        web.world.run_until(lambda: web.world.rollouts[-1].state.startswith("WaitForUndo"))
        assert waits_for_lane(waiting)
        stop(web, web.world.rollouts[-1])
        web.world.run_for(seconds=30)
        assert not waits_for_lane(waiting)
        web.world.finish()
        assert result(web, dead) == "UndoFailed"
        assert result(web, waiting) == "released"
        assert web.revisions == {new: 2}


def test_a_roll_back_by_hand_is_a_rollout_of_its_own_where_nobody_can_undo_any_more() -> None:
    """The events of both ends are lost, so nobody has noticed before."""
    with a_fleet(size=2, addresses=0) as web:
        web.world.upload("two")
        web.world.finish()
        web.world.delivery.lost.add("Step Functions")
        web.world.upload("three")
        web.world.run_until(lambda: web.world.rollouts[-1].state == "WaitForBake")
        dead = web.world.rollouts[-1]
        stop(web, dead)
        assert web.roll_back()["accepted"][0]["stopping"]
        web.world.run_until(lambda: web.world.rollouts[-1].state.startswith("WaitForUndo"))
        stop(web, web.world.rollouts[-1])
        web.world.run_for(minutes=2)
        (accepted,) = web.roll_back()["accepted"]
        assert result(web, dead) == "UndoFailed"
        assert web.world.finish().name == accepted["rollout"]
        assert web.world.rollouts[-1].status == "SUCCEEDED"
        assert web.revisions == {OLD: 2}


def test_one_that_is_redriven_after_its_undo_has_begun_writes_nothing_more() -> None:
    with a_fleet(size=2, addresses=0) as web:
        web.world.upload("two")
        dead = until(web, "WaitForRoll")
        stop(web, dead)
        web.world.run_until(lambda: web.world.rollouts[-1].state.startswith("WaitForUndo"))
        web.world.states.redrive({"executionArn": dead.arn})
        web.world.finish()
        assert dead.error == "LaneLost"
        assert result(web, dead) == "Stopped"
        assert web.is_as_before()
        assert len(web.world.notices) == 2


def test_one_that_is_redriven_at_once_goes_on() -> None:
    with a_fleet(size=2, addresses=0) as web:
        new = web.world.upload("two")
        dead = until(web, "WaitForRoll")
        stop(web, dead)
        web.world.states.redrive({"executionArn": dead.arn})
        web.world.finish()
        assert result(web, dead) == "released"
        assert web.revisions == {new: 2}
        assert results(web) == ["released"]


def test_a_run_that_looks_after_addresses_and_dies_is_followed_by_another_one() -> None:
    with a_fleet(size=3, addresses=2) as web:
        lost = web.holders[web.allocations[0]]

        def out_of_order(call: HandlerCall, go: Go) -> Any:
            if (call.service, call.function) == ("lambda", "move_address") and not dead:
                raise AwsError("ServiceException", "Lambda is broken.", 500)
            return go()

        dead: list[Execution] = []
        web.world.interference = out_of_order
        web.forgive(but=1)
        web.world.operator("ec2", "TerminateInstances", InstanceIds=[lost])
        web.world.run_until(
            lambda: any(each.status == "FAILED" for each in web.world.executions("addresses"))
        )
        dead += [each for each in web.world.executions("addresses") if each.status == "FAILED"]
        web.world.run_for(minutes=20)
        again = [each for each in web.world.executions("addresses") if each not in dead]
        assert any(each.name.startswith("again-") for each in again)
        assert len(web.holders) == 2
        assert lost not in web.holders.values()


@pytest.mark.parametrize("ends", ["stopped", "named"])
def test_a_run_that_looks_after_addresses_and_has_an_end_is_not_followed(ends: str) -> None:
    with a_fleet(size=3, addresses=2) as web:
        web.world.delivery.lost.add("EC2 Instance ")
        event = {"detail": {"AutoScalingGroupName": "web"}, "id": "1"}
        web.world._start_by_rule(web.world.deployment.machine("addresses"), json.dumps(event))
        (run,) = web.world.executions("addresses")[-1:]
        if ends == "stopped":
            stop(web, run)
        else:
            run.error = "AddressFailed"
            run._end("FAILED")
        web.world.run_for(minutes=1)
        assert web.world.executions("addresses")[-1] is run
