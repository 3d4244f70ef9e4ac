"""What a rollout will do: bake, reuse, go back, or nothing. The reasons are the plan's text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ovenbird.core import images, traffic
from ovenbird.core.groups import Group
from ovenbird.core.images import Image, Known
from ovenbird.core.names import few
from ovenbird.core.preferences import Preferences, one_more, surge
from ovenbird.core.templates import Version, pinned_overrides
from ovenbird.core.traffic import Opinion


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
    named: Sequence[Image],
    known: Known,
    running: Sequence[Version],
    content: str,
) -> Decision:
    """What a release needs.

    Args:
        current: The image that the group launches now.
        base: The image that a bake starts from.
        key: The bake key of the release.
        named: The images that bear the names of this content, in whatever state.
        known: The images that were baked for the fleet.
        running: The versions that the group launches from, aliases resolved.
        content: What the release has, for the reasons; see :func:`ovenbird.core.contents.said`.
    """
    choice = images.choose(fleet, key, named, known, content)
    if isinstance(choice, images.Bake):
        return Bake(base, key, choice.name, choice.reason)
    if choice.image_id == current and is_uniform(group, running):
        return Nothing(current, f"The fleet runs {current} already, baked from {content}.")
    name = next(image.name for image in named if image.image_id == choice.image_id)
    return Roll(choice.image_id, base, key, name, choice.reason)


def roll_back(
    group: Group, *, current: str, target: Image, known: Known, running: Sequence[Version]
) -> Decision:
    """What a roll-back by hand needs."""
    if target.image_id == current and is_uniform(group, running):
        return Nothing(current, f"The fleet runs {current} already.")
    return Roll(
        target.image_id,
        images.root_base(target, known),
        known[target.image_id].key if target.image_id in known else "",
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


def unknown_target(asked: str, ran: Sequence[str]) -> str | None:
    """Why an image that a person names is none to roll back to: the fleet has never run it.

    Else whoever may ask for a roll-back could put any image of any account onto the fleet.

    Args:
        ran: What the fleet has run, newest first, the current image included.
    """
    if asked in ran:
        return None
    return (
        f"image is {asked}, which the fleet has not run as far as Ovenbird knows; it must be one "
        f"of {few(ran)}, or left out for the one before."
    )


def bad_target(target: Image, known: Known, *, by_name: bool) -> str | None:
    """Why an image cannot be rolled back to, if it cannot.

    Args:
        by_name: Whether the person named it: then it is their word against the mark's.
    """
    baked = known.get(target.image_id)
    if baked is not None and baked.bad and not by_name:
        return (
            f"The image {target.image_id} is marked bad ({baked.bad}); name the image to return to "
            "in the payload (image): another one, or this one all the same."
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
    opinions: Sequence[Opinion] = (),
) -> list[str]:
    """The plan in sentences, in the order in which it happens.

    Args:
        pins: Whether the group has to be pinned to a number first.
        pinned: Whether that was done (in a dry run it is not).
        opinions: What the balancers that count say of the instances now.
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
    if group.desired:
        written += traffic.sentences(group, opinions, warmup_seconds=preferences.warmup_seconds)
    if addresses:
        written.append(f"Keep {addresses} Elastic IPs on healthy instances all the while.")
    written.append(_way_back(group, preferences, old))
    return written


def _roll(group: Group, preferences: Preferences) -> str:
    if group.desired == 0:
        return f"Group {group.name} has no instances: it only learns the new version."
    extra = surge(preferences, group.desired, one_more(group)) - group.overage
    units = " units" if group.weighted else ""
    return (
        f"Roll the {sized(group)} of group {group.name}, between "
        f"{preferences.min_healthy_percent} and {preferences.max_healthy_percent} percent of its "
        f"size, with at most {extra}{units} more than now."
    )


def sized(group: Group) -> str:
    """``3 instances``, or ``2 instances (8 units)`` where instances have weights."""
    number = group.instances
    units = f" ({group.desired} units)" if group.weighted else ""
    return f"{number} instance{'' if number == 1 else 's'}{units}"


def _way_back(group: Group, preferences: Preferences, old: Mapping[str, Any]) -> str:
    who = "AWS rolls back by itself" if preferences.auto_rollback else "Ovenbird rolls back"
    return (
        f"If it fails, {who} to version {old['version']} of {old['template']} ({old['image']}); "
        "what a release has done outside of its instances, as in a database, stays done."
    )
