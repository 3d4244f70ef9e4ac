"""UndoRollout: after any failure, the fleet back on its old version, and nothing left behind.

First the group, in as many turns as it takes (:mod:`ovenbird.core.undos`); then, in one turn, what
else the rollout left: its builders, the mark on a bad image, the record, the notice, the lane. A
rollout that never came as far as the group leaves the group alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ovenbird import answers
from ovenbird.answers import Answer
from ovenbird.aws import (
    autoscaling_activities,
    autoscaling_groups,
    autoscaling_refreshes,
    ec2_images,
    ec2_instances,
    executions,
    topic,
)
from ovenbird.core import builders, launches, notices, undos
from ovenbird.core.groups import Group
from ovenbird.core.made import Made
from ovenbird.core.notices import Told
from ovenbird.core.quotes import plain
from ovenbird.core.refreshes import Preferences, Refresh, configuration, preferences
from ovenbird.core.rolls import Done, GiveUp, RollBack, Wait
from ovenbird.core.undos import Cancel, Decision, StartBack, Way
from ovenbird.errors import (
    BadEvent,
    BadFleet,
    LaneLost,
    Stopped,
    Terminal,
    Unavailable,
    UndoFailed,
)
from ovenbird.events import rollout as state
from ovenbird.events.envelope import at
from ovenbird.fleet import Fleet
from ovenbird.ledger import doorbells, lanes, rollouts

_LONGEST_ERROR = 100
_LONGEST_MARK = 200  # the rest is in the record and in the notice
_USED = {"rollout", "fleet", "action", "release", "reason"}
_USED |= {"plan", "bake", "version", "undo", "failure"}
_GROUP = ("plan.fence", "plan.group", "plan.began")
_MOST_TURNS = 8  # turn a refresh round, look at it, and look again with its doorbell read first


@dataclass(frozen=True)
class _Verdict:
    """How the group stands at the end; ``failed`` when a person is needed.

    ``blaming`` are the refreshes that the image is blamed for; none where it is not.
    """

    said: str
    result: str = "undone"
    failed: bool = False
    blaming: Sequence[Refresh] = ()


@dataclass(frozen=True)
class _Look:
    """What there is at one moment, and what follows from it."""

    group: Group
    way: Way
    preferences: Preferences
    decision: Decision
    blaming: Sequence[Refresh]


def step(event: dict[str, Any], now: datetime) -> Answer:
    """One look at the group on its way back; at its end, everything else.

    Raises:
        BadEvent: The state is not well made; nothing was done.
        UndoFailed: The group could not be brought back, or something was left behind. Record and
            notice are written and the lane is free all the same.
    """
    try:
        state.check(_used(event), now, *(_GROUP if _came_to_the_group(event) else ()))
    except BadEvent as bad:
        if "plan" in event:
            raise
        # Refused before anything was touched: there is no rollout to be remembered or told of.
        return answers.done("There is nothing to undo.", ignored=str(bad))
    try:
        verdict = _group(event, now)
    except Terminal as failure:
        verdict = _Verdict(str(failure), failed=True)
    if isinstance(verdict, dict):
        return verdict
    return _unseen_builder(event, now) or _rest(event, verdict, now)


# The group ----------------------------------------------------------------------------------------


def _group(event: dict[str, Any], now: datetime) -> Answer | _Verdict:
    """Look, decide and act until there is something to wait for, or nothing to do any more.

    A wait is answered only if its doorbell was read before the look that led to it.
    """
    plan, told = event.get("plan") or {}, event.get("undo") or {}
    if not _came_to_the_group(event):
        return _Verdict("The group was not touched.", "nothing touched")
    known = rollouts.read(event["rollout"])
    if known is not None and known.result in rollouts.REACHED:
        return _Verdict("The fleet runs what was wanted; only the end failed.", "nothing touched")
    lane = (event["fleet"], event["rollout"], plan["fence"])
    try:
        with suppress(Stopped):  # a person stopped the rollout: that is what is done here
            lanes.hold(*lane, now)
    except LaneLost as lost:
        return _Verdict(f"{lost} The group is left to it.", "nothing touched")
    fleet, since = _fleet(event), told.get("since", now.isoformat())
    irreversible = bool(told.get("irreversible"))
    unknown = f"group-{plan['group']}"  # while there is no refresh to be named
    bell = told.get("doorbell", unknown)
    rings = {bell: doorbells.read(bell)}
    started = False
    for _ in range(_MOST_TURNS):
        look = _look(event, fleet, irreversible, datetime.fromisoformat(since), now)
        match look.decision:
            case Done(reason=reason):
                return _Verdict(reason, blaming=look.blaming)
            case GiveUp(reason=reason):
                return _Verdict(reason, failed=True, blaming=look.blaming)
            case RollBack(reason=reason):
                irreversible = not autoscaling_refreshes.roll_back(look.group.name)
                if irreversible:
                    continue
                wait = Wait(reason, sweep="soon")
            case Cancel(reason=reason):
                autoscaling_refreshes.cancel(look.group.name)
                wait = Wait(reason, sweep="soon")
            case StartBack(reason=reason) if started:
                wait = Wait(f"{reason} The refresh cannot be seen yet.", sweep="soon")
            case StartBack():
                autoscaling_refreshes.start(
                    look.group.name,
                    configuration(look.group, look.way.back),
                    look.preferences.back().to_aws(),
                )
                started = True  # or one is active already; in both cases it is looked at
                continue
            case Wait() as wait:
                pass
        bell = wait.refresh or unknown
        if bell in rings:
            with suppress(Stopped):
                lanes.renew(*lane, now, doorbell=bell)
            return answers.wait(
                bell,
                rings[bell],
                wait.reason,
                sweep=wait.sweep,
                since=since,
                irreversible=irreversible,
            )
        rings[bell] = doorbells.read(bell)
    raise Unavailable("The group keeps changing while it is looked at; look again.")


def _used(event: dict[str, Any]) -> dict[str, Any]:
    """What is read here: whatever else may be wrong must not keep a fleet from being undone."""
    return {name: event[name] for name in event if name in _USED}


def _came_to_the_group(event: dict[str, Any]) -> bool:
    return "version" in event and at(event, "plan.from") is not None


def _look(
    event: dict[str, Any], fleet: Fleet, irreversible: bool, first_look: datetime, now: datetime
) -> _Look:
    plan = event["plan"]
    group = autoscaling_groups.describe(plan["group"])
    old = plan["from"]
    way = Way(
        forward={**group.versions, **event["version"]["targets"]},
        back={**group.versions, **(old.get("overrides") or {}), old["template"]: old["version"]},
        began=datetime.fromisoformat(plan["began"]),
    )
    wishes = preferences(
        fleet.roll,
        desired=group.desired,
        addresses=fleet.addresses.count > 0,
        group_warmup_seconds=group.warmup_seconds,
    )
    refreshes = autoscaling_refreshes.recent(group.name)
    decision = undos.decide(
        group,
        refreshes,
        way,
        preferences=wishes,
        irreversible=irreversible,
        first_look=first_look,
        now=now,
    )
    forth = way.forth(refreshes)
    blamed = undos.image_is_blamed(
        event.get("action", "release"), _error(event), forth, irreversible=irreversible
    )
    return _Look(group, way, wishes, decision, forth if blamed else ())


def _fleet(event: dict[str, Any]) -> Fleet:
    """The fleet's wishes; where the plan has none that can be read, what is safe for any group."""
    try:
        return state.fleet_of(event)
    except (BadFleet, KeyError):
        return Fleet(event["fleet"], group="")


