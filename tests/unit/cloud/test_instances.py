"""Instances: launches, states, tokens. The rules are those of EC2's API reference."""

from __future__ import annotations

import base64

import pytest

from tests.unit.cloud.account import Account, refused


def test_an_instance_boots_and_tells_of_every_state(account: Account) -> None:
    instance = account.pending_instance()
    assert account.state(instance) == "pending"

    account.run_for(minutes=1)
    assert account.state(instance) == "running"
    assert instance in account.machines.running

    account.ec2("TerminateInstances", InstanceIds=[instance])
    assert account.state(instance) == "shutting-down"
    account.run_for(minutes=1)
    assert account.state(instance) == "terminated"
    assert account.events("EC2 Instance State-change Notification") == [
        {"instance-id": instance, "state": state}
        for state in ("pending", "running", "shutting-down", "terminated")
    ]


def test_a_stopped_instance_keeps_its_disk_and_starts_again(account: Account) -> None:
    instance = account.instance()
    account.ec2("StopInstances", InstanceIds=[instance])
    assert account.state(instance) == "stopping"
    assert instance not in account.machines.running
    account.run_for(minutes=1)
    assert account.state(instance) == "stopped"
    assert instance in account.machines.disks

    account.ec2("StartInstances", InstanceIds=[instance])
    account.run_for(minutes=1)
    assert account.state(instance) == "running"


def test_a_pending_instance_cannot_be_stopped(account: Account) -> None:
    with refused("IncorrectInstanceState"):
        account.ec2("StopInstances", InstanceIds=[account.pending_instance()])


def test_a_terminated_instance_cannot_be_started(account: Account) -> None:
    instance = account.instance()
    account.ec2("TerminateInstances", InstanceIds=[instance])
    account.run_for(minutes=1)
    with refused("IncorrectInstanceState"):
        account.ec2("StartInstances", InstanceIds=[instance])


def test_terminating_twice_is_harmless_and_ends_while_pending_too(account: Account) -> None:
    instance = account.pending_instance()
    account.ec2("TerminateInstances", InstanceIds=[instance])
    account.run_for(minutes=1)
    answer = account.ec2("TerminateInstances", InstanceIds=[instance])
    assert answer["TerminatingInstances"][0]["PreviousState"]["Name"] == "terminated"
    assert instance not in account.machines.running


def test_a_protected_instance_is_not_terminated(account: Account) -> None:
    instance = account.instance(DisableApiTermination=True)
    with refused("OperationNotPermitted"):
        account.ec2("TerminateInstances", InstanceIds=[instance])


def test_terminated_instances_are_forgotten_after_an_hour(account: Account) -> None:
    instance = account.instance()
    account.ec2("TerminateInstances", InstanceIds=[instance])
    account.run_for(minutes=50)
    assert account.state(instance) == "terminated"
    account.run_for(minutes=20)
    with refused("InvalidInstanceID.NotFound"):
        account.state(instance)


def test_the_same_token_is_the_same_instance(account: Account) -> None:
    first = account.instance(ClientToken="t-1")
    assert account.pending_instance(ClientToken="t-1") == first
    assert account.pending_instance(ClientToken="t-2") != first


def test_a_token_with_other_parameters_is_refused(account: Account) -> None:
    account.instance(ClientToken="t-1")
    with refused("IdempotentParameterMismatch"):
        account.pending_instance(ClientToken="t-1", InstanceType="t3.large")


def test_a_token_whose_instance_was_terminated_is_refused(account: Account) -> None:
    instance = account.instance(ClientToken="t-1")
    account.ec2("TerminateInstances", InstanceIds=[instance])
    account.run_for(minutes=1)
    with refused("IdempotentInstanceTerminated"):
        account.pending_instance(ClientToken="t-1")


def test_parameters_overwrite_the_template_and_the_launch_says_where_it_came_from(
    account: Account,
) -> None:
    template = account.template(
        KeyName="old",
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "lt"}]}],
    )
    instance = account.ec2(
        "RunInstances",
        MinCount=1,
        MaxCount=1,
        LaunchTemplate={"LaunchTemplateId": template, "Version": "1"},
        KeyName="new",
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "b", "Value": "call"}]}],
    )["Instances"][0]
    assert (instance["KeyName"], instance["InstanceType"]) == ("new", "t3.micro")
    tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
    assert tags == {
        "a": "lt",
        "b": "call",
        "aws:ec2launchtemplate:id": template,
        "aws:ec2launchtemplate:version": "1",
    }


def test_a_subnet_beside_network_interfaces_is_refused(account: Account) -> None:
    template = account.template(NetworkInterfaces=[{"DeviceIndex": 0, "Groups": ["sg-1"]}])
    subnet = account.cloud.ec2.networks.subnets[1].subnet_id
    with refused("InvalidParameterCombination"):
        account.ec2(
            "RunInstances",
            MinCount=1,
            MaxCount=1,
            LaunchTemplate={"LaunchTemplateId": template},
            SubnetId=subnet,
        )


