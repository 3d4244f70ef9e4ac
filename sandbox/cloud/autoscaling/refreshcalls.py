"""The calls of instance refreshes."""

from __future__ import annotations

from sandbox.cloud.autoscaling import configuration, preferences
from sandbox.cloud.autoscaling.configuration import Configuration, by_id
from sandbox.cloud.autoscaling.ground import Alarms, Instances
from sandbox.cloud.autoscaling.group import Group
from sandbox.cloud.autoscaling.preferences import Preferences
from sandbox.cloud.autoscaling.reconciler import Reconciler
from sandbox.cloud.autoscaling.refresh import Refresh
from sandbox.cloud.autoscaling.register import Register, page
from sandbox.cloud.autoscaling.replacement import Replacement
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel, Operation, Parameters, Result


class RefreshCalls:
    """Start, show, cancel and roll back."""

    def __init__(
        self,
        kernel: Kernel,
        ec2: Instances,
        alarms: Alarms,
        register: Register,
        reconciler: Reconciler,
        replacement: Replacement,
    ) -> None:
        self._kernel, self._ec2, self._alarms = kernel, ec2, alarms
        self._register, self._reconciler = register, reconciler
        self._replacement = replacement

    def operations(self) -> dict[str, Operation]:
        return {
            "StartInstanceRefresh": self.start,
            "DescribeInstanceRefreshes": self.describe,
            "CancelInstanceRefresh": self.cancel,
            "RollbackInstanceRefresh": self.roll_back,
        }

    def start(self, params: Parameters) -> Result:
        """Begin a refresh; there is no client token, so the same call again is refused.

        Source: Auto Scaling API reference, StartInstanceRefresh.
        """
        group = self._register.modifiable(params["AutoScalingGroupName"])
        if params.get("Strategy", "Rolling") != "Rolling":
            raise AwsError("ValidationError", "The sandbox models the Rolling strategy alone.")
        if group.refresh is not None:
            raise AwsError(
                "InstanceRefreshInProgress",
                "An Instance Refresh is already in progress and blocks the execution of this "
                "Instance Refresh.",
            )
        wanted = preferences.read(params.get("Preferences", {}), default_warmup=group.warmup)
        desired = configuration.read(params.get("DesiredConfiguration", {}), self._ec2)
        if wanted.auto_rollback:
            if desired is None:
                raise AwsError(
                    "ValidationError",
                    "The AutoRollback parameter cannot be set to true when the "
                    "DesiredConfiguration parameter is empty",
                )
            if reason := self._irreversible(group):
                raise AwsError("ValidationError", f"AutoRollback cannot be set to true: {reason}")
        self._check_images(group, wanted, desired)
        self._check_alarms(wanted)
        refresh = Refresh(self._kernel.ids.uuid(), group.name, wanted, desired, self._kernel.now())
        refresh.to_update = len(group.active)
        group.refreshes.insert(0, refresh)
        self._reconciler.wake(group)
        return {"InstanceRefreshId": refresh.refresh_id}

    def describe(self, params: Parameters) -> Result:
        """The refreshes of a group, the newest first."""
        group = self._register.find(params["AutoScalingGroupName"])
        ids = params.get("InstanceRefreshIds")
        visible = self._kernel.now() - self._kernel.scaled(self._kernel.visible_after)
        found = [
            refresh
            for refresh in group.refreshes
            if refresh.start <= visible and (not ids or refresh.refresh_id in ids)
        ]
        shown, more = page(found, params)
        return {"InstanceRefreshes": [refresh.describe() for refresh in shown], **more}

    def cancel(self, params: Parameters) -> Result:
        """Cancel the active refresh, also one that rolls back; nothing is undone.

        Source: Auto Scaling API reference, CancelInstanceRefresh.
        """
        group, refresh = self._active(params)
        if params.get("WaitForTransitioningInstances", True):
            refresh.status, refresh.reason = "Cancelling", "Cancelled due to user request."
            self._reconciler.wake(group)
        else:
            reason = "Cancelled due to user request."
            self._replacement.end(group, refresh, "Cancelled", reason)
            self._reconciler.wake(group)
        return {"InstanceRefreshId": refresh.refresh_id}

    def roll_back(self, params: Parameters) -> Result:
        """Turn the active refresh round.

        Source: Auto Scaling API reference, RollbackInstanceRefresh: three cases cannot be undone.
        One that rolls back or is being cancelled is refused with the same error; AWS says nothing
        about these.
        """
        group, refresh = self._active(params)
        reason = self._irreversible(group)
        if refresh.desired is None:
            reason = "there is no desired configuration specified for the instance refresh."
        elif refresh.status not in ("Pending", "InProgress", "Baking"):
            reason = f"its status is {refresh.status}."
        if reason:
            raise AwsError(
                "IrreversibleInstanceRefresh",
                f"The instance refresh {refresh.refresh_id} cannot be rolled back: {reason}",
            )
        self._replacement.roll_back(group, refresh, "Rollback was requested by the user.")
        self._reconciler.wake(group)
        return {"InstanceRefreshId": refresh.refresh_id}

    def _active(self, params: Parameters) -> tuple[Group, Refresh]:
        group = self._register.find(params["AutoScalingGroupName"])
        if group.refresh is None:
            raise AwsError(
                "ActiveInstanceRefreshNotFound",
                "No in progress or pending Instance Refresh found for Auto Scaling group "
                f"{group.name}",
            )
        return group, group.refresh

    def _irreversible(self, group: Group) -> str:
        """Why the group's saved configuration cannot be gone back to; empty if it can."""
        if not group.saved.is_pinned:
            return "the Auto Scaling group uses the launch template's $Latest or $Default version."
        if self._has_parameter(group.saved):
            return (
                "the Auto Scaling group has a launch template that uses an AWS Systems Manager "
                "parameter instead of an AMI ID for the ImageId property."
            )
        return ""

    def _check_images(
        self, group: Group, wanted: Preferences, desired: Configuration | None
    ) -> None:
        """Source: Auto Scaling user guide, "Use AWS Systems Manager parameters instead of AMI
        IDs in launch templates", limitations.
        """
        if desired is None and not wanted.skip_matching:
            return
        if self._has_parameter(desired or group.saved):
            raise AwsError(
                "ValidationError",
                "A launch template with a Systems Manager parameter for its ImageId cannot be "
                "used with a desired configuration or skip matching.",
            )

    def _check_alarms(self, wanted: Preferences) -> None:
        """Source: Auto Scaling user guide, "Understand the default values for an instance
        refresh", CloudWatch alarms.
        """
        states = self._alarms.states(wanted.alarms)
        for name in wanted.alarms:
            state = states.get(name)
            if state is None:
                raise AwsError("ValidationError", f"The CloudWatch alarm {name} does not exist.")
            if state != "OK":
                raise AwsError(
                    "ValidationError",
                    f"The instance refresh cannot start: the CloudWatch alarm {name} is in the "
                    f"{state} state.",
                )

    def _has_parameter(self, wanted: Configuration) -> bool:
        return any(
            self._ec2.image_id_is_parameter(by_id(source.template)) for source in wanted.sources()
        )
