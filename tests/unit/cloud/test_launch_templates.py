"""Launch templates. The rules are those of EC2's API reference."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.cloud.account import Account, refused


def _versions(account: Account, template: str, **params: Any) -> list[dict[str, Any]]:
    answer = account.ec2("DescribeLaunchTemplateVersions", LaunchTemplateId=template, **params)
    versions: list[dict[str, Any]] = answer["LaunchTemplateVersions"]
    return versions


def _add(account: Account, template: str, content: dict[str, Any], **params: Any) -> int:
    answer = account.ec2(
        "CreateLaunchTemplateVersion",
        LaunchTemplateId=template,
        LaunchTemplateData=content,
        **params,
    )
    return int(answer["LaunchTemplateVersion"]["VersionNumber"])


def test_a_source_version_is_inherited_and_given_members_overwrite_it_whole(
    account: Account,
) -> None:
    template = account.template(
        MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        KeyName="k",
    )
    _add(
        account,
        template,
        {"ImageId": "ami-00000002", "MetadataOptions": {"HttpTokens": "optional"}},
        SourceVersion="1",
    )
    (version,) = _versions(account, template, Versions=["2"])
    assert version["LaunchTemplateData"] == {
        "ImageId": "ami-00000002",
        "InstanceType": "t3.micro",
        "KeyName": "k",
        "MetadataOptions": {"HttpTokens": "optional"},
    }


def test_snapshots_of_block_devices_are_not_inherited(account: Account) -> None:
    template = account.template(
        BlockDeviceMappings=[
            {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": "snap-1", "VolumeSize": 9}}
        ]
    )
    _add(account, template, {"ImageId": "ami-00000002"}, SourceVersion="1")
    (version,) = _versions(account, template, Versions=["2"])
    (device,) = version["LaunchTemplateData"]["BlockDeviceMappings"]
    assert device["Ebs"] == {"VolumeSize": 9}


def test_without_a_source_only_what_is_given_counts(account: Account) -> None:
    template = account.template()
    _add(account, template, {"KeyName": "k"})
    (version,) = _versions(account, template, Versions=["$Latest"])
    assert version["LaunchTemplateData"] == {"KeyName": "k"}


def test_the_same_token_is_the_same_version(account: Account) -> None:
    template = account.template()
    first = _add(account, template, {"KeyName": "k"}, ClientToken="t")
    assert _add(account, template, {"KeyName": "k"}, ClientToken="t") == first
    with refused("IdempotentParameterMismatch"):
        _add(account, template, {"KeyName": "other"}, ClientToken="t")


def test_aliases_follow_the_versions(account: Account) -> None:
    template = account.template()
    _add(account, template, {"KeyName": "k"})

    def numbers(*wanted: str) -> list[int]:
        found = _versions(account, template, Versions=list(wanted))
        return [version["VersionNumber"] for version in found]

    assert (numbers("$Latest"), numbers("$Default")) == ([2], [1])
    account.ec2("ModifyLaunchTemplate", LaunchTemplateId=template, DefaultVersion="2")
    assert numbers("$Default") == [2]


def test_versions_come_newest_first_and_in_pages(account: Account) -> None:
    template = account.template()
    for _ in range(4):
        _add(account, template, {"KeyName": "k"})
    first = account.ec2("DescribeLaunchTemplateVersions", LaunchTemplateId=template, MaxResults=3)
    assert [one["VersionNumber"] for one in first["LaunchTemplateVersions"]] == [5, 4, 3]
    rest = _versions(account, template, MaxResults=3, NextToken=first["NextToken"])
    assert [one["VersionNumber"] for one in rest] == [2, 1]


@pytest.mark.parametrize("version", ["7", "latest"])
def test_a_version_must_exist(account: Account, version: str) -> None:
    template = account.template()
    with refused("InvalidLaunchTemplateId.VersionNotFound"):
        _versions(account, template, Versions=[version])
    with refused("InvalidLaunchTemplateId.VersionNotFound"):
        _add(account, template, {}, SourceVersion=version)


def test_a_template_must_exist_and_is_named_in_one_way(account: Account) -> None:
    template = account.template()
    with refused("InvalidLaunchTemplateId.NotFound"):
        _versions(account, "lt-0")
    with refused("InvalidLaunchTemplateName.NotFoundException"):
        account.ec2("DescribeLaunchTemplateVersions", LaunchTemplateName="nobody")
    with refused("InvalidParameterCombination"):
        _versions(account, template, LaunchTemplateName="web")
    with refused("MissingParameter"):
        account.ec2("DescribeLaunchTemplateVersions", Versions=["1"])


def test_names_are_unique(account: Account) -> None:
    account.template("web")
    with refused("InvalidLaunchTemplateName.AlreadyExistsException"):
        account.template("web")


def test_the_default_version_cannot_be_deleted(account: Account) -> None:
    template = account.template()
    _add(account, template, {"KeyName": "k"})
    answer = account.ec2(
        "DeleteLaunchTemplateVersions", LaunchTemplateId=template, Versions=["1", "2", "9"]
    )
    gone = answer["SuccessfullyDeletedLaunchTemplateVersions"]
    kept = answer["UnsuccessfullyDeletedLaunchTemplateVersions"]
    assert [one["VersionNumber"] for one in gone] == [2]
    assert [(one["VersionNumber"], one["ResponseError"]["Code"]) for one in kept] == [
        (1, "unexpectedError"),
        (9, "launchTemplateVersionDoesNotExist"),
    ]
    assert _add(account, template, {"KeyName": "k"}) == 3  # numbers are never given out twice


def test_an_alias_for_an_image_can_be_resolved(account: Account) -> None:
    account.ssm("PutParameter", Name="/acme/image", Value=account.image, Type="String")
    template = account.template(ImageId="resolve:ssm:/acme/image")
    (plain,) = _versions(account, template)
    (resolved,) = _versions(account, template, ResolveAlias=True)
    assert plain["LaunchTemplateData"]["ImageId"] == "resolve:ssm:/acme/image"
    assert resolved["LaunchTemplateData"]["ImageId"] == account.image


def test_an_answer_is_a_copy(account: Account) -> None:
    template = account.template()
    _versions(account, template)[0]["LaunchTemplateData"]["ImageId"] = "changed"
    assert _versions(account, template)[0]["LaunchTemplateData"]["ImageId"] == account.image
