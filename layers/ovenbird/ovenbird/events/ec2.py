"""An image or an instance has changed its state.

    {
      "version": "0", "id": "example-9f07-51db-246b-d8b8441bcdf0",
      "detail-type": "EC2 AMI State Change", "source": "aws.ec2", "account": "012345678901",
      "time": "2026-01-05T09:00:00Z", "region": "us-east-1",
      "resources": ["arn:aws:ec2:us-east-1::image/ami-0123456789example"],
      "detail": {
        "RequestId": "example-9dcc-40a6-aa77-7ce457d5442b", "ImageId": "ami-0123456789example",
        "State": "available", "ErrorMessage": ""
      }
    }

    {
      "id": "7bf73129-1428-4cd3-a780-95db273d1602",
      "detail-type": "EC2 Instance State-change Notification",
      "source": "aws.ec2", "account": "123456789012",
      "time": "2021-11-11T21:29:54Z", "region": "us-east-1",
      "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-1234567890abcdef0"],
      "detail": {"instance-id": "i-1234567890abcdef0", "state": "pending"}
    }

Source: Amazon EC2 user guide, "Monitor AMI events" and "Monitor instance state changes".
"""

from __future__ import annotations

from typing import Any

from ovenbird.events.envelope import Ignored, identifier, text


def doorbells(event: dict[str, Any]) -> tuple[str, ...] | Ignored:
    """The image's or the instance's doorbell."""
    match kind := text(event, "detail-type"):
        case "EC2 AMI State Change":
            return (identifier(event, "detail.ImageId"),)
        case "EC2 Instance State-change Notification":
            return (identifier(event, "detail.instance-id"),)
    return Ignored(f"nothing here waits for {kind}")