# Everything else ----------------------------------------------------------------------------------


def _rest(event: dict[str, Any], verdict: _Verdict, now: datetime) -> Answer:
    """What is left to do is done to the end, whatever of it fails."""
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
    error = "UndoFailed" if left else _error(event)
    cause = _told(event, "Cause")
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


def _unseen_builder(event: dict[str, Any], now: datetime) -> Answer | None:
    """Come back, where the bake failed so soon that EC2 may not show its builder yet."""
    plan = event.get("plan") or {}
    launches = plan.get("next") == "bake" and {"group", "began"} <= plan.keys()
    if not launches or "version" in event:
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


def _terminate_builders(event: dict[str, Any]) -> None:
    found = ec2_instances.builders(event["fleet"])
    ec2_instances.terminate(
        builders.alive([builder for builder in found if builder.rollout == event["rollout"]])
    )


def _excuse(event: dict[str, Any], blaming: Sequence[Refresh], now: datetime) -> str:
    """Why the image is not to blame after all, if it never was launched."""
    spans = [span for span in (each.forward(now) for each in blaming) if span is not None]
    launched = [
        launch
        for span in spans
        for launch in autoscaling_activities.launches(event["plan"]["group"], *span)
    ]
    return launches.excuse(launched) if blaming else ""


def _mark_image(event: dict[str, Any]) -> None:
    image = (event.get("bake") or {}).get("image") or at(event, "plan.image")
    cause = _told(event, "Cause")
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
    if queued:
        executions.complete(doorbells.ring(f"queue-{queued}"))


def _error(event: dict[str, Any]) -> str:
    return plain(_told(event, "Error") or "Unknown", _LONGEST_ERROR)


def _told(event: dict[str, Any], name: str) -> str:
    """What the state machine caught; ``Cause`` has what a script or AWS said."""
    return str((event.get("failure") or {}).get(name, ""))
