"""An instance of a group."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.cloud.autoscaling.activity import Activity


@dataclass
class Member:
    """What the group knows of its instance.

    ``template`` is the launch template with the number that it had at the launch. ``batch`` is
    the key of the pass of an instance refresh that launched it, if one did.
    """

    instance_id: str
    zone: str
    subnet: str
    instance_type: str
    template: dict[str, Any]
    image_override: str | None
    launched: datetime
    activity: Activity
    batch: str | None = None
    lifecycle: str = "Pending"
    healthy: bool = True
    protected: bool = False
    in_service_at: datetime | None = None
    weight: int = 1
    weighs: bool = False  # whether AWS shows the weight

    @property
    def is_active(self) -> bool:
        """Whether it counts towards the desired capacity."""
        return self.lifecycle in ("Pending", "InService")

    def describe(self) -> dict[str, Any]:
        """The instance as DescribeAutoScalingGroups shows it."""
        shown: dict[str, Any] = {
            "InstanceId": self.instance_id,
            "InstanceType": self.instance_type,
            "AvailabilityZone": self.zone,
            "LifecycleState": self.lifecycle,
            "HealthStatus": "Healthy" if self.healthy else "Unhealthy",
            "LaunchTemplate": dict(self.template),
            "ProtectedFromScaleIn": self.protected,
        }
        if self.weighs:
            shown["WeightedCapacity"] = str(self.weight)
        if self.image_override is not None:
            shown["ImageId"] = self.image_override
        return shown
