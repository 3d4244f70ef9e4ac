"""The calls of CloudWatch that concern alarms, and the evaluation of those on our metrics."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.cloud.cloudwatch.alarm import Alarm, State, StateValue
from sandbox.cloud.cloudwatch.evaluation import KNOWN_COMPARISONS, evaluate
from sandbox.cloud.cloudwatch.notice import stamp, state_change
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel, Operation, Parameters, Result

#: (metric name, dimensions) → the metric's present value, or None while it has no datapoint.
Reader = Callable[[str, Mapping[str, str]], float | None]


class CloudWatch:
    """Alarms by name.

    ``states`` is what an instance refresh reads: the sandbox overrides it, because there another
    emulator holds the alarms that CloudFormation made.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.alarms: dict[str, Alarm] = {}
        self._readers: dict[str, Reader] = {}
        self._listeners: list[Callable[[str, StateValue], None]] = []

    def operations(self) -> dict[str, Operation]:
        """The operations by the names of the API."""
        return {
            "PutMetricAlarm": self.put_metric_alarm,
            "DescribeAlarms": self.describe_alarms,
            "SetAlarmState": self.set_alarm_state,
            "DeleteAlarms": self.delete_alarms,
        }

    def measure(self, namespace: str, read: Reader) -> None:
        """Let alarms on a namespace be evaluated from what ``read`` answers."""
        self._readers[namespace] = read

    def on_change(self, listener: Callable[[str, StateValue], None]) -> None:
        """Tell the listener of every change of state, when it happens."""
        self._listeners.append(listener)

    def state(self, name: str) -> StateValue | None:
        """The state of an alarm, ``None`` if there is no such alarm."""
        return self.states([name]).get(name)

    def states(self, names: Iterable[str]) -> dict[str, StateValue]:
        """The states of the alarms that exist, by name."""
        return {name: self.alarms[name].state.value for name in names if name in self.alarms}

    def put_metric_alarm(self, params: Parameters) -> Result:
        """Create or replace an alarm; a replaced one keeps its state.

        Source: CloudWatch API reference, PutMetricAlarm.
        """
        name, now = params["AlarmName"], self._kernel.now()
        comparison = params.get("ComparisonOperator")
        if comparison not in KNOWN_COMPARISONS or "MetricName" not in params:
            raise AwsError(
                "ValidationError",
                f"The sandbox's alarms have one metric and a plain threshold; "
                f"ComparisonOperator is {comparison!r}.",
            )
        old = self.alarms.get(name)
        unknown = State("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation", now)
        arn = self._kernel.arn("cloudwatch", f"alarm:{name}")
        state = old.state if old else unknown
        alarm = Alarm(name, arn, dict(params), now, state)
        alarm.points = deque(maxlen=params.get("EvaluationPeriods", 1))
        self.alarms[name] = alarm
        if params.get("Namespace") in self._readers:
            self._kernel.after(alarm.period, lambda: self._evaluate(alarm))
        return {}

    def describe_alarms(self, params: Parameters) -> Result:
        """The alarms by name, prefix or state, in the order of their names."""
        names, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix", "")
        found = [
            alarm
            for name, alarm in sorted(self.alarms.items())
            if (not names or name in names)
            and name.startswith(prefix)
            and params.get("StateValue", alarm.state.value) == alarm.state.value
        ]
        begin, size = int(params.get("NextToken", 0)), params.get("MaxRecords", 50)
        answer: Result = {
            "MetricAlarms": [alarm.describe() for alarm in found[begin : begin + size]],
            "CompositeAlarms": [],
        }
        if begin + size < len(found):
            answer["NextToken"] = str(begin + size)
        return answer

    def set_alarm_state(self, params: Parameters) -> Result:
        """Set a state by hand; the next evaluation sets the true one again.

        Source: CloudWatch API reference, SetAlarmState.
        """
        alarm = self.alarms.get(params["AlarmName"])
        if alarm is None:
            raise AwsError("ResourceNotFound", "Unknown alarm", 404)
        state = State(
            params["StateValue"],
            params["StateReason"],
            self._kernel.now(),
            params.get("StateReasonData"),
        )
        self._set(alarm, state)
        return {}

    def delete_alarms(self, params: Parameters) -> Result:
        """Delete all the alarms or, if one of them is unknown, none.

        Source: CloudWatch API reference, DeleteAlarms.
        """
        if any(name not in self.alarms for name in params["AlarmNames"]):
            raise AwsError("ResourceNotFound", "Unknown alarm", 404)
        for name in params["AlarmNames"]:
            del self.alarms[name]
        return {}

    def _evaluate(self, alarm: Alarm) -> None:
        if self.alarms.get(alarm.name) is not alarm:
            return  # deleted or replaced since
        put = alarm.put
        alarm.points.append(self._readers[put["Namespace"]](put["MetricName"], alarm.dimensions))
        value, reason = evaluate(
            tuple(alarm.points),
            comparison=put["ComparisonOperator"],
            threshold=float(put["Threshold"]),
            to_alarm=put.get("DatapointsToAlarm", put.get("EvaluationPeriods", 1)),
            missing=put.get("TreatMissingData", "missing"),
            before=alarm.state.value,
        )
        now = self._kernel.now()
        facts: dict[str, Any] = {
            "version": "1.0",
            "queryDate": stamp(now),
            "statistic": put.get("Statistic", "Average"),
            "period": put.get("Period", 60),
            "recentDatapoints": [point for point in alarm.points if point is not None],
            "threshold": float(put["Threshold"]),
        }
        self._set(alarm, State(value, reason, now, json.dumps(facts)))
        self._kernel.after(alarm.period, lambda: self._evaluate(alarm))

    def _set(self, alarm: Alarm, state: State) -> None:
        before, alarm.state = alarm.state, state
        if before.value == state.value:
            return
        self._kernel.emit(
            "aws.cloudwatch",
            "CloudWatch Alarm State Change",
            state_change(alarm, before),
            (alarm.arn,),
        )
        for listener in self._listeners:
            listener(alarm.name, state.value)
