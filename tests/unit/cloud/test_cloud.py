"""The door itself: time, speed, watchers, and the network that is always there."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox.cloud.clock import VirtualClock
from sandbox.cloud.cloud import Cloud
from sandbox.cloud.imaginary import Imaginary
from sandbox.cloud.kernel import Call
from tests.unit.cloud.account import Account, refused


def test_time_passes_until_something_holds_and_no_longer(account: Account) -> None:
    instance = account.pending_instance()
    start = account.cloud.kernel.now()
    account.cloud.run_until(
        lambda: account.cloud.ec2.state(instance) == "running", timedelta(minutes=5)
    )
    assert account.cloud.kernel.now() - start == account.cloud.kernel.durations.boot
    with pytest.raises(TimeoutError):
        account.cloud.run_until(lambda: False, timedelta(minutes=5))


def test_speed_divides_every_duration() -> None:
    clock = VirtualClock()
    cloud = Cloud(clock, Imaginary(), speed=10)
    image = cloud.ec2.seed_image("base")
    answer = cloud.call("ec2", "RunInstances", {"ImageId": image, "MinCount": 1, "MaxCount": 1})
    instance = answer["Instances"][0]["InstanceId"]
    start = clock.now()
    cloud.run_until(lambda: cloud.ec2.state(instance) == "running", timedelta(minutes=5))
    assert clock.now() - start == cloud.kernel.durations.boot / 10


def test_a_call_runs_what_was_due_before_it(account: Account) -> None:
    instance = account.pending_instance()
    clock = account.cloud.kernel.clock
    assert isinstance(clock, VirtualClock)
    clock.sleep(60)
    assert account.state(instance) == "running"


def test_watchers_see_the_effect_of_every_call(account: Account) -> None:
    seen: list[tuple[str, int]] = []

    def watch(call: Call) -> None:
        seen.append((call.operation, len(account.cloud.ec2.addresses.all)))

    account.cloud.watchers.append(watch)
    account.address()
    with refused("InvalidAllocationID.NotFound"):
        account.shown_address("eipalloc-0")
    assert seen == [("AllocateAddress", 1), ("DescribeAddresses", 1)]


def test_the_same_seed_gives_the_same_ids() -> None:
    first, second, other = (
        Cloud(VirtualClock(), Imaginary(), seed=seed).ec2.seed_image("base") for seed in (1, 1, 2)
    )
    assert first == second != other


def test_there_is_a_network_with_a_subnet_in_each_zone(account: Account) -> None:
    (vpc,) = account.ec2("DescribeVpcs")["Vpcs"]
    subnets = account.ec2(
        "DescribeSubnets", Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    )["Subnets"]
    zones = account.ec2("DescribeAvailabilityZones")["AvailabilityZones"]
    assert [one["AvailabilityZone"] for one in subnets] == [one["ZoneName"] for one in zones]
    instance = account.pending_instance(SubnetId=subnets[2]["SubnetId"])
    shown = account.shown(instance)
    assert shown["Placement"]["AvailabilityZone"] == zones[2]["ZoneName"]
    with refused("InvalidSubnetID.NotFound"):
        account.ec2("DescribeSubnets", SubnetIds=["subnet-0"])
