"""Leftovers: what a rollout that failed still has when its group is looked after.

Its builders, a bad image without its mark, a record without an end, people who were not told, the
lane. Clearing them again changes nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ovenbird import answers, turns
from ovenbird.answers import Answer
from ovenbird.aws import autoscaling_activities, ec2_images, ec2_instances, topic
from ovenbird.core import builders, launches, notices
from ovenbird.core.made import Made
from ovenbird.core.notices import Told
from ovenbird.core.refreshes import Refresh
from ovenbird.errors import Terminal, UndoFailed
from ovenbird.events import rollout as state
from ovenbird.events.envelope import at
from ovenbird.ledger import doorbells, lanes, rollouts

_LONGEST_MARK = 200  # the rest is in the record and in the notice


@dataclass(frozen=True)
class Verdict:
    """How the group stands at the end; ``failed`` when a person is needed.

    ``blaming`` are the refreshes that the image is blamed for; none where it is not.
    """

    said: str
    result: str = "undone"
    failed: bool = False
    blaming: Sequence[Refresh] = ()


def unseen_builder(event: dict[str, Any], now: datetime) -> Answer | None:
    """Come back, where the bake failed so soon that EC2 may not show its builder yet."""
    plan = event.get("plan") or {}
    baking = plan.get("next") == "bake" and "version" not in event
    if not baking or not {"group", "began"} <= plan.keys():
        return None
    made = Made.from_json(event.get("bake") or {})
    bell = f"group-{plan['group']}"
    rings = doorbells.read(bell)
    if not builders.unseen(
        ec2_instances.builders(event["fleet"]),
        event["rollout"],
        known=made.builder,
        launched=made.builder_since or datetime.fromisoformat(plan["began"]),
        now=now,
    ):
        return None
    return answers.wait(bell, rings, "The builder cannot be seen yet.", sweep="soon")


def clear(event: dict[str, Any], verdict: Verdict, now: datetime) -> Answer:
    """What is left to do is done to the end, whatever of it fails.

    Raises:
        UndoFailed: The group is not back, or something stays behind.
    """
    fleet, rollout = event["fleet"], event["rollout"]
    left = [verdict.said] if verdict.failed else []
    bad, excuse = False, ""
    try:
        _terminate_builders(event)
    except Terminal as failure:
        left.append(str(failure))
    try:
        excuse = _excuse(event, verdict.blaming, now)
        bad = bool(verdict.blaming) and not excuse
        if bad:
            _mark_image(event)
    except Terminal as failure:
        left.append(str(failure))
    error = "UndoFailed" if left else state.error_of(event)
    cause = state.cause_of(event)
    told = " ".join(left) or verdict.said
    if excuse or bad:
        told = f"{told} {excuse or 'The image is marked bad.'}"
    if not event.get("dry_run"):  # a plan that was refused is an answer, and leaves no trace
        reason = f"{notices.reason(cause)} {told}"
        rollouts.end(rollout, fleet=fleet, result=error, reason=reason, now=now)
        _leave_lane(fleet, rollout)  # before the notice: a topic out of order must not hold a fleet
        _notify(event, error, cause, told, now)
    if left:
        raise UndoFailed(" ".join(left))
    return answers.done(verdict.said, result=verdict.result, bad_image=bad)


def _terminate_builders(event: dict[str, Any]) -> None:
    found = ec2_instances.builders(event["fleet"])
    ec2_instances.terminate(
        builders.alive([builder for builder in found if builder.rollout == event["rollout"]])
    )


def _excuse(event: dict[str, Any], blaming: Sequence[Refresh], now: datetime) -> str:
    """Why the image is not to blame after all, if it never was launched."""
    if not blaming:
        return ""
    spans = [span for span in (each.forward(now) for each in blaming) if span is not None]
    tried = [
        launch
        for span in spans
        for launch in autoscaling_activities.launches(event["plan"]["group"], *span)
    ]
    return launches.excuse(tried)


def _mark_image(event: dict[str, Any]) -> None:
    image = (event.get("bake") or {}).get("image") or at(event, "plan.image")
    cause = state.cause_of(event)
    if image:
        ec2_images.mark_bad(image, f"{event['rollout']}: {notices.reason(cause)}"[:_LONGEST_MARK])


def _notify(event: dict[str, Any], error: str, cause: str, undone: str, now: datetime) -> None:
    """Tell people; twice rather than never."""
    known = rollouts.read(event["rollout"])
    if known is not None and known.notified:
        return
    release = event.get("release") or {}
    began = known.began if known is not None else ""
    topic.publish(
        notices.failed(
            Told(
                event["fleet"],
                event["rollout"],
                event.get("action", "release"),
                revision=release.get("revision", ""),
                description=release.get("description", ""),
                asked=event.get("reason", ""),
            ),
            error=error,
            cause=cause,
            undone=undone,
            took=notices.since(began, now) if began else None,
        )
    )
    rollouts.notified(event["rollout"], now)


def _leave_lane(fleet: str, rollout: str) -> None:
    """Free the lane and wake the next in the queue; a refused rollout may not know its fence."""
    lane = lanes.read(fleet)
    if lane.holder == rollout:
        queued = lanes.release(fleet, rollout, lane.fence)
    else:
        lanes.unqueue(fleet, rollout)
        queued = None if lane.holder or lane.queued == rollout else lane.queued
    turns.wake(queued)
