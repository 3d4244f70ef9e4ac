"""The events that Auto Scaling sends. All of them are best effort on AWS."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.cloud.autoscaling.activity import Activity
from sandbox.cloud.autoscaling.group import Group
from sandbox.cloud.autoscaling.refresh import Refresh
from sandbox.cloud.kernel import Kernel


class Notices:
    """Puts them on the bus.

    Source: Auto Scaling user guide, "Amazon EC2 Auto Scaling event reference" and "Instance
    refresh EventBridge events".
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def launched(self, group: Group, activity: Activity, *, ok: bool) -> None:
        self._instance("Launch", group, activity, ok, "EC2", "AutoScalingGroup")

    def terminated(self, group: Group, activity: Activity, *, ok: bool) -> None:
        self._instance("Terminate", group, activity, ok, "AutoScalingGroup", "EC2")

    def refresh(self, group: Group, refresh: Refresh, what: str, **more: str) -> None:
        """``what`` completes the detail-type: ``Started``, ``Rollback Failed`` …

        The detail says neither status nor reason; who wants them must describe the refresh.
        """
        self._kernel.emit(
            "aws.autoscaling",
            f"EC2 Auto Scaling Instance Refresh {what}",
            {
                "InstanceRefreshId": refresh.refresh_id,
                "AutoScalingGroupName": group.name,
                **more,
            },
            (group.arn,),
        )

    def _instance(
        self, verb: str, group: Group, activity: Activity, ok: bool, origin: str, destination: str
    ) -> None:
        detail: dict[str, Any] = {
            # In the events of success the status is "InProgress": AWS's own reference shows it so.
            "StatusCode": "InProgress" if ok else "Failed",
            "AutoScalingGroupName": group.name,
            "ActivityId": activity.activity_id,
            "Details": dict(activity.details),
            "RequestId": activity.request_id,
            "StatusMessage": activity.message,
            "EndTime": stamp(activity.end or self._kernel.now()),
            "EC2InstanceId": activity.instance_id,
            "StartTime": stamp(activity.start),
            "Cause": activity.cause,
            "Origin": origin,
            "Destination": destination,
        }
        if ok:
            detail["Description"] = activity.description
        instance_arn = self._kernel.arn("ec2", f"instance/{activity.instance_id}")
        self._kernel.emit(
            "aws.autoscaling",
            f"EC2 Instance {verb} {'Successful' if ok else 'Unsuccessful'}",
            detail,
            (group.arn, instance_arn),
        )


def stamp(moment: datetime) -> str:
    """The time as the events write it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
