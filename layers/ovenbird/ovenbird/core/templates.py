"""Launch template versions: which must be published for an image, and which exist already."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from ovenbird.core.groups import Group

Content = Mapping[str, Any]  # LaunchTemplateData as EC2 returns it

_LONGEST_DESCRIPTION = 255


@dataclass(frozen=True)
class Version:
    """A numbered version of a launch template and what it says."""

    template_id: str
    number: str
    content: Content = field(default_factory=dict, hash=False)

    @property
    def image(self) -> str | None:
        """Its image id, or ``resolve:ssm:…``, or ``None`` where the launcher has to name one."""
        image = self.content.get("ImageId")
        return None if image is None else str(image)


@dataclass(frozen=True)
class Reuse:
    """This version says exactly what is wanted."""

    number: str
    reason: str


@dataclass(frozen=True)
class Publish:
    """Make a version from ``source`` with these members instead of the source's."""

    source: str
    changes: Content
    reason: str


def sources(template: str, version: str, overrides: Mapping[str, str]) -> dict[str, str]:
    """Every template that the group launches from, with the version it runs; its own comes first.

    Args:
        overrides: The templates that overrides of the mixed instances policy name for themselves.
    """
    return {template: version, **{t: v for t, v in overrides.items() if t != template}}


def pinned_overrides(group: Group, running: Sequence[Version]) -> dict[str, str]:
    """The templates that overrides name, with the numbers of their versions."""
    numbers = {version.template_id: version.number for version in running}
    return {
        each.template_id: each.version if each.is_pinned else numbers[each.template_id]
        for each in group.overrides
        if each is not None and (each.is_pinned or each.template_id in numbers)
    }


def refusal(
    template: str,
    version: str,
    overrides: Mapping[str, str],
    running: Iterable[Version],
    image: str,
) -> str | None:
    """Why the versions that the group runs cannot be led over to one new image, if they cannot.

    Args:
        running: The versions that the group runs, of every template.
        image: What the group runs now. A template of an override that names another one is meant
            for another architecture, so the new image must not be put there.
    """
    if overrides.get(template, version) != version:
        return (
            f"The group runs version {version} of {template}, and an override of its mixed"
            f" instances policy runs version {overrides[template]} of it; give both the same."
        )
    for each in running:
        if each.image is not None and each.image.startswith("resolve:"):
            return (
                f"Version {each.number} of {each.template_id} names its image by a parameter"
                f" ({each.image}); AWS cannot roll such a version back, so write the image id."
            )
        if each.image is None:
            return (
                f"Version {each.number} of {each.template_id} names no image; it cannot be known"
                " what it launches."
            )
        if each.image != image:
            return (
                f"Version {each.number} of {each.template_id} runs {each.image}, and the group runs"
                f" {image}; one release can only replace one image, so take that template out of"
                " the group's overrides."
            )
    return None


def changes(source: Content, image: str, root_device: str) -> dict[str, Any]:
    """The members of the source that must change for the new image.

    A block device that pins a snapshot on the image's root device would boot the *old* disk under
    the new image's name, so the snapshot is taken out there. A snapshot on any other device is the
    owner's data and is sent again, because EC2 leaves snapshots of the source version out unless
    they are sent. Source: EC2 API reference, CreateLaunchTemplateVersion, parameter SourceVersion.
    """
    members: dict[str, Any] = {"ImageId": image}
    mappings = source.get("BlockDeviceMappings") or []
    if any(_snapshot(mapping) for mapping in mappings):
        members["BlockDeviceMappings"] = [_unpinned(mapping, root_device) for mapping in mappings]
    return members


def _snapshot(mapping: Content) -> str | None:
    return (mapping.get("Ebs") or {}).get("SnapshotId")


def _unpinned(mapping: Content, root_device: str) -> dict[str, Any]:
    changed = deepcopy(dict(mapping))
    if changed.get("DeviceName") == root_device:
        changed.get("Ebs", {}).pop("SnapshotId", None)
    return changed


def decide(
    source: Version, image: str, root_device: str, existing: Sequence[Version]
) -> Reuse | Publish:
    """Reuse the newest version that equals the source with the image swapped, or publish one.

    Args:
        existing: Versions of the same template; those of other images are passed over.
    """
    members = changes(source.content, image, root_device)
    wanted = _canonical({**source.content, **members})
    equal = [version for version in existing if _canonical(version.content) == wanted]
    if equal:
        newest = max(equal, key=lambda version: int(version.number))
        return Reuse(
            newest.number,
            f"Version {newest.number} of {source.template_id} says the same already.",
        )
    return Publish(
        source.number,
        members,
        f"Version {source.number} of {source.template_id} is published again with {image}.",
    )


def _canonical(content: Content) -> str:
    return json.dumps(content, sort_keys=True, default=str)


def description(rollout: str, revision: str) -> str:
    """The description of a new version, for whoever reads the list of versions."""
    return f"Ovenbird rollout {rollout}: {revision}"[:_LONGEST_DESCRIPTION]
