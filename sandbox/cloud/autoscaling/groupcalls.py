"""The calls that make, show, change and delete groups."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sandbox.cloud.autoscaling import configuration, sizes, tagging
from sandbox.cloud.autoscaling.activity import Activity
from sandbox.cloud.autoscaling.ground import Instances, Targets
from sandbox.cloud.autoscaling.group import PROCESSES, Group
from sandbox.cloud.autoscaling.reconciler import Reconciler
from sandbox.cloud.autoscaling.register import Register, known_only, page
from sandbox.cloud.autoscaling.trafficcalls import must_exist
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel, Operation, Parameters, Result

_CHANGEABLE = (
    "AutoScalingGroupName",
    "LaunchTemplate",
    "MixedInstancesPolicy",
    "MinSize",
    "MaxSize",
    "DesiredCapacity",
    "DefaultCooldown",
    "VPCZoneIdentifier",
    "AvailabilityZones",
    "HealthCheckType",
    "HealthCheckGracePeriod",
    "DefaultInstanceWarmup",
    "NewInstancesProtectedFromScaleIn",
    "TerminationPolicies",
)
_PAGING = ("MaxRecords", "NextToken")
_LOCKED = (
    "An active instance refresh with a desired configuration exists. All configuration options "
    "derived from the desired configuration are not available for update while the instance "
    "refresh is active."
)


class GroupCalls:
    """CreateAutoScalingGroup and the like."""

    def __init__(
        self,
        kernel: Kernel,
        ec2: Instances,
        elbv2: Targets,
        register: Register,
        reconciler: Reconciler,
    ) -> None:
        self._kernel, self._ec2, self._elbv2 = kernel, ec2, elbv2
        self._register, self._reconciler = register, reconciler

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateAutoScalingGroup": self.create,
            "DescribeAutoScalingGroups": self.describe,
            "UpdateAutoScalingGroup": self.update,
            "SetDesiredCapacity": self.set_desired,
            "DeleteAutoScalingGroup": self.delete,
            "SuspendProcesses": self.suspend,
            "ResumeProcesses": self.resume,
            "DescribeScalingActivities": self.describe_activities,
        }

    def create(self, params: Parameters) -> Result:
        """Make a group; it launches its instances by itself.

        Source: Auto Scaling API reference, CreateAutoScalingGroup.
        """
        known_only(params, (*_CHANGEABLE, "LoadBalancerNames", "TargetGroupARNs", "Tags"))
        name = params["AutoScalingGroupName"]
        if known := self._register.groups.get(name):
            leaving = " and is pending delete" if known.deleting else ""
            raise AwsError(
                "AlreadyExists",
                f"AutoScalingGroup by this name already exists - A group with the name {name} "
                f"already exists{leaving}",
            )
        saved = configuration.read(params, self._ec2)
        if saved is None:
            raise AwsError(
                "ValidationError",
                "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, "
                "InstanceId or MixedInstancesPolicy parameter.",
            )
        minimum, maximum = int(params["MinSize"]), int(params["MaxSize"])
        desired = params.get("DesiredCapacity", minimum)
        sizes.check(minimum, maximum, desired)
        arn = self._kernel.arn(
            "autoscaling",
            f"autoScalingGroup:{self._kernel.ids.uuid()}:autoScalingGroupName/{name}",
        )
        group = Group(name, arn, self._kernel.now(), saved, minimum, maximum, desired)
        group.target_groups = tuple(params.get("TargetGroupARNs", ()))
        group.classic = tuple(params.get("LoadBalancerNames", ()))
        for source in group.feeds:
            must_exist(self._elbv2, source)
        self._configure(group, params)
        if not group.subnets:
            raise AwsError(
                "ValidationError",
                "At least one Availability Zone or VPC Subnet is required.",
            )
        tagging.put(group, params.get("Tags", []))
        self._register.groups[name] = group
        self._reconciler.wake(group)
        return {}

    def describe(self, params: Parameters) -> Result:
        """Groups by name and by tag; names that do not exist are left out, without an error."""
        names = params.get("AutoScalingGroupNames")
        found = [
            group
            for group in self._register.visible()
            if (not names or group.name in names)
            and all(tagging.passes(group, each) for each in params.get("Filters", []))
        ]
        shown, more = page(found, params)
        instances = params.get("IncludeInstances", True)
        groups = [group.describe(with_instances=instances) for group in shown]
        return {"AutoScalingGroups": groups, **more}

    def update(self, params: Parameters) -> Result:
        """Change a group; its configuration is locked while a refresh brings another one.

        Source: Auto Scaling user guide, "How an instance refresh works in an Auto Scaling group".
        """
        known_only(params, _CHANGEABLE)
        group = self._register.modifiable(params["AutoScalingGroupName"])
        saved, refresh = configuration.read(params, self._ec2), group.refresh
        if saved is not None and refresh is not None and refresh.desired is not None:
            raise AwsError("ValidationError", _LOCKED)
        minimum = params.get("MinSize", group.minimum)
        maximum = params.get("MaxSize", group.maximum)
        # Without a desired capacity in the call, the old one is moved between the new bounds.
        desired = params.get("DesiredCapacity", min(max(group.desired, minimum), maximum))
        sizes.check(minimum, maximum, desired)
        self._configure(group, params)
        group.minimum, group.maximum, group.desired = minimum, maximum, desired
        group.saved = saved or group.saved
        _weigh(group)
        self._reconciler.wake(group)
        return {}

    def set_desired(self, params: Parameters) -> Result:
        """Set the desired capacity; also during an instance refresh."""
        group = self._register.modifiable(params["AutoScalingGroupName"])
        sizes.set_desired(group, params["DesiredCapacity"])
        self._reconciler.wake(group)
        return {}

    def delete(self, params: Parameters) -> Result:
        """Delete an empty group, or by force one with its instances."""
        group = self._register.find(params["AutoScalingGroupName"])
        if group.members and not params.get("ForceDelete", False):
            raise AwsError(
                "ResourceInUse",
                "You cannot delete an AutoScalingGroup while there are instances or pending Spot "
                "instance request(s) still in the group.",
            )
        group.deleting, group.desired = True, 0
        self._reconciler.look(group)
        return {}

    def suspend(self, params: Parameters) -> Result:
        """Suspend the processes that are named, or all."""
        group = self._register.modifiable(
            params["AutoScalingGroupName"],
            "Processes may not be suspended while the AutoScaling group is pending delete",
        )
        for name in _processes(params):
            group.suspended[name] = f"User suspended at {self._kernel.now():%Y-%m-%dT%H:%M:%SZ}"
        return {}

    def resume(self, params: Parameters) -> Result:
        """Resume the processes that are named, or all."""
        group = self._register.find(params["AutoScalingGroupName"])
        for name in _processes(params):
            group.suspended.pop(name, None)
        self._reconciler.wake(group)
        return {}

    def describe_activities(self, params: Parameters) -> Result:
        """The activities of a group (or of all), the newest first."""
        known_only(params, ("AutoScalingGroupName", "ActivityIds", "Filters", *_PAGING))
        groups: Iterable[Group] = self._register.groups.values()
        if "AutoScalingGroupName" in params:
            groups = [self._register.find(params["AutoScalingGroupName"])]
        ids = params.get("ActivityIds")
        found = [
            activity
            for group in groups
            for activity in group.activities
            if not ids or activity.activity_id in ids
            if all(_passes(activity, each) for each in params.get("Filters", []))
        ]
        shown, more = page(found, params, at_once=100)
        return {"Activities": [activity.describe() for activity in shown], **more}

    def _configure(self, group: Group, params: Parameters) -> None:
        if "VPCZoneIdentifier" in params:
            group.subnets = tuple(
                each.strip() for each in params["VPCZoneIdentifier"].split(",") if each.strip()
            )
            group.zones = tuple(self._zone(subnet) for subnet in group.subnets)
        elif "AvailabilityZones" in params:
            group.zones = tuple(params["AvailabilityZones"])
            group.subnets = tuple(self._subnet(zone) for zone in group.zones)
        group.health_check_type = params.get("HealthCheckType", group.health_check_type)
        if "HealthCheckGracePeriod" in params:
            group.grace = timedelta(seconds=params["HealthCheckGracePeriod"])
        if "DefaultInstanceWarmup" in params:
            warmup = params["DefaultInstanceWarmup"]
            group.default_warmup = None if warmup == -1 else warmup
        group.default_cooldown = params.get("DefaultCooldown", group.default_cooldown)
        group.protects_new = params.get("NewInstancesProtectedFromScaleIn", group.protects_new)
        if policies := params.get("TerminationPolicies"):
            if tuple(policies) != ("Default",):
                raise AwsError(
                    "ValidationError", "The sandbox models the Default termination policy alone."
                )
            group.termination_policies = tuple(policies)

    def _zone(self, subnet: str) -> str:
        try:
            found = self._ec2.operations()["DescribeSubnets"]({"SubnetIds": [subnet]})
        except AwsError as error:
            raise AwsError("ValidationError", error.message) from error
        return str(found["Subnets"][0]["AvailabilityZone"])

    def _subnet(self, zone: str) -> str:
        only = [{"Name": "availability-zone", "Values": [zone]}]
        found = self._ec2.operations()["DescribeSubnets"]({"Filters": only})["Subnets"]
        if not found:
            raise AwsError("ValidationError", f"Invalid availability zone: [{zone}]")
        return str(found[0]["SubnetId"])


def _weigh(group: Group) -> None:
    """Weights count for the instances that are there too; one whose type is gone keeps its last.

    Source: Auto Scaling user guide, "Configure an Auto Scaling group to use instance weights".
    """
    weights = {
        source.overrides.get("InstanceType"): source
        for source in group.saved.sources()
        if source.weighs
    }
    for member in group.members.values():
        if source := weights.get(member.instance_type):
            member.weight, member.weighs = source.weight, True


def _passes(activity: Activity, wanted: Parameters) -> bool:
    """Source: Auto Scaling API reference, DescribeScalingActivities, parameter Filters."""
    (value,) = wanted["Values"]
    match wanted["Name"]:
        case "StartTimeLowerBound":
            return activity.start >= datetime.fromisoformat(value)
        case "StartTimeUpperBound":
            return activity.start <= datetime.fromisoformat(value)
    raise AwsError("ValidationError", f"The sandbox does not model the filter {wanted['Name']}.")


def _processes(params: Parameters) -> list[str]:
    names = params.get("ScalingProcesses") or list(PROCESSES)
    for name in names:
        if name not in PROCESSES:
            raise AwsError("ValidationError", f"Unknown process type: {name}")
    return list(names)
