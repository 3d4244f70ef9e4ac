"""A rollout of the deployed stack, as Step Functions tells of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from sandbox.sandbox import Sandbox

T = TypeVar("T")
PATIENCE = 90.0  # seconds; a rollout takes about fifteen where nothing else runs


class Rollout:
    """One execution of the rollout state machine."""

    def __init__(self, sandbox: Sandbox, arn: str) -> None:
        self._steps, self._arn = sandbox.client("stepfunctions"), arn
        self.name = arn.rpartition(":")[2]

    def ended(self) -> dict[str, Any]:
        """The execution, once it is over."""

        def over() -> dict[str, Any] | None:
            described: dict[str, Any] = self._steps.describe_execution(executionArn=self._arn)
            return described if described["status"] != "RUNNING" else None

        return eventually(over, PATIENCE)

    def stop(self) -> None:
        """As a person does in the console."""
        self._steps.stop_execution(executionArn=self._arn, cause="by hand")

    def transitions(self) -> list[str]:
        """The states that it entered."""
        pages = self._steps.get_paginator("get_execution_history").paginate(executionArn=self._arn)
        return [
            event["stateEnteredEventDetails"]["name"]
            for page in pages
            for event in page["events"]
            if event["type"].endswith("StateEntered")
        ]

    def failures(self) -> list[str]:
        """The errors of its failed tasks, the ones that were repeated included.

        ministack calls the end of a Lambda task TaskFailed; AWS says LambdaFunctionFailed.
        """
        pages = self._steps.get_paginator("get_execution_history").paginate(executionArn=self._arn)
        return [
            event["taskFailedEventDetails"]["error"]
            for page in pages
            for event in page["events"]
            if event["type"] == "TaskFailed"
        ]


def eventually(true: Callable[[], T | None], seconds: float = 10.0) -> T:
    """The first answer that is true."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found
