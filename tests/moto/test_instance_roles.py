"""The script that finds the roles to deploy with, against moto."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from examples import instance_roles
from tests.template.deployed import written

TAG = {"Key": "ovenbird:fleet", "Value": "web"}


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    with mock_aws():
        yield boto3.Session("nobody", "nothing", region_name="us-east-1")


def role(session: boto3.Session, name: str) -> str:
    iam = session.client("iam")
    made = iam.create_role(RoleName=name, Path="/fleets/", AssumeRolePolicyDocument="{}")
    iam.create_instance_profile(InstanceProfileName=f"{name}-profile")
    iam.add_role_to_instance_profile(InstanceProfileName=f"{name}-profile", RoleName=name)
    return str(made["Role"]["Arn"])


def template(session: boto3.Session, name: str, *, tagged: bool = True, **content: Any) -> str:
    tags = [{"ResourceType": "launch-template", "Tags": [TAG]}] if tagged else []
    ec2: Any = session.client("ec2")
    made = ec2.create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={"ImageId": "ami-12345678", "InstanceType": "t3.micro", **content},
        TagSpecifications=tags,
    )
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


def test_the_roles_of_tagged_templates_and_groups_are_found(session: boto3.Session) -> None:
    web, api, other = (role(session, name) for name in ("web", "api", "other"))
    template(session, "web", IamInstanceProfile={"Name": "web-profile"})
    of_api = template(session, "api", tagged=False, IamInstanceProfile={"Name": "api-profile"})
    template(session, "other", tagged=False, IamInstanceProfile={"Name": "other-profile"})
    template(session, "bare")
    autoscaling: Any = session.client("autoscaling")
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="api",
        MinSize=0,
        MaxSize=1,
        AvailabilityZones=["us-east-1a"],
        LaunchTemplate={"LaunchTemplateId": of_api, "Version": "1"},
        Tags=[{**TAG, "PropagateAtLaunch": True}],
    )
    found = instance_roles.uses(session)
    assert {use.role for use in found} == {web, api, ""}
    assert instance_roles.value(found) == f"{api},{web}"
    assert other not in instance_roles.value(found)
    pattern = written()["Parameters"]["InstanceRoleArns"]["AllowedPattern"]
    assert all(re.fullmatch(pattern, each) for each in (web, api))


def test_where_no_template_names_a_profile_there_is_none(session: boto3.Session) -> None:
    assert instance_roles.value(instance_roles.uses(session)) == "none"
