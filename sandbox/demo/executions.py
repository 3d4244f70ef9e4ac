"""The rollouts as Step Functions tells them: which run, through which states, how they ended."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.client import SFNClient
    from mypy_boto3_stepfunctions.type_defs import HistoryEventTypeDef

# What a state of the machine is called in the show: by its step, waits included.
STEPS = {
    "PlanRollout": "Plan",
    "WaitForLane": "Queue",
    "BakeImage": "Bake",
    "PublishTemplate": "Publish",
    "RollGroup": "Roll",
    "MoveAddress": "Addresses",
    "SettleRollout": "Settle",
    "UndoRollout": "Undo",
}


@dataclass(frozen=True)
class Progress:
    """An execution at one moment: its status, its steps in order, and AWS's own counts."""

    status: str
    steps: tuple[tuple[float, str], ...]  # (epoch seconds, step), repeated steps left out
    transitions: int
    events: int
    result: str

    @property
    def is_over(self) -> bool:
        return self.status != "RUNNING"


class Rollouts:
    """Follows the executions of the rollout state machine."""

    def __init__(self, client: SFNClient, state_machine_arn: str) -> None:
        self._client, self._arn = client, state_machine_arn

    def known(self) -> set[str]:
        """The ARNs of all executions so far."""
        pages = self._client.get_paginator("list_executions").paginate(stateMachineArn=self._arn)
        return {found["executionArn"] for page in pages for found in page["executions"]}

    def progress(self, execution_arn: str) -> Progress:
        """Where the execution is now."""
        described = self._client.describe_execution(executionArn=execution_arn)
        pages = self._client.get_paginator("get_execution_history").paginate(
            executionArn=execution_arn
        )
        events = [event for page in pages for event in page["events"]]
        entered = [
            (event["timestamp"].timestamp(), event["stateEnteredEventDetails"]["name"])
            for event in events
            if "stateEnteredEventDetails" in event
        ]
        retries = _count(events, "LambdaFunctionScheduled", "TaskScheduled") - _count(
            events, "TaskStateEntered"
        )
        steps: list[tuple[float, str]] = []
        for at, state in entered:
            step = STEPS.get(state)
            if step and (not steps or steps[-1][1] != step):
                steps.append((at, step))
        result = described.get("cause", "") or _reason(described.get("output", ""))
        return Progress(
            described["status"], tuple(steps), len(entered) + retries, len(events), result
        )


def _count(events: Iterable[HistoryEventTypeDef], *types: str) -> int:
    return sum(event["type"] in types for event in events)


def _reason(output: str) -> str:
    """The last thing that a finished rollout said of itself."""
    state = json.loads(output) if output else {}
    for step in ("settle", "plan"):
        if "reason" in state.get(step, {}):
            return str(state[step]["reason"])
    return ""
