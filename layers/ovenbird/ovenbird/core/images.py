"""Machine images: what goes into one, what it is called, and whether there is one already.

Which images are ours stands in the ledger, by their ids (:class:`Baked`). Tags say the same to
people and narrow a search; whoever may write tags cannot make an image ours, nor bar one.
"""

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
class Disk:
    """A volume that every instance of an image has; ``kept`` when it outlives them."""

    device: str
    snapshot: str = ""
    size: int = 0  # GiB; 0 where EC2 does not say
    kept: bool = False


@dataclass(frozen=True)
class Image:
    """An image as it was observed.

    ``state`` is EC2's (``pending``, ``available``, ``failed`` …); ``root_device`` is the device
    that it boots from; ``source_instance`` is the instance that it was made of, which only EC2
    writes; ``platform`` is ``windows`` or empty.
    """

    image_id: str
    name: str
    state: str
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    state_reason: str = ""
    created: datetime | None = None
    disks: tuple[Disk, ...] = ()
    root_device: str = ""
    architecture: str = ""
    platform: str = ""
    source_instance: str = ""

    @property
    def is_available(self) -> bool:
        """Whether instances can be launched from it."""
        return self.state == "available"

    @property
    def is_being_made(self) -> bool:
        """Whether it may still become available."""
        return self.state in _BEING_MADE

    @property
    def kept_devices(self) -> tuple[str, ...]:
        """The devices whose volumes outlive an instance."""
        return tuple(disk.device for disk in self.disks if disk.kept)


@dataclass(frozen=True)
class Baked:
    """An image that Ovenbird made for a fleet, as the ledger remembers it.

    ``base`` is the image that the bake started from; ``bad`` says why it is not used again, and is
    empty for a good one.
    """

    image_id: str
    key: str = ""
    base: str = ""
    rollout: str = ""
    bad: str = ""


Known = Mapping[str, Baked]  # by image id


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
    *,
    clean: bool = True,
    user_data: str = "",
) -> str:
    """Sixteen hex digits for everything that goes into an image; the same for the same content.

    Args:
        base: The image that the builder starts from, ``ami-…``.
        digest: The identity of the release's content, not of the push.
        install: The lines that install the release, in their order.
        verify: The lines that try it, in their order.
        environment: The variables that both get; their order does not matter.
        clean: Whether what the builder's life has left is removed.
        user_data: The identity of what the builder does at its first boot, if anything.
    """
    ingredients = [base, digest, list(install), list(verify), sorted(environment.items())]
    if not clean:
        ingredients.append(["clean: false"])
    if user_data:
        ingredients.append(["user data", user_data])
    return hashlib.sha256(json.dumps(ingredients).encode()).hexdigest()[:16]


def choose(
    fleet: str, key: str, images: Sequence[Image], known: Known, content: str
) -> Reuse | Bake:
    """Use an image that exists, or bake one under a name that is free.

    Args:
        images: Those whose names begin as this content's do. One that is marked bad or has failed
            is never used again, and one that is not known is somebody else's; but all keep their
            names, so the next one's name ends in ``-2``, ``-3`` …
        known: The images that were baked for the fleet.
        content: What the release has, for the reasons, as ``the same content (ETag …)``.
    """
    ours = sorted(
        (image for image in images if image.image_id in known and _key(image, known) == key),
        key=lambda image: (image.created.timestamp() if image.created else 0.0, image.image_id),
    )
    good = [image for image in ours if not known[image.image_id].bad]
    for image in good:
        if image.is_available:
            return Reuse(
                image.image_id, f"{image.image_id} ({image.name}) was baked from {content}."
            )
    for image in good:
        if image.is_being_made:
            return Bake(image.name, f"{image.image_id} ({image.name}) is being made already.")
    taken = {image.name for image in images}
    number = 1
    while name(fleet, key, number) in taken:
        number += 1
    free, strangers = name(fleet, key, number), [each for each in images if each not in ours]
    if not ours:
        others = ", ".join(f"{each.image_id} ({each.name})" for each in strangers)
        passed = f" Ovenbird has not made {others}, so it is passed over." if strangers else ""
        return Bake(free, f"No image has been baked from {content} yet.{passed}")
    last = ours[-1]
    bad = known[last.image_id].bad
    why = f"was marked bad: {bad}" if bad else f"is {last.state}"
    return Bake(free, f"{last.image_id} was baked from {content}, but {why.rstrip('.')}.")


def _key(image: Image, known: Known) -> str:
    return known[image.image_id].key


def name(fleet: str, key: str, number: int = 1) -> str:
    """What an image of this content is called; the second one of the same content has number 2."""
    return f"ovenbird-{fleet}-{key}" + (f"-{number}" if number > 1 else "")


def root_base(current: Image, known: Known) -> str:
    """The image that the team made, of which the current one is a bake (or which it is itself).

    Every bake starts there, never from a bake, so images do not grow from release to release and
    the same content has the same key.
    """
    baked = known.get(current.image_id)
    return baked.base if baked is not None and baked.base else current.image_id


def tags(
    *,
    fleet: str,
    key: str,
    rollout: str,
    base: str,
    revision: str,
    owners: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """What a new image and its snapshots are tagged with, in the create call.

    Args:
        owners: Tags of the owner's, which everything has that is made for the fleet.
    """
    return {
        **(owners or {}),
        FLEET: fleet,
        BAKE_KEY: key,
        ROLLOUT: rollout,
        BASE: base,
        REVISION: revision[:_LONGEST_TAG],
    }


def bad_tag(reason: str) -> dict[str, str]:
    """The tag that keeps an image from being used again."""
    return {BAD: reason[:_LONGEST_TAG] or "marked by hand"}
