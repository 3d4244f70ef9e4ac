"""Run Command. The rules are those of the SSM API reference and User Guide."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sandbox.cloud.imaginary import Ending
from sandbox.cloud.machines import CommandOutcome
from tests.unit.cloud.account import Account, refused


def _send(account: Account, instance: str, **parameters: list[str]) -> str:
    answer = account.ssm(
        "SendCommand",
        InstanceIds=[instance],
        DocumentName="AWS-RunShellScript",
        Comment="rollout web-1",
        Parameters={"commands": ["true"]} | parameters,
    )
    return str(answer["Command"]["CommandId"])


def _result(account: Account, command: str, instance: str) -> dict[str, Any]:
    return account.ssm("GetCommandInvocation", CommandId=command, InstanceId=instance)


def test_the_agent_is_online_some_time_after_the_instance_runs(account: Account) -> None:
    instance = account.pending_instance()
    account.run_for(seconds=20)
    assert account.state(instance) == "running"
    assert account.ssm("DescribeInstanceInformation")["InstanceInformationList"] == []
    with refused("InvalidInstanceId"):
        _send(account, instance)

    account.run_for(seconds=30)
    (agent,) = account.ssm(
        "DescribeInstanceInformation", Filters=[{"Key": "InstanceIds", "Values": [instance]}]
    )["InstanceInformationList"]
    assert agent["PingStatus"] == "Online"


def test_no_command_reaches_a_stopped_instance(account: Account) -> None:
    instance = account.instance()
    account.ec2("StopInstances", InstanceIds=[instance])
    with refused("InvalidInstanceId"):
        _send(account, instance)
    (agent,) = account.ssm("DescribeInstanceInformation")["InstanceInformationList"]
    assert agent["PingStatus"] == "ConnectionLost"


def test_an_agent_that_never_comes(account: Account) -> None:
    account.cloud.ssm.agents.starts = lambda _: False
    instance = account.instance()
    account.run_for(hours=1)
    with refused("InvalidInstanceId"):
        _send(account, instance)


def test_a_script_runs_and_its_end_is_told(account: Account) -> None:
    instance = account.instance()
    command = _send(account, instance, workingDirectory=["/srv/web"])
    assert _result(account, command, instance)["Status"] == "Pending"
    account.run_for(seconds=5)
    assert _result(account, command, instance)["Status"] == "InProgress"
    account.run_for(minutes=1)
    assert _result(account, command, instance)["Status"] == "Success"
    assert account.machines.scripts[0].lines == ("cd ./srv/web || exit 1", "true")
    for kind in ("EC2 Command Status-change", "EC2 Command Invocation Status-change"):
        events = account.events(f"{kind} Notification")
        assert [event["status"] for event in events] == ["InProgress", "Success"]
        assert {event["command-id"] for event in events} == {command}


def test_a_failed_script_shows_the_beginning_of_its_output(account: Account) -> None:
    outcome = CommandOutcome(3, "o" * 30_000, "e" * 100)
    account.machines.ends = lambda _: Ending(timedelta(seconds=5), outcome)
    instance = account.instance()
    command = _send(account, instance)
    account.run_for(minutes=1)
    result = _result(account, command, instance)
    assert (result["Status"], result["ResponseCode"]) == ("Failed", 3)
    assert len(result["StandardOutputContent"]) == 24_000
    assert result["StandardErrorContent"].endswith("failed to run commands: exit status 3")
    (listed,) = account.ssm("ListCommandInvocations", CommandId=command, Details=True)[
        "CommandInvocations"
    ]
    assert len(listed["CommandPlugins"][0]["Output"]) == 2_500


def test_a_script_that_never_ends_is_timed_out(account: Account) -> None:
    account.machines.ends = lambda _: Ending(None)
    instance = account.instance()
    command = _send(account, instance, executionTimeout=["60"])
    account.run_for(minutes=2)
    result = _result(account, command, instance)
    assert (result["Status"], result["StatusDetails"]) == ("TimedOut", "Execution Timed Out")


def test_a_script_whose_machine_goes_away_ends_by_its_time_limit(account: Account) -> None:
    account.machines.ends = lambda _: Ending(timedelta(minutes=5))
    instance = account.instance()
    command = _send(account, instance, executionTimeout=["600"])
    account.run_for(seconds=10)
    account.ec2("TerminateInstances", InstanceIds=[instance])
    account.run_for(minutes=8)
    assert _result(account, command, instance)["Status"] == "InProgress"
    account.run_for(minutes=3)
    assert _result(account, command, instance)["Status"] == "TimedOut"


def test_a_command_can_be_cancelled_and_events_spell_it_otherwise(account: Account) -> None:
    account.machines.ends = lambda _: Ending(None)
    instance = account.instance()
    command = _send(account, instance)
    account.run_for(seconds=10)
    account.ssm("CancelCommand", CommandId=command)
    assert _result(account, command, instance)["Status"] == "Cancelled"
    account.run_for(seconds=10)
    events = account.events("EC2 Command Invocation Status-change Notification")
    assert events[-1]["status"] == "Canceled"


def test_a_new_command_cannot_be_seen_at_once(account: Account) -> None:
    instance = account.instance()
    account.hide_new_things_for(seconds=3)
    command = _send(account, instance)
    with refused("InvocationDoesNotExist"):
        _result(account, command, instance)
    assert account.ssm("ListCommandInvocations", InstanceId=instance)["CommandInvocations"] == []
    account.run_for(seconds=4)
    (found,) = account.ssm("ListCommandInvocations", InstanceId=instance)["CommandInvocations"]
    assert (found["CommandId"], found["Comment"]) == (command, "rollout web-1")


def test_two_scripts_may_run_on_one_machine(account: Account) -> None:
    instance = account.instance()
    commands = [_send(account, instance) for _ in range(2)]
    account.run_for(minutes=1)
    assert {_result(account, one, instance)["Status"] for one in commands} == {"Success"}


@pytest.mark.parametrize(
    ("params", "code"),
    [
        pytest.param({"DocumentName": "AWS-RunMagic"}, "InvalidDocument", id="document"),
        pytest.param({"Parameters": {}}, "InvalidParameters", id="no commands"),
        pytest.param(
            {"Parameters": {"commands": ["true"], "colour": ["red"]}},
            "InvalidParameters",
            id="unknown parameter",
        ),
        pytest.param({"InstanceIds": []}, "ValidationException", id="no instance"),
        pytest.param({"Comment": "x" * 101}, "ValidationException", id="long comment"),
    ],
)
def test_bad_commands_are_refused(account: Account, params: dict[str, Any], code: str) -> None:
    good = {
        "InstanceIds": [account.instance()],
        "DocumentName": "AWS-RunShellScript",
        "Parameters": {"commands": ["true"]},
    }
    with refused(code):
        account.ssm("SendCommand", **(good | params))


def test_a_tag_that_nobody_has_is_success(account: Account) -> None:
    command = account.ssm(
        "SendCommand",
        Targets=[{"Key": "tag:role", "Values": ["nobody"]}],
        DocumentName="AWS-RunShellScript",
        Parameters={"commands": ["true"]},
    )["Command"]
    assert (command["Status"], command["TargetCount"]) == ("Success", 0)
