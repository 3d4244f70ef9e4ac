"""BakeImage: make the image that the plan asks for, or adopt it if it is there already.

A builder is launched from the group's own template and the base image, runs the owner's scripts,
is stopped, imaged and terminated. Each turn looks at what there is, lets :mod:`ovenbird.core.bakes`
decide and does that one thing, so it can be killed and repeated anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ovenbird import answers
from ovenbird.answers import Answer
from ovenbird.aws import (
    autoscaling_groups,
    commands,
    ec2_images,
    ec2_instances,
    ec2_templates,
)
from ovenbird.core import (
    bakes,
    blueprints,
    builders,
    downloads,
    images,
    owners,
    scripts,
    seals,
)
from ovenbird.core.bakes import (
    Adopt,
    CreateImage,
    Decision,
    Done,
    GiveUp,
    Launch,
    Limits,
    Seen,
    SendScript,
    Stop,
    Terminate,
    Wait,
    Wanted,
)
from ovenbird.core.blueprints import Blueprint
from ovenbird.core.commands import Command
from ovenbird.core.downloads import Artifact
from ovenbird.core.images import Baked
from ovenbird.core.made import Made
from ovenbird.core.quotes import quoted
from ovenbird.errors import BadEvent, BakeFailed, Denied, NotYetVisible, OvenbirdError, Terminal
from ovenbird.events import Release
from ovenbird.events import rollout as state
from ovenbird.fleet import Fleet
from ovenbird.ledger import doorbells, lanes
from ovenbird.ledger import images as known_images
from ovenbird.settings import settings as deployment

_AT_WORK = ("pending", "running", "stopping")
_PLANNED = ("plan.document", "plan.group", "plan.base", "plan.bake.key", "plan.bake.name")


@dataclass(frozen=True)
class _Bake:
    """Everything that stays the same from turn to turn."""

    fleet: Fleet
    release: Release
    plan: dict[str, Any]
    wanted: Wanted
    limits: Limits

    @property
    def comment(self) -> str:
        """What the script is found again by; the rollout's id says whose it is."""
        return f"Ovenbird {self.wanted.rollout}"

    @property
    def artifact(self) -> Artifact | None:
        """What the builder downloads, with all that the release says of it."""
        release = self.release
        if not release.bucket or not release.key:
            return None
        return Artifact(
            release.bucket,
            release.key,
            version_id=release.version_id,
            etag=release.etag,
            owner=self.fleet.release.owner or deployment().home[1],
            sha256=release.sha256,
            size=release.size,
        )

    @property
    def secrets(self) -> list[str]:
        """The values that the document marks as secrets."""
        return [self.fleet.bake.environment[name] for name in self.fleet.bake.secrets]

    @property
    def tags(self) -> dict[str, str]:
        """The owner's, for everything that is made."""
        return dict(self.plan.get("tags") or ())


def step(event: dict[str, Any], now: datetime) -> Answer:
    """One look at the bake, and what follows from it.

    Raises:
        BadEvent: The state is not well made, or not that of this rollout.
        BadFleet: The document in the plan is wrong.
        Denied: The group does not carry the fleet's tag any more.
        BakeFailed: The script failed, the image failed, or time is up. The rollout's builders are
            terminated first.
    """
    state.check(event, now, "release", "plan.fence", "plan.from", *_PLANNED)
    claim = lanes.hold(state.claim(event, "plan", "bake"), now)
    try:
        bake = _bake(event)
        answer = _turn(bake, event.get("bake") or {}, now)
    except Terminal:
        # UndoRollout does this again, so a failure here must not hide the first one.
        with suppress(OvenbirdError):
            _terminate_builders(event)
        raise
    sealing = seals.sealing(event, "bake", answer)
    if answer["next"] == "wait":
        lanes.renew(claim, now, doorbell=answer["doorbell"], sealing=sealing)
    else:
        lanes.seal(claim, sealing)
    return answer


