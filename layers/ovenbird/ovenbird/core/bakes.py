"""What a bake does next, seen from what there is: builder, script and image."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from ovenbird.core.builders import Builder, alive, of_rollout
from ovenbird.core.commands import Command
from ovenbird.core.images import ROLLOUT, Image
from ovenbird.core.made import Made


@dataclass(frozen=True)
class Limits:
    """How long a bake waits before it gives up.

    ``image`` is long, because the first snapshot of a volume is a full one and takes hours for a
    large volume; ``visible`` is for what was made and cannot be seen yet.
    """

    script: timedelta
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
    """What there is: the image of the wanted name, the fleet's builders, the script."""

    image: Image | None = None
    builders: tuple[Builder, ...] = ()
    online: bool = False
    command: Command | None = None
    made: Made = field(default_factory=Made)


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
    """Launch a builder, after ending what an earlier rollout left over."""

    orphans: tuple[str, ...] = ()


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
    builder = of_rollout(seen.builders, wanted.rollout)
    if builder is not None:
        return _with_builder(builder, seen, limits, now)
    if seen.made.builder and seen.made.builder_since:
        return _unseen(seen.made.builder, seen.made.builder_since, limits, now, WaitForBuilder)
    return Launch(f"There is no image {wanted.name} and no builder yet.", alive(seen.builders))


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
    if not image.is_of(wanted.fleet, wanted.key):
        return GiveUp(
            f"The name {image.name} is taken by {image.image_id}, which Ovenbird did not bake for"
            " this release; deregister or rename that image, then release again."
        )
    if image.bad is not None:
        return GiveUp(f"The image {label} was marked bad meanwhile: {image.bad}")
    if image.is_available:
        left = alive(seen.builders)
        if left:
            return Terminate(f"The image {label} is available.", left)
        return Done(
            f"The image {label} is available and no builder is left.",
            image.image_id,
            baked=image.tags.get(ROLLOUT) == wanted.rollout,
        )
    if not image.is_being_made:
        said = f": {image.state_reason}" if image.state_reason else ""
        return GiveUp(f"The image {label} is {image.state}{said}")
    if image.created is not None and now - image.created >= limits.image:
        return GiveUp(f"The image {label} is still {image.state} after {_spoken(limits.image)}.")
    return WaitForImage(
        f"The image {label} is {image.state}: AWS is writing its snapshots.",
        image.image_id,
        "late",
    )


def _with_builder(builder: Builder, seen: Seen, limits: Limits, now: datetime) -> Decision:
    name, age, command = builder.instance_id, now - builder.launched, seen.command
    if not builder.is_alive:
        said = f": {builder.state_reason}" if builder.state_reason else ""
        if "Client.InternalError" in said:  # what EC2 says of a key that it may not use
            said += (
                ". If its volume is encrypted with a KMS key of your own, the stack's parameter"
                " VolumeKmsKeyArn has to name the key, and the key's policy has to let IAM decide."
            )
        return GiveUp(f"The builder {name} was terminated before its image was made{said}")
    if command is not None and not command.is_running and not command.succeeded:
        return GiveUp(command.failure())
    if builder.state == "pending":
        if age >= limits.boot:
            return GiveUp(f"The builder {name} did not start within {_spoken(limits.boot)}.")
        return WaitForBuilder(f"The builder {name} is booting.", name)
    if builder.state == "running":
        return _running(builder, command, seen, limits, now)
    if command is None or not command.succeeded:
        return GiveUp(f"The builder {name} was {builder.state} before its script had ended.")
    if builder.state == "stopping":
        if age >= limits.boot + limits.delivery + limits.script + limits.stop:
            return GiveUp(f"The builder {name} did not stop within {_spoken(limits.stop)}.")
        return WaitForStop(f"The builder {name} is stopping.", name, "late")
    return CreateImage(f"The builder {name} is stopped and its script succeeded.", name)


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
