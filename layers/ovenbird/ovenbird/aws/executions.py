"""Step Functions: start a rollout, see whether one runs, wake one that waits."""

from __future__ import annotations

import json
from typing import Any, Literal

from botocore.exceptions import ClientError

from ovenbird.aws import clients, faults
from ovenbird.errors import NotFound
from ovenbird.settings import settings

_RUNNING = {"RUNNING", "PENDING_REDRIVE"}
_STALE = {"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"}


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
    with faults.translated(f"start the rollout {rollout}"):
        try:
            clients.get("stepfunctions").start_execution(
                stateMachineArn=settings().state_machine_arn,
                name=rollout,
                input=json.dumps(wish, sort_keys=True),
            )
        except ClientError as error:
            if faults.code(error) == "ExecutionAlreadyExists":
                return False
            raise
    return True


def is_running(rollout: str) -> bool:
    """Whether the execution of a rollout has not ended; ``False`` for one that never was.

    IAM: states:DescribeExecution
    """
    try:
        with faults.translated(f"describe the execution {rollout}"):
            answer = clients.get("stepfunctions").describe_execution(
                executionArn=settings().execution_arn(rollout)
            )
    except NotFound:
        return False
    return answer["status"] in _RUNNING


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
