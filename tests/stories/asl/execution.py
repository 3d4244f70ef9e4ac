"""One execution of a state machine: states one after another, on a timeline.

What a state costs is counted as AWS counts it: every state entered and every retry is a
transition; history events are named as GetExecutionHistory names them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from tests.stories.asl import choices, paths, retries, templates
from tests.stories.asl.definition import SNS_PUBLISH, Definition, State
from tests.stories.asl.failures import StateFailed

PAYLOAD_LIMIT = 256 * 1024
EVENT_LIMIT = 248 * 1024  # of what an event tells of input and output
HISTORY_LIMIT = 25_000
STEP = timedelta(milliseconds=20)  # from one state to the next
_FOR_EVER = 99_999_999


class Surroundings(Protocol):
    """What an execution needs of the world around it."""

    def now(self) -> datetime: ...

    def after(self, delay: timedelta, action: Callable[[], None]) -> None: ...

    def invoke(self, function_arn: str, payload: Any) -> Any:
        """The function's answer; raises StateFailed with its error."""

    def integrate(self, service: str, operation: str, arguments: dict[str, Any]) -> Any:
        """The answer of an AWS call; raises StateFailed with its error."""

    def tell(self, kind: str, detail: dict[str, Any], resource: str) -> None:
        """Put an event of Step Functions on the default bus."""


@dataclass(frozen=True)
class Event:
    """One event of the history."""

    at: datetime
    kind: str
    state: str = ""


@dataclass
class _Attempt:
    """One try of a task; ``open`` until it has been answered or timed out."""

    token: str
    open: bool = True


