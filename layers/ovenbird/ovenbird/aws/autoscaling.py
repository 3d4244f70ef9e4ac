"""Auto Scaling: what a group is, and its instance refreshes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from ovenbird.aws import clients, faults
from ovenbird.core.groups import (
    Group,
    Member,
    TemplateVersion,
    override_templates,
    template_version,
)
from ovenbird.core.launches import Launch
from ovenbird.core.refreshes import Refresh, configuration
from ovenbird.errors import NotFound, Refused

REFRESHES_SEEN = 100


def describe_group(name: str) -> Group:
    """The group as it stands, with every instance.

    Raises:
        NotFound: There is no group of that name in this account and region.
        Throttled, Unavailable: Safe to repeat.

    IAM: autoscaling:DescribeAutoScalingGroups
    """
    with faults.translated(f"describe group {name}"):
        pages = clients.get("autoscaling").get_paginator("describe_auto_scaling_groups")
        for page in pages.paginate(AutoScalingGroupNames=[name]):
            for group in page["AutoScalingGroups"]:
                return _group(group)
    raise NotFound(f"There is no Auto Scaling group {name!r} in this account and region.")


def tag(group: str, key: str) -> str | None:
    """The value of one tag of a group; ``None`` where the group or the tag is not there.

    In a fraction of what the whole group weighs, for groups that are mostly not ours.

    Raises:
        Throttled, Unavailable: Safe to repeat.

    IAM: autoscaling:DescribeTags
    """
    chosen = [
        {"Name": "auto-scaling-group", "Values": [group]},
        {"Name": "key", "Values": [key]},
    ]
    with faults.translated(f"describe the tags of group {group}"):
        pages = clients.get("autoscaling").get_paginator("describe_tags")
        for page in pages.paginate(Filters=chosen):
            for found in page["Tags"]:
                return str(found.get("Value", ""))
    return None


def refreshes(group: str) -> tuple[Refresh, ...]:
    """The last hundred refreshes of a group, newest first; AWS keeps them for six weeks.

    Raises:
        NotFound: The group is gone.
        Throttled, Unavailable: Safe to repeat.

    IAM: autoscaling:DescribeInstanceRefreshes
    """
    with faults.translated(f"describe the refreshes of group {group}"):
        try:
            answer = clients.get("autoscaling").describe_instance_refreshes(
                AutoScalingGroupName=group, MaxRecords=REFRESHES_SEEN
            )
        except ClientError as error:
            if faults.code(error) == "ValidationError":
                raise NotFound(
                    f"The refreshes of group {group} cannot be read: {faults.text(error)}"
                ) from error
            raise
    return tuple(_refresh(each) for each in answer.get("InstanceRefreshes", []))


def start_refresh(
    group: str, configuration: Mapping[str, Any], preferences: Mapping[str, Any]
) -> str | None:
    """Start a rolling refresh to a configuration.

    The call takes no client token: after a lost answer, repeating it meets our own refresh, and
    the caller must look for it with :func:`refreshes`.

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


def roll_back_refresh(group: str) -> bool:
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


def cancel_refresh(group: str) -> None:
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


def launches(group: str, since: datetime, until: datetime) -> tuple[Launch, ...]:
    """The launches that the group tried in that time, newest first.

    Only so far back as a page has one of which an instance came: in a large group there are many.

    Raises:
        NotFound: The group is gone.
        Throttled, Unavailable: Safe to repeat.

    IAM: autoscaling:DescribeScalingActivities
    """
    found: list[Launch] = []
    within = [
        {"Name": "StartTimeLowerBound", "Values": [since.isoformat()]},
        {"Name": "StartTimeUpperBound", "Values": [until.isoformat()]},
    ]
    with faults.translated(f"describe the activities of group {group}"):
        pages = clients.get("autoscaling").get_paginator("describe_scaling_activities")
        try:
            for page in pages.paginate(AutoScalingGroupName=group, Filters=within):
                found += [each for each in map(_launch, page["Activities"]) if each is not None]
                if any(each.instance_id for each in found):
                    break
        except ClientError as error:
            if faults.code(error) == "ValidationError":
                raise NotFound(
                    f"The activities of group {group} cannot be read: {faults.text(error)}"
                ) from error
            raise
    return tuple(found)


