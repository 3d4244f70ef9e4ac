"""Cheap signals have a brake: whoever may ring, set an alarm or use up Lambda's room ends nothing.

Reported: executions that die of 25,000 events (loads/ardere#86, aws-samples/
aws-organizations-tag-inventory#16, aws-solutions/distributed-load-testing-on-aws#335).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest

from ovenbird.core import looks
from sandbox.cloud.errors import AwsError
from sandbox.cloud.imaginary import Ending
from tests.stories import fleets
from tests.stories.alarms import alarm, set_alarm
from tests.stories.asl.execution import Execution
from tests.stories.calls import Go, HandlerCall
from tests.stories.fleets import OLD, Fleet
from tests.stories.story import a_fleet
from tests.stories.test_roll_failures import half_way
from tests.stories.world import World, present

LONG = 600  # seconds of rings; without a brake each of them is a look
LOOKS = looks.FREE + LONG / looks.PACE.total_seconds() + 60
ALARM = "web-5xx"


def a_small_fleet(**options: Any) -> AbstractContextManager[Fleet]:
    options = {"addresses": 0} | options
    return a_fleet(size=2, shortcut=True, **options)


def rings(world: World, doorbell: str) -> Callable[[], Any]:
    """``lambda:InvokeFunction`` on ring_doorbell is enough."""
    event = {
        "version": "0",
        "id": "x",
        "detail-type": "EC2 Command Status-change Notification",
        "source": "aws.ssm",
        "account": "1",
        "region": "us-east-1",
        "resources": [],
        "detail": {"command-id": doorbell, "status": "Success"},
    }

    def ring() -> None:
        world.ask("ring_doorbell", event | {"time": world.now().strftime("%Y-%m-%dT%H:%M:%SZ")})

    return ring


def waited_for(world: World, fleet: str = "web") -> str:
    """The doorbell of the fleet's rollout; whoever may read the ledger or the history knows it."""
    return str(world.ledger()[f"lane#{fleet}"]["doorbell"]["S"])


def every_second(world: World, act: Callable[[], Any], seconds: int = LONG) -> None:
    for _ in range(seconds):
        act()
        world.run_for(seconds=1)


def seen(rollout: Execution, step: str) -> int:
    return rollout.visited.count(step)


def test_rings_without_end_during_the_bake_end_no_rollout() -> None:
    """2,500 of them: once the history was full after 1,919, and nobody undid or told anything."""
    with a_small_fleet() as web:
        web.world.machines.ends = lambda _: Ending(timedelta(minutes=55))
        new = web.world.upload("two")
        web.world.run_until(lambda: bool(web.world.machines.scripts))
        web.world.run_for(seconds=20)
        every_second(web.world, rings(web.world, waited_for(web.world)), 2500)
        rollout = web.world.finish()
        assert rollout.status == "SUCCEEDED"
        assert web.revisions == {new: 2}
        assert seen(rollout, "BakeImage") < 200
        assert len(rollout.history) < 5000


def test_rings_without_end_during_the_roll_end_no_rollout() -> None:
    roll = {"checkpoints": [50, 100], "checkpoint_delay_seconds": 1200}
    with a_small_fleet(roll=roll) as web:
        new = web.world.upload("two")
        web.world.run_until(lambda: bool(web.refreshes))
        web.world.run_for(minutes=1)
        every_second(web.world, rings(web.world, waited_for(web.world)))
        rollout = web.world.finish()
        assert rollout.status == "SUCCEEDED"
        assert web.revisions == {new: 2}
        assert looks.FREE < seen(rollout, "RollGroup") < LOOKS


def test_rings_without_end_during_a_pause_lose_no_release() -> None:
    """Whoever may write the parameter of the pause rings by writing it."""
    with a_small_fleet() as web:
        web.pause("freeze")
        new = web.world.upload("two")
        web.world.run_for(seconds=20)
        (rollout,) = web.world.rollouts
        change = {
            "version": "0",
            "id": "x",
            "detail-type": "Parameter Store Change",
            "source": "aws.ssm",
            "account": "1",
            "region": "us-east-1",
            "resources": [],
            "time": "2026-01-05T09:00:00Z",
            "detail": {"name": "/ovenbird/fleets/web/paused", "operation": "Update"},
        }
        every_second(web.world, lambda: web.world.ask("ring_doorbell", change))
        assert rollout.state in ("WaitForLane", "RestBeforePlan")
        assert looks.FREE < seen(rollout, "PlanRollout") < LOOKS
        web.world.run_for(minutes=20)
        web.unpause()
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 2}


