"""The calls that concern single instances of groups."""

from __future__ import annotations

from sandbox.cloud.autoscaling import sizes
from sandbox.cloud.autoscaling.activity import Activity
from sandbox.cloud.autoscaling.departures import Departures
from sandbox.cloud.autoscaling.group import Group
from sandbox.cloud.autoscaling.health import Health
from sandbox.cloud.autoscaling.member import Member
from sandbox.cloud.autoscaling.notices import stamp
from sandbox.cloud.autoscaling.reconciler import Reconciler
from sandbox.cloud.autoscaling.register import Register, page
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel, Operation, Parameters, Result


class InstanceCalls:
    """Protection, standby, health and termination."""

    def __init__(
        self,
        kernel: Kernel,
        register: Register,
        health: Health,
        departures: Departures,
        reconciler: Reconciler,
    ) -> None:
        self._kernel, self._register, self._health = kernel, register, health
        self._departures, self._reconciler = departures, reconciler

    def operations(self) -> dict[str, Operation]:
        return {
            "DescribeAutoScalingInstances": self.describe,
            "SetInstanceProtection": self.protect,
            "EnterStandby": self.enter_standby,
            "ExitStandby": self.exit_standby,
            "SetInstanceHealth": self.set_health,
            "TerminateInstanceInAutoScalingGroup": self.terminate,
        }

    def describe(self, params: Parameters) -> Result:
        """Instances by id, with their group; ids of no group are left out."""
        ids = params.get("InstanceIds")
        found = [
            {
                **member.describe(),
                "AutoScalingGroupName": group.name,
                "HealthStatus": "HEALTHY" if member.healthy else "UNHEALTHY",
            }
            for group in self._register.visible()
            for member in group.members.values()
            if not ids or member.instance_id in ids
        ]
        shown, more = page(found, params)
        return {"AutoScalingInstances": list(shown), **more}

    def protect(self, params: Parameters) -> Result:
        """Protect instances from scale-in, or no longer."""
        group = self._register.find(params["AutoScalingGroupName"])
        if len(params["InstanceIds"]) > 50:
            raise AwsError("LimitExceeded", "At most 50 instances can be protected in one call.")
        for member in self._register.members(group, params["InstanceIds"]):
            member.protected = params["ProtectedFromScaleIn"]
        self._reconciler.wake(group)
        return {}

    def enter_standby(self, params: Parameters) -> Result:
        """Take instances out of service; without a decrement others are launched for them.

        Source: Auto Scaling user guide, "Temporarily remove instances from your Auto Scaling
        group".
        """
        group = self._register.find(params["AutoScalingGroupName"])
        members = self._register.members(group, params.get("InstanceIds", []))
        for member in members:
            if member.lifecycle != "InService":
                raise AwsError(
                    "ValidationError", f"The instance {member.instance_id} is not in InService."
                )
        if params["ShouldDecrementDesiredCapacity"]:
            sizes.decrement(group, len(members))
        for member in members:
            self._departures.begin_standby(group, member)
        self._reconciler.wake(group)
        return {"Activities": [self._moved(group, each, "to standby") for each in members]}

    def exit_standby(self, params: Parameters) -> Result:
        """Bring instances back; the desired capacity grows by them."""
        group = self._register.find(params["AutoScalingGroupName"])
        members = self._register.members(group, params.get("InstanceIds", []))
        for member in members:
            if member.lifecycle != "Standby":
                raise AwsError(
                    "ValidationError", f"The instance {member.instance_id} is not in Standby."
                )
        if group.desired + len(members) > group.maximum:
            raise AwsError(
                "ValidationError",
                f"Group {group.name} would be larger than its max size of {group.maximum}.",
            )
        group.desired += len(members)
        for member in members:
            member.lifecycle, member.in_service_at = "Pending", None
        self._reconciler.wake(group)
        return {"Activities": [self._moved(group, each, "out of standby") for each in members]}

    def set_health(self, params: Parameters) -> Result:
        """Say that an instance is healthy or not; the grace period is respected by default."""
        group, member = self._register.owner(params["InstanceId"])
        well = params["HealthStatus"] == "Healthy"
        respects = params.get("ShouldRespectGracePeriod", True)
        if well or not (respects and self._health.in_grace(group, member)):
            member.healthy = well
        self._reconciler.wake(group)
        return {}

    def terminate(self, params: Parameters) -> Result:
        """Terminate an instance, protected or not; without a decrement it is replaced."""
        group, member = self._register.owner(params["InstanceId"])
        if member.lifecycle == "Terminating":
            return {"Activity": member.activity.describe()}
        if params["ShouldDecrementDesiredCapacity"] and member.is_active:
            sizes.decrement(group, 1)
        why = "instance was taken out of service in response to a user request."
        activity = self._departures.begin(group, member, why)
        self._reconciler.wake(group)
        return {"Activity": activity.describe()}

    def _moved(self, group: Group, member: Member, where: str) -> dict[str, object]:
        now = self._kernel.now()
        activity = Activity(
            activity_id=self._kernel.ids.uuid(),
            group=group.name,
            group_arn=group.arn,
            description=f"Moving EC2 instance {where}: {member.instance_id}",
            cause=f"At {stamp(now)} instance {member.instance_id} was moved {where}.",
            start=now,
            request_id=self._kernel.ids.uuid(),
            instance_id=member.instance_id,
            details={"Subnet ID": member.subnet, "Availability Zone": member.zone},
        )
        group.activities.insert(0, activity)
        shown = activity.describe()
        activity.finish("Successful", now)
        return shown