def pin(name: str, *templates: TemplateVersion) -> None:
    """Write the numbers that its aliases stand for now into the group's own configuration.

    The one edit of a group before a roll: nothing that runs is changed by it, and without it AWS
    could not roll back. Repeating it changes nothing.

    Args:
        templates: The group's own launch template, and those of its overrides that an alias stands
            for too, each with the number of a version.

    Raises:
        NotFound: The group is gone.
        Refused: A version is no number, the template is not the group's, or AWS does not accept it.
        Throttled, Unavailable: Safe to repeat.

    IAM: autoscaling:DescribeAutoScalingGroups, autoscaling:UpdateAutoScalingGroup
    IAM also: ec2:RunInstances, ec2:CreateTags, iam:PassRole
    Source: EC2 Auto Scaling user guide, "Launch template permissions": AWS makes a dry run of the
    launch in the caller's name.
    """
    group = describe_group(name)
    versions = group.versions
    for template in templates:
        if not template.is_pinned or template.template_id not in versions:
            raise Refused(
                f"Group {name} cannot be pinned to version {template.version!r} of "
                f"{template.template_id}: it launches {versions}."
            )
        versions[template.template_id] = template.version
    if versions == group.versions:
        return
    with faults.translated(f"pin group {name}"):
        try:
            clients.get("autoscaling").update_auto_scaling_group(
                AutoScalingGroupName=name, **configuration(group, versions)
            )
        except ClientError as error:
            if faults.code(error) == "ValidationError":
                raise Refused(
                    f"AWS does not let group {name} be pinned: {faults.text(error)}"
                ) from error
            raise


def _group(group: Mapping[str, Any]) -> Group:
    mixed = group.get("MixedInstancesPolicy")
    launch = (mixed or {}).get("LaunchTemplate") or group
    specification = launch.get("LaunchTemplateSpecification") or group.get("LaunchTemplate")
    warmup = group.get("DefaultInstanceWarmup")
    return Group(
        name=group["AutoScalingGroupName"],
        arn=group.get("AutoScalingGroupARN", ""),
        min_size=group["MinSize"],
        max_size=group["MaxSize"],
        desired=group["DesiredCapacity"],
        template=template_version(specification),
        members=tuple(_member(each) for each in group.get("Instances", [])),
        overrides=override_templates(mixed),
        mixed=mixed,
        launch_configuration=group.get("LaunchConfigurationName"),
        tags={tag["Key"]: tag.get("Value", "") for tag in group.get("Tags", [])},
        subnets=tuple(each for each in group.get("VPCZoneIdentifier", "").split(",") if each),
        target_groups=_target_groups(group),
        health_check_type=group.get("HealthCheckType", "EC2"),
        default_warmup_seconds=None if warmup is None or warmup < 0 else warmup,
        health_check_grace_seconds=group.get("HealthCheckGracePeriod", 0),
        suspended=tuple(
            sorted(each["ProcessName"] for each in group.get("SuspendedProcesses", []))
        ),
    )


def _target_groups(group: Mapping[str, Any]) -> tuple[str, ...]:
    """Those attached in the older way and those attached as traffic sources, each once."""
    sources = [
        source["Identifier"]
        for source in group.get("TrafficSources", [])
        if source.get("Type", "elbv2") == "elbv2" and ":targetgroup/" in source["Identifier"]
    ]
    return tuple(dict.fromkeys([*group.get("TargetGroupARNs", []), *sources]))


def _member(instance: Mapping[str, Any]) -> Member:
    return Member(
        instance_id=instance["InstanceId"],
        lifecycle=instance["LifecycleState"],
        healthy=instance["HealthStatus"].lower() == "healthy",
        template=template_version(instance.get("LaunchTemplate")),
        protected=instance.get("ProtectedFromScaleIn", False),
        zone=instance.get("AvailabilityZone", ""),
    )


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


def _launch(activity: Mapping[str, Any]) -> Launch | None:
    """Only the description says that it is a launch, and which instance came of it."""
    described = activity["Description"]
    if not described.startswith("Launching"):
        return None
    instance = re.search(r"\bi-[0-9a-f]{8,}\b", described)
    return Launch(instance[0] if instance else "", activity.get("StatusMessage", ""))
