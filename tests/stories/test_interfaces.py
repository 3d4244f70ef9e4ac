"""Instances with several network interfaces: the builder's are its own, and an address fits."""

from __future__ import annotations

from typing import Any

from tests.stories import fleets
from tests.stories.fleets import TAG, Fleet
from tests.stories.world import World, present

TWO = [
    {"DeviceIndex": 0, "DeleteOnTermination": False, "PrivateIpAddress": "10.0.0.9"},
    {"DeviceIndex": 1, "DeleteOnTermination": False},
]
TAGGED = [{"ResourceType": "network-interface", "Tags": [{"Key": TAG, "Value": "web"}]}]


def with_two(world: World, *, addresses: int, tags: list[dict[str, Any]]) -> Fleet:
    """A fleet of two whose template describes two interfaces."""
    web = fleets.make(world, size=2, addresses=addresses)
    world.operator(
        "ec2",
        "CreateLaunchTemplateVersion",
        LaunchTemplateId=web.template,
        SourceVersion="1",
        LaunchTemplateData={"NetworkInterfaces": TWO, "TagSpecifications": tags},
    )
    web.update(LaunchTemplate={"LaunchTemplateId": web.template, "Version": "2"})
    return web


def test_the_builders_interfaces_end_with_it() -> None:
    with present() as world:
        web = with_two(world, addresses=0, tags=[])
        new = world.upload("two")
        assert world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 2}
        (builder,) = web.builders
        interfaces = builder.content["NetworkInterfaces"]
        assert [each["DeviceIndex"] for each in interfaces] == [0, 1]
        assert all(each["DeleteOnTermination"] for each in interfaces)
        (launch,) = (call for call in world.calls if call.operation == "RunInstances")
        sent = launch.params["NetworkInterfaces"]
        assert not any("PrivateIpAddress" in each for each in sent)


def test_an_address_goes_on_the_first_of_them() -> None:
    with present() as world:
        web = with_two(world, addresses=2, tags=TAGGED)
        world.upload("two")
        assert world.finish().status == "SUCCEEDED"
        assert set(web.holders.values()) == set(web.serving)
        named = [call.params for call in world.calls if call.operation == "AssociateAddress"]
        assert "NetworkInterfaceId" in named[-1]


def test_an_address_that_could_not_be_put_on_them_is_refused_before_anything_is_touched() -> None:
    with present() as world:
        web = with_two(world, addresses=2, tags=[])
        world.upload("two")
        rollout = world.finish()
        assert rollout.error == "Refused"
        assert "gives an instance 2 network interfaces" in world.notices[-1]
        assert set(web.versions) == {"1"}
        assert not web.builders