def _bake(event: dict[str, Any]) -> _Bake:
    fleet, plan = state.fleet_of(event), event["plan"]
    release, settings = Release.from_json(event["release"]), fleet.bake
    key = images.bake_key(
        plan["base"],
        release.digest,
        settings.install,
        settings.verify,
        settings.environment,
        clean=settings.clean,
        user_data=plan["bake"].get("user_data", ""),
    )
    if key != plan["bake"]["key"]:  # only by hand: what is baked would be found as something else
        raise BadEvent(
            f"plan.bake.key is {quoted(plan['bake']['key'])}; it must be {key}, the key of the"
            " plan's base, release and document."
        )
    return _Bake(
        fleet,
        release,
        plan,
        Wanted(fleet.name, event["rollout"], plan["bake"]["name"], key),
        Limits(
            script=timedelta(
                seconds=scripts.seconds(
                    timeout_seconds=60 * settings.timeout_minutes,
                    boot_seconds=60 * settings.boot_minutes,
                )
            )
        ),
    )


def _turn(bake: _Bake, told: dict[str, Any], now: datetime) -> Answer:
    """Look, decide and act until there is something to wait for; each thing is done once.

    A wait is answered only if its doorbell was read before the look that led to it: what rings
    between the two is then noticed.
    """
    made = Made.from_json(told)
    rings: dict[str, int] = {}
    if "doorbell" in told:
        rings[told["doorbell"]] = doorbells.read(told["doorbell"])
    acted: Decision | None = None
    ended: Command | None = None
    while True:
        seen = _look(bake, made, ended)
        if seen.command is not None and not seen.command.is_running:
            ended = seen.command
        decision = bakes.decide(seen, bake.wanted, bake.limits, now)
        if isinstance(decision, Wait):
            if decision.doorbell in rings:
                return answers.wait(
                    {"bake": told},
                    "bake",
                    decision.doorbell,
                    rings[decision.doorbell],
                    decision.reason,
                    now=now,
                    sweep=decision.sweep,
                    **made.to_json(),
                )
            rings[decision.doorbell] = doorbells.read(decision.doorbell)
        elif isinstance(decision, Done):
            return answers.done(
                decision.reason,
                image=decision.image_id,
                baked=decision.baked,
                **({"builder": made.builder} if made.builder else {}),
            )
        elif decision == acted:
            raise NotYetVisible(f"It was done and cannot be seen yet. {decision.reason}")
        else:
            made, acted = _act(bake, decision, made, now), decision
            bell = _awaited(decision, made)
            if bell and bell not in rings:
                rings[bell] = doorbells.read(bell)


def _awaited(decision: Decision, made: Made) -> str | None:
    """What there will be to wait for after this."""
    match decision:
        case Launch() | Stop():
            return made.builder
        case SendScript():
            return made.script
        case CreateImage() | Adopt():
            return made.image
    return None


def _look(bake: _Bake, made: Made, ended: Command | None) -> Seen:
    """What there is, as far as it matters now; every question is a call.

    While an image is written nothing else matters, and while a builder boots, runs or stops there
    is no image: it is made from a stopped one.

    Args:
        ended: The script, if an earlier look of this turn saw its end.
    """
    image = ec2_images.named(bake.wanted.name) if made.image else None
    if image is not None and image.is_being_made:
        return Seen(image, made=made)
    seen = Seen(image, tuple(ec2_instances.builders(bake.wanted.fleet)), made=made)
    builder = seen.builder
    if not made.image and (builder is None or builder.state not in _AT_WORK):
        image = ec2_images.named(bake.wanted.name)
        if image is not None:  # whose it is stands in the ledger
            return replace(seen, image=image, known=known_images.read(bake.wanted.fleet))
    if image is not None or builder is None or not builder.is_alive or builder.state == "pending":
        return seen
    if ended is not None:
        return replace(seen, command=ended)
    boots = not made.script and builder.state == "running"
    online = boots and commands.online(builder.instance_id)
    if boots and not online:
        return seen  # nothing can have been sent to it
    command = commands.find(builder.instance_id, bake.comment, secrets=bake.secrets)
    if command is None and made.script and made.script_since:
        command = Command(made.script, "Pending", made.script_since)
    return replace(seen, command=command, online=online)


