"""Systems Manager Run Command: one script on one builder."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from ovenbird.aws import clients
from ovenbird.aws.faults import code, text, translated
from ovenbird.core.blots import blotted
from ovenbird.core.commands import Command
from ovenbird.errors import NotYetVisible

DOCUMENT = "AWS-RunShellScript"
_LONGEST_COMMENT = 100


def online(instance_id: str) -> bool:
    """Whether Run Command reaches the instance now.

    An instance that never registered is not online; there is no dependable event for it.

    IAM: ssm:DescribeInstanceInformation
    """
    with translated(f"ask whether {instance_id} is online"):
        found = clients.get("ssm").describe_instance_information(
            Filters=[{"Key": "InstanceIds", "Values": [instance_id]}], MaxResults=5
        )["InstanceInformationList"]
    return any(
        each["InstanceId"] == instance_id and each.get("PingStatus") == "Online" for each in found
    )


def send(
    instance_id: str, lines: Sequence[str], *, comment: str, timeout: timedelta, delivery: timedelta
) -> str:
    """Run a script as root in ``/`` and return the command's id.

    There is no client token, and a script that runs twice at once spoils the disk: the SDK does not
    repeat the call, and whoever does looks for the comment first (:func:`find`).

    Args:
        comment: What the command is found by; cut to 100 characters, here as there.
        timeout: How long the script may run.
        delivery: How long it may take to reach the instance; 30 seconds at least.

    Raises:
        NotYetVisible: Run Command does not reach the instance (any more); look again.

    IAM: ssm:SendCommand
    Source: Systems Manager API reference, SendCommand.
    """
    with translated(f"send the script to {instance_id}"):
        try:
            answer = clients.get("ssm", once=True).send_command(
                DocumentName=DOCUMENT,
                InstanceIds=[instance_id],
                Comment=comment[:_LONGEST_COMMENT],
                TimeoutSeconds=round(delivery.total_seconds()),
                Parameters={
                    "commands": list(lines),
                    "workingDirectory": ["/"],
                    "executionTimeout": [str(round(timeout.total_seconds()))],
                },
            )
        except ClientError as error:
            if code(error) != "InvalidInstanceId":
                raise
            raise NotYetVisible(f"Run Command does not reach {instance_id}: {text(error)}") from (
                error
            )
    return str(answer["Command"]["CommandId"])


def find(instance_id: str, comment: str, *, secrets: Collection[str] = ()) -> Command | None:
    """The command with that comment on the instance, with its output if it has ended.

    Secrets are blotted out of the output here, so that nothing of ours ever holds them.

    ``None`` may also mean that it was sent a moment ago. Should there be two after all, the one
    that still runs, or has failed, is the answer: the disk is whole when both have succeeded.

    Args:
        secrets: Values that may not be in the output, besides what looks like a secret anyway.

    IAM: ssm:ListCommandInvocations, ssm:GetCommandInvocation
    """
    with translated(f"look for the script on {instance_id}"):
        pages = (
            clients.get("ssm")
            .get_paginator("list_command_invocations")
            .paginate(InstanceId=instance_id, PaginationConfig={"PageSize": 50})
        )
        sent = [
            invocation
            for page in pages
            for invocation in page["CommandInvocations"]
            if invocation.get("Comment") == comment[:_LONGEST_COMMENT]
        ]
    if not sent:
        return None
    seen = min(map(_command, sent), key=lambda command: (not command.is_running, command.succeeded))
    return seen if seen.is_running else _ended(seen, instance_id, secrets)


def _command(invocation: Mapping[str, Any]) -> Command:
    return Command(
        invocation["CommandId"],
        invocation["Status"],
        invocation["RequestedDateTime"],
        details=invocation.get("StatusDetails", ""),
    )


def _ended(command: Command, instance_id: str, secrets: Collection[str]) -> Command:
    with translated(f"read the output of the script on {instance_id}"):
        try:
            answer: dict[str, Any] = clients.get("ssm").get_command_invocation(
                CommandId=command.command_id, InstanceId=instance_id
            )
        except ClientError as error:
            if code(error) != "InvocationDoesNotExist":
                raise
            raise NotYetVisible(f"The script's output on {instance_id} is not there yet.") from (
                error
            )
    return Command(
        command.command_id,
        answer["Status"],
        command.requested,
        details=answer.get("StatusDetails", ""),
        exit_code=answer.get("ResponseCode"),
        stdout=blotted(answer.get("StandardOutputContent", ""), secrets),
        stderr=blotted(answer.get("StandardErrorContent", ""), secrets),
    )
