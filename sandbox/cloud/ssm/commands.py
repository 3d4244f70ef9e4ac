"""Run Command: scripts on instances."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel, Operation, Parameters, Result
from sandbox.cloud.machines import CommandOutcome, Machines
from sandbox.cloud.pages import page
from sandbox.cloud.ssm.agents import Agents
from sandbox.cloud.ssm.invocations import (
    RUNNING,
    Command,
    Invocation,
    iso,
    shown_command,
    shown_invocation,
    shown_result,
)
from sandbox.cloud.visibility import Visibility

_DOCUMENT = "AWS-RunShellScript"
_PARAMETERS = {"commands", "workingDirectory", "executionTimeout"}
_DELIVERY = timedelta(seconds=1)  # the agent polls for messages all the time


class Commands:
    """Every command that was ever sent (AWS keeps them for 30 days)."""

    def __init__(self, kernel: Kernel, agents: Agents, machines: Machines) -> None:
        self._kernel, self._agents, self._machines = kernel, agents, machines
        self._visibility = Visibility(kernel)
        self.all: dict[str, Command] = {}

    def operations(self) -> dict[str, Operation]:
        return {
            "SendCommand": self.send,
            "CancelCommand": self.cancel,
            "GetCommandInvocation": self.get_invocation,
            "ListCommandInvocations": self.list_invocations,
            "ListCommands": self.list_commands,
        }

    def send(self, params: Parameters) -> Result:
        """Source: SSM API reference, SendCommand; there is no client token."""
        if params["DocumentName"] != _DOCUMENT:
            raise AwsError("InvalidDocument", f"Document {params['DocumentName']} does not exist.")
        given = params.get("Parameters", {})
        if unknown := set(given) - _PARAMETERS:
            raise AwsError("InvalidParameters", f"Unknown parameters: {sorted(unknown)}")
        if not given.get("commands"):
            raise AwsError("InvalidParameters", "Missing required parameter: commands")
        limit = (given.get("executionTimeout") or ["3600"])[0]
        if not limit.isdigit() or not 1 <= int(limit) <= 172_800:
            raise AwsError("InvalidParameters", f"executionTimeout {limit} is not 1 to 172800")
        chosen = self._chosen(params)
        command = Command(
            command_id=self._kernel.ids.uuid(),
            document=_DOCUMENT,
            comment=params.get("Comment", ""),
            parameters=given,
            requested=self._kernel.now(),
            delivery_limit=timedelta(seconds=params.get("TimeoutSeconds", 3600)),
            execution_limit=timedelta(seconds=int(limit)),
            invocations={one: Invocation(one) for one in chosen},
            instance_ids=tuple(params.get("InstanceIds", ())),
            targets=tuple(params.get("Targets", ())),
        )
        self.all[command.command_id] = command
        self._visibility.born(command.command_id)
        for invocation in command.invocations.values():
            self._deliver_later(command, invocation)
        return {"Command": shown_command(command)}

    def cancel(self, params: Parameters) -> Result:
        """What has ended stays as it is; what runs is killed, if the agent can."""
        command = self._find(params["CommandId"])
        for instance_id in params.get("InstanceIds") or list(command.invocations):
            if instance_id not in command.invocations:
                raise AwsError("InvalidInstanceId", f"{instance_id} does not run this command.")
            invocation = command.invocations[instance_id]
            if invocation.status == "Pending":
                self._end(command, invocation, "Cancelled")
            elif invocation.status == "InProgress":
                invocation.become("Cancelling")
                self._machines.cancel(instance_id)
        return {}

    def get_invocation(self, params: Parameters) -> Result:
        command = self._find(params["CommandId"])
        invocation = command.invocations.get(params["InstanceId"])
        if invocation is None or not self._visibility.sees(command.command_id):
            raise AwsError("InvocationDoesNotExist", "")
        return shown_result(command, invocation)

    def list_invocations(self, params: Parameters) -> Result:
        """The newest command first."""
        found = [
            (command, invocation)
            for command in self._listed(params)
            for invocation in command.invocations.values()
            if params.get("InstanceId") in (None, invocation.instance_id)
        ]
        for test in _tests(params, lambda pair: (pair[0], pair[1].status)):
            found = [pair for pair in found if test(pair)]
        found, more = page(found, params, least=1, most=50, bad_token="InvalidNextToken")
        shown = [shown_invocation(*pair, details=params.get("Details", False)) for pair in found]
        return {"CommandInvocations": shown, **more}

    def list_commands(self, params: Parameters) -> Result:
        found = self._listed(params)
        for test in _tests(params, lambda command: (command, command.status)):
            found = [command for command in found if test(command)]
        found, more = page(found, params, least=1, most=50, bad_token="InvalidNextToken")
        return {"Commands": [shown_command(one) for one in found], **more}

    def _chosen(self, params: Parameters) -> list[str]:
        """The instances by id, all of which must be ready, or those that targets match."""
        ids: list[str] = params.get("InstanceIds", [])
        if len(set(ids)) < len(ids):
            raise AwsError("DuplicateInstanceId", "You cannot specify an instance ID twice.")
        for instance_id in ids:
            if not self._agents.is_online(instance_id):
                raise AwsError(
                    "InvalidInstanceId",
                    f"Instances [[{instance_id}]] not in a valid state for account"
                    f" {self._kernel.account}",
                )
        chosen = list(ids)
        for target in params.get("Targets", ()):
            key = target["Key"]
            if key.startswith("tag:"):
                chosen += self._agents.with_tag(key.removeprefix("tag:"), target["Values"])
            else:
                chosen += [one for one in target["Values"] if self._agents.is_online(one)]
        if not ids and not params.get("Targets"):
            raise AwsError("ValidationException", "Either InstanceIds or Targets must be given.")
        return list(dict.fromkeys(chosen))

    def _deliver_later(self, command: Command, invocation: Invocation) -> None:
        def deliver() -> None:
            if invocation.status == "Pending" and self._agents.is_online(invocation.instance_id):
                self._begin(command, invocation)

        def give_up() -> None:
            if invocation.status == "Pending":
                self._end(command, invocation, "TimedOut", "Delivery Timed Out")

        self._kernel.after(_DELIVERY, deliver)
        self._kernel.after(command.delivery_limit, give_up)

    def _begin(self, command: Command, invocation: Invocation) -> None:
        invocation.become("InProgress")
        invocation.started = self._kernel.now()
        self._tell(command, invocation)

        def done(outcome: CommandOutcome) -> None:
            if invocation.status not in RUNNING:
                return
            if not self._agents.is_online(invocation.instance_id):
                return  # the machine went away, so nobody reports; the time limit will end it
            invocation.exit_code = outcome.exit_code
            invocation.stdout, invocation.stderr = outcome.stdout, outcome.stderr
            if invocation.status == "Cancelling":
                self._end(command, invocation, "Cancelled")
            elif outcome.exit_code == 0:
                self._end(command, invocation, "Success")
            else:
                invocation.stderr += f"failed to run commands: exit status {outcome.exit_code}"
                self._end(command, invocation, "Failed")

        def expire() -> None:
            if invocation.status in RUNNING:
                self._end(command, invocation, "TimedOut", "Execution Timed Out")
                self._machines.cancel(invocation.instance_id)

        self._kernel.after(command.execution_limit, expire)
        self._machines.run(
            invocation.instance_id,
            _script(command.parameters),
            {
                "AWS_SSM_INSTANCE_ID": invocation.instance_id,
                "AWS_SSM_REGION_NAME": self._kernel.region,
            },
            int(command.execution_limit.total_seconds()),
            done,
        )

    def _end(
        self, command: Command, invocation: Invocation, status: str, details: str = ""
    ) -> None:
        invocation.become(status, details)
        invocation.ended = self._kernel.now()
        self._tell(command, invocation)

    def _tell(self, command: Command, invocation: Invocation) -> None:
        """Source: SSM User Guide, Amazon EventBridge event examples for Systems Manager."""
        resource = (self._kernel.arn("ec2", f"instance/{invocation.instance_id}"),)
        common = {
            "command-id": command.command_id,
            "document-name": command.document,
            "requested-date-time": iso(command.requested),
        }
        self._kernel.emit(
            "aws.ssm",
            "EC2 Command Invocation Status-change Notification",
            common
            | {
                "instance-id": invocation.instance_id,
                "status": _in_events(invocation.status),
            },
            resource,
        )
        self._kernel.emit(
            "aws.ssm",
            "EC2 Command Status-change Notification",
            common
            | {
                "expire-after": iso(command.expires),
                "parameters": command.parameters,
                "status": _in_events(command.status),
            },
            resource,
        )

    def _find(self, command_id: str) -> Command:
        if command_id not in self.all:
            raise AwsError("InvalidCommandId", f"There is no command {command_id}.")
        return self.all[command_id]

    def _listed(self, params: Parameters) -> list[Command]:
        if params.get("CommandId"):
            self._find(params["CommandId"])
        return [
            command
            for command in reversed(self.all.values())
            if self._visibility.sees(command.command_id)
            and params.get("CommandId") in (None, command.command_id)
            and (params.get("InstanceId") is None or params["InstanceId"] in command.invocations)
        ]


def _script(parameters: dict[str, list[str]]) -> list[str]:
    """The lines, after going to the working directory: scripts begin in the machine's ``/``."""
    directory = (parameters.get("workingDirectory") or [""])[0].lstrip("/")
    there = [f"cd {shlex.quote('./' + directory)} || exit 1"] if directory else []
    return [*there, *parameters["commands"]]


def _tests(
    params: Parameters, look: Callable[[Any], tuple[Command, str]]
) -> list[Callable[[Any], bool]]:
    tests: list[Callable[[Any], bool]] = []
    for item in params.get("Filters", ()):
        key, value = item["key"], item["value"]
        if key == "Status":
            tests.append(lambda one, value=value: look(one)[1] == value)  # type: ignore[misc]
        elif key == "DocumentName":
            tests.append(lambda one, value=value: look(one)[0].document == value)  # type: ignore[misc]
        elif key in ("InvokedAfter", "InvokedBefore"):
            moment, after = datetime.fromisoformat(value), key == "InvokedAfter"
            tests.append(
                lambda one, moment=moment, after=after: (  # type: ignore[misc]
                    (look(one)[0].requested > moment) == after
                )
            )
        else:
            raise AwsError("InvalidFilterKey", f"The filter key {key} is not valid.")
    return tests


def _in_events(status: str) -> str:
    return "Canceled" if status == "Cancelled" else status  # spelled so in events only
