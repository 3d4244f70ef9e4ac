"""The Step Functions service: the calls that Ovenbird makes, with AWS's answers and errors."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field
from typing import Any

from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Operation, Parameters, Result
from tests.stories.asl.definition import Definition, parse
from tests.stories.asl.execution import PAYLOAD_LIMIT, Execution, Surroundings
from tests.stories.asl.failures import StateFailed

_BAD_NAME = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]")


@dataclass
class StepFunctions:
    """State machines and their executions, by ARN."""

    world: Surroundings
    random: random.Random
    machines: dict[str, Definition] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    _open: dict[str, Execution] = field(default_factory=dict)  # all that run, and some that ran

    def add(self, arn: str, document: dict[str, Any]) -> None:
        """Make a state machine from its definition (substitutions already filled)."""
        self.machines[arn] = parse(document)

    @property
    def busy(self) -> bool:
        """Whether any execution runs."""
        while self._open:
            arn, execution = next(iter(self._open.items()))
            if execution.running:
                return True
            del self._open[arn]
        return False

    def operations(self) -> dict[str, Operation]:
        return {
            "StartExecution": self.start,
            "DescribeExecution": self.describe,
            "StopExecution": self.stop,
            "RedriveExecution": self.redrive,
            "SendTaskSuccess": self.send_success,
            "SendTaskFailure": self.send_failure,
        }

    def start(self, params: Parameters) -> Result:
        """The same name with the same input while it runs is the same execution.

        Source: Step Functions API reference, StartExecution.
        """
        machine, text = params["stateMachineArn"], params.get("input", "{}")
        if machine not in self.machines:
            raise AwsError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{machine}'")
        name = params.get("name") or f"{self.random.getrandbits(128):032x}"
        if not 1 <= len(name) <= 80 or _BAD_NAME.search(name):
            raise AwsError("InvalidName", f"Invalid Name: '{name}'")
        try:
            json.loads(text)
        except ValueError:
            raise AwsError(
                "InvalidExecutionInput", "Invalid State Machine Execution Input"
            ) from None
        if len(text.encode()) > PAYLOAD_LIMIT:
            raise AwsError("ValidationException", "the input is larger than 262144 bytes")
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        old = self.executions.get(arn)
        if old is None:
            execution = Execution(
                arn, name, machine, self.machines[machine], text, self.world, self.random
            )
            self.executions[arn] = self._open[arn] = old = execution
            execution.begin()
        elif not old.running or json.loads(old.text) != json.loads(text):
            raise AwsError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        return {"executionArn": arn, "startDate": old.started}

    def describe(self, params: Parameters) -> Result:
        execution = self._execution(params["executionArn"])
        answer: Result = {
            "executionArn": execution.arn,
            "stateMachineArn": execution.machine_arn,
            "name": execution.name,
            "status": execution.status,
            "startDate": execution.started,
        }
        if execution.stopped:
            answer["stopDate"] = execution.stopped
        if execution.redriven:
            answer["redriveDate"] = execution.redriven
        if params.get("includedData") == "METADATA_ONLY":
            return answer
        answer["input"] = execution.text
        if execution.status == "SUCCEEDED":
            answer["output"] = json.dumps(execution.output)
        if execution.status in ("FAILED", "TIMED_OUT", "ABORTED"):
            answer |= {"error": execution.error, "cause": execution.cause}
        return answer

    def stop(self, params: Parameters) -> Result:
        execution = self._execution(params["executionArn"])
        if execution.running:
            execution.abort(params.get("error", ""), params.get("cause", ""))
        return {"stopDate": execution.stopped}

    def redrive(self, params: Parameters) -> Result:
        """Source: Step Functions API reference, RedriveExecution."""
        execution = self._execution(params["executionArn"])
        if execution.status not in ("ABORTED", "FAILED", "TIMED_OUT"):
            raise AwsError("ExecutionNotRedrivable", f"Execution is {execution.status}")
        self._open[execution.arn] = execution
        execution.redrive()
        return {"redriveDate": execution.world.now()}

    def send_success(self, params: Parameters) -> Result:
        try:
            output = json.loads(params["output"])
        except ValueError:
            raise AwsError("InvalidOutput", "the output is not valid JSON") from None
        self._waiting(params["taskToken"]).answer(params["taskToken"], output)
        return {}

    def send_failure(self, params: Parameters) -> Result:
        failure = StateFailed(params.get("error", ""), params.get("cause", ""))
        self._waiting(params["taskToken"]).answer(params["taskToken"], None, failure)
        return {}

    def _execution(self, arn: str) -> Execution:
        if arn not in self.executions:
            raise AwsError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return self.executions[arn]

    def _waiting(self, token: str) -> Execution:
        """The execution that waits for the token.

        Raises:
            AwsError: ``TaskTimedOut`` when the token is an old one, ``TaskDoesNotExist`` when its
                execution is over, ``InvalidToken`` when it never was a token.
        """
        name = token.partition("#")[0]
        owner = next((e for e in self.executions.values() if e.name == name), None)
        if owner is None or "#" not in token:
            raise AwsError("InvalidToken", f"Invalid Token: '{token}'")
        if not owner.running:
            raise AwsError("TaskDoesNotExist", "Task does not exist anymore")
        if not owner.waits_for(token):
            raise AwsError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
        return owner