def test_an_alarm_that_is_set_every_second_stops_no_good_roll_and_fills_no_history() -> None:
    """``cloudwatch:SetAlarmState`` on an alarm of the roll: it only looks."""
    roll = {"alarms": [ALARM], "checkpoints": [50, 100], "checkpoint_delay_seconds": 1200}
    with a_small_fleet(roll=roll) as web:
        alarm(web.world)
        web.world.upload("two")
        web.world.run_until(lambda: bool(web.refreshes))
        event = {
            "version": "0",
            "id": "x",
            "detail-type": "CloudWatch Alarm State Change",
            "source": "aws.cloudwatch",
            "account": "1",
            "region": "us-east-1",
            "resources": [],
            "time": "2026-01-05T09:00:00Z",
            "detail": {"alarmName": ALARM, "state": {"value": "ALARM", "reason": "set by hand"}},
        }
        every_second(web.world, lambda: web.world.ask("answer_alarm", event))
        rollout = web.world.finish()
        assert rollout.status == "SUCCEEDED"
        assert seen(rollout, "RollGroup") < LOOKS


def test_an_alarm_that_flaps_ends_the_rollout_by_name() -> None:
    roll = {"alarms": [ALARM], "checkpoints": [50, 100], "checkpoint_delay_seconds": 600}
    with a_small_fleet(roll=roll) as web:
        alarm(web.world)
        web.world.upload("two")
        half_way(web)
        for _ in range(LONG // 2):
            set_alarm(web.world, "ALARM")
            web.world.run_for(seconds=1)
            set_alarm(web.world, "OK")
            web.world.run_for(seconds=1)
        rollout = web.world.finish()
        assert rollout.error == "RollFailed"
        assert web.revisions == {OLD: 2}
        assert len(web.world.notices) == 1
        assert len(rollout.history) < 5000


def test_rings_without_end_during_the_undo_do_not_keep_it_from_its_end() -> None:
    roll = {"checkpoints": [50, 100], "checkpoint_delay_seconds": 1200}
    with a_small_fleet(roll=roll) as web:
        web.world.upload("two")
        web.world.run_until(lambda: bool(web.refreshes))
        web.world.run_for(minutes=4)
        web.roll_back()
        web.world.run_for(seconds=5)
        (rollout,) = web.world.rollouts
        bell = waited_for(web.world)
        every_second(web.world, rings(web.world, bell), 300)
        web.world.finish()
        assert rollout.error == "Stopped"
        assert web.is_as_before()
        assert seen(rollout, "UndoRollout") < looks.FREE + 300 / looks.PACE.total_seconds() + 10


def test_rings_without_end_while_addresses_wait_change_nothing() -> None:
    """Its patience is ten minutes, and then a name and an undo; no ring makes it longer."""
    with present(shortcut=True) as world:
        web = fleets.make(world, size=2, addresses=1)
        world.upload("two")
        world.run_until(lambda: bool(world.rollouts) and seen(world.rollouts[0], "MoveAddress") > 0)
        world.machines.healthy = lambda _instance, _disk: False
        (rollout,) = world.rollouts
        every_second(world, rings(world, "group-web"))
        world.finish()
        assert not rollout.running
        assert seen(rollout, "MoveAddress") < LOOKS
        assert len(rollout.history) < 5000
        assert web.group.refresh is None


@pytest.mark.parametrize(
    ("before", "after"), [(0, 15), (100, 15), (124, 30), (149, 60), (900, 60), (10**6, 60)]
)
def test_addresses_without_a_rollout_are_looked_at_ever_more_rarely(
    before: int, after: int
) -> None:
    """The small state machine has no doorbell: nobody can ring it, and its looks grow apart."""
    with present(shortcut=True) as world:
        fleets.make(world, size=2, addresses=1)
        world.machines.healthy = lambda _instance, _disk: False
        world.run_for(minutes=2)
        answer = world.ask("move_address", {"fleet": "web", "addresses": {"looks": before}})
        assert (answer["next"], answer["looks"]) == ("wait", before + 1)
        assert answer["look_again_after"] == after


@pytest.fixture
def full(request: pytest.FixtureRequest) -> timedelta:
    minutes: int = request.param
    return timedelta(minutes=minutes)


def no_room(world: World, length: timedelta) -> None:
    """Somebody else uses up all functions that the account may run at a time."""
    until = world.now() + length

    def flood(call: HandlerCall, go: Go) -> Any:
        if call.service == "lambda" and world.now() < until:
            raise AwsError("TooManyRequestsException", "Rate Exceeded.")
        return go()

    world.interference = flood


@pytest.mark.parametrize("full", [1, 4, 20, 60], indirect=True)
def test_lambda_without_room_undoes_no_healthy_rollout(full: timedelta) -> None:
    with a_small_fleet() as web:
        new = web.world.upload("two")
        web.world.run_until(lambda: bool(web.refreshes))
        no_room(web.world, full)
        rollout = web.world.finish()
        assert rollout.status == "SUCCEEDED"
        assert web.revisions == {new: 2}


def test_lambda_without_room_for_an_hour_leaves_no_undo_half_done() -> None:
    with a_small_fleet() as web:
        web.world.upload("two")
        half_way(web)
        web.roll_back()
        no_room(web.world, timedelta(hours=1))
        assert web.world.finish().error == "Stopped"
        assert web.is_as_before()
        assert len(web.world.notices) == 1


def test_lambda_without_room_gives_no_lane_to_the_next_one() -> None:
    """After the hour the one that waits may look first; the one that rolls still owns the fleet."""
    with a_small_fleet() as web:
        web.world.upload("two")
        web.world.run_until(lambda: bool(web.refreshes))
        newest = web.world.upload("three")
        web.world.run_for(seconds=20)
        no_room(web.world, timedelta(hours=1))
        web.world.finish()
        assert [each.status for each in web.world.rollouts] == ["SUCCEEDED", "SUCCEEDED"]
        assert web.revisions == {newest: 2}


def test_too_many_looks_end_by_name_and_are_undone_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three hundred looks take half a day of rings; here it is a dozen."""
    monkeypatch.setattr(looks, "MOST", 12)
    with a_small_fleet() as web:
        web.world.machines.ends = lambda _: Ending(timedelta(minutes=55))
        web.world.upload("two")
        web.world.run_until(lambda: bool(web.world.machines.scripts))
        web.world.run_for(seconds=20)
        every_second(web.world, rings(web.world, waited_for(web.world)), 30)
        rollout = web.world.finish()
        assert rollout.error == "LimitNear"
        assert web.is_as_before()
        (notice,) = web.world.notices
        assert "LimitNear" in notice
        assert "something rings all the time" in notice


def test_a_release_that_waits_too_long_among_rings_is_told_and_the_next_one_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(looks, "MOST", 12)
    with a_small_fleet() as web:
        web.pause("freeze")
        web.world.upload("two")
        web.world.run_for(seconds=20)
        bell = f"queue-{web.world.rollouts[0].name}"
        every_second(web.world, rings(web.world, bell), 30)
        assert web.world.rollouts[0].error == "LimitNear"
        new = web.world.upload("three")
        web.world.run_for(minutes=1)
        web.unpause()
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 2}


def test_a_state_that_is_nearly_too_large_is_refused_by_name() -> None:
    """Step Functions would end the execution without a word, and catch nothing."""
    with a_small_fleet() as web:
        web.world.upload("two")
        web.world.run_until(lambda: bool(web.world.machines.scripts))
        (rollout,) = web.world.rollouts
        rollout.whole["junk"] = "x" * 200_000
        ended = web.world.finish()
        assert ended.error == "LimitNear"
        assert "bytes" in ended.cause
        assert web.is_as_before()
