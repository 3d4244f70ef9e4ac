"""The event that an alarm sends when its state changes."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sandbox.cloud.cloudwatch.alarm import Alarm, State


def state_change(alarm: Alarm, before: State) -> dict[str, Any]:
    """The ``detail`` of ``CloudWatch Alarm State Change``.

    Source: CloudWatch user guide, "Alarm events and EventBridge".
    """
    return {
        "alarmName": alarm.name,
        "configuration": {
            "description": alarm.put.get("AlarmDescription", ""),
            "metrics": [_metric(alarm)],
        },
        "previousState": _state(before),
        "state": _state(alarm.state),
    }


def _metric(alarm: Alarm) -> dict[str, Any]:
    return {
        # CloudWatch makes an id up for an alarm on one metric; the same alarm keeps its own.
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, alarm.arn)),
        "metricStat": {
            "metric": {
                "dimensions": alarm.dimensions,
                "name": alarm.put.get("MetricName", ""),
                "namespace": alarm.put.get("Namespace", ""),
            },
            "period": int(alarm.period.total_seconds()),
            "stat": alarm.put.get("Statistic", "Average"),
        },
        "returnData": True,
    }


def _state(state: State) -> dict[str, Any]:
    shown = {"reason": state.reason, "timestamp": stamp(state.at), "value": state.value}
    if state.reason_data is not None:
        shown["reasonData"] = state.reason_data
    return shown


def stamp(moment: datetime) -> str:
    """CloudWatch's own timestamps: milliseconds, and no colon in the offset."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"
