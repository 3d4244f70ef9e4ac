"""An Auto Scaling group."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.cloud.autoscaling.activity import Activity
from sandbox.cloud.autoscaling.configuration import Configuration
from sandbox.cloud.autoscaling.member import Member
from sandbox.cloud.autoscaling.refresh import Refresh

PROCESSES = (
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
)


@dataclass
class Tag:
    """A tag of a group, and whether its instances get it."""

    value: str
    propagate: bool


@dataclass
class Group:
    """A group: what was asked for, its instances, its activities and its refreshes.

    ``saved`` is the configuration on the group itself; an active refresh launches from its own.
    """

    name: str
    arn: str
    created: datetime
    saved: Configuration
    minimum: int
    maximum: int
    desired: int
    subnets: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    target_groups: tuple[str, ...] = ()
    classic: tuple[str, ...] = ()
    health_check_type: str = "EC2"
    grace: timedelta = timedelta(0)
    default_warmup: int | None = None
    default_cooldown: int = 300
    protects_new: bool = False
    termination_policies: tuple[str, ...] = ("Default",)
    tags: dict[str, Tag] = field(default_factory=dict)
    suspended: dict[str, str] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    activities: list[Activity] = field(default_factory=list)
    refreshes: list[Refresh] = field(default_factory=list)
    deleting: bool = False
    failed_launches: int = 0
    no_launch_before: datetime | None = None
    next_look: datetime | None = None

    @property
    def refresh(self) -> Refresh | None:
        """The refresh that is active, if there is one (never more than one)."""
        return next((refresh for refresh in self.refreshes if refresh.is_active), None)

    @property
    def active(self) -> list[Member]:
        """The instances that count towards the desired capacity."""
        return [member for member in self.members.values() if member.is_active]

    @property
    def units(self) -> int:
        """The capacity that is there."""
        return sum(member.weight for member in self.active)

    @property
    def next_weight(self) -> int:
        """The units of the next instance that is launched."""
        return self.launches_from().sources()[0].weight

    @property
    def is_full(self) -> bool:
        """Whether nothing has to be launched or terminated for the desired capacity."""
        lightest = min((member.weight for member in self.active), default=1)
        return 0 <= self.units - self.desired < lightest

    @property
    def feeds(self) -> tuple[str, ...]:
        """All that it registers its instances with: target groups, Classic Load Balancers."""
        return (*self.target_groups, *self.classic)

    def traffic_sources(self) -> list[dict[str, str]]:
        """The same as AWS shows it."""
        kinds = dict.fromkeys(self.target_groups, "elbv2")
        kinds |= dict.fromkeys(self.classic, "elb")
        return [{"Identifier": each, "Type": kind} for each, kind in kinds.items()]

    @property
    def checks_targets(self) -> bool:
        """Whether the health of targets decides about the instances."""
        return "ELB" in self.health_check_type.split(",") and bool(self.feeds)

    @property
    def warmup(self) -> int:
        """The warm-up (seconds) of a refresh that names none.

        Source: Auto Scaling API reference, RefreshPreferences, InstanceWarmup.
        """
        if self.default_warmup is not None:
            return self.default_warmup
        return int(self.grace.total_seconds())

    def launches_from(self) -> Configuration:
        """The configuration of the next launch.

        While a refresh with a desired configuration is active, every launch uses that, also one
        of a scale-out; a rollback goes back to the saved one. Source: Auto Scaling user guide,
        "How an instance refresh works in an Auto Scaling group".
        """
        refresh = self.refresh
        if refresh is not None and refresh.desired is not None and refresh.rollback is None:
            return refresh.desired
        return self.saved

    def describe(self, *, with_instances: bool = True) -> dict[str, Any]:
        """The group as DescribeAutoScalingGroups shows it."""
        shown: dict[str, Any] = {
            "AutoScalingGroupName": self.name,
            "AutoScalingGroupARN": self.arn,
            **self.saved.written(),
            "MinSize": self.minimum,
            "MaxSize": self.maximum,
            "DesiredCapacity": self.desired,
            "DefaultCooldown": self.default_cooldown,
            "AvailabilityZones": list(self.zones),
            "LoadBalancerNames": list(self.classic),
            "TargetGroupARNs": list(self.target_groups),
            "TrafficSources": self.traffic_sources(),
            "HealthCheckType": self.health_check_type,
            "HealthCheckGracePeriod": int(self.grace.total_seconds()),
            "Instances": [m.describe() for m in self.members.values()] if with_instances else [],
            "CreatedTime": self.created,
            "SuspendedProcesses": [
                {"ProcessName": name, "SuspensionReason": reason}
                for name, reason in self.suspended.items()
            ],
            "VPCZoneIdentifier": ",".join(self.subnets),
            "EnabledMetrics": [],
            "Tags": [self.describe_tag(key) for key in self.tags],
            "TerminationPolicies": list(self.termination_policies),
            "NewInstancesProtectedFromScaleIn": self.protects_new,
        }
        if self.default_warmup is not None:
            shown["DefaultInstanceWarmup"] = self.default_warmup
        if self.deleting:
            shown["Status"] = "Delete in progress"
        return shown

    def describe_tag(self, key: str) -> dict[str, Any]:
        """One tag as DescribeTags shows it."""
        return {
            "ResourceId": self.name,
            "ResourceType": "auto-scaling-group",
            "Key": key,
            "Value": self.tags[key].value,
            "PropagateAtLaunch": self.tags[key].propagate,
        }
