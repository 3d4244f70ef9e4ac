"""What a bake does next, seen from what there is: builder, script and image."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from ovenbird.core.builders import Builder, alive, ours, with_id
from ovenbird.core.commands import Command
from ovenbird.core.images import Image, Known
from ovenbird.core.made import Made

# Source: EC2 API reference, StateReason.
_SHUT_ITSELF_DOWN = "InstanceInitiatedShutdown"


@dataclass(frozen=True)
class Limits:
    """How long a bake waits before it gives up.

    ``image`` is long, because the first snapshot of a volume is a full one and takes hours for a
    large volume; ``visible`` is for what was made and cannot be seen yet.
    """

    script: timedelta  # all of it: the end of the first boot, the owner's phases, the clean-up
    boot: timedelta = timedelta(minutes=15)
    delivery: timedelta = timedelta(minutes=10)
    stop: timedelta = timedelta(minutes=15)
    image: timedelta = timedelta(hours=24)
    visible: timedelta = timedelta(minutes=5)


@dataclass(frozen=True)
class Wanted:
    """The image that the plan asks for, and who asks."""

    fleet: str
    rollout: str
    name: str
    key: str


@dataclass(frozen=True)
class Seen:
    """What there is.

    Args:
        image: The one of the wanted name, whoever made it.
        found: Whatever carries the tags of a builder of the fleet.
        command: The script.
        known: The images that were baked for the fleet, where it matters which.
    """

    image: Image | None = None
    found: tuple[Builder, ...] = ()
    online: bool = False
    command: Command | None = None
    made: Made = field(default_factory=Made)
    known: Known = field(default_factory=dict, hash=False)

    @property
    def builders(self) -> tuple[Builder, ...]:
        """Those that Ovenbird launched, this rollout or another."""
        return ours(self.found, self.made.builder)

    @property
    def builder(self) -> Builder | None:
        """This rollout's."""
        return with_id(self.builders, self.made.builder)


@dataclass(frozen=True)
class Decision:
    """One thing to do, and why in the words of an operator."""

    reason: str


@dataclass(frozen=True)
class Wait(Decision):
    """Nothing to do until ``doorbell`` rings; ``soon`` where AWS may send no event."""

    doorbell: str
    sweep: Literal["soon", "late"] = "soon"


class WaitForBuilder(Wait):
    """It boots."""


class WaitForAgent(Wait):
    """It runs, but Run Command does not reach it yet."""


class WaitForScript(Wait):
    """The script runs."""


class WaitForStop(Wait):
    """It shuts down."""


class WaitForImage(Wait):
    """The snapshots are being written."""


@dataclass(frozen=True)
class Launch(Decision):
    """Launch a builder, after ending what an earlier rollout left over.

    ``tokens`` are those of living builders that this rollout may have launched already.
    """

    orphans: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()


@dataclass(frozen=True)
class SendScript(Decision):
    """Run the script on the builder."""

    builder: str


@dataclass(frozen=True)
class Stop(Decision):
    """Stop the builder, so that its disk is whole when it is copied."""

    builder: str


@dataclass(frozen=True)
class CreateImage(Decision):
    """Make the image from the stopped builder."""

    builder: str


@dataclass(frozen=True)
class Adopt(Decision):
    """The image was made of our builder by a turn that did not live to tell of it."""

    image_id: str


@dataclass(frozen=True)
class Terminate(Decision):
    """The image is there: end the builders, then look again."""

    builders: tuple[str, ...]


@dataclass(frozen=True)
class Done(Decision):
    """The image is there and no builder is left."""

    image_id: str
    baked: bool  # by this rollout, not adopted from another


@dataclass(frozen=True)
class GiveUp(Decision):
    """The image cannot be made."""


def decide(seen: Seen, wanted: Wanted, limits: Limits, now: datetime) -> Decision:
    """The next thing to do for the wanted image; the same answer for the same sight."""
    if seen.image is not None:
        return _with_image(seen.image, seen, wanted, limits, now)
    if seen.made.image and seen.made.image_since:
        return _unseen(seen.made.image, seen.made.image_since, limits, now, WaitForImage)
    if seen.builder is not None:
        return _with_builder(seen.builder, seen, limits, now)
    taken = with_id(seen.found, seen.made.builder)
    if taken is not None:
        return GiveUp(
            f"Somebody has put the builder {taken.instance_id} into the group {taken.group}; it is"
            " left alone."
        )
    if seen.made.builder and seen.made.builder_since:
        return _unseen(seen.made.builder, seen.made.builder_since, limits, now, WaitForBuilder)
    own = [each for each in seen.builders if each.rollout == wanted.rollout]
    return Launch(
        f"There is no image {wanted.name} and no builder yet.",
        alive([each for each in seen.builders if each not in own]),
        tuple(each.client_token for each in own if each.is_alive),
    )


def _unseen(
    made: str, since: datetime, limits: Limits, now: datetime, wait: type[Wait]
) -> Decision:
    """It was made, but describing does not show it: eventual consistency, or it is gone."""
    if now - since < limits.visible:
        return wait(f"{made} was made and is not visible yet.", made, "soon")
    return GiveUp(f"{made}, which this rollout made, has disappeared.")


