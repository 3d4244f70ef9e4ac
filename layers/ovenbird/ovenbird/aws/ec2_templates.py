"""Launch templates: read a version, find versions of an image, publish one, set the default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ovenbird.aws import clients
from ovenbird.aws.faults import translated
from ovenbird.core.templates import Content, Version
from ovenbird.errors import NotFound, Refused


def version(template_id: str, number: str) -> Version:
    """One version of a template, whole.

    Args:
        number: A number, or ``$Latest`` or ``$Default``, which is resolved: the answer's ``number``
            is always a number.

    Raises:
        NotFound: The template or the version does not exist.

    IAM: ec2:DescribeLaunchTemplateVersions
    """
    missing = f"Version {number} of the launch template {template_id} does not exist."
    with translated(f"read version {number} of {template_id}", missing=missing):
        found = clients.get("ec2").describe_launch_template_versions(
            LaunchTemplateId=template_id, Versions=[number]
        )["LaunchTemplateVersions"]
    if not found:
        raise NotFound(missing)
    return _version(found[0])


def of_image(template_id: str, image_id: str) -> list[Version]:
    """Every version of the template that launches that image.

    IAM: ec2:DescribeLaunchTemplateVersions
    """
    with translated(f"look for versions of {template_id} with {image_id}"):
        pages = (
            clients.get("ec2")
            .get_paginator("describe_launch_template_versions")
            .paginate(
                LaunchTemplateId=template_id,
                Filters=[{"Name": "image-id", "Values": [image_id]}],
                PaginationConfig={"PageSize": 200},
            )
        )
        return [_version(found) for page in pages for found in page["LaunchTemplateVersions"]]


def _version(found: Mapping[str, Any]) -> Version:
    return Version(
        found["LaunchTemplateId"], str(found["VersionNumber"]), found.get("LaunchTemplateData", {})
    )


def publish(
    template_id: str, source: str, changes: Content, *, description: str, token: str
) -> str:
    """Make a version that is the source with other members; the number of the new version.

    Nothing launches it yet, unless somebody's group follows ``$Latest``. Repeating it with the same
    token returns the same version.

    Args:
        source: A number, never ``$Latest``: somebody may have published meanwhile.

    Raises:
        Refused: EC2 made the version, but warns that it cannot be launched.

    IAM: ec2:CreateLaunchTemplateVersion
    Source: EC2 API reference, CreateLaunchTemplateVersion.
    """
    missing = f"Version {source} of the launch template {template_id} does not exist."
    with translated(f"publish a version of {template_id}", missing=missing):
        answer = clients.get("ec2").create_launch_template_version(
            LaunchTemplateId=template_id,
            SourceVersion=source,
            LaunchTemplateData=changes,
            VersionDescription=description,
            ClientToken=token,
        )
    number = str(answer["LaunchTemplateVersion"]["VersionNumber"])
    warnings = answer.get("Warning", {}).get("Errors", [])
    if warnings:
        said = "; ".join(f"{each.get('Message')} ({each.get('Code')})" for each in warnings)
        raise Refused(
            f"EC2 warns that version {number} of {template_id} cannot be launched: {said}"
        )
    return number


def make_default(template_id: str, number: str) -> None:
    """Make a version the template's default; repeating it changes nothing.

    IAM: ec2:ModifyLaunchTemplate
    Source: EC2 API reference, ModifyLaunchTemplate.
    """
    missing = f"Version {number} of the launch template {template_id} does not exist."
    with translated(f"make version {number} the default of {template_id}", missing=missing):
        clients.get("ec2").modify_launch_template(
            LaunchTemplateId=template_id, DefaultVersion=number
        )


def tags(template_ids: Iterable[str]) -> dict[str, dict[str, str]]:
    """The tags of templates, by their ids (versions have none); all in one call.

    Raises:
        NotFound: One of them does not exist.

    IAM: ec2:DescribeLaunchTemplates
    """
    wanted = list(template_ids)
    names = ", ".join(wanted)
    with translated(f"describe {names}", missing=f"The launch template {names} does not exist."):
        found = clients.get("ec2").describe_launch_templates(LaunchTemplateIds=wanted)
    tags = {
        each["LaunchTemplateId"]: {tag["Key"]: tag["Value"] for tag in each.get("Tags", [])}
        for each in found["LaunchTemplates"]
    }
    if gone := [each for each in wanted if each not in tags]:
        raise NotFound(f"The launch template {', '.join(gone)} does not exist.")
    return tags
