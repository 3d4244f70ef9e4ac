"""Machine images: what goes into one, what it is called, and whether there is one already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

FLEET = "ovenbird:fleet"
BAKE_KEY = "ovenbird:bake-key"
ROLLOUT = "ovenbird:rollout"
BASE = "ovenbird:base"
REVISION = "ovenbird:revision"
BAD = "ovenbird:bad"

_BEING_MADE = ("pending", "transient")
_LONGEST_TAG = 256  # characters of a tag's value


@dataclass(frozen=True)
class Image:
    """An image as it was observed.

    ``state`` is EC2's (``pending``, ``available``, ``failed`` …); ``root_device`` is the device
    that it boots from; ``kept_devices`` are the devices whose volumes outlive an instance.
    """

    image_id: str
    name: str
    state: str
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    state_reason: str = ""
    created: datetime | None = None
    snapshots: tuple[str, ...] = ()
    root_device: str = ""
    kept_devices: tuple[str, ...] = ()

    @property
    def is_available(self) -> bool:
        """Whether instances can be launched from it."""
        return self.state == "available"

    @property
    def is_being_made(self) -> bool:
        """Whether it may still become available."""
        return self.state in _BEING_MADE

    @property
    def bad(self) -> str | None:
        """Why it must never be used again, if a rollout found out."""
        return self.tags.get(BAD)

    def is_of(self, fleet: str, key: str) -> bool:
        """Whether Ovenbird made it for this fleet from these ingredients."""
        return self.tags.get(FLEET) == fleet and self.tags.get(BAKE_KEY) == key


@dataclass(frozen=True)
class Reuse:
    """There is such an image: nothing is baked."""

    image_id: str
    reason: str


@dataclass(frozen=True)
class Bake:
    """An image of this name is to be made (or is being made already)."""

    name: str
    reason: str


def bake_key(
    base: str,
    digest: str,
    install: Sequence[str],
    verify: Sequence[str],
    environment: Mapping[str, str],
) -> str:
    """Sixteen hex digits for everything that goes into an image; the same for the same content.

    Args:
        base: The image that the builder starts from, ``ami-…``.
        digest: The identity of the release's content, not of the push.
        install: The lines that install the release, in their order.
        verify: The lines that try it, in their order.
        environment: The variables that both get; their order does not matter.
    """
    ingredients = [base, digest, list(install), list(verify), sorted(environment.items())]
    return hashlib.sha256(json.dumps(ingredients).encode()).hexdigest()[:16]


def choose(fleet: str, key: str, images: Sequence[Image]) -> Reuse | Bake:
    """Use an image that exists, or bake one under a name that is free.

    Args:
        images: Those with the fleet's name; others may be among them and are passed over. An image
            that is marked bad or has failed is never used again, but it keeps its name, so the next
            one's name ends in ``-2``, ``-3`` …
    """
    ours = sorted(
        (image for image in images if image.is_of(fleet, key)),
        key=lambda image: (image.created.timestamp() if image.created else 0.0, image.image_id),
    )
    good = [image for image in ours if image.bad is None]
    for image in good:
        if image.is_available:
            return Reuse(
                image.image_id, f"{image.image_id} ({image.name}) was baked from the same content."
            )
    for image in good:
        if image.is_being_made:
            return Bake(image.name, f"{image.image_id} ({image.name}) is being made already.")
    taken = {image.name for image in images}
    name = _name(fleet, key, 1)
    number = 1
    while name in taken:
        number += 1
        name = _name(fleet, key, number)
    if not ours:
        return Bake(name, "No image has been baked from this content yet.")
    last = ours[-1]
    why = f"was marked bad: {last.bad}" if last.bad is not None else f"is {last.state}"
    return Bake(name, f"{last.image_id} was baked from this content, but {why.rstrip('.')}.")


def _name(fleet: str, key: str, number: int) -> str:
    return f"ovenbird-{fleet}-{key}" + (f"-{number}" if number > 1 else "")


def root_base(current: Image) -> str:
    """The image that the team made, of which the current one is a bake (or which it is itself).

    Every bake starts there, never from a bake, so images do not grow from release to release and
    the same content has the same key.
    """
    return current.tags.get(BASE) or current.image_id


def tags(*, fleet: str, key: str, rollout: str, base: str, revision: str) -> dict[str, str]:
    """What a new image and its snapshots are tagged with, in the create call."""
    return {
        FLEET: fleet,
        BAKE_KEY: key,
        ROLLOUT: rollout,
        BASE: base,
        REVISION: revision[:_LONGEST_TAG],
    }


def bad_tag(reason: str) -> dict[str, str]:
    """The tag that keeps an image from being used again."""
    return {BAD: reason[:_LONGEST_TAG] or "marked by hand"}