def test_user_data_reaches_the_machine_decoded(account: Account) -> None:
    coded = base64.b64encode(b"#!/bin/sh\n").decode()
    instance = account.instance(UserData=coded)
    assert account.machines.user_data[instance] == "#!/bin/sh\n"
    with refused("InvalidUserData.Malformed"):
        account.pending_instance(UserData="#!/bin/sh")


@pytest.mark.parametrize(
    ("image", "code"),
    [
        pytest.param("ami-00000000000000000", "InvalidAMIID.NotFound", id="unknown"),
        pytest.param("base", "InvalidAMIID.Malformed", id="a name"),
        pytest.param("resolve:ssm:/nowhere", "InvalidParameterValue", id="no such parameter"),
    ],
)
def test_only_an_existing_image_can_be_launched(account: Account, image: str, code: str) -> None:
    with refused(code):
        account.pending_instance(ImageId=image)


def test_an_image_may_be_named_by_a_parameter(account: Account) -> None:
    account.ssm("PutParameter", Name="/acme/image", Value=account.image, Type="String")
    instance = account.pending_instance(ImageId="resolve:ssm:/acme/image")
    assert account.shown(instance)["ImageId"] == account.image


def test_a_subnet_must_exist(account: Account) -> None:
    with refused("InvalidSubnetID.NotFound"):
        account.pending_instance(SubnetId="subnet-0")


def test_capacity_can_be_short_for_a_type(account: Account) -> None:
    account.cloud.ec2.launching.lack_capacity(instance_type="m5.large")
    account.pending_instance(InstanceType="t3.micro")
    with refused("InsufficientInstanceCapacity"):
        account.pending_instance(InstanceType="m5.large")
    account.pending_instance(InstanceType="m5.large")


def test_the_accounts_quota_can_be_used_up(account: Account) -> None:
    account.cloud.ec2.launching.exceed_quota()
    with refused("VcpuLimitExceeded"):
        account.pending_instance()
    account.pending_instance()


def test_an_instance_that_never_runs_says_why(account: Account) -> None:
    account.cloud.ec2.launching.never_run()
    instance = account.pending_instance()
    account.run_for(minutes=1)
    shown = account.shown(instance)
    assert (shown["State"]["Name"], shown["StateReason"]["Code"]) == (
        "terminated",
        "Server.InternalError",
    )
    assert "PrivateIpAddress" not in shown


def test_other_services_learn_the_reason_of_an_end_that_cannot_be_seen_yet(
    account: Account,
) -> None:
    account.hide_new_things_for(minutes=10)
    account.cloud.ec2.launching.never_run(reason="Server.InternalError: Internal error on launch")
    instance = account.pending_instance()
    assert account.cloud.ec2.reason(instance) == ""
    account.run_for(minutes=1)
    assert account.cloud.ec2.reason(instance) == "Server.InternalError: Internal error on launch"


def test_a_new_instance_cannot_be_seen_at_once(account: Account) -> None:
    account.hide_new_things_for(seconds=10)
    instance = account.pending_instance()
    assert account.ec2("DescribeInstances")["Reservations"] == []
    with refused("InvalidInstanceID.NotFound"):
        account.state(instance)
    account.run_for(seconds=11)
    assert account.state(instance) == "pending"


def test_instances_are_found_by_tag_and_state(account: Account) -> None:
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "role", "Value": "builder"}]}]
    builder = account.instance(TagSpecifications=tags)
    account.pending_instance()
    found = account.ec2(
        "DescribeInstances",
        Filters=[
            {"Name": "tag:role", "Values": ["build*"]},
            {"Name": "instance-state-name", "Values": ["pending", "running"]},
        ],
    )["Reservations"]
    assert [one["Instances"][0]["InstanceId"] for one in found] == [builder]
    with refused("InvalidParameterValue"):
        account.ec2("DescribeInstances", Filters=[{"Name": "colour", "Values": ["red"]}])


def test_instances_come_in_pages_but_not_together_with_ids(account: Account) -> None:
    ids = {account.pending_instance() for _ in range(7)}
    first = account.ec2("DescribeInstances", MaxResults=5)
    second = account.ec2("DescribeInstances", MaxResults=5, NextToken=first["NextToken"])
    assert "NextToken" not in second
    pages = first["Reservations"] + second["Reservations"]
    assert {one["Instances"][0]["InstanceId"] for one in pages} == ids
    with refused("InvalidParameterCombination"):
        account.ec2("DescribeInstances", MaxResults=5, InstanceIds=sorted(ids))
    with refused("InvalidParameterValue"):
        account.ec2("DescribeInstances", MaxResults=2)


def test_status_is_shown_of_running_instances_only(account: Account) -> None:
    running, pending = account.instance(), account.pending_instance()
    answer = account.ec2("DescribeInstanceStatus")["InstanceStatuses"]
    assert [one["InstanceId"] for one in answer] == [running]
    everyone = account.ec2("DescribeInstanceStatus", IncludeAllInstances=True)["InstanceStatuses"]
    assert [one["InstanceId"] for one in everyone] == [running, pending]


def test_a_dry_run_changes_nothing(account: Account) -> None:
    with refused("DryRunOperation"):
        account.pending_instance(DryRun=True)
    assert account.ec2("DescribeInstances")["Reservations"] == []
