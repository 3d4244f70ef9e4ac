"""Groups: made, shown, changed, scaled and deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.unit.cloud.town import Town, refused


def test_a_group_launches_what_it_lacks_in_all_its_zones() -> None:
    town = Town()
    town.make_group(6)
    zones = [member.zone for member in town.group.active]
    assert sorted(zones) == sorted([f"us-east-1{letter}" for letter in "abc"] * 2)
    assert town.versions == {"1": 6}


def test_a_group_may_name_zones_instead_of_subnets() -> None:
    town = Town()
    town.asg(
        "CreateAutoScalingGroup",
        LaunchTemplate=town.version(1),
        MinSize=1,
        MaxSize=1,
        AvailabilityZones=["us-east-1b"],
    )
    town.until(lambda: len(town.serving) == 1)
    assert town.group.active[0].zone == "us-east-1b"
    instance = town.cloud.ec2.instances.all[town.serving[0]]
    assert instance.zone == "us-east-1b"


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        pytest.param({"MinSize": 5, "MaxSize": 4}, "ValidationError", "Max bound", id="bounds"),
        pytest.param({"DesiredCapacity": 99}, "ValidationError", "must be between", id="desired"),
        pytest.param({"VPCZoneIdentifier": " "}, "ValidationError", "At least one", id="no subnet"),
        pytest.param(
            {"VPCZoneIdentifier": "subnet-0dead"}, "ValidationError", "not exist", id="bad subnet"
        ),
        pytest.param(
            {"TargetGroupARNs": ["arn:aws:nowhere"]}, "ValidationError", "valid", id="bad targets"
        ),
        pytest.param({"PlacementGroup": "x"}, "ValidationError", "not model", id="not modelled"),
    ],
)
def test_groups_that_are_refused(params: dict[str, Any], code: str, text: str) -> None:
    with refused(code, text):
        Town().make_group(1, settle=False, **params)


def test_a_name_is_there_once() -> None:
    town = Town()
    town.make_group(0)
    with refused("AlreadyExists"):
        town.make_group(0)


def test_a_version_that_is_not_named_is_the_default_one() -> None:
    town = Town()
    town.make_group(1, LaunchTemplate={"LaunchTemplateName": "web"})
    shown = town.call("autoscaling", "DescribeAutoScalingGroups")["AutoScalingGroups"][0]
    assert shown["LaunchTemplate"]["Version"] == "$Default"
    assert shown["Instances"][0]["LaunchTemplate"]["Version"] == "1", "the number it was then"


def test_an_override_may_name_a_template_of_its_own() -> None:
    town = Town()
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": town.version(1),
            "Overrides": [
                {"InstanceType": "m7a.large", "LaunchTemplateSpecification": town.version(2)}
            ],
        }
    }
    town.make_group(1, MixedInstancesPolicy=policy)
    (member,) = town.group.active
    assert (member.instance_type, member.template["Version"]) == ("m7a.large", "2")
    assert town.cloud.ec2.instances.all[member.instance_id].image_id == town.images[1]
    shown = town.call("autoscaling", "DescribeAutoScalingGroups")["AutoScalingGroups"][0]
    assert "LaunchTemplate" not in shown
    (override,) = shown["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"]
    assert override["LaunchTemplateSpecification"]["LaunchTemplateName"] == "web"


def test_tags_are_found_and_reach_new_instances() -> None:
    town = Town()
    tags = [
        {"Key": "ovenbird:fleet", "Value": "web", "PropagateAtLaunch": True},
        {"Key": "owner", "Value": "ann", "PropagateAtLaunch": False},
    ]
    town.make_group(1, Tags=tags)
    reservation = town.call("ec2", "DescribeInstances", InstanceIds=town.serving)["Reservations"]
    got = {tag["Key"]: tag["Value"] for tag in reservation[0]["Instances"][0]["Tags"]}
    assert got["ovenbird:fleet"] == "web"
    assert got["aws:autoscaling:groupName"] == "web"
    assert "owner" not in got

    def found(name: str, *values: str) -> list[str]:
        answer = town.call(
            "autoscaling",
            "DescribeAutoScalingGroups",
            Filters=[{"Name": name, "Values": list(values)}],
        )
        return [group["AutoScalingGroupName"] for group in answer["AutoScalingGroups"]]

    assert found("tag:ovenbird:fleet", "web", "api") == ["web"]
    assert found("tag:ovenbird:fleet", "api") == []
    assert found("tag-key", "owner") == ["web"]
    assert found("tag-value", "bob") == []


def test_tags_can_be_set_and_listed() -> None:
    town = Town()
    town.make_group(0)
    tag = {
        "ResourceId": "web",
        "ResourceType": "auto-scaling-group",
        "Key": "team",
        "Value": "shop",
        "PropagateAtLaunch": True,
    }
    town.call("autoscaling", "CreateOrUpdateTags", Tags=[tag])
    filters = [{"Name": "key", "Values": ["team"]}]
    assert town.call("autoscaling", "DescribeTags", Filters=filters)["Tags"] == [tag]
    filters = [{"Name": "value", "Values": ["bank"]}]
    assert town.call("autoscaling", "DescribeTags", Filters=filters)["Tags"] == []


def test_unknown_names_are_left_out() -> None:
    town = Town()
    town.make_group(0)
    answer = town.call(
        "autoscaling", "DescribeAutoScalingGroups", AutoScalingGroupNames=["web", "nobody"]
    )
    assert [group["AutoScalingGroupName"] for group in answer["AutoScalingGroups"]] == ["web"]


def test_groups_come_in_pages() -> None:
    town = Town()
    for name in ("a", "b", "c"):
        town.call(
            "autoscaling",
            "CreateAutoScalingGroup",
            AutoScalingGroupName=name,
            LaunchTemplate=town.version(1),
            MinSize=0,
            MaxSize=0,
            VPCZoneIdentifier=town.subnets,
        )
    first = town.call("autoscaling", "DescribeAutoScalingGroups", MaxRecords=2)
    assert [g["AutoScalingGroupName"] for g in first["AutoScalingGroups"]] == ["a", "b"]
    rest = town.call("autoscaling", "DescribeAutoScalingGroups", NextToken=first["NextToken"])
    assert [g["AutoScalingGroupName"] for g in rest["AutoScalingGroups"]] == ["c"]
    assert "NextToken" not in rest
    with refused("InvalidNextToken"):
        town.call("autoscaling", "DescribeAutoScalingGroups", NextToken="soon")


def test_the_desired_capacity_stays_within_the_bounds() -> None:
    town = Town()
    town.make_group(2, MinSize=1, MaxSize=3)
    with refused("ValidationError", "above max value 3"):
        town.asg("SetDesiredCapacity", DesiredCapacity=4)
    with refused("ValidationError", "below min value 1"):
        town.asg("SetDesiredCapacity", DesiredCapacity=0)
    town.asg("UpdateAutoScalingGroup", MinSize=3)
    assert town.group.desired == 3
    town.until(lambda: len(town.serving) == 3)


def test_a_scale_in_takes_the_oldest_version_and_no_protected_instance() -> None:
    town = Town()
    town.make_group(3)
    protected = town.serving[0]
    town.asg("SetInstanceProtection", InstanceIds=[protected], ProtectedFromScaleIn=True)
    town.asg("UpdateAutoScalingGroup", LaunchTemplate=town.version(2), DesiredCapacity=6)
    town.until(lambda: len(town.serving) == 6)
    town.asg("SetDesiredCapacity", DesiredCapacity=3)
    town.until(lambda: len(town.group.members) == 3)
    assert protected in town.group.members
    assert town.versions == {"1": 1, "2": 2}
    town.asg("SetDesiredCapacity", DesiredCapacity=0)
    town.pass_minutes(5)
    assert list(town.group.members) == [protected]


def test_a_scale_in_keeps_the_zones_even() -> None:
    town = Town()
    town.make_group(6)
    first_zone = [m.instance_id for m in town.group.active if m.zone == "us-east-1a"]
    town.call(
        "autoscaling",
        "TerminateInstanceInAutoScalingGroup",
        InstanceId=first_zone[1],
        ShouldDecrementDesiredCapacity=True,
    )
    town.asg("SetDesiredCapacity", DesiredCapacity=4)
    town.until(lambda: len(town.group.members) == 4)
    assert first_zone[0] in town.group.members, "the oldest, but the only one in its zone"


def test_new_instances_may_be_protected() -> None:
    town = Town()
    town.make_group(2, NewInstancesProtectedFromScaleIn=True)
    town.asg("SetDesiredCapacity", DesiredCapacity=0)
    town.pass_minutes(5)
    assert len(town.serving) == 2


def test_a_group_with_instances_is_deleted_only_by_force() -> None:
    town = Town()
    town.make_group(2)
    instances = town.serving
    with refused("ResourceInUse"):
        town.asg("DeleteAutoScalingGroup")
    town.asg("DeleteAutoScalingGroup", ForceDelete=True)
    town.until(lambda: "web" not in town.cloud.autoscaling.groups)
    assert {town.cloud.ec2.state(each) for each in instances} == {"terminated"}


def test_a_suspended_launch_process_launches_nothing_until_it_is_resumed() -> None:
    town = Town()
    town.make_group(1)
    town.asg("SuspendProcesses", ScalingProcesses=["Launch"])
    town.asg("SetDesiredCapacity", DesiredCapacity=2)
    town.pass_minutes(5)
    assert len(town.serving) == 1
    shown = town.call("autoscaling", "DescribeAutoScalingGroups")["AutoScalingGroups"][0]
    assert [each["ProcessName"] for each in shown["SuspendedProcesses"]] == ["Launch"]
    town.asg("ResumeProcesses")
    town.until(lambda: len(town.serving) == 2)
    with refused("ValidationError", "Unknown process"):
        town.asg("SuspendProcesses", ScalingProcesses=["Sleep"])


def test_a_failed_launch_says_why_and_is_tried_again_more_slowly() -> None:
    town = Town()
    town.call("ec2", "DeregisterImage", ImageId=town.images[0])
    town.make_group(1, settle=False)
    town.pass_minutes(10)
    activities = town.asg("DescribeScalingActivities")["Activities"]
    assert 4 <= len(activities) <= 12
    assert activities[0]["StatusCode"] == "Failed"
    assert town.images[0] in activities[0]["StatusMessage"]
    assert activities[0]["StartTime"] > activities[-1]["StartTime"], "the newest comes first"
    event = town.events("EC2 Instance Launch Unsuccessful")[0]
    assert event["detail"]["StatusCode"] == "Failed"
    assert town.images[0] in event["detail"]["StatusMessage"]
    town.asg("UpdateAutoScalingGroup", LaunchTemplate=town.version(2))
    town.until(lambda: len(town.serving) == 1)


def test_activities_are_found_by_their_time() -> None:
    town = Town()
    town.make_group(1)
    town.asg("SetDesiredCapacity", DesiredCapacity=2)
    town.until(lambda: len(town.serving) == 2)
    newest, oldest = town.asg("DescribeScalingActivities")["Activities"]

    def between(lower: datetime, upper: datetime) -> list[str]:
        bounds = {"StartTimeLowerBound": lower, "StartTimeUpperBound": upper}
        filters = [{"Name": each, "Values": [at.isoformat()]} for each, at in bounds.items()]
        found = town.asg("DescribeScalingActivities", Filters=filters)["Activities"]
        return [each["ActivityId"] for each in found]

    first, last = oldest["StartTime"], newest["StartTime"]
    assert between(first, last) == [newest["ActivityId"], oldest["ActivityId"]]
    assert between(first, first) == [oldest["ActivityId"]]
    assert between(last, last) == [newest["ActivityId"]]
    with refused("ValidationError", "Status"):
        town.asg("DescribeScalingActivities", Filters=[{"Name": "Status", "Values": ["Failed"]}])


def test_an_instance_that_never_runs_is_a_failed_launch() -> None:
    town = Town()
    town.cloud.ec2.launching.never_run(reason="Server.InternalError: Internal error on launch")
    town.make_group(1, settle=False)
    town.until(lambda: len(town.serving) == 1)
    town.pass_minutes(1)
    (failed,) = town.events("EC2 Instance Launch Unsuccessful")
    assert "Internal error on launch" in failed["detail"]["StatusMessage"]
    assert len(town.events("EC2 Instance Launch Successful")) == 1


def test_the_events_of_a_launch_and_a_termination_have_all_their_fields() -> None:
    town = Town()
    group = town.make_group(1)
    instance = town.serving[0]
    town.asg("SetDesiredCapacity", DesiredCapacity=0)
    town.until(lambda: not town.group.members)
    town.pass_minutes(0.1)
    (launch,) = town.events("EC2 Instance Launch Successful")
    (end,) = town.events("EC2 Instance Terminate Successful")
    arn = f"arn:aws:ec2:us-east-1:000000000000:instance/{instance}"
    for event, way, words in (
        (launch, ("EC2", "AutoScalingGroup"), f"Launching a new EC2 instance: {instance}"),
        (end, ("AutoScalingGroup", "EC2"), f"Terminating EC2 instance: {instance}"),
    ):
        assert event["resources"] == [group.arn, arn]
        detail = event["detail"]
        assert (detail["Origin"], detail["Destination"]) == way
        assert detail["StatusCode"] == "InProgress", "so AWS says also when all is well"
        assert detail["Description"] == words
        assert detail["EC2InstanceId"] == instance
        assert set(detail["Details"]) == {"Availability Zone", "Subnet ID"}
        assert detail.keys() == {
            "StatusCode",
            "Description",
            "AutoScalingGroupName",
            "ActivityId",
            "Details",
            "RequestId",
            "StatusMessage",
            "EndTime",
            "EC2InstanceId",
            "StartTime",
            "Cause",
            "Origin",
            "Destination",
        }
