"""ministack, mounted in this process: everything of AWS that is not the fleet.

What the sandbox asks of it beyond HTTP stands here: events of AWS's own services, parameters, alarm
states, and the end of its Lambda workers.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sandbox import corrections
from sandbox.asgi import Application
from sandbox.cloud.bus import Event
from sandbox.keys import Key
from sandbox.processes import Processes


def environment(port: int, speed: float) -> dict[str, str]:
    """What ministack reads when it is imported; set it before that."""
    return {
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": "us-east-1",
        "IOT_MTLS_ENABLED": "0",  # it would open port 8883
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "SFN_WAIT_SCALE": str(1 / speed),
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": str(60 / speed),
    }


@dataclass(frozen=True)
class Parameter:
    """A Parameter Store parameter, as its events tell of it."""

    name: str
    version: int
    type: str
    description: str


class Emulator:
    """ministack's application and the few in-process ways into it."""

    def __init__(self, speed: float, processes: Processes, key: Key) -> None:
        self._app = importlib.import_module("ministack.app")
        self._events = importlib.import_module("ministack.services.eventbridge")
        self._alarms = importlib.import_module("ministack.services.cloudwatch")
        self._parameters = importlib.import_module("ministack.services.ssm")
        self._functions = importlib.import_module("ministack.services.lambda_svc")
        self._runtime = importlib.import_module("ministack.core.lambda_runtime")
        self._take_back = corrections.apply(speed, processes, key)

    @property
    def application(self) -> Application:
        """The ASGI application."""
        app: Application = self._app.app
        return app

    def put_event(self, event: Event) -> None:
        """Put an event of one of AWS's services on the default bus (PutEvents refuses those)."""
        entry = {
            "Source": event["source"],
            "DetailType": event["detail-type"],
            "Detail": json.dumps(event["detail"]),
            "Resources": event["resources"],
        }
        self._events._ensure_default_bus()
        self._events._put_events({"Entries": [entry]}, allow_aws_source=True)

    def parameter(self, name: str) -> str | None:
        """A parameter's value."""
        _, found = self._parameters._lookup_parameter(name)
        return str(found["Value"]) if found else None

    def parameters(self) -> Iterator[Parameter]:
        """All parameters."""
        for name, found in list(self._parameters._parameters.items()):
            yield Parameter(
                name, found["Version"], found.get("Type", "String"), found.get("Description", "")
            )

    def alarms(self) -> dict[str, dict[str, Any]]:
        """All metric alarms by name, with their PutMetricAlarm members and their state."""
        self._alarms._evaluate_all_alarms()
        return {name: dict(alarm) for name, alarm in list(self._alarms._alarms.items())}

    def set_alarm_state(self, name: str, value: str, reason: str) -> None:
        """SetAlarmState, which also sends the alarm's notices; call it outside the event loop."""
        form = {
            "Action": "SetAlarmState",
            "AlarmName": name,
            "StateValue": value,
            "StateReason": reason,
        }
        self._app.call_service_handler_sync(
            self._alarms.handle_request,
            "POST",
            "/",
            {"content-type": "application/x-www-form-urlencoded"},
            urlencode(form).encode(),
            {},
        )

    def invoke(self, function_arn: str, event: Event) -> None:
        """Invoke a function asynchronously."""
        corrections.invoke_asynchronously(self._functions, function_arn, event)

    def kill(self, function: str) -> int:
        """Kill the workers of a function (a part of its name) that are in an invocation now.

        Returns how many there were. What they had done until then stays done, as when a Lambda's
        machine is lost.
        """
        busy = [
            worker
            for workers in self._runtime._workers.values()
            for worker in workers
            if worker.in_use and function in worker.func_name and worker._proc
        ]
        for worker in busy:
            worker._proc.kill()
        return len(busy)

    def close(self) -> None:
        """End the Lambda workers and forget everything."""
        self._app._reset_all_state()
        self._take_back()
