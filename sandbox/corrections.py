"""Where ministack answers otherwise than AWS and it matters here, corrected in its own process.

Each correction wraps one function of ministack 1.5.33 and says which rule of AWS it restores; it
may go when ``tests/sandbox/test_running.py`` passes without it.
"""

from __future__ import annotations

import importlib
import json
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sandbox.keys import Key
from sandbox.layers import Layers
from sandbox.processes import Processes

_UNNAMED = ("Runtime.HandlerError", "RuntimeError")  # of a warm worker, and of a cold start
_DIED = ("Worker process died", "Worker process exited immediately")


def apply(speed: float, processes: Processes, key: Key) -> Callable[[], None]:
    """Apply all of them; the answer takes them back.

    Args:
        key: The credentials of the Lambda functions.
    """
    functions = importlib.import_module("ministack.services.lambda_svc")
    workers = importlib.import_module("ministack.core.lambda_runtime")
    machines = importlib.import_module("ministack.services.stepfunctions")
    rules = importlib.import_module("ministack.services.eventbridge")
    undo = [
        _wrap(functions, "_execute_function_warm", _named_errors),
        _wrap(machines, "_invoke_with_callback", _scaled_timeouts(speed)),
        _wrap(machines, "_execute_task", _timeouts_by_path(machines)),
        _wrap(rules, "_dispatch_to_lambda", _asynchronous(functions)),
        _wrap(rules, "_dispatch_event", _in_whole_seconds),
        _wrap(workers.Worker, "_spawn", _noted(processes)),
        _replace(workers, "execution_credentials", lambda _config: _credentials(key)),
        _wrap(functions, "_resolve_layer_zip", _shared(Layers(processes.state / "layers"))),
        # Read once when the module was imported, perhaps for an earlier sandbox of this process.
        _replace(machines, "_SFN_WAIT_SCALE", 1 / speed),
        _replace(functions, "_LAMBDA_ASYNC_RETRY_BASE_SECONDS", 60 / speed),
    ]

    def take_back() -> None:
        for each in reversed(undo):
            each()

    return take_back


def error_type(message: str, log: str) -> str:
    """The ``errorType`` that Lambda reports for a failed invocation.

    It is the name of the exception's class; for a runtime that ended in the middle,
    ``Runtime.ExitError``. The log ends with Python's traceback.
    Source: Lambda Developer Guide, "Lambda function errors in Python", and "Understanding retry
    behavior in Lambda".
    """
    if message.startswith(_DIED):
        return "Runtime.ExitError"
    end = f": {message}" if message else ""
    lines = log.rstrip().removesuffix(end).rstrip().splitlines()
    named = re.fullmatch(r"[\w.<>]+", lines[-1]) if lines else None
    return named[0].rpartition(".")[2] if named else "Runtime.Unknown"


def _named_errors(execute: Callable[..., Any]) -> Callable[..., Any]:
    """ministack calls every failure Runtime.HandlerError, or RuntimeError at a cold start."""

    def execute_and_name(func: Any, event: Any, request_id: Any) -> Any:
        result = execute(func, event, request_id)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict) and body.get("errorType") in _UNNAMED:
            name = error_type(body.get("errorMessage", ""), result.get("log", ""))
            result["body"] = {**body, "errorType": name}
        return result

    return execute_and_name


def _scaled_timeouts(speed: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """SFN_WAIT_SCALE leaves out the TimeoutSeconds of states that wait for a token."""

    def wrap(invoke: Callable[..., Any]) -> Callable[..., Any]:
        def invoke_scaled(resource: Any, given: Any, token: Any, state: dict[str, Any]) -> Any:
            if "TimeoutSeconds" in state:
                state = {**state, "TimeoutSeconds": state["TimeoutSeconds"] / speed}
            return invoke(resource, given, token, state)

        return invoke_scaled

    return wrap


def _timeouts_by_path(machines: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """TimeoutSecondsPath, which ministack does not know: the wait would last for a day.

    Source: Amazon States Language, "Task State".
    """

    def wrap(execute: Callable[..., Any]) -> Callable[..., Any]:
        def execute_in_time(state: dict[str, Any], given: Any, *others: Any) -> Any:
            path = state.get("TimeoutSecondsPath")
            if path is not None:
                state = {**state, "TimeoutSeconds": machines._resolve_path(path, given)}
            return execute(state, given, *others)

        return execute_in_time

    return wrap


def _asynchronous(functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A rule invokes its function asynchronously: with retries and a failure destination.

    ministack invokes it once. Source: Lambda Developer Guide, "Invoking a Lambda function
    asynchronously".
    """

    def wrap(_dispatch: Callable[..., Any]) -> Callable[..., Any]:
        def dispatch(arn: str, payload: str) -> None:
            invoke_asynchronously(functions, arn, json.loads(payload))

        return dispatch

    return wrap


def _in_whole_seconds(dispatch: Callable[..., Any]) -> Callable[..., Any]:
    """ministack stamps S3's events with microseconds, so two of one second would never tie.

    Source: Amazon EventBridge user guide, "AWS service event metadata" (``time``), and every sample
    of an event of AWS.
    """

    def dispatch_cut(event: dict[str, Any], *others: Any) -> Any:
        if "Time" in event:
            event = {**event, "Time": whole_seconds(event["Time"])}
        return dispatch(event, *others)

    return dispatch_cut


def whole_seconds(time: Any) -> Any:
    """The time of an event as AWS writes it, ``2026-01-05T09:00:00Z``; numbers are cut."""
    if isinstance(time, (int, float)):
        return int(time)
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return time  # a sender's own; whoever reads it refuses it
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def invoke_asynchronously(functions: Any, arn: str, event: Any) -> None:
    """Invoke a function as an event source does; an unknown function is ignored, as on AWS."""
    func, config, _name = functions._get_func_record_for_ref(arn)
    if func and config:
        record = functions._execution_record_for_config(func, config)
        functions.invoke_async_with_retry(record, event)


def _noted(processes: Processes) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A Lambda worker that is in the middle of an invocation would outlive a crash."""

    def wrap(spawn: Callable[..., Any]) -> Callable[..., Any]:
        noting = threading.Lock()

        def spawn_noted(worker: Any) -> None:
            spawn(worker)
            with noting:
                processes.note(worker._proc)

        return spawn_noted

    return wrap


def _credentials(key: Key) -> dict[str, str]:
    """ministack would give functions the account's number for a key, and people's secret."""
    return {**key.environment, "AWS_SESSION_TOKEN": ""}


def _shared(layers: Layers) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Every worker would unpack its layers anew."""

    def wrap(resolve: Callable[..., Any]) -> Callable[..., Any]:
        def resolve_shared(attachment: Any) -> bytes | None:
            packed = resolve(attachment)
            return layers.pointer(packed) if packed else None

        return resolve_shared

    return wrap


def _wrap(
    owner: Any, name: str, wrapper: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> Callable[[], None]:
    return _replace(owner, name, wrapper(getattr(owner, name)))


def _replace(owner: Any, name: str, value: Any) -> Callable[[], None]:
    original = getattr(owner, name)
    setattr(owner, name, value)
    return lambda: setattr(owner, name, original)
