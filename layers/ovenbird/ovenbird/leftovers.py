"""Leftovers: what a rollout that failed still has when its group is looked after.

Its builders, a bad image without its mark, a record without an end, people who were not told, the
lane. Clearing them again changes nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from ovenbird import answers, surveys, turns, undoing
from ovenbird.answers import Answer
from ovenbird.aws import autoscaling_activities, ec2_images, ec2_instances, topic
from ovenbird.core import builders, launches, notices
from ovenbird.core.made import Made
from ovenbird.core.notices import Told
from ovenbird.core.refreshes import Refresh
from ovenbird.errors import OvenbirdError, Terminal, UndoFailed
from ovenbird.ledger import doorbells, images, lanes, rollouts
from ovenbird.undoing import Case

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


def unseen_builder(case: Case, now: datetime) -> Answer | None:
    """Come back, where the bake failed so soon that EC2 may not show its builder yet."""
    if case.plan.get("next") != "bake" or case.version is not None:
        return None
    made = Made.from_json(case.part("bake"))
    bell = f"group-{case.plan['group']}"
    rings = doorbells.read(bell)
    if not builders.unseen(
        builders.ours(ec2_instances.builders(case.fleet), made.builder),
        case.rollout,
        known=made.builder,
        launched=made.builder_since or datetime.fromisoformat(case.plan["began"]),
        now=now,
    ):
        return None
    reason = "The builder cannot be seen yet."
    return undoing.wait(case, bell, rings, reason, now, sweep="soon")


def end_builders(case: Case) -> str:
    """Terminate the rollout's builders; repeating it changes nothing.

    Returns:
        A sentence about what only looks like a builder, if anything does.
    """
    known = Made.from_json(case.part("bake")).builder
    found = ec2_instances.builders(case.fleet)
    ec2_instances.terminate(builders.alive(builders.of_rollout(found, case.rollout, known)))
    return builders.about_strangers(builders.strangers(found, known))


def clear(case: Case, verdict: Verdict, now: datetime) -> Answer:
    """What is left to do is done to the end, whatever of it fails.

    Raises:
        UndoFailed: The group is not back, or something stays behind.
    """
    left = [verdict.said] if verdict.failed else []
    bad, excuse = False, ""
    strangers = ""
    try:
        strangers = end_builders(case)
    except Terminal as failure:
        left.append(str(failure))
    try:
        excuse = _excuse(case, verdict.blaming, now)
        bad = bool(verdict.blaming) and not excuse
        if bad:
            _mark_image(case)
    except Terminal as failure:
        left.append(str(failure))
    error = "UndoFailed" if left else case.error
    told = " ".join(left) or verdict.said
    if left and not verdict.failed:
        told = f"{verdict.said} {told}"
    if excuse or bad:
        told = f"{told} {excuse or 'The image is marked bad.'}"
    if strangers:
        told = f"{told} {strangers}"
    rollouts.end(
        case.rollout,
        fleet=case.fleet,
        result=error,
        reason=f"{notices.reason(case.cause)} {told}",
        now=now,
        words=case.words,
    )
    _leave_lane(case)  # before the notice: a topic out of order must not hold a fleet
    _notify(case, error, told, now, group_is_well=not verdict.failed)
    if left:
        raise UndoFailed(" ".join(left))
    return answers.done(verdict.said, result=verdict.result, bad_image=bad)


def _excuse(case: Case, blaming: Sequence[Refresh], now: datetime) -> str:
    """Why the image is not to blame after all, if it never was launched."""
    if not blaming:
        return ""
    spans = [span for span in (each.forward(now) for each in blaming) if span is not None]
    tried = [
        launch
        for span in spans
        for launch in autoscaling_activities.launches(case.plan["group"], *span)
    ]
    return launches.excuse(tried)


def _mark_image(case: Case) -> None:
    if case.version is not None:
        mark = f"{case.rollout}: {notices.reason(case.cause)}"[:_LONGEST_MARK]
        images.mark_bad(case.fleet, case.version["image"], mark)
        with suppress(Terminal):  # for people; only the ledger's word counts
            ec2_images.mark_bad(case.version["image"], mark)


def _notify(case: Case, error: str, undone: str, now: datetime, *, group_is_well: bool) -> None:
    """Tell people; twice rather than never."""
    if case.record.notified:
        return
    release = case.record.release or case.event.get("release") or {}
    began = case.record.began
    topic.publish(
        notices.failed(
            Told(
                case.fleet,
                case.rollout,
                case.action,
                revision=release.get("revision", ""),
                description=release.get("description", ""),
                asked=case.event.get("reason") or "",
            ),
            error=error,
            cause=case.cause,
            undone=undone,
            took=notices.since(began, now) if began else None,
            group_is_well=group_is_well,
            addresses=_addresses(case),
        )
    )
    rollouts.notified(case.rollout, now)


def _addresses(case: Case) -> list[str]:
    """A notice must not fail for what it cannot say."""
    try:
        return surveys.whereabouts(case.fleet, case.plan.get("group"))
    except OvenbirdError:
        return []


def _leave_lane(case: Case) -> None:
    """Free the lane and wake the next in the queue."""
    if case.holds:
        turns.wake(lanes.release(case.fleet, case.execution, case.lane.fence))
        return
    lanes.unqueue(case.fleet, case.rollout)
    if not case.lane.holder and case.lane.queued != case.rollout:
        turns.wake(case.lane.queued)
