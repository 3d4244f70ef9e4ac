"""The roles that the tagged groups' instances have: a value for the parameter InstanceRoleArns.

    python -m examples.instance_roles            (or make instance-roles)

Reads only, in the account and region of the caller's credentials: groups and launch templates with
the tag ``ovenbird:fleet``, and the instance profiles that the templates name. Needs
``autoscaling:DescribeAutoScalingGroups``, ``ec2:DescribeLaunchTemplates``,
``ec2:DescribeLaunchTemplateVersions`` and ``iam:GetInstanceProfile``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3

TAG = "ovenbird:fleet"


@dataclass(frozen=True)
class Use:
    """A launch template version in use; ``role`` is an ARN, empty where it names no profile."""

    where: str
    template: str
    version: str
    role: str


def uses(session: boto3.Session) -> list[Use]:
    """What the tagged groups launch now, and the default versions of the tagged templates."""
    ec2, iam = session.client("ec2"), session.client("iam")
    found = {**dict(_of_groups(session)), **dict(_of_templates(ec2))}
    return [
        Use(where, template, version, _role(ec2, iam, template, version))
        for (template, version), where in sorted(found.items())
    ]


def value(found: Iterable[Use]) -> str:
    """What to deploy with."""
    return ",".join(sorted({use.role for use in found if use.role})) or "none"


def main() -> None:
    found = uses(boto3.Session())
    for use in found:
        role = use.role or "no instance profile"
        sys.stdout.write(f"{use.where}: {use.template} version {use.version}: {role}\n")
    if not found:
        sys.stdout.write(f"No group and no launch template here has the tag {TAG}.\n")
    sys.stdout.write(f"InstanceRoleArns={value(found)}\n")


def _of_groups(session: boto3.Session) -> Iterator[tuple[tuple[str, str], str]]:
    pages = session.client("autoscaling").get_paginator("describe_auto_scaling_groups")
    for page in pages.paginate(Filters=[{"Name": "tag-key", "Values": [TAG]}]):
        for group in page["AutoScalingGroups"]:
            for template in _named(group):
                key = (template["LaunchTemplateId"], template.get("Version", "$Default"))
                yield key, f"group {group['AutoScalingGroupName']}"


def _of_templates(ec2: Any) -> Iterator[tuple[tuple[str, str], str]]:
    pages = ec2.get_paginator("describe_launch_templates")
    for page in pages.paginate(Filters=[{"Name": "tag-key", "Values": [TAG]}]):
        for template in page["LaunchTemplates"]:
            yield (template["LaunchTemplateId"], "$Default"), template["LaunchTemplateName"]


def _named(group: Any) -> Iterator[Any]:
    """Every launch template of a group; one of a launch configuration has none."""
    if template := group.get("LaunchTemplate"):
        yield template
    mixed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    if template := mixed.get("LaunchTemplateSpecification"):
        yield template
    for override in mixed.get("Overrides", []):
        if template := override.get("LaunchTemplateSpecification"):
            yield template


def _role(ec2: Any, iam: Any, template: str, version: str) -> str:
    (found,) = ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=[version])[
        "LaunchTemplateVersions"
    ]
    profile = found["LaunchTemplateData"].get("IamInstanceProfile", {})
    name = profile.get("Name") or profile.get("Arn", "").rpartition("/")[2]
    if not name:
        return ""
    roles = iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"]
    return str(roles[0]["Arn"]) if roles else ""


if __name__ == "__main__":
    main()
