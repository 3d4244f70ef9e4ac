"""Auto Scaling groups: what one is, and pinning it to numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from ovenbird.core.refreshes import configuration
from ovenbird.errors import NotFound, Refused


def describe(name: str) -> Group:
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
    group = describe(name)
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
        target_groups=_sources(group, "elbv2", group.get("TargetGroupARNs", [])),
        health_check_type=group.get("HealthCheckType", "EC2"),
        default_warmup_seconds=None if warmup is None or warmup < 0 else warmup,
        health_check_grace_seconds=group.get("HealthCheckGracePeriod", 0),
        suspended=tuple(
            sorted(each["ProcessName"] for each in group.get("SuspendedProcesses", []))
        ),
        propagated=frozenset(
            tag["Key"] for tag in group.get("Tags", []) if tag.get("PropagateAtLaunch")
        ),
        zones=tuple(group.get("AvailabilityZones", [])),
        classic_balancers=_sources(group, "elb", group.get("LoadBalancerNames", [])),
        lattice_groups=_sources(group, "vpc-lattice"),
        status=group.get("Status") or "",
        warm_pool="WarmPoolConfiguration" in group,
    )


def _sources(group: Mapping[str, Any], kind: str, older: Sequence[str] = ()) -> tuple[str, ...]:
    """What the group feeds of one kind, each once: attached in the older way, or as a source.

    AWS infers the kind of a source that was attached without one.
    Source: EC2 Auto Scaling API reference, TrafficSourceIdentifier.
    """
    found = list(older)
    for source in group.get("TrafficSources", []):
        name = source["Identifier"]
        if source.get("Type", _inferred(name)) == kind:
            found.append(name)
    return tuple(dict.fromkeys(found))


def _inferred(identifier: str) -> str:
    if ":vpc-lattice:" in identifier:
        return "vpc-lattice"
    return "elbv2" if identifier.startswith("arn:") else "elb"


def _member(instance: Mapping[str, Any]) -> Member:
    return Member(
        instance_id=instance["InstanceId"],
        lifecycle=instance["LifecycleState"],
        healthy=instance["HealthStatus"].lower() == "healthy",
        template=template_version(instance.get("LaunchTemplate")),
        protected=instance.get("ProtectedFromScaleIn", False),
        zone=instance.get("AvailabilityZone", ""),
        weight=int(instance.get("WeightedCapacity") or 1),
    )
