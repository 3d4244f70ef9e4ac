"""What goes back and forth between the fleet (the model cloud) and what is around it (ministack).

- The cloud's events go on ministack's event bus, in their order.
- Alarms are made in ministack (PutMetricAlarm, CloudFormation). The model knows them too: it
  evaluates those on load balancer metrics, lets an instance refresh see the states of all, and
  tells of every change of state with AWS's event, which ministack does not.
- A change of a parameter is told with AWS's event, which ministack does not either.
- An alarm whose action is a Lambda function invokes it; ministack knows only SNS actions.
"""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass
from typing import Any

from sandbox.cloud.bus import Event
from sandbox.cloud.cloud import Cloud
from sandbox.cloud.cloudwatch.alarm import KEPT
from sandbox.cloud.errors import AwsError
from sandbox.emulator import Emulator, Parameter

LOOK_EVERY = 0.1  # seconds between two looks at alarms and parameters
_STATE_CHANGE = "CloudWatch Alarm State Change"


@dataclass
class _Mirrored:
    """An alarm that both sides know: its configuration, and the state on which they agree."""

    put: dict[str, Any]
    state: str


class Around:
    """Carries events out and keeps alarms and parameters in step, in one thread."""

    def __init__(self, cloud: Cloud, emulator: Emulator) -> None:
        self._cloud, self._emulator = cloud, emulator
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._mirrored: dict[str, _Mirrored] = {}
        self._known: dict[str, Parameter] | None = None
        self._carrier = threading.Thread(target=self._carry, name="events", daemon=True)
        cloud.kernel.bus.listeners.append(self._events.put)
        cloud.ec2.parameter = self._parameter

    def start(self) -> None:
        self._carrier.start()

    @property
    def is_alive(self) -> bool:
        return self._carrier.is_alive()

    def close(self) -> None:
        """Stop after the events that were already sent."""
        self._events.put(None)
        self._carrier.join()

    def _carry(self) -> None:
        looked = 0.0
        while True:
            if time.monotonic() - looked >= LOOK_EVERY:
                looked = time.monotonic()
                self.look()
            try:
                event = self._events.get(timeout=LOOK_EVERY)
            except queue.Empty:
                continue
            if event is None:
                return
            self._emulator.put_event(event)
            if event["detail-type"] == _STATE_CHANGE:
                self._act(event)

    def look(self) -> None:
        """Compare both sides once."""
        for name, alarm in self._emulator.alarms().items():
            self._compare(name, alarm)
        self._tell_of_parameters()

    def _parameter(self, name: str) -> str:
        value = self._emulator.parameter(name)
        if value is None:
            message = f"The parameter {name} of a launch template's image does not exist."
            raise AwsError("InvalidParameterValue", message)
        return value

    def _compare(self, name: str, alarm: dict[str, Any]) -> None:
        put = {"AlarmName": name, **{key: alarm[key] for key in KEPT if alarm.get(key)}}
        put.setdefault("Threshold", alarm.get("Threshold", 0))
        with self._cloud.kernel.lock:
            known = self._mirrored.get(name)
            if known is None or known.put != put:
                try:
                    self._cloud.cloudwatch.put_metric_alarm(put)
                except AwsError:
                    return  # the model knows only plain thresholds; ministack keeps the others
                state = known.state if known else "INSUFFICIENT_DATA"
                known = self._mirrored[name] = _Mirrored(put, state)
            ours = self._cloud.cloudwatch.alarms[name].state
        theirs = alarm["StateValue"]
        if theirs != known.state:
            known.state = theirs
            reason = alarm.get("StateReason", "")
            with self._cloud.kernel.lock:
                self._cloud.cloudwatch.set_alarm_state(
                    {"AlarmName": name, "StateValue": theirs, "StateReason": reason}
                )
        elif ours.value != known.state:
            known.state = ours.value
            self._emulator.set_alarm_state(name, ours.value, ours.reason)

    def _act(self, event: Event) -> None:
        """Invoke the functions that are the alarm's actions for its new state.

        Source: CloudWatch user guide, "Invoke a Lambda function from an alarm".
        """
        detail = event["detail"]
        alarm = self._emulator.alarms().get(detail["alarmName"], {})
        value = detail["state"]["value"]
        actions = {"OK": "OKActions", "ALARM": "AlarmActions"}.get(value, "InsufficientDataActions")
        if not alarm.get("ActionsEnabled", True):
            return
        for arn in alarm.get(actions, []):
            if arn.startswith("arn:aws:lambda:"):
                self._emulator.invoke(arn, direct(event))

    def _tell_of_parameters(self) -> None:
        now = {parameter.name: parameter for parameter in self._emulator.parameters()}
        before, self._known = self._known, now
        if before is None:
            return
        for name in sorted(before.keys() | now.keys()):
            old, new = before.get(name), now.get(name)
            if old and new and old.version == new.version:
                continue
            operation = "Delete" if not new else "Update" if old else "Create"
            self._tell_of_parameter(operation, new or old)

    def _tell_of_parameter(self, operation: str, parameter: Parameter | None) -> None:
        assert parameter
        kernel = self._cloud.kernel
        arn = kernel.arn("ssm", f"parameter/{parameter.name.lstrip('/')}")
        detail = {
            "operation": operation,
            "name": parameter.name,
            "type": parameter.type,
            "description": parameter.description,
        }
        with kernel.lock:
            kernel.emit("aws.ssm", "Parameter Store Change", detail, (arn,))


def direct(event: Event) -> Event:
    """An alarm's state change as a function gets it that is the alarm's own action."""
    detail = event["detail"]
    return {
        "source": "aws.cloudwatch",
        "alarmArn": event["resources"][0],
        "accountId": event["account"],
        "time": detail["state"]["timestamp"],
        "region": event["region"],
        "alarmData": {
            key: detail[key] for key in ("alarmName", "state", "previousState", "configuration")
        },
    }
