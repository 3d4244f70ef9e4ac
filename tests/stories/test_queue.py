"""One rollout at a time for each fleet: who waits, who gives way, who is told."""

from __future__ import annotations

from tests.stories.asl.execution import Execution
from tests.stories.fleets import Fleet
from tests.stories.story import a_fleet


def results(web: Fleet) -> list[str]:
    """How the rollouts ended, in the order in which they were started."""
    ledger = web.world.ledger()
    return [ledger[f"rollout#{each.name}"]["result"]["S"] for each in web.world.rollouts]


def waits_for_lane(rollout: Execution) -> bool:
    return rollout.state == "WaitForLane"


def test_two_at_once_run_one_after_the_other() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.run_for(seconds=30)
        newest = web.world.upload("three")
        web.world.run_for(seconds=30)
        assert waits_for_lane(web.world.rollouts[1])
        web.world.finish()
        assert results(web) == ["released", "released"]
        assert web.revisions == {newest: 4}


def test_two_in_the_same_second_end_on_one_of_them_and_both_are_told() -> None:
    with a_fleet() as web:
        pushed = {web.world.upload("two"), web.world.upload("three")}
        web.world.finish()
        assert len(web.revisions) == 1
        assert set(web.revisions) < pushed
        assert set(results(web)) <= {"released", "superseded"}
        assert "released" in results(web)


def test_of_three_the_newest_wins_and_the_one_between_is_superseded() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.run_for(minutes=1)
        web.world.upload("three")
        web.world.run_for(minutes=1)
        newest = web.world.upload("four")
        web.world.run_for(minutes=1)
        assert [each.running for each in web.world.rollouts] == [True, False, True]
        web.world.finish()
        assert results(web) == ["released", "superseded", "released"]
        assert web.revisions == {newest: 4}
        assert len(web.images) == 2


def test_the_next_one_runs_also_when_the_first_fails() -> None:
    with a_fleet() as web:
        bad = web.world.upload("two")
        web.world.machines.healthy = lambda instance_id, disk: disk.revision != bad
        web.world.run_for(minutes=1)
        good = web.world.upload("three")
        web.world.finish()
        assert results(web) == ["RollFailed", "released"]
        assert web.revisions == {good: 4}


def test_the_same_push_twice_is_one_rollout() -> None:
    with a_fleet() as web:
        web.world.delivery.doubled.add("Object Created")
        new = web.world.upload("two")
        web.world.finish()
        assert len(web.world.rollouts) == 1
        assert web.revisions == {new: 4}


def test_the_same_push_again_after_its_rollout_has_ended_changes_nothing() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.finish()
        again = next(
            each.event
            for each in web.world.lambdas.invocations
            if each.function == "accept_release"
        )
        web.world.delivery.put(again)
        web.world.run_for(minutes=30)
        assert len(web.world.rollouts) == 1


def test_a_push_that_arrives_a_day_late_is_stale() -> None:
    with a_fleet() as web:
        new = web.world.upload("two")
        web.world.finish()
        web.world.upload("nought", days_ago=1)
        web.world.finish()
        assert results(web) == ["released", "stale"]
        assert web.revisions == {new: 4}


def test_a_push_that_concerns_no_fleet_is_ignored_with_the_reason() -> None:
    with a_fleet() as web:
        web.world.upload("two", key="shop/app.tar.gz")
        web.world.run_for(minutes=1)
        assert not web.world.rollouts
        (answer,) = [
            each.answer
            for each in web.world.lambdas.invocations
            if each.function == "accept_release"
        ]
        assert "shop/app.tar.gz" in answer["reason"]


def test_a_pause_holds_new_rollouts_back_with_its_reason() -> None:
    with a_fleet() as web:
        web.pause("moving house")
        new = web.world.upload("two")
        web.world.run_for(hours=3)
        (rollout,) = web.world.rollouts
        assert waits_for_lane(rollout)
        assert "moving house" in rollout.whole["plan"]["reason"]
        assert "moving house" in web.world.ledger()["lane#web"]["queued_reason"]["S"]
        assert web.is_as_before()
        web.unpause()
        web.world.finish()
        assert results(web) == ["released"]
        assert web.revisions == {new: 4}


def test_a_pause_in_the_middle_lets_the_running_rollout_end() -> None:
    with a_fleet() as web:
        new = web.world.upload("two")
        web.world.run_for(minutes=2)
        web.pause("moving house")
        web.world.finish()
        assert web.revisions == {new: 4}


def test_of_two_that_wait_in_a_pause_the_newest_is_rolled_out() -> None:
    with a_fleet() as web:
        web.pause("moving house")
        web.world.upload("two")
        web.world.run_for(minutes=1)
        newest = web.world.upload("three")
        web.world.run_for(minutes=1)
        web.unpause()
        web.world.finish()
        assert results(web) == ["superseded", "released"]
        assert web.revisions == {newest: 4}


def test_a_lane_whose_holder_was_stopped_by_a_person_is_seized() -> None:
    """StopExecution runs no state any more: the undo that its end starts gives the lane back."""
    with a_fleet() as web:
        web.world.upload("two")
        web.world.run_for(seconds=30)
        stopped = web.world.rollouts[0]
        web.world.states.stop({"executionArn": stopped.arn, "error": "", "cause": "by hand"})
        new = web.world.upload("three")
        web.world.finish()
        assert [each.status for each in web.world.rollouts if "_undo" not in each.name] == [
            "ABORTED",
            "SUCCEEDED",
        ]
        assert web.revisions == {new: 4}
        assert len(web.builders) == 2  # the first one's, and the second one's, which ended both
