"""A command has ended, or a parameter has changed.

    {
      "version": "0", "id": "51c0891d-0e34-45b1-83d6-95db273d1602",
      "detail-type": "EC2 Command Status-change Notification",
      "source": "aws.ssm", "account": "123456789012",
      "time": "2024-07-10T21:51:32Z", "region": "us-east-2",
      "resources": ["arn:aws:ec2:us-east-2:123456789012:instance/i-02573cafcfEXAMPLE"],
      "detail": {
        "command-id": "e8d3c0e4-71f7-4491-898f-c9b35bee5f3b",
        "document-name": "AWS-RunPowerShellScript",
        "requested-date-time": "2024-07-10T21:51:30.049Z", "status": "Success"
      }
    }

    {
      "version": "0", "id": "9547ef2d-3b7e-4057-b6cb-5fdf09ee7c8f",
      "detail-type": "Parameter Store Change", "source": "aws.ssm", "account": "123456789012",
      "time": "2024-05-22T16:44:48Z", "region": "us-east-2",
      "resources": ["arn:aws:ssm:us-east-2:123456789012:parameter/MyExampleParameter"],
      "detail": {
        "operation": "Update", "name": "MyExampleParameter", "type": "String",
        "description": "Sample Parameter"
      }
    }

``EC2 Command Invocation Status-change Notification`` also has the ``instance-id``. The change of a
parameter never tells its value.

Source: AWS Systems Manager user guide, "Amazon EventBridge event examples for Systems Manager".
"""

from __future__ import annotations

import re
from typing import Any

from ovenbird.events.envelope import Ignored, identifier, text
from ovenbird.fleet import NAME

COMMANDS = (
    "EC2 Command Status-change Notification",
    "EC2 Command Invocation Status-change Notification",
)
PARAMETER = "Parameter Store Change"


def doorbells(event: dict[str, Any]) -> tuple[str, ...] | Ignored:
    """The command's doorbell. A parameter has none of its own: see :func:`paused_fleet`."""
    kind = text(event, "detail-type")
    if kind in COMMANDS:
        return (identifier(event, "detail.command-id"),)
    return Ignored(f"nothing here waits for {kind}")


def paused_fleet(event: dict[str, Any], parameters: str) -> str | None:
    """The fleet whose ``paused`` parameter has changed, or ``None`` for any other event.

    Args:
        parameters: Where the fleets' parameters lie, as ``/ovenbird/fleets``.
    """
    if event.get("source") != "aws.ssm" or event.get("detail-type") != PARAMETER:
        return None
    name = text(event, "detail.name")
    if not name.startswith(f"{parameters}/") or not name.endswith("/paused"):
        return None
    fleet = name.removeprefix(f"{parameters}/").removesuffix("/paused")
    return fleet if re.fullmatch(NAME, fleet) else None
