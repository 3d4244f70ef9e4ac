"""The Elastic IPs follow the healthy instances, in a rollout and without one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stories import fleets
from tests.stories.calls import Go, HandlerCall, undisturbed
from tests.stories.fleets import TAG, Fleet
from tests.stories.story import a_fleet
from tests.stories.world import World, present


def stranger(world: World, web: Fleet) -> str:
    """An instance of somebody else in the same account."""
    answer = world.operator(
        "ec2", "RunInstances", ImageId=web.image, InstanceType="t3.small", MinCount=1, MaxCount=1
    )
    world.run_for(minutes=1)
    return str(answer["Instances"][0]["InstanceId"])


def fails(web: Fleet, instance: str) -> None:
    """The application on an instance is broken from now on."""
    web.world.machines.healthy = lambda instance_id, disk: instance_id != instance


def test_they_move_to_the_new_instances_while_the_group_is_rolled() -> None:
    with a_fleet() as web:
        before = dict(web.holders)
        web.world.upload("two")
        web.world.finish()
        assert set(web.holders) == set(before)
        assert not set(web.holders.values()) & set(before.values())


def test_an_instance_that_is_terminated_hands_its_address_on() -> None:
    with a_fleet() as web:
        allocation, holder = next(iter(web.holders.items()))
        web.forgive(but=1)
        web.world.operator("ec2", "TerminateInstances", InstanceIds=[holder])
        web.world.run_until(lambda: len(web.serving) == 4)
        web.world.run_for(minutes=11)
        assert web.holders[allocation] in web.serving


def test_an_instance_that_fails_its_health_check_hands_its_address_on() -> None:
    with a_fleet() as web:
        allocation, holder = next(iter(web.holders.items()))
        web.forgive(but=1)
        fails(web, holder)
        web.world.run_until(lambda: len(web.serving) == 3)
        web.world.run_until(lambda: len(web.serving) == 4)
        web.world.run_for(minutes=11)
        assert web.holders[allocation] in web.serving


def test_an_address_that_has_nowhere_to_go_is_a_failure_with_a_name() -> None:
    with a_fleet() as web:
        web.forgive(but=4)
        web.world.machines.healthy = lambda *_: False
        web.world.run_until(lambda: not web.serving)
        web.world.run_for(minutes=45)
        ended = web.world.executions("addresses")
        assert "AddressFailed" in {each.error for each in ended if each.status == "FAILED"}
        web.world.machines.healthy = lambda *_: True
        web.world.run_for(minutes=45)
        assert set(web.holders.values()) <= set(web.serving)


def test_the_one_that_stays_keeps_its_address() -> None:
    with a_fleet() as web:
        (_, gone), (kept, holder) = web.holders.items()
        web.forgive(but=1)
        web.world.operator("ec2", "TerminateInstances", InstanceIds=[gone])
        web.world.run_for(minutes=11)
        assert web.holders[kept] == holder


def test_a_scale_in_that_takes_a_holder_moves_its_address() -> None:
    with a_fleet() as web:
        web.update(DesiredCapacity=2)
        web.forgive()
        web.world.run_for(minutes=11)
        assert sorted(web.holders.values()) == sorted(web.serving)


def test_an_address_of_the_pool_that_a_stranger_holds_is_never_taken() -> None:
    with a_fleet(addresses=1) as web:
        (allocation,) = web.allocations
        other = stranger(web.world, web)
        web.world.operator(
            "ec2",
            "AssociateAddress",
            AllocationId=allocation,
            InstanceId=other,
            AllowReassociation=True,
        )
        web.forgive()
        new = web.world.upload("two")
        web.world.finish()
        assert web.holders[allocation] == other
        assert set(web.revisions) <= {new, "one"}


def test_without_a_count_the_pool_is_left_alone() -> None:
    with a_fleet(addresses=0) as web:
        answer = web.world.operator(
            "ec2",
            "AllocateAddress",
            Domain="vpc",
            TagSpecifications=[
                {"ResourceType": "elastic-ip", "Tags": [{"Key": TAG, "Value": "web"}]}
            ],
        )
        new = web.world.upload("two")
        web.world.finish()
        assert web.revisions == {new: 4}
        address = web.world.cloud.ec2.addresses.all[answer["AllocationId"]]
        assert not address.instance_id


def asked_after_an_event(web: Fleet) -> list[list[str]]:
    """What each look after an event asks AWS for, when an instance comes to the group."""
    since = len(web.world.calls)
    web.update(DesiredCapacity=5)
    web.world.run_for(minutes=11)
    assert len(web.serving) == 5
    looks: dict[int, list[str]] = {}
    for call in web.world.calls[since:]:
        if call.function == "move_address":
            looks.setdefault(call.invocation, []).append(call.operation)
    return list(looks.values())


def test_a_group_of_nobody_here_costs_one_small_call() -> None:
    with a_fleet() as web:
        del web.group.tags[TAG]
        assert asked_after_an_event(web) == [["DescribeTags"]]


def test_a_fleet_without_addresses_costs_two() -> None:
    with a_fleet(addresses=0) as web:
        assert asked_after_an_event(web) == [["DescribeTags", "GetParameter"]]


@pytest.mark.parametrize("operation", ["DescribeTags", "GetParameter"])
def test_a_group_that_goes_while_it_is_looked_at_is_left_alone(operation: str) -> None:
    with present() as world:
        web = fleets.make(world)
        before = len(world.executions("addresses"))

        def deletes_it(call: HandlerCall, go: Go) -> Any:
            if call.function == "move_address" and call.operation == operation:
                group = world.cloud.autoscaling.groups["web"]
                group.members.clear()
                group.desired = 0
                world.operator("autoscaling", "DeleteAutoScalingGroup", AutoScalingGroupName="web")
                world.interference = undisturbed
            return go()

        world.interference = deletes_it
        web.update(DesiredCapacity=5)
        world.run_for(minutes=11)
        (ended,) = world.executions("addresses")[before:]
        assert ended.status == "SUCCEEDED"
        assert ended.output["addresses"]["ignored"]


def test_a_group_that_is_not_ours_is_left_alone() -> None:
    with a_fleet() as web:
        web.tag("shop")
        before = dict(web.holders)
        web.update(DesiredCapacity=5)
        web.world.run_for(minutes=11)
        assert web.holders == before
        assert all(each.status == "SUCCEEDED" for each in web.world.executions("addresses"))
