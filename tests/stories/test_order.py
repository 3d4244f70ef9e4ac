"""Of two requests of a fleet one is always the newer: ties, swapped events, late and doubled ones.

EventBridge writes times in whole seconds and promises no order. Reported where order was by time:
OctopusDeploy/Issues#4317, unkeyed/unkey#7152, stackoverflow.com/q/40765699.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest

from sandbox.cloud.errors import AwsError
from sandbox.cloud.faults import Killed
from tests.stories import fleets
from tests.stories.calls import Go, HandlerCall
from tests.stories.fleets import OLD, Fleet
from tests.stories.story import a_fleet
from tests.stories.test_queue import results
from tests.stories.world import World, present

LATE = timedelta(seconds=10)


def a_small_fleet(**options: Any) -> AbstractContextManager[Fleet]:
    return a_fleet(size=2, addresses=0, shortcut=True, **options)


def within_a_second(web: Fleet, *contents: str) -> list[str]:
    """Uploads of one second, each of another object, that are accepted one after the other."""
    into = web.world.now().microsecond / 1e6
    web.world.run_for(seconds=1 - into)
    second, pushed = web.world.now().second, []
    for number, content in enumerate(contents):
        assert web.world.now().second == second
        pushed.append(web.world.upload(content, f"web/{number}.tar.gz"))
        web.world.run_for(seconds=0.25)
    return pushed


def looks(world: World) -> int:
    """How often any execution asked whether it is its turn."""
    return sum(each.function == "plan_rollout" for each in world.lambdas.invocations)


def in_order(web: Fleet) -> list[str]:
    """How the rollouts ended, in the order of the fleet; they may be started in another one."""
    items = [item for key, item in web.world.ledger().items() if key.startswith("rollout#")]
    return [item["result"]["S"] for item in sorted(items, key=lambda item: item["order"]["S"])]


def ignored(world: World) -> list[str]:
    """Why pushes were not accepted."""
    return [
        each.answer["ignored"]
        for each in world.lambdas.invocations
        if each.function == "accept_release" and each.answer and each.answer["ignored"]
    ]


def test_of_two_objects_of_one_second_the_last_one_runs_at_the_end() -> None:
    with a_small_fleet() as web:
        _, last = within_a_second(web, "two", "three")
        web.world.finish()
        assert in_order(web)[-1] == "released"
        assert set(results(web)) <= {"released", "superseded"}
        assert web.revisions == {last: 2}
        assert looks(web.world) <= 4


def test_of_three_objects_of_one_second_the_last_one_runs_at_the_end() -> None:
    with a_small_fleet() as web:
        *_, last = within_a_second(web, "two", "three", "four")
        web.world.finish()
        assert in_order(web)[-1] == "released"
        assert len(web.images) <= 2
        assert web.revisions == {last: 2}
        assert looks(web.world) <= 6


def test_objects_that_arrive_in_the_same_moment_keep_the_order_of_their_arrival() -> None:
    """Their functions run side by side, and the last one may be the first to count."""
    with a_small_fleet() as web:
        pushed = [web.world.upload(str(number), f"web/{number}.tar.gz") for number in range(3)]
        web.world.finish()
        assert web.revisions == {pushed[-1]: 2}


def test_two_objects_of_one_second_outlive_a_pause() -> None:
    """Once both displaced each other from the queue, a thousand times in ten minutes."""
    with a_small_fleet() as web:
        web.pause("freeze")
        _, last = within_a_second(web, "two", "three")
        web.world.run_for(hours=1)
        first, second = web.world.rollouts
        assert (first.running, second.running) == (False, True)
        web.unpause()
        web.world.finish()
        assert results(web) == ["superseded", "released"]
        assert web.revisions == {last: 2}
        assert len(web.images) == 1
        assert max(each.transitions for each in web.world.rollouts) < 60


@pytest.mark.parametrize("apart", [timedelta(), timedelta(minutes=40)], ids=["at once", "later"])
def test_an_older_version_of_the_same_object_that_comes_later_is_ignored(apart: timedelta) -> None:
    """The sequencer tells, where the time does not: both were uploaded in one second."""
    with a_small_fleet() as web:
        web.world.upload("two", late=LATE + apart)
        newer = web.world.upload("three")
        web.world.finish()
        web.world.run_for(hours=1)
        assert results(web) == ["released"]
        assert web.revisions == {newer: 2}
        (reason,) = ignored(web.world)
        assert reason == (
            "a newer release of s3://acme-releases/web/app.tar.gz was accepted before for fleet web"
        )


def test_commits_of_one_second_whose_events_are_swapped() -> None:
    """``oldCommitId`` tells which one was there before."""
    with a_small_fleet(release={"codecommit": {"repository": "web", "branch": "main"}}) as web:
        second = web.world.now()
        for commit, before in (("ccc", "bbb"), ("bbb", "aaa")):
            event = {
                "version": "0",
                "id": commit,
                "detail-type": "CodeCommit Repository State Change",
                "source": "aws.codecommit",
                "account": web.world.cloud.kernel.account,
                "time": second.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "region": web.world.cloud.kernel.region,
                "resources": [],
                "detail": {
                    "event": "referenceUpdated",
                    "repositoryName": "web",
                    "referenceType": "branch",
                    "referenceName": "main",
                    "commitId": commit,
                    "oldCommitId": before,
                },
            }
            web.world.delivery.put(event)
            web.world.run_for(seconds=5)
        web.world.finish()
        assert results(web) == ["released"]
        assert web.revisions == {"ccc": 2}
        assert "main was accepted before" in ignored(web.world)[0]


def test_of_pipeline_executions_side_by_side_the_later_one_wins_although_it_ends_first() -> None:
    with a_small_fleet(release={"codepipeline": {"pipeline": "web"}}) as web:
        for execution, began in (("new", "09:02:00.5Z"), ("old", "09:01:00.25Z")):
            web.world.put_event(
                "aws.codepipeline",
                "CodePipeline Pipeline Execution State Change",
                {
                    "pipeline": "web",
                    "execution-id": execution,
                    "state": "SUCCEEDED",
                    "start-time": f"2026-01-05T{began}",
                },
            )
            web.world.run_for(minutes=2)
        web.world.finish()
        assert results(web) == ["released"]
        assert web.revisions == {"new": 2}


def test_a_push_that_comes_an_hour_late_stays_the_older_one() -> None:
    with a_small_fleet() as web:
        new = web.world.upload("two", "web/a.tar.gz")
        web.world.finish()
        web.world.upload("three", "web/b.tar.gz", days_ago=1 / 24)
        web.world.finish()
        assert results(web) == ["released", "stale"]
        assert web.revisions == {new: 2}


def test_a_doubled_event_has_one_order_and_one_rollout() -> None:
    with a_small_fleet() as web:
        web.world.delivery.doubled.add("Object Created")
        _, last = within_a_second(web, "two", "three")
        web.world.finish()
        assert len(web.world.rollouts) == 2
        assert web.revisions == {last: 2}
        orders = {item["order"]["S"] for item in web.world.ledger().values() if "asked" in item}
        assert len(orders) == 2


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(1, 6))
def test_an_acceptance_that_dies_anywhere_and_is_repeated_keeps_its_place(
    when: str, call: int
) -> None:
    """Lambda repeats it a minute later; meanwhile the next push was accepted."""
    with a_small_fleet() as web:
        web.pause("freeze")
        own: list[HandlerCall] = []

        def dies(asked: HandlerCall, go: Go) -> Any:
            if asked.function != "accept_release" or asked.service == "ssm":
                return go()
            if not own or asked.invocation == own[0].invocation:
                own.append(asked)
            if own[-1] is not asked or len(own) != call:
                return go()
            if when == "after":
                go()
            raise Killed("its process died")

        web.world.interference = dies
        web.world.upload("two", "web/a.tar.gz")
        web.world.run_for(seconds=5)
        last = web.world.upload("three", "web/b.tar.gz")
        web.world.run_for(minutes=5)
        web.unpause()
        web.world.finish()
        # Of the documents, of what was accepted; the order, what was accepted, and its start.
        calls = ["GetItem", "GetItem", "UpdateItem", "UpdateItem", "StartExecution"]
        assert [each.operation for each in own] == calls[:call]
        assert sorted(results(web)) == ["released", "superseded"]
        assert web.revisions == {last: 2}


def test_answers_that_are_lost_change_no_order() -> None:
    with a_small_fleet() as web:
        web.pause("freeze")
        web.world.cloud.faults.lose_answer("StartExecution", times=3)
        web.world.cloud.faults.lose_answer("UpdateItem", times=3)
        web.world.upload("two", "web/a.tar.gz")
        web.world.run_for(minutes=4)
        last = web.world.upload("three", "web/b.tar.gz")
        web.world.run_for(minutes=4)
        web.unpause()
        web.world.finish()
        assert results(web) == ["superseded", "released"]
        assert web.revisions == {last: 2}


def test_the_same_name_with_other_content_is_no_repetition_and_is_told() -> None:
    """Two objects of one version id: one of them is a lie, or the sender is wrong."""
    with present(shortcut=True) as world:
        web = fleets.make(world, size=2, addresses=0)
        new = world.upload("two")
        world.finish()
        (event,) = (e.event for e in world.lambdas.invocations if e.function == "accept_release")
        thing = event["detail"]["object"] | {"etag": "e" * 32}
        world.delivery.put(event | {"detail": event["detail"] | {"object": thing}})
        world.run_for(minutes=10)
        assert web.revisions == {new: 2}
        assert len(world.rollouts) == 1
        assert [error for _, _, error in world.delivery.dead] == ["Refused"]


def test_an_execution_that_somebody_else_started_under_the_name_is_told() -> None:
    with present(shortcut=True) as world:
        web = fleets.make(world, size=2, addresses=0)

        def first(call: HandlerCall, go: Go) -> Any:
            if call.operation == "StartExecution":
                raise AwsError("ExecutionAlreadyExists", "Execution Already Exists")
            if call.operation == "DescribeExecution" and call.function == "accept_release":
                return go_other()
            return go()

        def go_other() -> dict[str, Any]:
            return {"status": "RUNNING", "input": '{"fleet": "web", "release": "mine"}'}

        world.interference = first
        world.upload("two")
        world.run_for(minutes=10)
        assert [error for _, _, error in world.delivery.dead] == ["Refused"]
        assert web.revisions == {OLD: 2}


def test_a_roll_back_and_a_push_of_the_same_second_have_one_order() -> None:
    """What was accepted before the stop is not wanted any more; what came after it is."""
    with a_small_fleet() as web:
        web.world.upload("two", "web/a.tar.gz")
        web.world.run_for(minutes=1)
        web.world.upload("three", "web/b.tar.gz")
        web.world.run_for(seconds=1)
        assert web.roll_back()["accepted"][0]["stopping"]
        last = web.world.upload("four", "web/c.tar.gz")
        web.world.finish()
        assert results(web) == ["Stopped", "superseded", "released"]
        assert web.revisions == {last: 2}


def test_who_asks_twice_within_a_minute_stops_also_what_has_begun_in_between() -> None:
    """One request by its minute, but another rollout is meant."""
    with a_small_fleet() as web:
        web.world.upload("two", "web/a.tar.gz")
        web.world.run_for(seconds=52)
        web.world.run_for(seconds=60 - web.world.now().second)
        assert web.roll_back()["accepted"][0]["stopping"]
        web.world.run_for(seconds=5)
        web.world.upload("three", "web/b.tar.gz")
        web.world.run_until(lambda: len(web.world.rollouts) == 2)
        web.world.run_for(seconds=20)
        assert web.roll_back()["accepted"][0]["stopping"]
        web.world.finish()
        assert results(web) == ["Stopped", "Stopped"]
        assert web.revisions == {OLD: 2}
