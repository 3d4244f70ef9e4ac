"""An instance refresh: what was asked for, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.cloud.autoscaling.configuration import Configuration
from sandbox.cloud.autoscaling.preferences import Preferences

ACTIVE = ("Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress")


@dataclass
class Rollback:
    """When, why and from where a refresh was rolled back."""

    reason: str
    start: datetime
    percent: int
    to_update: int

    def describe(self) -> dict[str, Any]:
        return {
            "RollbackReason": self.reason,
            "RollbackStartTime": self.start,
            "PercentageCompleteOnRollback": self.percent,
            "InstancesToUpdateOnRollback": self.to_update,
        }


@dataclass
class Refresh:
    """An instance refresh.

    ``reached`` is the highest checkpoint that was passed, when the group had ``reached_size``;
    ``stuck`` is how long it could not go on.
    """

    refresh_id: str
    group: str
    preferences: Preferences
    desired: Configuration | None
    start: datetime
    status: str = "Pending"
    reason: str = ""
    percent: int = 0
    to_update: int = 0
    end: datetime | None = None
    rollback: Rollback | None = None
    reached: int = 0
    reached_size: int = 0
    waits_until: datetime | None = None
    bakes_until: datetime | None = None
    looked: datetime | None = None
    stuck: timedelta = field(default_factory=timedelta)
    replacing: timedelta = field(default_factory=timedelta)
    best: tuple[int, int] = (0, -(10**6))  # most updated, fewest outdated (negative)
    waits_for_transitions: bool = True

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def key(self) -> str:
        """The pass that it is in: there and back are two passes."""
        return f"{self.refresh_id}/rollback" if self.rollback else self.refresh_id

    def describe(self) -> dict[str, Any]:
        """The refresh as DescribeInstanceRefreshes shows it."""
        shown: dict[str, Any] = {
            "InstanceRefreshId": self.refresh_id,
            "AutoScalingGroupName": self.group,
            "Status": self.status,
            "PercentageComplete": self.percent,
            "InstancesToUpdate": self.to_update,
            "Preferences": self.preferences.describe(),
            "Strategy": "Rolling",
        }
        if self.status != "Pending":
            shown["StartTime"] = self.start
        if self.reason:
            shown["StatusReason"] = self.reason[:1023]
        if self.end is not None:
            shown["EndTime"] = self.end
        if self.desired is not None:
            shown["DesiredConfiguration"] = self.desired.written()
        if self.rollback is not None:
            shown["RollbackDetails"] = self.rollback.describe()
        return shown