def _with_image(
    image: Image, seen: Seen, wanted: Wanted, limits: Limits, now: datetime
) -> Decision:
    label = f"{image.image_id} ({image.name})"
    baked = seen.known.get(image.image_id)
    ours_by_state = seen.made.image == image.image_id
    if not ours_by_state and (baked is None or baked.key != wanted.key):
        if _is_of_our_builder(image, seen):
            return Adopt(f"The image {label} was made of {seen.made.builder}.", image.image_id)
        return GiveUp(
            f"The name {image.name} is taken by {image.image_id}, which Ovenbird did not bake for"
            " this release; release again, and another name is taken."
        )
    if baked is not None and baked.bad:
        because = baked.bad.rstrip(".")
        return GiveUp(f"The image {label} was marked bad meanwhile: {because}.")
    if image.is_available:
        left = alive(seen.builders)
        if left:
            return Terminate(f"The image {label} is available.", left)
        return Done(
            f"The image {label} is available and no builder is left.",
            image.image_id,
            baked=ours_by_state or (baked is not None and baked.rollout == wanted.rollout),
        )
    if not image.is_being_made:
        because = f": {image.state_reason}".rstrip(".") if image.state_reason else ""
        return GiveUp(f"The image {label} is {image.state}{because}.")
    if image.created is not None and now - image.created >= limits.image:
        return GiveUp(f"The image {label} is still {image.state} after {_spoken(limits.image)}.")
    return WaitForImage(
        f"The image {label} is {image.state}: AWS is writing its snapshots.",
        image.image_id,
        "late",
    )


def _is_of_our_builder(image: Image, seen: Seen) -> bool:
    """Whether it was made of our builder, after the builder was stopped; EC2 says both."""
    if not seen.made.builder or image.source_instance != seen.made.builder:
        return False
    stopped = seen.builder.stopped if seen.builder is not None else None
    return stopped is None or image.created is None or image.created >= stopped


def _with_builder(builder: Builder, seen: Seen, limits: Limits, now: datetime) -> Decision:
    name, age, command = builder.instance_id, now - builder.launched, seen.command
    if not builder.is_alive:
        if _SHUT_ITSELF_DOWN in builder.state_reason:
            return GiveUp(_gone_too_early(builder))
        said = f": {builder.state_reason}" if builder.state_reason else ""
        if "Client.InternalError" in said:  # what EC2 says of a key that it may not use
            said += (
                ". If its volume is encrypted with a KMS key of your own, the stack's parameter"
                " VolumeKmsKeyArn has to name the key, and the key's policy has to let IAM decide."
            )
        because = said.rstrip(".")
        return GiveUp(f"The builder {name} was terminated before its image was made{because}.")
    if command is not None and not command.is_running and not command.succeeded:
        return GiveUp(command.failure())
    if builder.state == "pending":
        if age >= limits.boot:
            return GiveUp(f"The builder {name} did not start within {_spoken(limits.boot)}.")
        return WaitForBuilder(f"The builder {name} is booting.", name)
    if builder.state == "running":
        return _running(builder, command, seen, limits, now)
    if command is None or not command.succeeded:
        return GiveUp(_gone_too_early(builder))
    if builder.state == "stopping":
        if age >= limits.boot + limits.delivery + limits.script + limits.stop:
            return GiveUp(f"The builder {name} did not stop within {_spoken(limits.stop)}.")
        return WaitForStop(f"The builder {name} is stopping.", name, "late")
    return CreateImage(f"The builder {name} is stopped and its script succeeded.", name)


def _gone_too_early(builder: Builder) -> str:
    if _SHUT_ITSELF_DOWN in builder.state_reason:
        return (
            f"The builder {builder.instance_id} shut itself down before its script had ended; no"
            " script may stop the machine, because the bake does so when all of them have ended."
        )
    return f"The builder {builder.instance_id} was {builder.state} before its script had ended."


def _running(
    builder: Builder, command: Command | None, seen: Seen, limits: Limits, now: datetime
) -> Decision:
    name = builder.instance_id
    if command is None:
        if seen.online:
            return SendScript(f"The builder {name} runs and Run Command reaches it.", name)
        if now - builder.launched >= limits.boot:
            return GiveUp(
                f"Run Command did not reach the builder {name} within {_spoken(limits.boot)}: the"
                " image needs the SSM agent, the instance profile the policy"
                " AmazonSSMManagedInstanceCore, and the subnet a way to Systems Manager."
            )
        return WaitForAgent(f"The builder {name} runs; Run Command does not reach it yet.", name)
    if command.succeeded:
        return Stop(f"The script on {name} succeeded.", name)
    if now - command.requested >= limits.delivery + limits.script + limits.stop:
        return GiveUp(
            f"The script on {name} is still {command.status} long after its time of"
            f" {_spoken(limits.script)}."
        )
    return WaitForScript(f"The script runs on {name}.", command.command_id, "late")


def _spoken(time: timedelta) -> str:
    minutes = round(time.total_seconds() / 60)
    number, unit = (minutes // 60, "hour") if minutes % 60 == 0 else (minutes, "minute")
    return f"{number} {unit}" + ("s" if number != 1 else "")
