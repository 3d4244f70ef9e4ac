"""What would keep the Elastic IPs from following is in the plan, before anything is baked."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.cloud.errors import AwsError
from tests.stories import fleets
from tests.stories.calls import Go, HandlerCall
from tests.stories.fleets import TAG, Fleet
from tests.stories.world import World, present


def not_propagated(web: Fleet) -> None:
    tag = {"ResourceId": "web", "ResourceType": "auto-scaling-group", "Key": TAG, "Value": "web"}
    web.world.operator(
        "autoscaling", "CreateOrUpdateTags", Tags=[tag | {"PropagateAtLaunch": False}]
    )


def by_tags(world: World, web: Fleet) -> None:
    """The condition of the roles, as IAM judges it: both must carry the fleet's tag."""

    def iam(call: HandlerCall, go: Go) -> Any:
        if call.operation == "AssociateAddress":
            things = [call.params["AllocationId"], call.params.get("InstanceId", "")]
            if any(TAG not in web.tags(each) for each in things if each):
                raise denied()
        return go()

    world.interference = iam


def denied(policy: str = "") -> AwsError:
    """Source: EC2 API reference, "Error codes"; IAM user guide, "Access denied error messages"."""
    text = f"You are not authorized to perform this operation.{policy}"
    return AwsError("UnauthorizedOperation", text, 403)


def refused(web: Fleet) -> str:
    """A push comes, and is refused before anything is touched; why."""
    before = dict(web.holders)
    web.world.upload("two")
    ended = web.world.finish()
    assert ended.error == "Refused", ended.cause
    assert not web.builders
    assert web.holders == before
    return ended.cause


def test_a_tag_that_is_not_propagated() -> None:
    """As in github.com/hashicorp/terraform/issues/3429: addresses that nobody reassigns."""
    with present() as world:
        web = fleets.make(world, size=3)
        not_propagated(web)
        by_tags(world, web)
        assert "does not propagate its tag ovenbird:fleet=web" in refused(web)
        assert len(web.holders) == 2


def test_a_tag_that_the_template_gives_is_as_good() -> None:
    with present() as world:
        web = fleets.make(world, size=3)
        tags = [{"ResourceType": "instance", "Tags": [{"Key": TAG, "Value": "web"}]}]
        world.operator(
            "ec2",
            "CreateLaunchTemplateVersion",
            LaunchTemplateId=web.template,
            SourceVersion="1",
            LaunchTemplateData={"TagSpecifications": tags},
        )
        web.update(LaunchTemplate={"LaunchTemplateId": web.template, "Version": "2"})
        not_propagated(web)
        by_tags(world, web)
        new = world.upload("two")
        assert world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 3}
        assert sorted(web.holders) == list(web.allocations)


def test_without_addresses_nobody_minds() -> None:
    with present() as world:
        web = fleets.make(world, size=2, addresses=0)
        not_propagated(web)
        world.upload("two")
        assert world.finish().status == "SUCCEEDED"


def test_a_policy_of_the_organization_that_denies_the_move() -> None:
    with present() as world:
        web = fleets.make(world, size=2)

        def scp(call: HandlerCall, go: Go) -> Any:
            if call.operation == "AssociateAddress":
                raise denied(" with an explicit deny in a service control policy")
            return go()

        world.interference = scp
        why = refused(web)
        assert "explicit deny in a service control policy" in why
        assert "AWS would not let an Elastic IP be put on an instance of group web" in why
        assert len(web.holders) == 2


def test_a_vpc_without_an_internet_gateway() -> None:
    """As in github.com/hashicorp/terraform-provider-aws/pull/2181."""
    with present() as world:
        world.cloud.ec2.networks.gateway = ""
        web = fleets.make(world, size=2)
        assert not web.holders
        assert "has no internet gateway" in refused(web)


def test_addresses_that_are_free_because_the_fleet_is_new() -> None:
    """They say nothing of the gateway, so it is asked for, and is there."""
    with present() as world:
        web = fleets.make(world, size=2)
        for allocation in web.allocations:
            association = world.cloud.ec2.addresses.all[allocation].association_id
            world.operator("ec2", "DisassociateAddress", AssociationId=association)
        world.upload("two")
        assert world.finish().status == "SUCCEEDED"
        assert sorted(web.holders) == list(web.allocations)


@pytest.mark.parametrize("elsewhere", ["zone", "address"])
def test_an_address_of_another_network_border_group(elsewhere: str) -> None:
    with present() as world:
        web = fleets.make(world, size=2, addresses=1)
        (allocation,) = web.allocations
        if elsewhere == "zone":
            local = "us-east-1-atl-2a"
            world.cloud.ec2.networks.make_local("us-east-1b", local, "us-east-1-atl-2")
            web.group.zones = ("us-east-1a", local, "us-east-1c")
        else:
            world.cloud.ec2.addresses.all[allocation].border_group = "us-east-1-atl-2"
        why = refused(web)
        assert "belongs to the network border group" in why


def test_what_could_not_be_rehearsed_is_said() -> None:
    """The group's instances were launched before it had a tag to propagate."""
    with present() as world:
        web = fleets.make(world, size=2)
        for member in web.group.members:
            world.operator("ec2", "DeleteTags", Resources=[member], Tags=[{"Key": TAG}])
        told = world.ask(
            "plan_rollout",
            {
                "fleet": "web",
                "dry_run": True,
                "release": {"bucket": "acme-releases", "key": "web/two.tar.gz"},
            },
        )
        assert any("it could not be tried" in each for each in told["not_checked"])


def test_a_plan_costs_two_calls_more_for_addresses_and_moves_none() -> None:
    with present() as world:
        web = fleets.make(world, size=2)
        before = dict(web.holders)
        world.ask(
            "plan_rollout",
            {
                "fleet": "web",
                "dry_run": True,
                "release": {"bucket": "acme-releases", "key": "web/two.tar.gz"},
            },
        )
        asked = [each for each in world.calls if each.function == "plan_rollout"]
        (rehearsal,) = [each for each in asked if each.operation == "AssociateAddress"]
        assert rehearsal.params["DryRun"] is True
        assert {"DescribeInternetGateways", "DescribeAvailabilityZones"}.isdisjoint(
            each.operation for each in asked
        )
        assert web.holders == before
