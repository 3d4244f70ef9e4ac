"""A metric alarm."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

StateValue = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]

#: What PutMetricAlarm keeps and DescribeAlarms shows again, as it was sent.
KEPT = (
    "AlarmDescription",
    "OKActions",
    "AlarmActions",
    "InsufficientDataActions",
    "MetricName",
    "Namespace",
    "Statistic",
    "ExtendedStatistic",
    "Dimensions",
    "Period",
    "Unit",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
    "Metrics",
)


@dataclass(frozen=True)
class State:
    """What an alarm said at a moment, and why."""

    value: StateValue
    reason: str
    at: datetime
    reason_data: str | None = None


@dataclass
class Alarm:
    """An alarm: its configuration as it was put, and its state.

    ``points`` are the latest datapoints, the newest last; ``None`` is a missing one.
    """

    name: str
    arn: str
    put: dict[str, Any]
    updated: datetime
    state: State
    points: deque[float | None] = field(default_factory=deque)

    @property
    def period(self) -> timedelta:
        """How often the alarm is evaluated."""
        return timedelta(seconds=self.put.get("Period", 60))

    @property
    def dimensions(self) -> dict[str, str]:
        """The metric's dimensions by name."""
        return {each["Name"]: each["Value"] for each in self.put.get("Dimensions", [])}

    def describe(self) -> dict[str, Any]:
        """The alarm as DescribeAlarms shows it."""
        shown = {key: self.put[key] for key in KEPT if key in self.put}
        shown.update(
            AlarmName=self.name,
            AlarmArn=self.arn,
            AlarmConfigurationUpdatedTimestamp=self.updated,
            ActionsEnabled=self.put.get("ActionsEnabled", True),
            StateValue=self.state.value,
            StateReason=self.state.reason,
            StateUpdatedTimestamp=self.state.at,
            StateTransitionedTimestamp=self.state.at,
        )
        for actions in ("OKActions", "AlarmActions", "InsufficientDataActions", "Dimensions"):
            shown.setdefault(actions, [])
        if self.state.reason_data is not None:
            shown["StateReasonData"] = self.state.reason_data
        return shown
