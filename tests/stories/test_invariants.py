"""The invariants see what they are there for: each is broken once, by a person."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.stories.fleets import Fleet
from tests.stories.invariants import Broken
from tests.stories.story import a_fleet
from tests.stories.test_addresses import stranger


def two_instances_are_terminated(web: Fleet) -> None:
    web.world.operator("ec2", "TerminateInstances", InstanceIds=web.serving[:2])


def the_image_in_use_is_deregistered(web: Fleet) -> None:
    web.world.operator("ec2", "DeregisterImage", ImageId=web.image)


def the_group_is_edited(web: Fleet) -> None:
    web.world.operator(
        "ec2",
        "CreateLaunchTemplateVersion",
        LaunchTemplateId=web.template,
        SourceVersion="1",
        LaunchTemplateData={"InstanceType": "t3.large"},
    )
    web.update(LaunchTemplate={"LaunchTemplateId": web.template, "Version": "2"})


def a_stranger_is_robbed(web: Fleet) -> None:
    other = stranger(web.world, web)
    web.world.operator(
        "ec2",
        "AssociateAddress",
        AllocationId=web.allocations[0],
        InstanceId=other,
        AllowReassociation=True,
    )
    web.forgive()
    web.world.operator(
        "ec2",
        "AssociateAddress",
        AllocationId=web.allocations[0],
        InstanceId=web.serving[3],
        AllowReassociation=True,
    )


def an_address_is_taken_off_at_the_end(web: Fleet) -> None:
    address = web.world.cloud.ec2.addresses.all[web.allocations[0]]
    web.world.operator("ec2", "DisassociateAddress", AssociationId=address.association_id)


def a_builder_is_left(web: Fleet) -> None:
    """A rollout ends while its builder is launched once more."""
    web.world.upload("two")
    web.world.run_until(lambda: bool(web.builders))
    launch = next(call for call in web.world.calls if call.operation == "RunInstances")
    web.world.finish()
    web.world.operator("ec2", "RunInstances", **{**launch.params, "ClientToken": "once-more"})


def the_lane_stays_taken(web: Fleet) -> None:
    """The event of its execution's end is lost, so that nobody undoes it."""
    web.world.delivery.lost.add("Step Functions Execution Status Change")
    web.world.upload("two")
    web.world.run_for(minutes=1)
    rollout = web.world.rollouts[0]
    for builder in web.builders:
        web.world.operator("ec2", "TerminateInstances", InstanceIds=[builder.instance_id])
    web.world.states.stop({"executionArn": rollout.arn, "error": "", "cause": "by hand"})


@pytest.mark.parametrize(
    ("break_it", "complaint"),
    [
        (two_instances_are_terminated, "2 instances serve, 4 were promised"),
        (the_image_in_use_is_deregistered, "is gone"),
        (the_group_is_edited, "the group was edited: 1 → 2"),
        (a_stranger_is_robbed, "was taken from the stranger"),
        (an_address_is_taken_off_at_the_end, "are free although"),
        (a_builder_is_left, "left builders"),
        (the_lane_stays_taken, "the lane is not free"),
    ],
)
def test_a_broken_invariant_is_seen(break_it: Callable[[Fleet], None], complaint: str) -> None:
    with pytest.raises(Broken, match=complaint), a_fleet() as web:
        break_it(web)
