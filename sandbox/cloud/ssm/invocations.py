"""A command and its invocations, one for each instance: values, and how they are shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

# Sources: SSM API reference, GetCommandInvocation (StandardOutputContent, StandardErrorContent) and
# CommandPlugin (Output).
STDOUT_LIMIT, STDERR_LIMIT, OUTPUT_LIMIT = 24_000, 8_000, 2_500
RUNNING = ("Pending", "InProgress", "Cancelling")
# SSM User Guide, Understanding command statuses: the details are finer, and have spaces.
_DETAILS = {"InProgress": "In Progress"}


@dataclass
class Invocation:
    instance_id: str
    status: str = "Pending"
    details: str = "Pending"
    exit_code: int = -1
    stdout: str = ""
    stderr: str = ""
    started: datetime | None = None
    ended: datetime | None = None

    def become(self, status: str, details: str = "") -> None:
        self.status = status
        self.details = details or _DETAILS.get(status, status)


@dataclass
class Command:
    command_id: str
    document: str
    comment: str
    parameters: dict[str, list[str]]
    requested: datetime
    delivery_limit: timedelta
    execution_limit: timedelta
    invocations: dict[str, Invocation] = field(default_factory=dict)
    instance_ids: tuple[str, ...] = ()
    targets: tuple[dict[str, Any], ...] = ()

    @property
    def expires(self) -> datetime:
        return self.requested + self.delivery_limit + self.execution_limit

    @property
    def status(self) -> str:
        """Success needs every invocation; otherwise the worst of them speaks for all."""
        statuses = {one.status for one in self.invocations.values()}
        for status in ("InProgress", "Pending", "Cancelling", "Failed", "TimedOut", "Cancelled"):
            if status in statuses:
                return status
        return "Success"


def shown_command(command: Command) -> dict[str, Any]:
    done = [one for one in command.invocations.values() if one.status not in RUNNING]
    return {
        "CommandId": command.command_id,
        "DocumentName": command.document,
        "DocumentVersion": "$DEFAULT",
        "Comment": command.comment,
        "Parameters": command.parameters,
        "InstanceIds": list(command.instance_ids),
        "Targets": list(command.targets),
        "RequestedDateTime": command.requested,
        "ExpiresAfter": command.expires,
        "Status": command.status,
        "StatusDetails": _DETAILS.get(command.status, command.status),
        "TimeoutSeconds": int(command.delivery_limit.total_seconds()),
        "MaxConcurrency": "50",
        "MaxErrors": "0",
        "TargetCount": len(command.invocations),
        "CompletedCount": len(done),
        "ErrorCount": sum(one.status in ("Failed", "TimedOut") for one in done),
        "DeliveryTimedOutCount": sum(one.details == "Delivery Timed Out" for one in done),
    }


def shown_invocation(command: Command, one: Invocation, *, details: bool) -> dict[str, Any]:
    """As ListCommandInvocations shows it; the plugins only with ``details``."""
    shown: dict[str, Any] = {
        "CommandId": command.command_id,
        "InstanceId": one.instance_id,
        "Comment": command.comment,
        "DocumentName": command.document,
        "DocumentVersion": "$DEFAULT",
        "RequestedDateTime": command.requested,
        "Status": one.status,
        "StatusDetails": one.details,
        "StandardOutputUrl": "",
        "StandardErrorUrl": "",
        "CommandPlugins": [],
    }
    if details:
        output = one.stdout + (f"\n----------ERROR-------\n{one.stderr}" if one.stderr else "")
        plugin: dict[str, Any] = {
            "Name": "aws:runShellScript",
            "Status": one.status if one.status != "Cancelling" else "InProgress",
            "StatusDetails": one.details,
            "ResponseCode": one.exit_code,
            "Output": output[:OUTPUT_LIMIT],
        }
        if one.started:
            plugin["ResponseStartDateTime"] = one.started
        if one.ended:
            plugin["ResponseFinishDateTime"] = one.ended
        shown["CommandPlugins"] = [plugin]
    return shown


def shown_result(command: Command, one: Invocation) -> dict[str, Any]:
    """As GetCommandInvocation shows it: the first characters of both outputs, times as strings."""
    elapsed = (one.ended - one.started).total_seconds() if one.started and one.ended else 0
    return {
        "CommandId": command.command_id,
        "InstanceId": one.instance_id,
        "Comment": command.comment,
        "DocumentName": command.document,
        "DocumentVersion": "$DEFAULT",
        "PluginName": "aws:runShellScript",
        "ResponseCode": one.exit_code,
        "ExecutionStartDateTime": iso(one.started) if one.started else "",
        "ExecutionElapsedTime": f"PT{elapsed:g}S" if one.ended else "",
        "ExecutionEndDateTime": iso(one.ended) if one.ended else "",
        "Status": one.status,
        "StatusDetails": one.details,
        "StandardOutputContent": one.stdout[:STDOUT_LIMIT],
        "StandardOutputUrl": "",
        "StandardErrorContent": one.stderr[:STDERR_LIMIT],
        "StandardErrorUrl": "",
    }


def iso(moment: datetime) -> str:
    """As SSM writes times in strings: ``2026-01-05T09:00:00.049Z``."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
