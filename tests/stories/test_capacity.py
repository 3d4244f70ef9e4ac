"""No room at AWS, or no quota: a builder goes elsewhere or is given up, a roll is undone."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.cloud.errors import AwsError
from tests.stories.calls import Go, HandlerCall
from tests.stories.fleets import Fleet
from tests.stories.story import a_fleet


def refuse(web: Fleet, code: str, operation: str = "RunInstances", most: int = 1000) -> list[Any]:
    """AWS refuses what functions ask for; what was asked is told."""
    asked: list[Any] = []

    def refuses(call: HandlerCall, go: Go) -> Any:
        if call.operation != operation or len(asked) >= most:
            return go()
        asked.append(call.params)
        raise AwsError(code, "Scripted by the story", 400)

    web.world.interference = refuses
    return asked


def lack_until_there_is_a_builder(web: Fleet, **what: Any) -> None:
    launching = web.world.cloud.ec2.launching
    launching.lack_capacity(times=1000, **what)  # the SDK itself tries each call five times
    web.world.run_until(lambda: bool(web.builders))
    launching.recover()


def zones(web: Fleet) -> list[str]:
    return [subnet.zone for subnet in web.world.cloud.ec2.networks.subnets]


def test_a_builder_goes_to_another_zone() -> None:
    with a_fleet() as web:
        first, *_ = zones(web)
        new = web.world.upload("two")
        lack_until_there_is_a_builder(web, zone=first)
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        (builder,) = web.builders
        assert builder.zone != first


def test_a_builder_of_another_type_is_launched_where_there_is_none_of_the_first() -> None:
    with a_fleet(mixed=True) as web:
        new = web.world.upload("two")
        lack_until_there_is_a_builder(web, instance_type="t3.small")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        (builder,) = web.builders
        assert builder.content["InstanceType"] == "t3a.small"


def test_a_builder_is_never_a_spot_instance() -> None:
    """Also where the group's instances are: so there is nothing that AWS takes back."""
    with a_fleet(mixed=True) as web:
        web.world.upload("two")
        web.world.finish()
        (launch,) = [each for each in web.world.calls if each.operation == "RunInstances"]
        assert "InstanceMarketOptions" not in launch.params


@pytest.mark.parametrize(
    ("code", "operation", "quota"),
    [
        ("VcpuLimitExceeded", "RunInstances", "Running On-Demand Standard (A, C, D, H, I, M"),
        ("InstanceLimitExceeded", "RunInstances", "Running On-Demand instances"),
        ("NetworkInterfaceLimitExceeded", "RunInstances", "Network interfaces per Region"),
        ("VolumeLimitExceeded", "RunInstances", "Storage of EBS volumes"),
        ("SnapshotLimitExceeded", "CreateImage", "Snapshots per Region"),
    ],
)
def test_a_quota_that_is_used_up_is_named_at_once(code: str, operation: str, quota: str) -> None:
    with a_fleet() as web:
        asked = refuse(web, code, operation)
        web.world.upload("two")
        rollout = web.world.finish()
        assert rollout.error == "BakeFailed"
        assert len(asked) == 1
        for told in (rollout.cause.replace('\\"', '"'), web.world.notices[-1]):
            assert f'The quota "{quota}' in told
            assert code in told
        assert web.is_as_before()


def test_a_subnet_without_addresses_is_passed_over() -> None:
    with a_fleet() as web:
        asked = refuse(web, "InsufficientFreeAddressesInSubnet", most=1)
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        (builder,) = web.builders
        assert builder.subnet_id != asked[0]["SubnetId"]


def test_subnets_without_addresses_are_no_room() -> None:
    with a_fleet() as web:
        asked = refuse(web, "InsufficientFreeAddressesInSubnet")
        web.world.upload("two")
        rollout = web.world.finish()
        assert rollout.error == "BakeFailed"
        assert len(asked) == len(zones(web))
        assert "no room" in web.world.notices[-1]
        assert web.is_as_before()


def test_a_fleet_that_may_have_no_more_addresses_is_told_which_quota_bounds_them() -> None:
    """Ovenbird allocates none; a pool that is too small is refused before anything is touched."""
    with a_fleet(addresses=1) as web:
        web.document(addresses={"count": 2})
        web.world.upload("two")
        rollout = web.world.finish()
        assert rollout.error == "Refused"
        assert "EC2-VPC Elastic IPs" in web.world.notices[-1]
        assert web.is_as_before()
        assert not any(each.operation == "AllocateAddress" for each in web.world.calls)


def test_a_roll_for_which_there_is_no_room_stalls_and_is_undone() -> None:
    with a_fleet(roll={"stall_minutes": 5}) as web:
        web.world.upload("two")
        web.world.run_until(lambda: len(web.revisions) > 1)
        web.world.cloud.ec2.launching.lack_capacity(times=30)
        rollout = web.world.finish(hours=6)
        assert rollout.error == "RollFailed"
        assert "no progress" in web.world.notices[-1]
        assert "sufficient t3.small capacity" in web.world.notices[-1]
        assert web.is_as_before()


def test_a_quota_in_the_middle_of_a_roll_is_told_in_the_words_of_aws() -> None:
    with a_fleet(roll={"stall_minutes": 5}) as web:
        web.world.upload("two")
        web.world.run_until(lambda: len(web.revisions) > 1)
        web.world.cloud.ec2.launching.exceed_quota(times=30)
        rollout = web.world.finish(hours=6)
        assert rollout.error == "RollFailed"
        assert "current vCPU limit of 32" in web.world.notices[-1]
        assert web.is_as_before()
