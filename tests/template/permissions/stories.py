"""The stories whose calls are written down: together they ask for everything that is granted.

Most are the stories of ``tests/stories``, as they stand. Here are those that only matter to IAM.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.stories import (
    fleets,
    test_address_plan,
    test_addresses,
    test_alarms,
    test_bake_failures,
    test_happy_path,
    test_lanes,
    test_queue,
    test_recovery,
    test_refusals,
    test_roll_back,
    test_roll_failures,
    test_traffic,
    test_undo_failures,
)
from tests.stories.story import a_fleet
from tests.stories.world import present

PUBLIC = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
TAGGED_AT_LAUNCH = ("instance", "volume", "network-interface", "spot-instances-request")


def the_template_tags_what_it_launches() -> None:
    """And gives instances two interfaces; the group follows ``$Latest`` and may be pinned."""
    tags = [{"Key": fleets.TAG, "Value": "web"}]
    content = {
        "TagSpecifications": [{"ResourceType": each, "Tags": tags} for each in TAGGED_AT_LAUNCH],
        "NetworkInterfaces": [{"DeviceIndex": 0}, {"DeviceIndex": 1}],
    }
    with present() as world:
        web = fleets.make(world, roll={"pin": True})
        new = world.upload("two")
        assert world.finish().status == "SUCCEEDED"
        world.operator(
            "ec2",
            "CreateLaunchTemplateVersion",
            LaunchTemplateId=web.template,
            SourceVersion="1",
            LaunchTemplateData=content,
        )
        web.update(LaunchTemplate={"LaunchTemplateId": web.template, "Version": "$Latest"})
        world.upload("two")  # baked before: no builder could be launched from that version
        assert world.finish().status == "SUCCEEDED"
        assert sorted(web.holders) == list(web.allocations)
        web.roll_back()
        world.run_until(lambda: 0 < web.revisions[new] < web.group.desired)
        world.operator("autoscaling", "CancelInstanceRefresh", AutoScalingGroupName="web")
        assert world.finish().error == "RollFailed"
        assert web.revisions == {new: 4}


def a_bake_from_a_public_image() -> None:
    with a_fleet(bake={"base": PUBLIC}) as web:
        web.world.cloud.ssm.parameters.seed(PUBLIC, web.image)
        web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"


def two_fleets_roll_side_by_side() -> None:
    """Then one fails and is undone, while the other one is rolled back by hand."""
    with present() as world:
        web = fleets.make(world, addresses=1)
        shop = fleets.make(world, name="shop", size=2, addresses=1)
        world.upload("two")
        world.upload("two of the shop", key="shop/app.tar.gz")
        world.finish()
        assert {rollout.status for rollout in world.rollouts} == {"SUCCEEDED"}
        held = {*shop.group.members}
        world.upload("three of the shop", key="shop/app.tar.gz")
        web.roll_back()
        world.run_until(lambda: bool({*shop.group.members} - held), hours=2)
        world.operator("autoscaling", "CancelInstanceRefresh", AutoScalingGroupName="shop")
        world.finish()
        assert sorted(each.error for each in world.rollouts[2:]) == ["", "RollFailed"]


def a_base_of_another_architecture() -> None:
    with a_fleet() as web:
        other = web.world.cloud.ec2.images.seed("arm", architecture="arm64")
        web.document(bake={"base": other, "install": ["true"]}, addresses={"count": 2})
        web.world.upload("two")
        assert web.world.finish().error == "Refused"


def a_template_with_a_key_pair_and_a_disk_from_a_snapshot() -> None:
    """Which a builder gets in its own way: its disk is that of its base, in its own interface."""
    with present() as world:
        web = fleets.make(world)
        (image,) = world.operator("ec2", "DescribeImages", ImageIds=[web.image])["Images"]
        snapshot = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
        content = {
            "KeyName": "team",
            "NetworkInterfaces": [{"DeviceIndex": 0, "Groups": ["sg-0123456789abcdef0"]}],
            "BlockDeviceMappings": [
                {
                    "DeviceName": "/dev/xvda",
                    "Ebs": {"SnapshotId": snapshot, "DeleteOnTermination": False},
                }
            ],
        }
        world.operator(
            "ec2",
            "CreateLaunchTemplateVersion",
            LaunchTemplateId=web.template,
            SourceVersion="1",
            LaunchTemplateData=content,
        )
        named = {"LaunchTemplateId": web.template, "Version": "2"}
        world.operator(
            "autoscaling",
            "UpdateAutoScalingGroup",
            AutoScalingGroupName="web",
            LaunchTemplate=named,
        )
        world.upload("two")
        assert world.finish().status == "SUCCEEDED"


def a_bake_that_fails_while_another_rollout_waits() -> None:
    with a_fleet() as web:
        test_bake_failures.script_fails(web)
        web.world.upload("two")
        web.world.run_for(seconds=30)
        web.world.upload("three")
        web.world.finish()
        assert [rollout.error for rollout in web.world.rollouts] == ["BakeFailed"] * 2


def a_refresh_that_aws_cannot_roll_back() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        test_roll_failures.half_way(web)
        web.world.cloud.faults.fail("RollbackInstanceRefresh", "IrreversibleInstanceRefresh")
        web.roll_back()
        assert web.world.finish().error == "Stopped"
        assert web.is_as_before()


def _a_roll_that_fails(name: str) -> Callable[[], None]:
    """One of many, by its name."""
    story = test_roll_failures.test_a_failed_roll_is_undone
    (cases,) = story.pytestmark
    (case,) = (each for each in cases.args[1] if each.id == name)
    return partial(story, *case.values)


STORIES: tuple[Callable[[], None], ...] = (
    the_template_tags_what_it_launches,
    a_bake_from_a_public_image,
    a_base_of_another_architecture,
    a_template_with_a_key_pair_and_a_disk_from_a_snapshot,
    two_fleets_roll_side_by_side,
    a_bake_that_fails_while_another_rollout_waits,
    a_refresh_that_aws_cannot_roll_back,
    _a_roll_that_fails("launches fail"),
    test_happy_path.test_a_dry_run_plans_and_changes_nothing,
    test_happy_path.test_there_is_nothing_to_do_when_the_fleet_is_there_already,
    test_happy_path.test_overrides_with_templates_of_their_own_get_the_image_too,
    test_refusals.test_a_bad_document_is_refused_with_the_field_the_value_and_what_would_be_right,
    test_roll_back.test_goes_to_the_image_before_without_a_bake,
    partial(test_roll_back.test_while_a_rollout_runs_it_stops_that_rollout, "WaitForBake"),
    partial(test_roll_back.test_while_a_rollout_runs_it_stops_that_rollout, "WaitForRoll"),
    test_queue.test_of_three_the_newest_wins_and_the_one_between_is_superseded,
    test_queue.test_a_pause_holds_new_rollouts_back_with_its_reason,
    test_queue.test_a_lane_whose_holder_was_stopped_by_a_person_is_seized,
    test_lanes.test_a_builder_that_the_undo_could_not_end_is_ended_by_the_next_rollout_that_settles,
    partial(
        test_recovery.test_if_the_undo_dies_too_people_are_told_once_and_the_fleet_goes_on,
        test_recovery.stop,
        "Stopped",
    ),
    test_recovery.test_who_waits_behind_one_that_dies_begins_when_it_is_undone,
    test_recovery.test_who_waits_behind_one_whose_undo_dies_too_begins_then,
    test_recovery.test_a_roll_back_by_hand_is_a_rollout_of_its_own_where_nobody_can_undo_any_more,
    test_recovery.test_where_the_event_is_lost_the_next_rollout_lets_it_be_undone_first,
    test_recovery.test_a_run_that_looks_after_addresses_and_dies_is_followed_by_another_one,
    test_alarms.test_an_alarm_ends_the_rollout_long_before_the_sweep,
    test_addresses.test_an_instance_that_is_terminated_hands_its_address_on,
    test_address_plan.test_addresses_that_are_free_because_the_fleet_is_new,
    partial(test_address_plan.test_an_address_of_another_network_border_group, "address"),
    test_traffic.test_classic_balancers_are_asked_too,
    test_traffic.test_classic_balancers_are_asked_at_the_end_of_an_undo_too,
    partial(
        test_undo_failures.test_the_machine_tells_what_the_step_cannot,
        test_undo_failures.lambda_is_broken,
        "Lambda.ServiceException",
    ),
)
