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
parameter never tells its value. An image id (``aws:ec2:image``) is looked at only after it was
taken; where that fails, the value before stays, and ``detail`` also has ``"dataType"`` and
``"exception": "Unable to Describe Resource"``.

Sources: AWS Systems Manager user guide, "Amazon EventBridge event examples for Systems Manager"
and "Native parameter support for Amazon Machine Image IDs".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ovenbird.events.envelope import Ignored, at, identifier, text
from ovenbird.fleet import NAME

COMMANDS = (
    "EC2 Command Status-change Notification",
    "EC2 Command Invocation Status-change Notification",
)
PARAMETER = "Parameter Store Change"


@dataclass(frozen=True)
class Written:
    """A document that was written, or deleted (``gone``)."""

    fleet: str
    gone: bool


@dataclass(frozen=True)
class Unpublished:
    """The image that a fleet runs was not taken into its parameter; AWS's words say why."""

    fleet: str
    why: str


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
    return _fleet_of(text(event, "detail.name"), parameters, "paused")


def unpublished_image(event: dict[str, Any], parameters: str) -> Unpublished | None:
    """The fleet whose ``image`` parameter was refused, or ``None`` for any other event.

    Args:
        parameters: Where the fleets' parameters lie, as ``/ovenbird/fleets``.

    Raises:
        BadEvent: The event is not well made.
    """
    if event["detail-type"] != PARAMETER or at(event, "detail.exception") is None:
        return None
    fleet = _fleet_of(text(event, "detail.name"), parameters, "image")
    return Unpublished(fleet, text(event, "detail.exception")) if fleet else None


def document_written(event: dict[str, Any], parameters: str) -> Written | Ignored:
    """The fleet whose document was written or deleted.

    Args:
        parameters: Where the fleets' parameters lie, as ``/ovenbird/fleets``.

    Raises:
        BadEvent: The event is not well made.
    """
    if (kind := text(event, "detail-type")) != PARAMETER:
        return Ignored(f"{kind} tells of no document")
    name, operation = text(event, "detail.name"), text(event, "detail.operation")
    fleet = name.removeprefix(f"{parameters}/")
    if fleet == name or "/" in fleet:
        return Ignored(f"{name} is no fleet's document")
    if operation not in ("Create", "Update", "Delete"):
        return Ignored(f"{operation} of {name} leaves the document as it was")
    return Written(fleet, gone=operation == "Delete")


def _fleet_of(name: str, parameters: str, last: str) -> str | None:
    if not name.startswith(f"{parameters}/") or not name.endswith(f"/{last}"):
        return None
    fleet = name.removeprefix(f"{parameters}/").removesuffix(f"/{last}")
    return fleet if re.fullmatch(NAME, fleet) else None