def _act(bake: _Bake, decision: Decision, made: Made, now: datetime) -> Made:
    match decision:
        case Launch(orphans=orphans, tokens=tokens):
            ec2_instances.terminate(orphans)
            return replace(made, builder=_launch(bake, tokens), builder_since=now)
        case SendScript(builder=builder):
            return replace(made, script=_send(bake, builder), script_since=now)
        case Stop(builder=builder):
            ec2_instances.stop(builder)
            return made
        case CreateImage(builder=builder):
            return replace(made, image=_create_image(bake, builder), image_since=now)
        case Adopt(image_id=image):
            _write_down(bake, image)
            return replace(made, image=image, image_since=now)
        case Terminate(builders=ids):
            ec2_instances.terminate(ids)
            return made
        case GiveUp(reason=reason):
            raise BakeFailed(reason)
    raise AssertionError(f"no action for {decision}")


def _launch(bake: _Bake, tokens: Sequence[str]) -> str:
    """Launch a builder, or answer the one that a turn launched which did not live to tell of it.

    Args:
        tokens: Those of living builders of this rollout: a request that bears one comes first, and
            EC2 answers the instance that it made.
    """
    refused = downloads.refusal(bake.artifact) if bake.artifact else None
    if refused is not None:
        raise BakeFailed(f"The download {refused}.")
    source, fleet = bake.plan["from"], bake.wanted.fleet
    template = ec2_templates.version(source["template"], source["version"])
    group = autoscaling_groups.describe(bake.plan["group"])
    for what, tags in (
        (f"Group {group.name}", group.tags),
        (
            f"Launch template {template.template_id}",
            ec2_templates.tags([template.template_id])[template.template_id],
        ),
    ):
        if refusal := owners.refusal(what, tags, fleet):
            raise Denied(refusal)
    types = blueprints.instance_types(template.content, group.mixed)
    if not types:
        raise BakeFailed(
            f"Version {template.number} of {template.template_id} names no instance type, and no"
            f" override of the group {group.name} does; a builder needs one."
        )
    attempts = blueprints.attempts(
        Blueprint(
            fleet=fleet,
            rollout=bake.wanted.rollout,
            template_id=template.template_id,
            version=template.number,
            template=template.content,
            base=ec2_images.get(bake.plan["base"]),
            types=types,
            subnets=group.subnets,
            user_data=bake.fleet.bake.user_data,
            tags=bake.tags,
        )
    )
    return ec2_instances.launch(
        sorted(attempts, key=lambda each: each.request["ClientToken"] not in tokens)
    )


def _send(bake: _Bake, builder: str) -> str:
    release, settings = bake.release, bake.fleet.bake
    return commands.send(
        builder,
        scripts.lines(
            bake.artifact,
            revision=release.revision,
            fleet=bake.wanted.fleet,
            environment=settings.environment,
            install=settings.install,
            verify=settings.verify,
            timeout_seconds=60 * settings.timeout_minutes,
            boot_seconds=60 * settings.boot_minutes,
            clean=settings.clean,
        ),
        comment=bake.comment,
        # The script watches its own time and then tells what it was doing; this is the safety net.
        timeout=bake.limits.script + timedelta(minutes=1),
        delivery=bake.limits.delivery,
    )


def _create_image(bake: _Bake, builder: str) -> str:
    wanted, base = bake.wanted, ec2_images.get(bake.plan["base"])
    image = ec2_images.create(
        builder,
        name=wanted.name,
        description=f"Fleet {wanted.fleet}, release {bake.release.revision}",
        tags=images.tags(
            fleet=wanted.fleet,
            key=wanted.key,
            rollout=wanted.rollout,
            base=base.image_id,
            revision=bake.release.revision,
            owners=bake.tags,
        ),
        kept_devices=base.kept_devices,
    )
    _write_down(bake, image)
    return image


def _write_down(bake: _Bake, image: str) -> None:
    """Before the image is in the state, so that a state with an image means one that is known."""
    wanted = bake.wanted
    known_images.made(
        wanted.fleet, Baked(image, key=wanted.key, base=bake.plan["base"], rollout=wanted.rollout)
    )


def _terminate_builders(event: dict[str, Any]) -> None:
    known = Made.from_json(event.get("bake") or {}).builder
    found = ec2_instances.builders(event["fleet"])
    ec2_instances.terminate(builders.alive(builders.of_rollout(found, event["rollout"], known)))
