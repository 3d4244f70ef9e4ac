"""The lane through long rolls, long sleeps and changes of hands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ovenbird.ledger import lanes
from tests.stories import fleets
from tests.stories.calls import Go, HandlerCall
from tests.stories.story import a_fleet
from tests.stories.test_queue import results, waits_for_lane
from tests.stories.world import present


def test_who_wakes_up_after_its_lease_writes_nothing_any_more() -> None:
    """The first rollout sleeps before its roll until the second one, which took over, rolls."""
    with a_fleet() as web:
        web.world.upload("two")
        slept: list[str] = []  # what happened meanwhile

        def sleeps(call: HandlerCall, go: Go) -> Any:
            if (call.service, call.function) == ("lambda", "roll_group") and not slept:
                slept.append("three")
                web.world.run_for(hours=lanes.LEASE / timedelta(hours=1), minutes=5)
                slept.append(web.world.upload("three"))
                web.world.run_until(lambda: bool(web.refreshes))
            return go()

        web.world.interference = sleeps
        web.world.finish()
        first, second = web.world.rollouts
        assert first.error == "LaneLost"
        assert second.name in first.cause
        assert results(web) == ["LaneLost", "released"]
        assert web.revisions == {slept[-1]: 4}
        assert len(web.refreshes) == 1


def test_a_roll_that_takes_longer_than_its_lease_keeps_its_lane() -> None:
    roll = {"checkpoints": [50, 100], "checkpoint_delay_seconds": 3600}
    with a_fleet(roll=roll) as web:
        web.world.upload("two")
        web.world.run_for(minutes=50)
        newest = web.world.upload("three")
        web.world.run_for(minutes=1)
        first, second = web.world.rollouts
        assert first.state == "WaitForRoll"
        assert waits_for_lane(second)
        web.world.finish(hours=12)
        assert results(web) == ["released", "released"]
        assert web.revisions == {newest: 4}


def test_the_next_in_the_queue_begins_at_once() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.run_for(minutes=1)
        web.world.upload("three")
        web.world.run_for(minutes=1)
        first, second = web.world.rollouts
        assert waits_for_lane(second)
        web.world.run_until(lambda: not first.running)
        web.world.run_for(seconds=5)
        assert not waits_for_lane(second)
        web.world.finish()
        assert results(web) == ["released", "released"]


def test_the_builder_of_a_stopped_rollout_ends_before_another_one_begins() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.run_until(lambda: bool(web.builders))
        stopped = web.world.rollouts[0]
        web.world.states.stop({"executionArn": stopped.arn, "error": "", "cause": "by hand"})
        web.world.upload("three")
        web.world.run_until(lambda: len(web.builders) == 2)
        first, second = web.builders
        assert not first.is_alive
        assert second.is_alive
        web.world.finish()
        assert "SUCCEEDED" in {rollout.status for rollout in web.world.rollouts}


def test_the_builder_of_a_stopped_rollout_ends_also_when_nothing_is_baked_any_more() -> None:
    """Its image was under way; the next rollout of the same content finds it and bakes nothing."""
    with a_fleet() as web:
        web.world.upload("two")
        web.world.run_until(lambda: bool(web.images))
        stopped = web.world.rollouts[0]
        web.world.delivery.lost.add("Step Functions")  # else its undo ends the builder at once
        web.world.states.stop({"executionArn": stopped.arn, "error": "", "cause": "by hand"})
        web.world.run_for(minutes=30)
        assert any(builder.is_alive for builder in web.builders)
        new = web.world.upload("two")
        web.world.finish()
        assert "SUCCEEDED" in {rollout.status for rollout in web.world.rollouts}
        assert web.revisions == {new: 4}
        assert len(web.images) == 1
        assert not any(builder.is_alive for builder in web.builders)


def test_a_builder_that_the_undo_could_not_end_is_ended_by_the_next_rollout_that_settles() -> None:
    """Also when nothing is baked any more, where nobody else looks for builders."""
    with present() as world:  # and no invariants: a builder is left
        web = fleets.make(world)
        world.upload("two")
        world.run_until(lambda: bool(web.images))
        stopped = world.rollouts[0]
        (builder,) = web.builders
        builder.content["DisableApiTermination"] = True  # somebody wants to look at it
        world.states.stop({"executionArn": stopped.arn, "error": "", "cause": "by hand"})
        assert world.finish().error == "UndoFailed"
        assert builder.is_alive
        builder.content["DisableApiTermination"] = False
        world.run_for(minutes=30)
        new = world.upload("two")
        world.finish()
        assert web.revisions == {new: 4}
        assert len(web.images) == len(web.builders) == 1
        assert not builder.is_alive
