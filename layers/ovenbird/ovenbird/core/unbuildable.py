"""Why no builder can be launched, and why an image cannot: what the plan's own reads show of it.

Sources: EC2 API reference, RunInstances, RequestLaunchTemplateData; EC2 user guide, "Stop and start
Spot Instances"; GitHub, aws/karpenter-provider-aws#5850 (tags for Spot requests).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ovenbird.core import blueprints
from ovenbird.core.images import Image
from ovenbird.core.names import few
from ovenbird.core.templates import Version


def builder(
    running: Version, base: Image, types: Sequence[str], owners: Mapping[str, str]
) -> Iterator[str]:
    """Every reason against launching a builder from the version that the group runs.

    Args:
        base: The image that it would start from.
        types: The instance types that it could have.
        owners: Tags of the owner's.
    """
    name, content = f"Version {running.number} of {running.template_id}", running.content
    if content.get("InstanceMarketOptions"):
        yield (
            f"{name} asks for Spot Instances, and a builder has to be stopped, which AWS does not "
            "do with those; let the group ask for them instead, with a mixed instances policy."
        )
    elif "spot-instances-request" in _tagged(running):
        yield (
            f"{name} tags Spot requests (spot-instances-request in its TagSpecifications), and EC2 "
            "launches no On-Demand Instance from it, which a builder is; take that out."
        )
    if not types:
        yield (
            f"{name} names no instance type, and no override of the group does; a builder needs "
            "one."
        )
    if base.platform == "windows":
        yield (
            f"The base image {base.image_id} is Windows, and bake.install and bake.verify are run "
            "by /bin/sh; take a base image of Linux."
        )
    written = {
        *_tagged(running).get("instance", ()),
        *blueprints.tags("fleet", "rollout", owners),
    }
    if len(written) > blueprints.MOST_TAGS:
        yield (
            f"A builder would have {len(written)} tags ({name}'s own, those of the group and of "
            f"the document, and Ovenbird's four), and EC2 allows {blueprints.MOST_TAGS}; take some "
            "out."
        )


def image(
    running: Iterable[Version],
    wanted: Image,
    current: Image,
    architectures: Mapping[str, Collection[str]],
) -> Iterator[str]:
    """Every reason why the group cannot launch an image, or what is baked from it.

    Args:
        wanted: The image itself, or the base of the one that is to be baked.
        current: The one that the group launches now.
        architectures: What each of the group's types runs, where it had to be asked.
    """
    for version in running:
        yield from _too_small(version, wanted, current)
    others = [name for name, runs in architectures.items() if wanted.architecture not in runs]
    if others:
        yield (
            f"The image {wanted.image_id} is {wanted.architecture}, and the group launches "
            f"{few(others)}, of another architecture; take an image and types of the same."
        )


def _too_small(version: Version, wanted: Image, current: Image) -> Iterator[str]:
    """EC2 makes no volume that is smaller than the snapshot that it begins with.

    How large that is the image does not say, only how large its volumes are; so what is no larger
    than it is today is left to EC2.
    """
    today = {disk.device: disk.size for disk in current.disks}
    given = {
        str(each.get("DeviceName")): each.get("Ebs") or {}
        for each in version.content.get("BlockDeviceMappings") or ()
        if "NoDevice" not in each
    }
    for disk in wanted.disks:
        size = given.get(disk.device, {}).get("VolumeSize")
        if size and int(size) < disk.size and disk.size > today.get(disk.device, 0):
            yield (
                f"Version {version.number} of {version.template_id} gives {disk.device} {size} "
                f"GiB, and the image {wanted.image_id} needs {disk.size}; raise VolumeSize to "
                f"{disk.size} in a new version, or leave it out."
            )


def _tagged(version: Version) -> dict[str, tuple[str, ...]]:
    """The keys of the tags that the version puts on each kind of thing."""
    return {
        str(each.get("ResourceType")): tuple(tag["Key"] for tag in each.get("Tags") or ())
        for each in version.content.get("TagSpecifications") or ()
    }


def not_checked(running: Version, *, bakes: bool) -> tuple[str, ...]:
    """What the plan cannot know before AWS is asked for it."""
    content, name = running.content, f"version {running.number} of {running.template_id}"
    profile = content.get("IamInstanceProfile") or {}
    named = [
        f"{what} {value}"
        for what, value in (
            ("key pair", content.get("KeyName")),
            ("instance profile", profile.get("Name") or profile.get("Arn")),
            ("placement group", (content.get("Placement") or {}).get("GroupName")),
        )
        if value
    ]
    said = ["Whether EC2 has room, and the account's quotas, for what is launched."]
    if named:
        said.append(f"Whether what {name} names exists: {', '.join(named)}.")
    if not bakes:
        return tuple(said)
    said += [
        "Whether the organisation's policies allow the launch of a builder and its tags.",
        "Whether the builder reaches Systems Manager and the artefact."
        if profile
        else f"Whether the builder reaches Systems Manager and the artefact: {name} names no "
        "instance profile, so only where Default Host Management Configuration is on.",
    ]
    strange = sorted(set(content) - blueprints.RULED)
    if strange:
        said.append(
            f"What {', '.join(strange)} in {name} does to a builder: this Ovenbird does not know "
            "it, and a builder takes it over."
        )
    return tuple(said)
