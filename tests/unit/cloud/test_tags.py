"""Tags of EC2's resources. The rules are those of EC2's API reference and User Guide."""

from __future__ import annotations

from tests.unit.cloud.account import Account, refused


def _tags(account: Account, resource: str) -> dict[str, str]:
    answer = account.ec2("DescribeTags", Filters=[{"Name": "resource-id", "Values": [resource]}])
    return {tag["Key"]: tag["Value"] for tag in answer["Tags"]}


def test_tags_are_put_overwritten_and_taken_away(account: Account) -> None:
    image = account.image
    for value in ("1", "2"):
        account.ec2(
            "CreateTags",
            Resources=[image],
            Tags=[{"Key": "a", "Value": value}, {"Key": "b", "Value": "x"}],
        )
    assert _tags(account, image) == {"a": "2", "b": "x"}

    account.ec2("DeleteTags", Resources=[image], Tags=[{"Key": "a", "Value": "1"}, {"Key": "b"}])
    assert _tags(account, image) == {"a": "2"}
    account.ec2("DeleteTags", Resources=[image])
    assert _tags(account, image) == {}


def test_a_resource_must_exist(account: Account) -> None:
    tags = [{"Key": "a", "Value": "1"}]
    for resource, code in (
        ("i-00000000000000000", "InvalidInstanceID.NotFound"),
        ("ami-00000000000000000", "InvalidAMIID.NotFound"),
        ("eipalloc-0", "InvalidAllocationID.NotFound"),
        ("lt-0", "InvalidLaunchTemplateId.NotFound"),
        ("vol-0", "InvalidVolume.NotFound"),
        ("teapot-1", "InvalidID"),
    ):
        with refused(code):
            account.ec2("CreateTags", Resources=[resource], Tags=tags)


def test_keys_that_begin_with_aws_are_reserved(account: Account) -> None:
    with refused("InvalidParameterValue"):
        account.ec2("CreateTags", Resources=[account.image], Tags=[{"Key": "aws:x", "Value": "1"}])


def test_fifty_tags_are_the_most(account: Account) -> None:
    tags = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    account.ec2("CreateTags", Resources=[account.image], Tags=tags)
    with refused("TagLimitExceeded"):
        account.ec2("CreateTags", Resources=[account.image], Tags=[{"Key": "one more"}])


def test_the_tags_of_a_volume_end_with_its_instance(account: Account) -> None:
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "a", "Value": "1"}]}]
    instance = account.instance(TagSpecifications=tags)
    volume = account.shown(instance)["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    assert _tags(account, volume) == {"a": "1"}
    account.ec2("TerminateInstances", InstanceIds=[instance])
    account.run_for(minutes=1)
    assert _tags(account, volume) == {}
