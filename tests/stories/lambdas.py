"""The Lambda service: the real handlers, called as the runtime calls them."""

from __future__ import annotations

import importlib.util
import json
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ovenbird import catalogue
from sandbox.cloud.clock import VirtualClock
from sandbox.cloud.faults import Killed
from tests.stories.asl.failures import StateFailed
from tests.stories.template import Function

Handler = Callable[[Any, object], Any]


class TimedOut(Killed):
    """The function ran longer than its time-out allows; the process is killed."""


@dataclass(frozen=True)
class Context:
    """What the runtime tells a handler about the invocation."""

    aws_request_id: str
    function_name: str
    invoked_function_arn: str
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 256


@dataclass
class Invocation:
    """One run of a handler; ``failure`` is its error name, empty when it answered.

    ``dead``: its process was killed, so not even its ``finally`` blocks call anybody.
    """

    number: int
    function: str
    event: Any
    deadline: float
    answer: Any = None
    failure: str = ""
    message: str = ""
    dead: bool = False


@cache
def handler(folder: Path) -> Handler:
    """The handler in a folder, imported once for all stories (as a warm Lambda has it).

    So what a module remembers is shared by all functions, which is less kind than Lambda; a
    process that is killed takes it along.
    """
    name = f"functions_{folder.name}"
    spec = importlib.util.spec_from_file_location(name, folder / "app.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Handler = module.handler
    return found


@dataclass
class Lambdas:
    """Runs functions; ``running`` is the stack of those that run now.

    One may run inside another: time passes in every AWS call, and what falls due meanwhile runs.
    So the stories interleave handlers as a real account does, and still the same way every time.
    """

    clock: VirtualClock
    invocations: list[Invocation] = field(default_factory=list)
    running: list[Invocation] = field(default_factory=list)

    def invoke(self, function: Function, payload: Any) -> Any:
        """The function's answer.

        Raises:
            StateFailed: Its error name and cause as Lambda reports them.
        """
        deadline = self.clock.now().timestamp() + function.timeout_seconds
        text = json.dumps(payload)  # as it travels; the invocation keeps a copy of its own
        event = json.loads(text)
        number = len(self.invocations) + 1
        invocation = Invocation(number, function.folder.name, event, deadline)
        self.invocations.append(invocation)
        context = Context(f"request-{number}", function.name, function.arn)
        try:
            with _environment(function), self._runs(invocation):
                answer = handler(function.folder)(json.loads(text), context)
                invocation.answer = json.loads(json.dumps(answer))
        except TimedOut:
            catalogue.forget()  # with the process
            raise self._failed(invocation, "Sandbox.Timedout", "Task timed out") from None
        except Killed as killed:
            catalogue.forget()
            raise self._failed(invocation, "Runtime.ExitError", f"exited: {killed}") from None
        except Exception as error:
            trace = "".join(traceback.format_exception(error))
            raise self._failed(invocation, type(error).__name__, str(error), trace) from error
        return invocation.answer

    @contextmanager
    def _runs(self, invocation: Invocation) -> Iterator[None]:
        self.running.append(invocation)
        try:
            yield
        finally:
            self.running.pop()

    @staticmethod
    def _failed(invocation: Invocation, error: str, message: str, trace: str = "") -> StateFailed:
        invocation.failure, invocation.message = error, message
        cause = {"errorMessage": message, "errorType": error, "stackTrace": trace.splitlines()}
        return StateFailed(error, json.dumps(cause))


@contextmanager
def _environment(function: Function) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in function.environment}
    os.environ.update(function.environment)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
