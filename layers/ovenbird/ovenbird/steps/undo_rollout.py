"""UndoRollout: after any failure, the fleet back on its old version, and nothing left behind.

First the group, in as many turns as it takes (:mod:`ovenbird.core.undos`); then, in one turn, what
else the rollout left (:mod:`ovenbird.leftovers`). A rollout that never came as far as the group
leaves the group alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ovenbird import answers, leftovers
from ovenbird.answers import Answer
from ovenbird.aws import autoscaling_groups, autoscaling_refreshes
from ovenbird.core import undos
from ovenbird.core.groups import Group
from ovenbird.core.preferences import Preferences, for_group
from ovenbird.core.refreshes import Refresh, configuration
from ovenbird.core.rolls import Done, GiveUp, RollBack, Wait
from ovenbird.core.templates import sources
from ovenbird.core.undos import Cancel, Decision, StartBack, Way
from ovenbird.errors import BadEvent, BadFleet, LaneLost, Stopped, Terminal, Unavailable
from ovenbird.events import rollout as state
from ovenbird.events.envelope import at
from ovenbird.fleet import Fleet
from ovenbird.ledger import doorbells, lanes, rollouts
from ovenbird.leftovers import Verdict

_USED = {"rollout", "fleet", "action", "release", "reason"}
_USED |= {"plan", "bake", "version", "undo", "failure"}
_GROUP = ("plan.fence", "plan.group", "plan.began")
_MOST_TURNS = 8  # turn a refresh round, look at it, and look again with its doorbell read first


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
        verdict = Verdict(str(failure), failed=True)
    if isinstance(verdict, dict):
        return verdict
    return leftovers.unseen_builder(event, now) or leftovers.clear(event, verdict, now)


def _group(event: dict[str, Any], now: datetime) -> Answer | Verdict:
    """Look, decide and act until there is something to wait for, or nothing to do any more.

    A wait is answered only if its doorbell was read before the look that led to it.
    """
    plan, told = event.get("plan") or {}, event.get("undo") or {}
    if not _came_to_the_group(event):
        return Verdict("The group was not touched.", "nothing touched")
    known = rollouts.read(event["rollout"])
    if known is not None and known.result in rollouts.REACHED:
        return Verdict("The fleet runs what was wanted; only the end failed.", "nothing touched")
    lane = (event["fleet"], event["rollout"], plan["fence"])
    try:
        with suppress(Stopped):  # a person stopped the rollout: that is what is done here
            lanes.hold(*lane, now)
    except LaneLost as lost:
        return Verdict(f"{lost} The group is left to it.", "nothing touched")
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
                return Verdict(reason, blaming=look.blaming)
            case GiveUp(reason=reason):
                return Verdict(reason, failed=True, blaming=look.blaming)
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
        back={
            **group.versions,
            **sources(old["template"], old["version"], old.get("overrides") or {}),
        },
        began=datetime.fromisoformat(plan["began"]),
    )
    wishes = for_group(group, fleet.roll, addresses=fleet.addresses.count > 0)
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
        event.get("action", "release"), state.error_of(event), forth, irreversible=irreversible
    )
    return _Look(group, way, wishes, decision, forth if blamed else ())


def _fleet(event: dict[str, Any]) -> Fleet:
    """The fleet's wishes; where the plan has none that can be read, what is safe for any group."""
    try:
        return state.fleet_of(event)
    except (BadFleet, KeyError):
        return Fleet(event["fleet"], group="")
