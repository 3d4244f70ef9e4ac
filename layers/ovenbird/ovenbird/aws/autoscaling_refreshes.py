"""Instance refreshes: how AWS rolls a group forth and back, and what it says of that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from ovenbird.aws import clients, faults
from ovenbird.core.groups import template_version
from ovenbird.core.refreshes import Refresh
from ovenbird.errors import NotFound, Refused

MOST_SEEN = 100


def recent(group: str) -> tuple[Refresh, ...]:
    """The last hundred refreshes of a group, newest first; AWS keeps them for six weeks.

    Raises:
        NotFound: The group is gone.
        Throttled, Unavailable: Safe to repeat.

    IAM: autoscaling:DescribeInstanceRefreshes
    """
    with faults.translated(f"describe the refreshes of group {group}"):
        try:
            answer = clients.get("autoscaling").describe_instance_refreshes(
                AutoScalingGroupName=group, MaxRecords=MOST_SEEN
            )
        except ClientError as error:
            if faults.code(error) == "ValidationError":
                raise NotFound(
                    f"The refreshes of group {group} cannot be read: {faults.text(error)}"
                ) from error
            raise
    return tuple(_refresh(each) for each in answer.get("InstanceRefreshes", []))


def start(
    group: str, configuration: Mapping[str, Any], preferences: Mapping[str, Any]
) -> str | None:
    """Start a rolling refresh to a configuration.

    The call takes no client token: after a lost answer, repeating it meets our own refresh, and
    the caller must look for it with :func:`recent`.

    Args:
        configuration: The DesiredConfiguration, with template ids and version numbers.
        preferences: The RefreshPreferences, all of them.

    Returns:
        The refresh's id, or ``None`` when a refresh (whose, is for the caller to see) is active.

    Raises:
        Refused: AWS does not accept it: an alarm is in ALARM, the template cannot be launched with
            our permissions, the configuration cannot be rolled back to. Nothing was started.
        Throttled, Unavailable: After Unavailable a refresh may have been started.

    IAM: autoscaling:StartInstanceRefresh
    IAM also: ec2:RunInstances, ec2:CreateTags, iam:PassRole
    Source: EC2 Auto Scaling user guide, "Launch template permissions": AWS makes a dry run of the
    launch in the caller's name.
    """
    with faults.translated(f"start a refresh of group {group}"):
        try:
            answer = clients.get("autoscaling").start_instance_refresh(
                AutoScalingGroupName=group,
                Strategy="Rolling",
                DesiredConfiguration=dict(configuration),
                Preferences=dict(preferences),
            )
        except ClientError as error:
            if faults.code(error) == "InstanceRefreshInProgress":
                return None
            if faults.code(error) in {"ValidationError", "LimitExceeded"}:
                raise Refused(
                    f"AWS does not start a refresh of group {group}: {faults.text(error)}"
                ) from error
            raise
    return str(answer["InstanceRefreshId"])


def roll_back(group: str) -> bool:
    """Bring the group back to its saved configuration, from the refresh that is active.

    Repeating it while the rollback runs, or after the refresh has ended, changes nothing.

    Returns:
        Whether there is nothing more to be said to AWS; ``False`` when it cannot roll this refresh
        back (no desired configuration, an alias as version, an image by parameter).

    Raises:
        Throttled, Unavailable: Safe to repeat.

    IAM: autoscaling:RollbackInstanceRefresh
    """
    with faults.translated(f"roll back the refresh of group {group}"):
        try:
            clients.get("autoscaling").rollback_instance_refresh(AutoScalingGroupName=group)
        except ClientError as error:
            if faults.code(error) == "IrreversibleInstanceRefresh":
                return False
            if faults.code(error) != "ActiveInstanceRefreshNotFound":
                raise
    return True


def cancel(group: str) -> None:
    """Cancel the active refresh, once launches and terminations under way are over.

    Nothing is undone: instances that were replaced stay, and the saved configuration is the old
    one. Without an active refresh nothing happens.

    Raises:
        Throttled, Unavailable: Safe to repeat.

    IAM: autoscaling:CancelInstanceRefresh
    """
    with faults.translated(f"cancel the refresh of group {group}"):
        try:
            clients.get("autoscaling").cancel_instance_refresh(
                AutoScalingGroupName=group, WaitForTransitioningInstances=True
            )
        except ClientError as error:
            if faults.code(error) != "ActiveInstanceRefreshNotFound":
                raise


def _refresh(refresh: Mapping[str, Any]) -> Refresh:
    desired = refresh.get("DesiredConfiguration") or {}
    mixed = desired.get("MixedInstancesPolicy")
    launch = (mixed or {}).get("LaunchTemplate") or {}
    rollback = refresh.get("RollbackDetails") or {}
    reasons = [
        each for each in (rollback.get("RollbackReason"), refresh.get("StatusReason")) if each
    ]
    return Refresh(
        refresh_id=refresh["InstanceRefreshId"],
        status=refresh["Status"],
        reason=" ".join(dict.fromkeys(reasons)),
        percent=refresh.get("PercentageComplete", 0),
        started=refresh.get("StartTime"),
        ended=refresh.get("EndTime"),
        template=template_version(
            launch.get("LaunchTemplateSpecification") or desired.get("LaunchTemplate")
        ),
        mixed=mixed,
        remaining=refresh.get("InstancesToUpdate", 0),
        turned=rollback.get("RollbackStartTime"),
    )
