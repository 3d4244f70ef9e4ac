"""What a rollout will do: bake, reuse, go back, or nothing. The reasons are the plan's text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ovenbird.core import images
from ovenbird.core.groups import Group
from ovenbird.core.images import Image
from ovenbird.core.preferences import Preferences, surge
from ovenbird.core.templates import Version, pinned_overrides


@dataclass(frozen=True)
class Bake:
    """Make (or go on making) an image of this name, from ``base``."""

    base: str
    key: str
    name: str
    reason: str


@dataclass(frozen=True)
class Roll:
    """No bake: the image is there."""

    image: str
    base: str
    key: str
    name: str
    reason: str


@dataclass(frozen=True)
class Nothing:
    """The fleet runs it already."""

    image: str
    reason: str


Decision = Bake | Roll | Nothing


def release(
    fleet: str,
    group: Group,
    *,
    current: str,
    base: str,
    key: str,
    baked: Sequence[Image],
    running: Sequence[Version],
) -> Decision:
    """What a release needs.

    Args:
        current: The image that the group launches now.
        base: The image that a bake starts from.
        key: The bake key of the release.
        baked: The fleet's images with that key, in whatever state.
        running: The versions that the group launches from, aliases resolved.
    """
    choice = images.choose(fleet, key, baked)
    if isinstance(choice, images.Bake):
        return Bake(base, key, choice.name, choice.reason)
    if choice.image_id == current and is_uniform(group, running):
        return Nothing(current, f"The fleet runs {current} already, baked from the same content.")
    name = next(image.name for image in baked if image.image_id == choice.image_id)
    return Roll(choice.image_id, base, key, name, choice.reason)


def roll_back(group: Group, *, current: str, target: Image, running: Sequence[Version]) -> Decision:
    """What a roll-back by hand needs."""
    if target.image_id == current and is_uniform(group, running):
        return Nothing(current, f"The fleet runs {current} already.")
    return Roll(
        target.image_id,
        images.root_base(target),
        target.tags.get(images.BAKE_KEY, ""),
        target.name,
        f"{target.image_id} ({target.name}) is what the fleet ran before.",
    )


def roll_back_target(stack: Sequence[str], current: str) -> str | None:
    """The image before the current one; the last known one where others changed the fleet."""
    if not stack:
        return None
    if stack[-1] != current:
        return stack[-1]
    return stack[-2] if len(stack) > 1 else None


def bad_target(target: Image) -> str | None:
    """Why an image cannot be rolled back to, if it cannot."""
    if target.bad is not None:
        return (
            f"The image {target.image_id} is marked bad ({target.bad}); name another one, or "
            "remove its tag ovenbird:bad."
        )
    if not target.is_available:
        return f"The image {target.image_id} is {target.state}; name one that is available."
    return None


def is_uniform(group: Group, running: Sequence[Version]) -> bool:
    """Whether every instance runs what the group would launch."""
    versions = {version.template_id: version.number for version in running}
    return all(
        member.template is not None
        and versions.get(member.template.template_id) == member.template.version
        for member in group.members
        if not member.lifecycle.startswith("Terminat")
    )


def old_version(group: Group, running: Sequence[Version], current: str) -> dict[str, Any]:
    """``plan.from``: what the group launches now, in numbers, to come back to."""
    return {
        "image": current,
        "template": running[0].template_id,
        "version": running[0].number,
        "overrides": pinned_overrides(group, running),
    }


def steps(
    decision: Decision,
    group: Group,
    preferences: Preferences,
    *,
    old: Mapping[str, Any],
    pins: bool,
    pinned: bool,
    addresses: int,
) -> list[str]:
    """The plan in sentences, in the order in which it happens.

    Args:
        pins: Whether the group has to be pinned to a number first.
        pinned: Whether that was done (in a dry run it is not).
    """
    if isinstance(decision, Nothing):
        return [decision.reason]
    written = []
    if pins:
        written.append(
            f"Group {group.name} follows an alias; it {'is' if pinned else 'would be'} pinned to "
            f"version {old['version']} of {old['template']}, which it means now."
        )
    if isinstance(decision, Bake):
        written.append(f"Bake {decision.name} from {decision.base}: {decision.reason}")
    else:
        written.append(f"Bake nothing: {decision.reason}")
    written.append(
        f"Publish a version of {old['template']} from version {old['version']} with that image."
    )
    written.append(_roll(group, preferences))
    if addresses:
        written.append(f"Keep {addresses} Elastic IPs on healthy instances all the while.")
    written.append(_way_back(group, preferences, old))
    return written


def _roll(group: Group, preferences: Preferences) -> str:
    if group.desired == 0:
        return f"Group {group.name} has no instances: it only learns the new version."
    extra = surge(preferences, group.desired)
    return (
        f"Roll the {group.desired} instances of group {group.name}, between "
        f"{preferences.min_healthy_percent} and {preferences.max_healthy_percent} percent of its "
        f"size, with at most {extra} more than now."
    )


def _way_back(group: Group, preferences: Preferences, old: Mapping[str, Any]) -> str:
    who = "AWS rolls back by itself" if preferences.auto_rollback else "Ovenbird rolls back"
    return (
        f"If it fails, {who} to version {old['version']} of {old['template']} ({old['image']}); "
        "what a release has done outside of its instances, as in a database, stays done."
    )