@dataclass
class Execution:
    """A running or finished execution. ``output`` is None unless it succeeded."""

    arn: str
    name: str
    machine_arn: str
    definition: Definition
    text: str  # the input, as it was given
    world: Surroundings
    random: random.Random
    status: str = "RUNNING"
    output: Any = None
    error: str = ""
    cause: str = ""
    transitions: int = 0
    history: list[Event] = field(default_factory=list)
    stopped: datetime | None = None
    state: str = ""
    whole: Any = None  # the state data ($) as it stands
    _attempt: _Attempt | None = None
    _attempts: int = 0
    redriven: datetime | None = None  # the last time
    _life: int = 0  # how often it was redriven
    _asleep_until: datetime | None = None
    _tries: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.started = self.world.now()

    @property
    def running(self) -> bool:
        return self.status == "RUNNING"

    @property
    def visited(self) -> list[str]:
        """The states entered, in order."""
        return [event.state for event in self.history if event.kind.endswith("StateEntered")]

    def begin(self) -> None:
        self._note("ExecutionStarted")
        self._tell()
        if seconds := self.definition.timeout_seconds:
            self._later(timedelta(seconds=seconds), self._time_out)
        self._go(self.definition.start_at, json.loads(self.text))

    def _time_out(self) -> None:
        self.error, self.cause = "States.Timeout", ""
        self._end("TIMED_OUT")

    def abort(self, error: str, cause: str) -> None:
        self.error, self.cause = error, cause
        self._end("ABORTED")

    def sleep(self, duration: timedelta) -> None:
        """Nothing of it moves for a while: Step Functions itself has an outage."""
        self._asleep_until = self.world.now() + duration

    def redrive(self) -> None:
        """Go on where it was stopped or has failed, with the data of then.

        Source: Step Functions developer guide, "Restarting state machine executions with redrive".
        """
        self.status, self.stopped, self.error, self.cause = "RUNNING", None, "", ""
        self._life += 1
        self.redriven = self.world.now()
        self._note("ExecutionRedriven")
        self._tell()
        self._go(self.state, self.whole)

    def waits_for(self, token: str) -> bool:
        """Whether the token is the one that this execution waits for now."""
        attempt = self._attempt
        return self.running and attempt is not None and attempt.open and attempt.token == token

    def answer(self, token: str, result: Any, failure: StateFailed | None = None) -> None:
        """Complete the task that waits for this token."""
        if self._attempt and self._attempt.token == token:
            self._answered(self._attempt, result, failure)

    # The life of a state ------------------------------------------------------------------

    def _go(self, name: str, data: Any) -> None:
        def enter() -> None:
            self.state, self.whole, self._tries = name, data, {}
            self.transitions += 1
            self._note(f"{self._kind}StateEntered")
            self._guarded(self._run)

        self._later(STEP, enter)

    @property
    def _kind(self) -> str:
        return str(self._now["Type"])

    @property
    def _now(self) -> State:
        return self.definition.states[self.state]

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except StateFailed as failure:
            self._failed(failure)

    def _run(self) -> None:
        state, kind = self._now, self._kind
        data = self._selected(state)
        if kind == "Task":
            self._try()
        elif kind == "Choice":
            following = next(
                (r["Next"] for r in state["Choices"] if choices.holds(r, data, self._context())),
                state.get("Default"),
            )
            if following is None:
                raise StateFailed("States.NoChoiceMatched", f"{self.state}: nothing matched")
            self._leave(data, following)
        elif kind == "Wait":
            seconds = state.get("Seconds")
            if seconds is None:
                seconds = paths.read(state["SecondsPath"], data, self._context())
            self._later(timedelta(seconds=seconds), lambda: self._leave(data))
        elif kind == "Pass":
            result = state.get("Result", data)
            if "Parameters" in state:
                result = templates.fill(state["Parameters"], data, self._context())
            self._leave(paths.place(state.get("ResultPath", "$"), data, result))
        elif kind == "Succeed":
            self._note("SucceedStateExited")
            self.output = self._shown(state, data)
            self._end("SUCCEEDED")
        else:
            self.error = self._told(state, "Error", data)
            self.cause = self._told(state, "Cause", data)
            self._end("FAILED")

    def _told(self, state: State, name: str, data: Any) -> str:
        if f"{name}Path" in state:
            return str(templates.evaluate(state[f"{name}Path"], data, self._context()))
        return str(state.get(name, ""))

    def _selected(self, state: State) -> Any:
        path = state.get("InputPath", "$")
        return {} if path is None else paths.read(path, self.whole, self._context())

    def _shown(self, state: State, data: Any) -> Any:
        path = state.get("OutputPath", "$")
        return {} if path is None else paths.read(path, data, self._context())

    def _leave(self, data: Any, following: str | None = None) -> None:
        if not self.running:
            return
        state = self._now
        output = _limited(self._shown(state, data), f"the output of {self.state}")
        self._note(f"{self._kind}StateExited")
        following = following or state.get("Next")
        if following:
            self._go(following, output)
        else:
            self.output = output
            self._end("SUCCEEDED")

    # Tasks --------------------------------------------------------------------------------

    def _try(self) -> None:
        state = self._now
        self._attempts += 1
        attempt = self._attempt = _Attempt(f"{self.name}#{self._attempts}")
        resource: str = state["Resource"]
        data = self._selected(state)
        if "Parameters" in state:
            data = templates.fill(state["Parameters"], data, self._context())
        _limited(data, f"the input of {self.state}")
        waits = resource.endswith(".waitForTaskToken")
        direct = ":function:" in resource
        self._note("LambdaFunctionScheduled" if direct else "TaskScheduled")
        self._note("LambdaFunctionStarted" if direct else "TaskStarted")
        began = self.world.now()
        limit = timedelta(seconds=self._timeout(state))
        timeout = StateFailed("States.Timeout", f"{self.state} took more than {limit}")
        if waits:
            self._later(limit, lambda: self._answered(attempt, None, timeout))
            self._note("TaskSubmitted")
            self.world.integrate("dynamodb", "UpdateItem", data)
            return  # SendTaskSuccess or the time-out goes on from here
        if direct:
            result = self.world.invoke(resource, data)
        elif resource == SNS_PUBLISH:
            result = self.world.integrate("sns", "Publish", data)
        else:
            result = {"Payload": self.world.invoke(data["FunctionName"], data.get("Payload"))}
        if not self.running:
            return  # stopped while the function ran
        late = self.world.now() - began > limit
        self._answered(attempt, result, timeout if late else None)

    def _timeout(self, state: State) -> int:
        if "TimeoutSecondsPath" not in state:
            return int(state.get("TimeoutSeconds", _FOR_EVER))
        seconds = paths.read(state["TimeoutSecondsPath"], self.whole, self._context())
        if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds <= 0:
            raise StateFailed("States.Runtime", f"{self.state}: {seconds!r} is no time-out")
        return seconds

    def _answered(self, attempt: _Attempt, result: Any, failure: StateFailed | None) -> None:
        if not self.running or not attempt.open or attempt is not self._attempt:
            return
        attempt.open = False

        def go_on() -> None:
            if failure:
                raise failure
            state = self._now
            self._note(f"{self._short}Succeeded")
            _limited(result, f"the result of {self.state}")
            chosen = result
            if "ResultSelector" in state:
                chosen = templates.fill(state["ResultSelector"], result, self._context())
            data = self._selected(state)
            self._leave(paths.place(state.get("ResultPath", "$"), data, chosen))

        self._guarded(go_on)

    @property
    def _short(self) -> str:
        return "LambdaFunction" if ":function:" in self._now.get("Resource", "") else "Task"

    def _failed(self, failure: StateFailed) -> None:
        if self._attempt:
            self._attempt.open = False
        state = self._now
        if self._kind == "Task":
            kind = "TimedOut" if failure.error == "States.Timeout" else "Failed"
            self._note(f"{self._short}{kind}")
            delay = retries.delay(state.get("Retry", ()), failure, self._tries, self.random)
            if delay is not None:
                self.transitions += 1
                self._later(delay, lambda: self._guarded(self._try))
                return
            for catcher in state.get("Catch", ()):
                if retries.matches(catcher["ErrorEquals"], failure):
                    seen = {"Error": failure.error, "Cause": failure.cause}
                    path = catcher.get("ResultPath", "$")
                    self._note("TaskStateExited")
                    self._go(catcher["Next"], paths.place(path, self.whole, seen))
                    return
        self.error, self.cause = failure.error, failure.cause
        self._end("FAILED")

    # Bookkeeping --------------------------------------------------------------------------

    def _context(self) -> dict[str, Any]:
        return {
            "Execution": {
                "Id": self.arn,
                "Name": self.name,
                "Input": json.loads(self.text),
                "StartTime": _stamp(self.started),
            },
            "State": {"Name": self.state, "EnteredTime": _stamp(self.world.now())},
            "StateMachine": {"Id": self.machine_arn, "Name": self.machine_arn.split(":")[-1]},
            "Task": {"Token": self._attempt.token if self._attempt else ""},
        }

    def _note(self, kind: str) -> None:
        self.history.append(Event(self.world.now(), kind, self.state))
        if len(self.history) > HISTORY_LIMIT and self.running:
            self.error, self.cause = "States.Runtime", "The history has more than 25,000 events"
            self._end("FAILED")

    def _later(self, delay: timedelta, action: Callable[[], None]) -> None:
        life = self._life

        def act() -> None:
            if not self.running or self._life != life:
                return
            now = self.world.now()
            if self._asleep_until is not None and now < self._asleep_until:
                self.world.after(self._asleep_until - now, act)
            else:
                action()

        self.world.after(delay, act)

    def _end(self, status: str) -> None:
        self.status, self.stopped = status, self.world.now()
        self.history.append(Event(self.world.now(), f"Execution{status.title().replace('_', '')}"))
        self._tell()

    def _tell(self) -> None:
        """Every change of the status is an event.

        Source: Step Functions developer guide, "Automating Step Functions event delivery with
        EventBridge" and its examples.
        """
        failed = self.status in ("FAILED", "TIMED_OUT", "ABORTED")
        output = json.dumps(self.output) if self.status == "SUCCEEDED" else None
        detail = {
            "executionArn": self.arn,
            "stateMachineArn": self.machine_arn,
            "name": self.name,
            "status": self.status,
            "startDate": _milliseconds(self.started),
            "stopDate": _milliseconds(self.stopped) if self.stopped else None,
            "input": self.text if len(self.text) < EVENT_LIMIT else None,
            "inputDetails": {"included": len(self.text) < EVENT_LIMIT},
            "output": output if output and len(output) < EVENT_LIMIT else None,
            "outputDetails": {"included": len(output) < EVENT_LIMIT} if output else None,
            "redriveCount": self._life,
            "redriveDate": _milliseconds(self.redriven) if self.redriven else None,
            "error": (self.error or None) if failed else None,
            "cause": (self.cause or None) if failed else None,
        }
        self.world.tell("Step Functions Execution Status Change", detail, self.arn)


def _limited(value: Any, what: str) -> Any:
    if len(json.dumps(value, separators=(",", ":")).encode()) > PAYLOAD_LIMIT:
        raise StateFailed("States.DataLimitExceeded", f"{what} is larger than 262144 bytes")
    return value


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
