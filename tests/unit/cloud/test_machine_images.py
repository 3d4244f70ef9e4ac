"""Images and snapshots. The rules are those of EC2's API reference."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.cloud.account import Account, refused


def _bake(account: Account, name: str = "web-1", **params: Any) -> str:
    return str(
        account.ec2("CreateImage", InstanceId=account.instance(), Name=name, **params)["ImageId"]
    )


def test_an_image_is_pending_then_available_and_only_then_is_there_an_event(
    account: Account,
) -> None:
    image = _bake(account)
    assert account.shown_image(image)["State"] == "pending"
    with refused("InvalidAMIID.Unavailable"):
        account.pending_instance(ImageId=image)
    assert account.events("EC2 AMI State Change") == []

    account.run_for(minutes=3)
    assert account.shown_image(image)["State"] == "available"
    (event,) = account.events("EC2 AMI State Change")
    assert (event["ImageId"], event["State"], event["ErrorMessage"]) == (image, "available", "")
    account.pending_instance(ImageId=image)


def test_an_image_can_fail_with_a_reason_and_keeps_its_name(account: Account) -> None:
    account.cloud.ec2.images.fail_next("The snapshot was lost")
    image = _bake(account)
    account.run_for(minutes=3)
    shown = account.shown_image(image)
    assert (shown["State"], shown["StateReason"]["Message"]) == ("failed", "The snapshot was lost")
    assert account.events("EC2 AMI State Change")[0]["State"] == "failed"
    with refused("InvalidAMIName.Duplicate"):
        _bake(account)


def test_a_name_is_given_once(account: Account) -> None:
    image = _bake(account)
    with refused("InvalidAMIName.Duplicate"):
        _bake(account)
    account.ec2("DeregisterImage", ImageId=image)
    assert _bake(account) != image


@pytest.mark.parametrize("name", ["ab", "a" * 129, "web:1", "wéb"])
def test_a_name_has_rules(account: Account, name: str) -> None:
    with refused("InvalidAMIName.Malformed"):
        _bake(account, name)


def test_tags_go_on_image_and_snapshots_and_on_nothing_else(account: Account) -> None:
    tags = [{"Key": "ovenbird:fleet", "Value": "web"}]
    image = _bake(
        account,
        TagSpecifications=[
            {"ResourceType": "image", "Tags": tags},
            {"ResourceType": "snapshot", "Tags": tags},
        ],
    )
    shown = account.shown_image(image)
    snapshot = shown["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    (of_snapshot,) = account.ec2("DescribeSnapshots", SnapshotIds=[snapshot])["Snapshots"]
    assert shown["Tags"] == tags
    assert of_snapshot["Tags"] == tags
    with refused("InvalidParameterValue"):
        _bake(account, "web-2", TagSpecifications=[{"ResourceType": "instance", "Tags": tags}])


def test_a_running_instance_is_rebooted_unless_told_otherwise(account: Account) -> None:
    instance = account.instance()
    account.ec2("CreateImage", InstanceId=instance, Name="kept-running", NoReboot=True)
    assert instance in account.machines.running
    account.ec2("CreateImage", InstanceId=instance, Name="rebooted")
    assert instance not in account.machines.running
    account.run_for(minutes=1)
    assert instance in account.machines.running


def test_only_running_and_stopped_instances_have_images_taken(account: Account) -> None:
    with refused("IncorrectInstanceState"):
        account.ec2("CreateImage", InstanceId=account.pending_instance(), Name="web-1")


def test_an_image_holds_what_was_on_the_disk(account: Account) -> None:
    instance = account.instance()
    account.ssm(
        "SendCommand",
        InstanceIds=[instance],
        DocumentName="AWS-RunShellScript",
        Parameters={"commands": ["export OVENBIRD_REVISION='r-2'"]},
    )
    account.run_for(minutes=1)
    image = account.ec2("CreateImage", InstanceId=instance, Name="web-1")["ImageId"]
    account.run_for(minutes=3)
    again = account.pending_instance(ImageId=image)
    assert account.machines.disks[again].revision == "r-2"


def test_images_are_found_by_owner_name_and_tag(account: Account) -> None:
    theirs = account.cloud.ec2.seed_image("al2023", owner="amazon")
    ours = account.cloud.ec2.seed_image("web-7", {"ovenbird:fleet": "web"})

    def ids(**params: Any) -> list[str]:
        return [one["ImageId"] for one in account.ec2("DescribeImages", **params)["Images"]]

    assert ids(Owners=["amazon"]) == [theirs]
    assert ids(Owners=["self"]) == [account.image, ours]
    assert ids(Filters=[{"Name": "name", "Values": ["web-*"]}]) == [ours]
    assert ids(Filters=[{"Name": "tag:ovenbird:fleet", "Values": ["web"]}]) == [ours]
    assert ids(Filters=[{"Name": "tag:ovenbird:fleet", "Values": ["Web"]}]) == []


def test_a_deregistered_image_is_gone_and_its_snapshots_stay(account: Account) -> None:
    image = _bake(account)
    account.run_for(minutes=3)
    snapshot = account.shown_image(image)["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    with refused("InvalidSnapshot.InUse"):
        account.ec2("DeleteSnapshot", SnapshotId=snapshot)

    account.ec2("DeregisterImage", ImageId=image)
    with refused("InvalidAMIID.NotFound"):
        account.shown_image(image)
    account.run_for(seconds=5)
    assert account.events("EC2 AMI State Change")[-1]["State"] == "deregistered"

    account.ec2("DeleteSnapshot", SnapshotId=snapshot)
    with refused("InvalidSnapshot.NotFound"):
        account.ec2("DeleteSnapshot", SnapshotId=snapshot)


def test_snapshots_go_with_the_image_when_asked(account: Account) -> None:
    image = _bake(account)
    snapshot = account.shown_image(image)["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    answer = account.ec2("DeregisterImage", ImageId=image, DeleteAssociatedSnapshots=True)
    assert answer["DeleteSnapshotResults"] == [{"SnapshotId": snapshot, "ReturnCode": "success"}]
    with refused("InvalidSnapshot.NotFound"):
        account.ec2("DescribeSnapshots", SnapshotIds=[snapshot])


def test_an_image_deregistered_while_pending_never_becomes_available(account: Account) -> None:
    image = _bake(account)
    account.ec2("DeregisterImage", ImageId=image)
    account.run_for(minutes=5)
    states = [event["State"] for event in account.events("EC2 AMI State Change")]
    assert states == ["deregistered"]


def test_somebody_elses_image_cannot_be_deregistered(account: Account) -> None:
    image = account.cloud.ec2.seed_image("al2023", owner="amazon")
    with refused("AuthFailure"):
        account.ec2("DeregisterImage", ImageId=image)


def test_a_new_image_cannot_be_seen_at_once(account: Account) -> None:
    instance = account.instance()
    account.hide_new_things_for(seconds=10)
    image = account.ec2("CreateImage", InstanceId=instance, Name="web-1")["ImageId"]
    with refused("InvalidAMIID.NotFound"):
        account.shown_image(image)
    with refused("InvalidAMIName.Duplicate"):  # the name is taken all the same
        account.ec2("CreateImage", InstanceId=instance, Name="web-1", NoReboot=True)
    account.run_for(seconds=11)
    assert account.shown_image(image)["State"] == "pending"
