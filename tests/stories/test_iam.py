"""Whole rollouts by what IAM allows: each call is judged by its role, and a denied one fails."""

from __future__ import annotations

from tests.stories import fleets, iam
from tests.stories.fleets import TAG
from tests.stories.intrinsics import arn
from tests.stories.story import a_fleet
from tests.stories.test_roll_failures import new_version_is_sick
from tests.stories.world import present

OTHER_ROLE = arn("iam", "role/other", region="")


def test_a_release_is_baked_rolled_and_settled() -> None:
    with a_fleet() as web:
        iam.enforce(web.world)
        before = set(web.holders.values())
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        assert not set(web.holders.values()) & before


def test_a_release_that_fails_is_undone() -> None:
    with a_fleet() as web:
        iam.enforce(web.world)
        web.world.upload("two")
        new_version_is_sick(web)
        assert web.world.finish().error == "RollFailed"
        assert web.is_as_before()


def test_a_roll_back_by_hand_and_a_queue_work() -> None:
    with a_fleet() as web:
        iam.enforce(web.world)
        web.world.upload("two")
        web.world.run_for(seconds=30)
        web.world.upload("three")
        assert web.world.finish().status == "SUCCEEDED"
        web.roll_back()
        assert web.world.finish().status == "SUCCEEDED"


def test_addresses_follow_a_termination() -> None:
    with a_fleet() as web:
        iam.enforce(web.world)
        allocation, holder = next(iter(web.holders.items()))
        web.forgive(but=1)
        web.world.operator("ec2", "TerminateInstances", InstanceIds=[holder])
        web.world.run_until(lambda: len(web.serving) == 4)
        web.world.run_for(minutes=11)
        assert web.holders[allocation] in web.serving


def test_a_role_that_was_not_named_at_deployment_is_not_passed() -> None:
    with a_fleet() as web:
        iam.enforce(web.world, InstanceRoleArns=[OTHER_ROLE])
        web.world.upload("two")
        ended = web.world.finish()
        assert (ended.error, web.is_as_before()) == ("Denied", True)
        assert "iam:PassRole" in ended.cause
        assert web.builders == []


def test_a_template_without_the_tag_launches_nothing() -> None:
    with a_fleet() as web:
        iam.enforce(web.world)
        web.world.operator("ec2", "DeleteTags", Resources=[web.template], Tags=[{"Key": TAG}])
        web.world.upload("two")
        ended = web.world.finish()
        assert ended.error in ("Denied", "Refused")
        assert web.is_as_before()


def test_a_tag_that_is_not_propagated_is_found_by_the_plan() -> None:
    """New instances would not carry it, and no address may be put on them: too late, then."""
    with present() as world:
        web = fleets.make(world)
        world.operator(
            "autoscaling",
            "CreateOrUpdateTags",
            Tags=[
                {
                    "ResourceId": "web",
                    "ResourceType": "auto-scaling-group",
                    "Key": TAG,
                    "Value": "web",
                    "PropagateAtLaunch": False,
                }
            ],
        )
        iam.enforce(world)
        before = dict(web.holders)
        world.upload("two")
        ended = world.finish()
        assert ended.error == "Refused"
        assert "does not propagate its tag ovenbird:fleet=web" in ended.cause
        assert web.holders == before
        assert web.is_as_before()
