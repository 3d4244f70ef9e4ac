"""What EC2 checks at a launch, and how it puts image, template and call together."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.cloud.imaginary import Disk
from tests.unit.cloud.account import Account, refused

ROOT = "/dev/xvda"


def launched(account: Account, template: str, **params: Any) -> str:
    answer = account.ec2(
        "RunInstances",
        MinCount=1,
        MaxCount=1,
        LaunchTemplate={"LaunchTemplateId": template, "Version": "1"},
        **params,
    )
    return str(answer["Instances"][0]["InstanceId"])


def disks(account: Account, instance: str) -> dict[str, int]:
    volumes = account.cloud.ec2.instances.all[instance].volumes
    return {each.disk.device: each.disk.size for each in volumes}


def test_the_devices_of_image_template_and_call_are_put_together(account: Account) -> None:
    image = account.cloud.ec2.images.seed("with data", size=10, others={"/dev/sdf": 50})
    template = account.template(
        ImageId=image,
        BlockDeviceMappings=[
            {"DeviceName": ROOT, "Ebs": {"VolumeSize": 20}},
            {"DeviceName": "/dev/sdg", "Ebs": {"VolumeSize": 5}},
            {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"},
        ],
    )
    assert disks(account, launched(account, template)) == {ROOT: 20, "/dev/sdf": 50, "/dev/sdg": 5}
    other = launched(
        account,
        template,
        BlockDeviceMappings=[
            {"DeviceName": ROOT, "Ebs": {"DeleteOnTermination": False}},
            {"DeviceName": "/dev/sdf", "NoDevice": ""},
            {"DeviceName": "/dev/sdg", "NoDevice": ""},
        ],
    )
    assert disks(account, other) == {ROOT: 20}
    (root,) = account.cloud.ec2.instances.all[other].volumes
    account.run_for(minutes=1)
    account.ec2("TerminateInstances", InstanceIds=[other])
    account.run_for(minutes=1)
    assert set(account.cloud.ec2.instances.left) == {root.volume_id}


def test_a_volume_is_never_smaller_than_its_snapshot(account: Account) -> None:
    image = account.cloud.ec2.images.seed("large", size=30)
    template = account.template(
        ImageId=image, BlockDeviceMappings=[{"DeviceName": ROOT, "Ebs": {"VolumeSize": 8}}]
    )
    with refused("InvalidBlockDeviceMapping"):
        launched(account, template)


def test_a_snapshot_on_the_root_device_is_what_boots(account: Account) -> None:
    """It stays also where a call says something else of that device."""
    old = account.image
    account.machines.images[old] = Disk(("old",))
    (snapshot,) = account.cloud.ec2.images.all[old].snapshots
    pinned = {"DeviceName": ROOT, "Ebs": {"SnapshotId": snapshot}}
    template = account.template(BlockDeviceMappings=[pinned])
    new = account.cloud.ec2.images.seed("new")
    larger = [{"DeviceName": ROOT, "Ebs": {"VolumeSize": 9}}]
    booted = launched(account, template, ImageId=new, BlockDeviceMappings=larger)
    assert account.machines.disks[booted].revision == "old"
    (own,) = account.cloud.ec2.images.all[new].snapshots
    replaced = [{"DeviceName": ROOT, "Ebs": {"SnapshotId": own}}]
    booted = launched(account, template, ImageId=new, BlockDeviceMappings=replaced)
    assert account.machines.disks[booted].revision == ""


def test_every_volume_of_an_instance_is_in_its_image(account: Account) -> None:
    template = account.template(
        BlockDeviceMappings=[
            {"DeviceName": ROOT, "Ebs": {"VolumeSize": 12}},
            {"DeviceName": "/dev/sdg", "Ebs": {"VolumeSize": 5}},
        ]
    )
    instance = launched(account, template)
    account.run_for(minutes=1)
    kept = [{"DeviceName": "/dev/sdg", "Ebs": {"DeleteOnTermination": False}}]
    made = account.ec2("CreateImage", InstanceId=instance, Name="both", BlockDeviceMappings=kept)[
        "ImageId"
    ]
    shown = account.shown_image(made)["BlockDeviceMappings"]
    assert [
        (each["DeviceName"], each["Ebs"]["VolumeSize"], each["Ebs"]["DeleteOnTermination"])
        for each in shown
    ] == [(ROOT, 12, True), ("/dev/sdg", 5, False)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(
            {"InstanceRequirements": {"VCpuCount": {"Min": 2}, "MemoryMiB": {"Min": 4096}}},
            "InvalidParameterCombination",
            id="by attributes",
        ),
        pytest.param({"InstanceType": "t4g.small"}, "InvalidParameterValue", id="architecture"),
        pytest.param({"KeyName": "gone"}, "InvalidKeyPair.NotFound", id="key pair"),
        pytest.param(
            {"IamInstanceProfile": {"Name": "gone"}}, "InvalidParameterValue", id="profile"
        ),
        pytest.param(
            {
                "TagSpecifications": [
                    {
                        "ResourceType": "spot-instances-request",
                        "Tags": [{"Key": "team", "Value": "web"}],
                    }
                ]
            },
            "InvalidParameterValue",
            id="tags of a Spot request that there is not",
        ),
        pytest.param(
            {"BlockDeviceMappings": [{"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": "snap-0"}}]},
            "InvalidSnapshot.NotFound",
            id="snapshot",
        ),
        pytest.param(
            {"BlockDeviceMappings": [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeType": "gp3"}}]},
            "MissingParameter",
            id="volume without a size",
        ),
    ],
)
def test_what_cannot_be_launched_is_refused(
    account: Account, content: dict[str, Any], code: str
) -> None:
    account.cloud.ec2.launching.deleted = {"gone"}
    with refused(code):
        launched(account, account.template(**content))
    assert not account.cloud.ec2.instances.all


def test_tags_of_template_and_call_are_counted_together(account: Account) -> None:
    def tags(first: int, number: int) -> list[dict[str, Any]]:
        pairs = [{"Key": f"k{n}", "Value": ""} for n in range(first, first + number)]
        return [{"ResourceType": "instance", "Tags": pairs}]

    template = account.template(TagSpecifications=tags(0, 30))
    launched(account, template, TagSpecifications=tags(10, 40))
    with refused("TagLimitExceeded"):
        launched(account, template, TagSpecifications=tags(20, 40))


@pytest.mark.parametrize("operation", ["CreateTags", "DeleteTags"])
def test_nobody_writes_the_marks_of_aws(account: Account, operation: str) -> None:
    instance = launched(account, account.template())
    for key in ("aws:ec2launchtemplate:id", "aws:autoscaling:groupName"):
        with refused("InvalidParameterValue"):
            account.ec2(operation, Resources=[instance], Tags=[{"Key": key, "Value": "x"}])


def test_what_types_there_are_of_which_architecture(account: Account) -> None:
    names = ["t3.small", "t4g.small", "a1.large", "g4dn.xlarge", "m7gd.large", "c6gn.large"]
    shown = account.ec2("DescribeInstanceTypes", InstanceTypes=names)["InstanceTypes"]
    found = [each["ProcessorInfo"]["SupportedArchitectures"] for each in shown]
    assert found == [["x86_64"], ["arm64"], ["arm64"], ["x86_64"], ["arm64"], ["arm64"]]


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"IamInstanceProfile": {}}, id="no profile"),
        pytest.param({"MetadataOptions": {"HttpEndpoint": "disabled"}}, id="no metadata"),
    ],
)
def test_an_agent_needs_a_profile_and_the_metadata_service(
    account: Account, params: dict[str, Any]
) -> None:
    account.instance(**params)
    account.run_for(minutes=30)
    assert not account.ssm("DescribeInstanceInformation")["InstanceInformationList"]
