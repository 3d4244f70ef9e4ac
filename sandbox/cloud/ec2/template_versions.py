"""A launch template and its numbered, immutable versions: values, and how they are shown."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.cloud.errors import AwsError


@dataclass(frozen=True)
class Version:
    number: int
    description: str
    created: datetime
    content: dict[str, Any]


@dataclass
class Template:
    template_id: str
    name: str
    created: datetime
    versions: dict[int, Version] = field(default_factory=dict)
    default: int = 1
    latest: int = 0  # never given out twice, also when the version is deleted

    def version(self, wanted: str) -> Version:
        """The version that a number, ``$Latest`` or ``$Default`` means now.

        Raises:
            AwsError: There is none.
        """
        if wanted == "$Latest":
            return self.versions[max(self.versions)]
        if wanted == "$Default":
            return self.versions[self.default]
        if not wanted.isdigit():
            raise AwsError(
                "InvalidLaunchTemplateId.VersionNotFound",
                f"Could not find launch template version {wanted}",
            )
        try:
            return self.versions[int(wanted)]
        except KeyError:
            raise AwsError(
                "InvalidLaunchTemplateId.VersionNotFound",
                f"Could not find the specified version {wanted} for the launch template with ID"
                f" {self.template_id}.",
            ) from None

    def add(self, content: dict[str, Any], description: str, now: datetime) -> Version:
        self.latest += 1
        version = Version(self.latest, description, now, content)
        self.versions[self.latest] = version
        return version


def inherited(source: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The content of a version with a SourceVersion.

    What is given overwrites whole top-level members; snapshots of the source's block devices are
    not inherited. Source: EC2 API reference, CreateLaunchTemplateVersion, SourceVersion.
    """
    base = copy.deepcopy(source)
    for device in base.get("BlockDeviceMappings", ()):
        device.get("Ebs", {}).pop("SnapshotId", None)
    return base | given


def shown_version(template: Template, version: Version, creator: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "LaunchTemplateId": template.template_id,
        "LaunchTemplateName": template.name,
        "VersionNumber": version.number,
        "CreateTime": version.created,
        "CreatedBy": creator,
        "DefaultVersion": version.number == template.default,
        "LaunchTemplateData": version.content,
    }
    if version.description:
        shown["VersionDescription"] = version.description
    return shown
