"""An instance refresh has gone on, or an instance was launched or terminated.

    {
      "version": "0", "id": "12345678-1234-1234-1234-123456789012",
      "detail-type": "EC2 Auto Scaling Instance Refresh Succeeded",
      "source": "aws.autoscaling", "account": "123456789012",
      "time": "2026-01-05T09:00:00Z", "region": "us-west-2",
      "resources": ["auto-scaling-group-arn"],
      "detail": {
        "InstanceRefreshId": "c613620e-07e2-4ed2-a9e2-ef8258911ade",
        "AutoScalingGroupName": "my-asg"
      }
    }

    {
      "version": "0", "id": "12345678-1234-1234-1234-123456789012",
      "detail-type": "EC2 Instance Launch Successful",
      "source": "aws.autoscaling", "account": "123456789012",
      "time": "2026-01-05T09:00:00Z", "region": "us-west-2",
      "resources": ["auto-scaling-group-arn", "instance-arn"],
      "detail": {
        "StatusCode": "InProgress", "AutoScalingGroupName": "my-asg",
        "ActivityId": "87654321-4321-4321-4321-210987654321",
        "EC2InstanceId": "i-1234567890abcdef0", "Origin": "EC2", "Destination": "AutoScalingGroup"
      }
    }

Refresh events ring the refresh and its group: Succeeded, Failed, Cancelled, Checkpoint Reached,
Started Baking, Rollback Started, Rollback Succeeded, Rollback Failed; not Started, which says what
whoever started it knows. Launches ring the group.

Source: Amazon EC2 Auto Scaling user guide, "Instance refresh event reference" and "Amazon EC2 Auto
Scaling event reference".
"""

from __future__ import annotations

from typing import Any

from ovenbird.core.quotes import quoted
from ovenbird.errors import BadEvent
from ovenbird.events.envelope import Ignored, identifier, text

REFRESH = "EC2 Auto Scaling Instance Refresh "
LAUNCH = "EC2 Instance Launch Successful"


def doorbells(event: dict[str, Any]) -> tuple[str, ...] | Ignored:
    """The refresh's doorbell and its group's, or the group's alone."""
    kind = text(event, "detail-type")
    if kind.startswith(REFRESH):
        refresh = identifier(event, "detail.InstanceRefreshId")
        if kind == f"{REFRESH}Started":
            return Ignored("whoever started a refresh knows that it has begun")
        return refresh, f"group-{group_of(event)}"
    if kind == LAUNCH:
        return (f"group-{group_of(event)}",)
    return Ignored(f"nothing here waits for {kind}")


def group_of(event: dict[str, Any]) -> str:
    """The group that an event is about.

    Raises:
        BadEvent: The event names none.
    """
    name = text(event, "detail.AutoScalingGroupName")
    if len(name) > 255:
        raise BadEvent(
            f"detail.AutoScalingGroupName is {quoted(name)}; it must have at most 255 characters."
        )
    return name
