"""A scaling activity: the only place where AWS says why a launch failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class Activity:
    """A launch or a termination, from its cause to its end."""

    activity_id: str
    group: str
    group_arn: str
    description: str
    cause: str
    start: datetime
    request_id: str
    instance_id: str = ""
    details: dict[str, str] = field(default_factory=dict)
    status: str = "InProgress"
    message: str = ""
    end: datetime | None = None

    @property
    def progress(self) -> int:
        if self.end is not None:
            return 100
        return {"PreInService": 30, "WaitingForELBConnectionDraining": 60}.get(self.status, 50)

    def finish(self, status: str, at: datetime, message: str = "") -> None:
        """End the activity: ``Successful``, ``Failed`` or ``Cancelled``."""
        self.status, self.end, self.message = status, at, message[:255]

    def describe(self) -> dict[str, Any]:
        """The activity as DescribeScalingActivities shows it."""
        details = ",".join(f'"{key}":"{value}"' for key, value in self.details.items())
        shown: dict[str, Any] = {
            "ActivityId": self.activity_id,
            "AutoScalingGroupName": self.group,
            "AutoScalingGroupARN": self.group_arn,
            "Description": self.description,
            "Cause": self.cause[:1023],
            "StartTime": self.start,
            "StatusCode": self.status,
            "Progress": self.progress,
            "Details": "{" + details + "}",
        }
        if self.end is not None:
            shown["EndTime"] = self.end
        if self.message:
            shown["StatusMessage"] = self.message
        return shown
