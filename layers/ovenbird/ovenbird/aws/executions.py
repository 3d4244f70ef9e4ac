"""Step Functions: start a rollout, see whether one runs, wake one that waits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from botocore.exceptions import ClientError

from ovenbird.aws import clients, faults
from ovenbird.errors import NotFound
from ovenbird.settings import settings

_RUNNING = {"RUNNING", "PENDING_REDRIVE"}
_STALE = {"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"}


@dataclass(frozen=True)
class Execution:
    """An execution as Step Functions describes it; empty texts where it does not say.

    ``ended`` and ``redriven`` (a person let it go on where it had ended) are the last times.
    """

    name: str
    status: str
    error: str = ""
    cause: str = ""
    ended: datetime | None = None
    redriven: datetime | None = None

    @property
    def is_running(self) -> bool:
        return self.status in _RUNNING


def start(rollout: str, wish: dict[str, Any]) -> bool:
    """Start the execution of a rollout; its name is the rollout's id.

    Args:
        wish: The execution's input; the same rollout must always have the same one.

    Returns:
        ``False`` where it was started before (with this name, within ninety days). Repeating it
        with the same input while it runs answers ``True`` and starts nothing.

    IAM: states:StartExecution
    Source: Step Functions API reference, StartExecution.
    """
    return _start(settings().state_machine_arn, rollout, json.dumps(wish, sort_keys=True))


def start_addresses(name: str, text: str) -> bool:
    """Start a run that looks after the addresses of a group; as :func:`start`.

    Args:
        text: Its input, an event, as JSON.

    IAM: states:StartExecution
    """
    return _start(settings().addresses_machine_arn, name, text)


def _start(machine: str, name: str, text: str) -> bool:
    with faults.translated(f"start the execution {name}"):
        try:
            clients.get("stepfunctions").start_execution(
                stateMachineArn=machine, name=name, input=text
            )
        except ClientError as error:
            if faults.code(error) == "ExecutionAlreadyExists":
                return False
            raise
    return True


def asked(rollout: str) -> dict[str, Any]:
    """The input of an execution that was started, by whomever; empty where it is no object.

    Raises:
        NotFound: There is no such execution.

    IAM: states:DescribeExecution
    """
    with faults.translated(f"describe the execution {rollout}"):
        answer = clients.get("stepfunctions").describe_execution(
            executionArn=settings().execution_arn(rollout)
        )
    try:
        written = json.loads(answer.get("input", "null"))
    except (ValueError, RecursionError):
        return {}
    return written if isinstance(written, dict) else {}


def is_running(rollout: str) -> bool:
    """Whether the execution of a rollout has not ended; ``False`` for one that never was.

    IAM: states:DescribeExecution
    """
    execution = describe(settings().execution_arn(rollout))
    return execution is not None and execution.is_running


def describe(arn: str) -> Execution | None:
    """An execution as it stands, perhaps some moments ago; ``None`` for one that never was.

    Its input and output are left out of the answer: they need the key that a history is encrypted
    with, and nobody here reads them.

    IAM: states:DescribeExecution
    Source: Step Functions API reference, DescribeExecution, includedData; "eventually consistent".
    """
    name = arn.rpartition(":")[2]
    try:
        with faults.translated(f"describe the execution {name}"):
            answer = clients.get("stepfunctions").describe_execution(
                executionArn=arn, includedData="METADATA_ONLY"
            )
    except NotFound:
        return None
    return Execution(
        name=name,
        status=answer["status"],
        error=answer.get("error", ""),
        cause=answer.get("cause", ""),
        ended=answer.get("stopDate"),
        redriven=answer.get("redriveDate"),
    )


def complete(token: str | None) -> Literal["woken", "stale", "nobody"]:
    """Wake the execution that waits with a task token; ``None`` is nobody.

    A stale token is normal: the wait ended by its timeout, or somebody else was first.

    IAM: states:SendTaskSuccess
    Source: Step Functions API reference, SendTaskSuccess.
    """
    if token is None:
        return "nobody"
    with faults.translated("wake a waiting rollout"):
        try:
            clients.get("stepfunctions").send_task_success(taskToken=token, output='{"rung": true}')
        except ClientError as error:
            if faults.code(error) in _STALE:
                return "stale"
            raise
    return "woken"
