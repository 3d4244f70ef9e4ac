"""The request that launches a builder, and which builder is whose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ovenbird.core import builders
from ovenbird.core.builders import Builder
from ovenbird.core.templates import Version

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def request(template: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "template_id": "lt-1",
        "version": "3",
        "template": template or {},
        "base": "ami-1",
        "instance_type": "t4g.small",
        "subnet": "subnet-1",
        "fleet": "web",
        "rollout": "web-1",
    }
    return builders.launch_request(**(given | changes))


def test_launches_the_groups_template_with_the_base_image() -> None:
    made = request()
    token = made.pop("ClientToken")
    assert len(token) == 64
    tags = [
        {"Key": "ovenbird:fleet", "Value": "web"},
        {"Key": "ovenbird:rollout", "Value": "web-1"},
        {"Key": "ovenbird:role", "Value": "builder"},
        {"Key": "Name", "Value": "ovenbird builder web"},
    ]
    assert made == {
        "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "3"},
        "ImageId": "ami-1",
        "InstanceType": "t4g.small",
        "MinCount": 1,
        "MaxCount": 1,
        "InstanceInitiatedShutdownBehavior": "stop",
        "DisableApiTermination": False,
        "DisableApiStop": False,
        "TagSpecifications": [
            {"ResourceType": "instance", "Tags": tags},
            {"ResourceType": "volume", "Tags": tags},
        ],
        "SubnetId": "subnet-1",
    }


def test_a_template_that_asks_for_spot_instances_makes_no_builder() -> None:
    spot = {"InstanceMarketOptions": {"MarketType": "spot"}}
    assert builders.refusal(Version("lt-1", "3", {"ImageId": "ami-1"})) is None
    said = builders.refusal(Version("lt-1", "3", spot))
    assert said is not None
    assert said.startswith("Version 3 of lt-1 asks for Spot Instances")


def test_the_same_launch_has_the_same_token_and_another_has_another() -> None:
    assert request() == request()
    tokens = {
        request()["ClientToken"],
        request(rollout="web-2")["ClientToken"],
        request(subnet="subnet-2")["ClientToken"],
        request(base="ami-2")["ClientToken"],
    }
    assert len(tokens) == 4


def test_a_group_without_subnets_leaves_the_choice_to_ec2() -> None:
    assert "SubnetId" not in request(subnet=None)


def test_the_subnet_goes_into_the_templates_network_interface() -> None:
    interface = {
        "DeviceIndex": 0,
        "AssociatePublicIpAddress": True,
    }
    made = request({"NetworkInterfaces": [interface]})
    assert "SubnetId" not in made
    assert made["NetworkInterfaces"] == [
        {
            "DeviceIndex": 0,
            "AssociatePublicIpAddress": True,
            "SubnetId": "subnet-1",
            "DeleteOnTermination": True,
        }
    ]
    assert "SubnetId" not in interface  # what was observed stays as it was


def test_each_of_several_interfaces_is_the_builders_own_and_goes_with_it() -> None:
    first = {
        "DeviceIndex": 0,
        "SubnetId": "subnet-9",
        "Groups": ["sg-1"],
        "DeleteOnTermination": False,
        "PrivateIpAddress": "10.0.0.9",
        "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.9", "Primary": True}],
        "Ipv6Addresses": [{"Ipv6Address": "::1", "IsPrimaryIpv6": True}],
    }
    second = {"DeviceIndex": 1, "NetworkInterfaceId": "eni-1"}
    template = {"NetworkInterfaces": [first, second]}
    ends = {"SubnetId": "subnet-1", "DeleteOnTermination": True}
    assert request(template)["NetworkInterfaces"] == [
        {"DeviceIndex": 0, "Groups": ["sg-1"], "Ipv6AddressCount": 1, **ends},
        {"DeviceIndex": 1, **ends},
    ]
    (left, _) = request(template, subnet=None)["NetworkInterfaces"]
    assert left["SubnetId"] == "subnet-9"


@pytest.mark.parametrize(
    ("mappings", "kept", "sent"),
    [
        pytest.param([], (), None, id="nothing to change"),
        pytest.param(
            [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 9}}], (), None, id="default"
        ),
        pytest.param(
            [
                {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 9}},
                {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"},
                {"DeviceName": "/dev/sdf", "Ebs": {"DeleteOnTermination": False}},
            ],
            (),
            [
                {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 9}},
                {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"},
                {"DeviceName": "/dev/sdf", "Ebs": {"DeleteOnTermination": True}},
            ],
            id="a volume that the template keeps",
        ),
        pytest.param(
            [],
            ("/dev/sdf",),
            [{"DeviceName": "/dev/sdf", "Ebs": {"DeleteOnTermination": True}}],
            id="a volume that the image keeps",
        ),
        pytest.param(
            [{"DeviceName": "/dev/sdf", "Ebs": {"DeleteOnTermination": True}}],
            ("/dev/sdf",),
            None,
            id="the template has the last word",
        ),
    ],
)
def test_no_volume_outlives_the_builder(
    mappings: list[dict[str, Any]], kept: tuple[str, ...], sent: list[dict[str, Any]] | None
) -> None:
    made = request({"BlockDeviceMappings": mappings}, kept_devices=kept)
    assert made.get("BlockDeviceMappings") == sent


def overrides(*given: dict[str, Any]) -> dict[str, Any]:
    return {"LaunchTemplate": {"Overrides": list(given)}}


@pytest.mark.parametrize(
    ("template", "mixed", "expected"),
    [
        pytest.param({"InstanceType": "t4g.small"}, None, ("t4g.small",), id="the template's"),
        pytest.param(
            {"InstanceType": "c7g.large"},
            overrides({"InstanceType": "m7g.large"}, {"InstanceType": "c7g.large"}),
            ("c7g.large", "m7g.large"),
            id="the template's first, each once",
        ),
        pytest.param(
            {},
            overrides({"WeightedCapacity": "1"}, {"InstanceType": "c7g.large"}),
            ("c7g.large",),
            id="those of overrides that name one",
        ),
        pytest.param({}, None, (), id="none"),
        pytest.param({}, {"LaunchTemplate": {}}, (), id="no overrides"),
    ],
)
def test_finds_the_instance_types(
    template: dict[str, Any], mixed: dict[str, Any] | None, expected: tuple[str, ...]
) -> None:
    assert builders.instance_types(template, mixed) == expected


def builder(instance_id: str, state: str, rollout: str = "web-1", minutes: int = 0) -> Builder:
    return Builder(instance_id, state, NOON + timedelta(minutes=minutes), rollout)


def test_the_oldest_living_builder_is_the_rollouts() -> None:
    seen = [
        builder("i-dead", "terminated", minutes=-9),
        builder("i-late", "running", minutes=1),
        builder("i-ours", "running"),
        builder("i-old", "stopped", "web-0"),
        builder("i-going", "shutting-down", "web-0"),
    ]
    ours = builders.of_rollout(seen, "web-1")
    assert ours is not None and ours.instance_id == "i-ours"
    assert builders.alive(seen) == ("i-late", "i-ours", "i-old")
    assert builders.of_rollout(seen, "web-7") is None


@pytest.mark.parametrize(
    ("seen", "known", "after", "unseen"),
    [
        pytest.param((), "i-1", 89, True, id="launched a moment ago, and nothing to be seen"),
        pytest.param((), "i-1", 90, False, id="not there after all this time"),
        pytest.param((), None, 30, True, id="perhaps launched: the answer was lost"),
        pytest.param((("i-1", "web-1"),), "i-1", 30, False, id="there it is"),
        pytest.param((("i-1", "web-1"),), None, 30, False, id="there is one"),
        pytest.param((("i-1", "web-0"),), None, 30, True, id="that of another rollout"),
        pytest.param((("i-0", "web-1"),), "i-1", 30, True, id="only the one before"),
    ],
)
def test_a_builder_may_be_too_new_to_be_seen(
    seen: tuple[tuple[str, str], ...], known: str | None, after: int, unseen: bool
) -> None:
    found = [Builder(name, "running", NOON, rollout) for name, rollout in seen]
    now = NOON + timedelta(seconds=after)
    assert builders.unseen(found, "web-1", known=known, launched=NOON, now=now) is unseen
