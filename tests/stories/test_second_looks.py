"""The second look: what was done cannot be seen, or is refused this time, or has changed hands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from sandbox.cloud.errors import AwsError
from sandbox.cloud.faults import LostAnswer
from tests.stories import fleets
from tests.stories.calls import Go, HandlerCall, undisturbed
from tests.stories.fleets import OLD, Fleet
from tests.stories.story import a_fleet
from tests.stories.test_roll_back import release
from tests.stories.test_roll_failures import a_person_cancels, new_version_is_sick
from tests.stories.world import present

Answer = dict[str, Any]


class Unseen:
    """For a minute after a call of a function, its own looks show what was there before it.

    ``lost``: that call's answer never arrives, and neither do those of its repetitions.
    """

    def __init__(
        self, web: Fleet, function: str, after: str, look: str, *, lost: bool = False
    ) -> None:
        self.web, self.function, self.after, self.look = web, function, after, look
        self.lost = lost
        self.before: Answer = {}
        self.since: datetime | None = None

    def __call__(self, call: HandlerCall, go: Go) -> Any:
        if call.function != self.function:
            return go()
        now = self.web.world.now()
        if call.operation == self.after and self.since is None:
            self.since = now
            go()
            if self.lost:
                raise LostAnswer
            return {"InstanceRefreshId": "08b91cf7-8fa6-48af-b6a6-d227f40f1b9b"}
        if call.operation != self.look:
            return go()
        if self.since is None:
            self.before = go()
        elif now - self.since > timedelta(minutes=1):
            return go()
        return self.before


def test_a_refresh_that_was_started_unheard_and_unseen_is_not_started_again() -> None:
    with a_fleet() as web:
        web.world.interference = Unseen(
            web, "roll_group", "StartInstanceRefresh", "DescribeInstanceRefreshes", lost=True
        )
        new = web.world.upload("two")
        rollout = web.world.finish()
        assert rollout.status == "SUCCEEDED", rollout.cause
        assert web.revisions == {new: 4}
        assert len(web.refreshes) == 1
        assert 1 <= rollout.visited.count("WaitForRollSoon") <= 6


def test_a_way_back_that_cannot_be_seen_yet_is_not_started_again() -> None:
    with a_fleet() as web:
        web.world.interference = Unseen(
            web, "undo_rollout", "StartInstanceRefresh", "DescribeInstanceRefreshes", lost=True
        )
        web.world.upload("two")
        a_person_cancels(web)
        rollout = web.world.finish(hours=12)
        assert rollout.error == "RollFailed"
        assert [each.status for each in reversed(web.refreshes)] == ["Cancelled", "Successful"]
        assert 1 <= rollout.visited.count("WaitForUndoSoon") <= 8
        assert web.is_as_before()


def test_a_builder_that_still_seems_to_run_is_stopped_and_looked_at_again() -> None:
    with a_fleet() as web:
        world, stopped = web.world, list[datetime]()

        def seems_to_run(call: HandlerCall, go: Go) -> Any:
            answer = go()
            if call.operation == "StopInstances":
                stopped.append(world.now())
            fresh = stopped and world.now() - stopped[0] < timedelta(seconds=45)
            if call.operation == "DescribeInstances" and call.function == "bake_image" and fresh:
                for reservation in answer["Reservations"]:
                    for instance in reservation["Instances"]:
                        instance["State"] = {"Code": 16, "Name": "running"}
            return answer

        world.interference = seems_to_run
        new = world.upload("two")
        assert world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        assert len(web.builders) == len(web.images) == 1
        assert len(stopped) < 8
        failures = {each.failure for each in world.lambdas.invocations}
        assert "NotYetVisible" in failures


def one_lags_behind(call: HandlerCall, go: Go) -> Any:
    """Of the group, one instance seems to be on the old version still."""
    answer = go()
    if call.operation == "DescribeAutoScalingGroups" and call.function == "roll_group":
        members = answer["AutoScalingGroups"][0]["Instances"]
        if {each["LaunchTemplate"]["Version"] for each in members} == {"2"}:
            members[0]["LaunchTemplate"]["Version"] = "1"
    return answer


def test_a_second_pass_that_aws_refuses_is_a_roll_that_failed() -> None:
    """Not ``Refused``, which says that nothing was touched."""
    with a_fleet() as web:
        asked: list[HandlerCall] = []

        def refuses(call: HandlerCall, go: Go) -> Any:
            if call.operation == "StartInstanceRefresh" and call.function == "roll_group":
                asked.append(call)
                if len(asked) > 1:
                    raise AwsError("ValidationError", "The template cannot be launched.", 400)
            return one_lags_behind(call, go)

        web.world.interference = refuses
        web.world.upload("two")
        rollout = web.world.finish(hours=12)
        assert (rollout.status, rollout.error) == ("FAILED", "RollFailed")
        assert (
            "AWS does not start a refresh of group web: The template cannot be launched."
            in (web.world.notices[-1])
        )
        assert web.is_as_before()
        assert [each.params["Preferences"]["SkipMatching"] for each in asked] == [True, True]


def test_one_that_seems_to_lag_behind_is_waited_for_before_another_pass() -> None:
    with a_fleet() as web:
        new = web.world.upload("two")
        web.world.run_until(lambda: bool(web.refreshes))
        web.world.run_until(lambda: not web.refreshes[0].is_active)
        ended = web.world.now()

        def lags(call: HandlerCall, go: Go) -> Any:
            late = web.world.now() - ended < timedelta(seconds=40)
            return one_lags_behind(call, go) if late else go()

        web.world.interference = lags
        rollout = web.world.finish()
        assert rollout.status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        assert len(web.refreshes) == 1
        assert "WaitForRollSoon" in rollout.visited  # AWS has no event for that


@pytest.mark.parametrize("addresses", [0, 1])
def test_the_way_back_leaves_an_address_time_to_move(addresses: int) -> None:
    """Where balancers are fed, that is a minute at least anyway."""
    with present() as world:
        web = fleets.make(world, addresses=addresses, roll={})
        world.operator(
            "autoscaling",
            "DetachLoadBalancerTargetGroups",
            AutoScalingGroupName="web",
            TargetGroupARNs=[web.target_group],
        )
        web.update(HealthCheckType="EC2", HealthCheckGracePeriod=10)
        world.upload("two")
        world.run_until(lambda: len(web.versions) == 2)
        world.operator("autoscaling", "CancelInstanceRefresh", AutoScalingGroupName="web")
        assert world.finish(hours=12).error == "RollFailed"
        warmups = {
            call.function: call.params["Preferences"]["InstanceWarmup"]
            for call in world.calls
            if call.operation == "StartInstanceRefresh"
        }
        least = 60 if addresses else 10
        assert warmups == {"roll_group": least, "undo_rollout": least}
        assert web.versions == {"1": 4}


def test_an_undo_that_rolls_back_is_looked_at_soon() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.run_until(lambda: web.revisions[OLD] < 4)
        web.roll_back()
        rollout = web.world.finish()
        assert rollout.error == "Stopped"
        assert "WaitForUndoSoon" in rollout.visited
        assert web.is_as_before()


class TestRollBackAsked:
    def test_while_a_release_rolls_it_is_told_to_stop(self) -> None:
        with a_fleet() as web:
            web.world.upload("two")
            web.world.run_until(lambda: bool(web.refreshes))
            answer = web.roll_back()
            (rollout,) = web.world.rollouts
            assert answer["reason"] == f"{rollout.name} of fleet web is told to stop."
            assert answer["accepted"] == [
                {"fleet": "web", "rollout": rollout.name, "stopping": True}
            ]
            assert answer["ignored"] is None
            assert web.world.finish().error == "Stopped"

    def test_of_an_idle_fleet_it_is_started(self) -> None:
        with a_fleet() as web:
            release(web, "two")
            answer = web.roll_back()
            name = web.world.rollouts[-1].name
            assert answer["reason"] == f"{name} of fleet web is started."
            assert answer["accepted"] == [{"fleet": "web", "rollout": name}]
            assert web.world.finish().status == "SUCCEEDED"

    def test_twice_while_it_rolls_back_the_second_is_ignored(self) -> None:
        with a_fleet() as web:
            release(web, "two")
            web.roll_back()
            web.world.run_until(lambda: len(web.refreshes) == 2)
            answer = web.roll_back()
            name = web.world.rollouts[-1].name
            assert answer["accepted"] == []
            assert answer["ignored"] == f"fleet web is being rolled back already: {name}"
            assert web.world.finish().status == "SUCCEEDED"
            assert web.revisions == {OLD: 4}

    def test_twice_in_a_minute_is_one(self) -> None:
        """The first has ended by the time of the second: there is nothing to go back to."""
        with a_fleet() as web:
            web.world.run_for(seconds=61 - web.world.now().second)
            web.roll_back()
            name = web.world.rollouts[-1].name
            web.world.run_until(lambda: not web.world.rollouts[-1].running)
            answer = web.roll_back()
            assert answer["accepted"] == []
            assert answer["ignored"] == f"the same was asked for within this minute: rollout {name}"
            assert len(web.world.rollouts) == 1

    def test_of_one_that_ends_just_then_it_is_a_rollout_of_its_own(self) -> None:
        with a_fleet() as web:
            world = web.world
            world.upload("two")
            world.run_until(lambda: bool(world.rollouts))
            world.run_until(lambda: world.rollouts[0].state == "AfterAddress")
            first = world.rollouts[0]

            def ends_just_then(call: HandlerCall, go: Go) -> Any:
                answer = go()
                if call.operation == "DescribeExecution" and call.function == "accept_release":
                    world.interference = undisturbed
                    world.run_until(lambda: not first.running)
                return answer

            world.interference = ends_just_then
            answer = world.ask(
                "accept_release",
                {"action": "roll-back", "fleet": "web", "reason": "it is slow"},
            )
            assert first.status == "SUCCEEDED"
            (accepted,) = answer["accepted"]
            assert accepted["rollout"] != first.name
            assert world.finish().status == "SUCCEEDED"
            assert web.revisions == {OLD: 4}


def image_is(web: Fleet, image: str, state: str) -> None:
    if state == "gone":
        web.world.operator("ec2", "DeregisterImage", ImageId=image, DeleteAssociatedSnapshots=True)
    else:
        web.world.cloud.ec2.images.all[image].state = state


@pytest.mark.parametrize(
    ("state", "words"),
    [("gone", "which does not exist"), ("pending", "which is pending"), ("failed", "is failed")],
)
def test_a_base_that_is_of_no_use_is_refused_before_anything_is_touched(
    state: str, words: str
) -> None:
    with a_fleet() as web:
        base = web.world.cloud.ec2.images.seed("acme-golden")
        web.document(bake={"base": base, "install": ["true"]})
        image_is(web, base, state)
        web.world.upload("two")
        rollout = web.world.finish()
        assert (rollout.status, rollout.error) == ("FAILED", "Refused")
        assert f"A bake would start from {base}, " in rollout.cause
        assert words in rollout.cause
        assert "set bake.base to an image that is available." in rollout.cause
        assert not web.builders
        assert web.is_as_before()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("gone", "does not exist any more; name another one (image)."),
        ("failed", "is failed; name one that is available."),
    ],
)
def test_an_image_that_cannot_be_rolled_back_to_is_refused(state: str, words: str) -> None:
    with a_fleet() as web:
        release(web, "two")
        new = release(web, "three")
        (second, _) = (each.image_id for each in web.images)
        image_is(web, second, state)
        web.roll_back()
        rollout = web.world.finish()
        assert (rollout.status, rollout.error) == ("FAILED", "Refused")
        assert f"The image {second} {words}" in rollout.cause
        assert web.revisions == {new: 4}
        assert len(web.refreshes) == 2


def test_an_image_that_is_disabled_after_the_plan_is_not_published() -> None:
    with a_fleet() as web:
        release(web, "two")
        release(web, "three")
        (second, _) = web.images

        def disables(call: HandlerCall, go: Go) -> Any:
            if call.function == "publish_template":
                second.state = "disabled"
            return go()

        web.world.interference = disables
        web.roll_back()
        rollout = web.world.finish()
        assert (rollout.status, rollout.error) == ("FAILED", "Refused")
        assert f"The image {second.image_id} is disabled; it cannot be launched." in rollout.cause
        assert len(web.refreshes) == 2
        assert web.saved_version == "3"


Breaks = Callable[[Fleet], None]


def no_right_to_mark(web: Fleet) -> None:
    web.world.cloud.faults.fail("CreateTags", "UnauthorizedOperation", status=403, times=99)


def test_an_image_whose_tag_cannot_be_written_is_bad_all_the_same() -> None:
    """The tag is for people; what counts is the ledger's word."""
    with a_fleet(roll={"stall_minutes": 5}) as web:
        new_version_is_sick(web)
        no_right_to_mark(web)
        web.world.upload("two")
        rollout = web.world.finish(hours=12)
        assert (rollout.status, rollout.error) == ("FAILED", "RollFailed")
        assert "The image is marked bad." in web.world.notices[-1]
        (image,) = web.images
        web.world.cloud.faults.clear()
        web.world.upload("two")
        web.world.finish(hours=12)
        assert len(web.images) == 2, "the bad one was rolled again"
        assert image.state == "available"
