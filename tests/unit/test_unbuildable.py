"""Why no builder can be launched, and why an image cannot, as far as a plan can see."""

from __future__ import annotations

from typing import Any

import pytest

from ovenbird.core import unbuildable
from ovenbird.core.images import Disk, Image
from ovenbird.core.templates import Version

LINUX = Image("ami-1", "golden", "available", architecture="x86_64")


def version(**content: Any) -> Version:
    return Version("lt-1", "3", content)


def spot_tags(kind: str) -> dict[str, Any]:
    return {
        "TagSpecifications": [{"ResourceType": kind, "Tags": [{"Key": "team", "Value": "web"}]}]
    }


def many(number: int) -> dict[str, Any]:
    tags = [{"Key": f"k{n}", "Value": ""} for n in range(number)]
    return {"TagSpecifications": [{"ResourceType": "instance", "Tags": tags}]}


SPOT = {"InstanceMarketOptions": {"MarketType": "spot"}}


@pytest.mark.parametrize(
    ("content", "base", "types", "why"),
    [
        pytest.param({}, LINUX, ["t3.small"], None, id="good"),
        pytest.param(SPOT, LINUX, ["t3.small"], "asks for Spot Instances", id="Spot"),
        pytest.param(
            spot_tags("spot-instances-request"),
            LINUX,
            ["t3.small"],
            "tags Spot requests (spot-instances-request",
            id="tags of Spot requests",
        ),
        pytest.param(
            SPOT | spot_tags("spot-instances-request"),
            LINUX,
            ["t3.small"],
            "asks for Spot Instances",
            id="Spot with its tags is one reason",
        ),
        pytest.param(spot_tags("volume"), LINUX, ["t3.small"], None, id="other tags"),
        pytest.param({}, LINUX, [], "names no instance type", id="no type"),
        pytest.param(
            {},
            Image("ami-2", "win", "available", platform="windows"),
            ["t3.small"],
            "The base image ami-2 is Windows",
            id="Windows",
        ),
        pytest.param(many(45), LINUX, ["t3.small"], None, id="as many tags as there may be"),
        pytest.param(many(46), LINUX, ["t3.small"], "would have 51 tags", id="one too many"),
    ],
)
def test_a_builder(content: dict[str, Any], base: Image, types: list[str], why: str | None) -> None:
    told = list(unbuildable.builder(version(**content), base, types, {"team": "web"}))
    assert len(told) == (why is not None)
    assert why is None or why in told[0]


def disk(size: int, device: str = "/dev/xvda") -> Disk:
    return Disk(device, "snap-1", size)


def mapped(device: str = "/dev/xvda", **ebs: Any) -> dict[str, Any]:
    return {"BlockDeviceMappings": [{"DeviceName": device, "Ebs": ebs}]}


@pytest.mark.parametrize(
    ("content", "wanted", "today", "refused"),
    [
        pytest.param({}, 30, 8, False, id="the template says nothing of disks"),
        pytest.param(mapped(VolumeSize=30), 30, 8, False, id="just large enough"),
        pytest.param(mapped(VolumeSize=8), 30, 8, True, id="too small"),
        pytest.param(mapped(VolumeType="gp3"), 30, 8, False, id="no size"),
        pytest.param(mapped("/dev/sdf", VolumeSize=8), 30, 8, False, id="another device"),
        pytest.param(mapped(VolumeSize=8), 30, 30, False, id="EC2 takes it today"),
        pytest.param(
            {
                "BlockDeviceMappings": [
                    {"DeviceName": "/dev/xvda", "NoDevice": "", "Ebs": {"VolumeSize": 1}}
                ]
            },
            30,
            8,
            False,
            id="a device that is left out",
        ),
    ],
)
def test_a_disk_that_is_smaller_than_the_image(
    content: dict[str, Any], wanted: int, today: int, refused: bool
) -> None:
    new = Image("ami-2", "new", "available", disks=(disk(wanted),))
    old = Image("ami-1", "old", "available", disks=(disk(today),))
    told = list(unbuildable.image([version(**content)], new, old, {}))
    assert told == (
        [
            "Version 3 of lt-1 gives /dev/xvda 8 GiB, and the image ami-2 needs 30; raise "
            "VolumeSize to 30 in a new version, or leave it out."
        ]
        if refused
        else []
    )


def test_every_version_that_the_group_launches_is_looked_at() -> None:
    new = Image("ami-2", "new", "available", disks=(disk(30), disk(50, "/dev/sdf")))
    both = [version(**mapped(VolumeSize=8)), version(**mapped("/dev/sdf", VolumeSize=9))]
    assert len(list(unbuildable.image(both, new, LINUX, {}))) == 2


@pytest.mark.parametrize(
    ("architectures", "why"),
    [
        pytest.param({}, None, id="not asked, because it is the same as today"),
        pytest.param({"t4g.small": {"arm64"}}, None, id="fits"),
        pytest.param({"t2.micro": {"i386", "x86_64"}}, "launches t2.micro", id="does not"),
        pytest.param(
            {"t4g.small": {"arm64"}, "t3.small": {"x86_64"}}, "launches t3.small", id="one of them"
        ),
    ],
)
def test_an_architecture(architectures: dict[str, set[str]], why: str | None) -> None:
    arm = Image("ami-2", "new", "available", architecture="arm64")
    told = list(unbuildable.image([version()], arm, LINUX, architectures))
    assert len(told) == (why is not None)
    assert why is None or why in told[0]


def test_what_the_plan_cannot_know_is_said() -> None:
    content = {
        "KeyName": "ops",
        "IamInstanceProfile": {"Arn": "arn:aws:iam::1:instance-profile/web"},
        "Placement": {"GroupName": "cluster"},
        "QuantumOptions": {"Entangled": True},
    }
    told = " ".join(unbuildable.not_checked(version(**content), bakes=True))
    for words in ("room", "key pair ops", "instance-profile/web", "placement group cluster"):
        assert words in told
    assert "policies allow" in told
    assert "no instance profile" not in told
    assert "lt-1 names no instance profile, so only where Default Host Management" in " ".join(
        unbuildable.not_checked(version(), bakes=True)
    )
    assert "What QuantumOptions in version 3 of lt-1 does to a builder" in told
    rolled = " ".join(unbuildable.not_checked(version(KeyName="ops"), bakes=False))
    assert "key pair ops" in rolled
    assert "builder" not in rolled
    assert len(unbuildable.not_checked(version(), bakes=False)) == 1
