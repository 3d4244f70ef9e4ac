"""An alarm went off: as an event on the bus, or as the alarm's own Lambda action.

    {
      "version": "0", "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
      "detail-type": "CloudWatch Alarm State Change",
      "source": "aws.cloudwatch", "account": "123456789012",
      "time": "2019-10-02T17:04:40Z", "region": "us-east-1",
      "resources": ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:ServerCpuTooHigh"],
      "detail": {
        "alarmName": "ServerCpuTooHigh",
        "previousState": {"value": "OK", "timestamp": "2019-10-01T13:56:40.987+0000"},
        "state": {
          "value": "ALARM", "timestamp": "2019-10-02T17:04:40.989+0000",
          "reason": "Threshold Crossed: 1 out of the last 1 datapoints was greater than …"
        }
      }
    }

    {
      "source": "aws.cloudwatch",
      "alarmArn": "arn:aws:cloudwatch:us-east-1:444455556666:alarm:lambda-demo-metric-alarm",
      "accountId": "444455556666", "time": "2023-08-04T12:36:15.490+0000", "region": "us-east-1",
      "alarmData": {
        "alarmName": "lambda-demo-metric-alarm",
        "state": {"value": "ALARM", "reason": "test", "timestamp": "2023-08-04T12:36:15.490+0000"},
        "previousState": {"value": "INSUFFICIENT_DATA"}
      }
    }

Suppressed and muted alarms still send events: ``state.actionsSuppressedBy`` and ``muteDetail`` say
that nobody wants to be told.

Source: Amazon CloudWatch user guide, "Alarm events and EventBridge" and "Invoke a Lambda function
from an alarm".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ovenbird.errors import BadEvent
from ovenbird.events.envelope import Ignored, at, optional, prose, text

_CHANGE = "CloudWatch Alarm State Change"


@dataclass(frozen=True)
class Alarmed:
    """An alarm that is in ALARM and that nobody has silenced."""

    alarm: str
    reason: str


def parse(event: dict[str, Any]) -> Alarmed | Ignored:
    """The alarm, from either shape.

    Raises:
        BadEvent: It has neither ``detail`` nor ``alarmData``, or no alarm's name in it.
    """
    part = "alarmData" if "alarmData" in event else "detail"
    if not isinstance(event.get(part), dict):
        raise BadEvent("The event has neither detail nor alarmData; it must have one of them.")
    kind = text(event, "detail-type") if "detail-type" in event else _CHANGE
    if kind != _CHANGE:
        return Ignored(f"{kind} is no change of an alarm's state")
    alarm, state = text(event, f"{part}.alarmName"), text(event, f"{part}.state.value")
    if state != "ALARM":
        return Ignored(f"alarm {alarm} is {state}")
    if suppressed := optional(event, f"{part}.state.actionsSuppressedBy"):
        return Ignored(f"the actions of alarm {alarm} are suppressed ({suppressed})")
    if at(event, f"{part}.muteDetail") is not None:
        return Ignored(f"alarm {alarm} is muted")
    return Alarmed(alarm, prose(event, f"{part}.state.reason"))
