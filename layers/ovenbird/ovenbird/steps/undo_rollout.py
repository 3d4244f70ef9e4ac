"""UndoRollout: after any failure, the fleet back on its old version, and nothing left behind.

First the group, in as many turns as it takes (:mod:`ovenbird.core.undos`); then, in one turn, what
else the rollout left (:mod:`ovenbird.leftovers`). A rollout that never came as far as the group
leaves the group alone. What is undone is read from the ledger (:mod:`ovenbird.undoing`).

It runs at the end of the rollout's own execution; and where that one has died, in an execution of
its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ovenbird import answers, leftovers, surveys, undoing
from ovenbird import fleet as documents
from ovenbird.answers import Answer
from ovenbird.aws import autoscaling_groups, autoscaling_refreshes
from ovenbird.core import looks, owners, undos
from ovenbird.core.groups import Group
from ovenbird.core.preferences import Preferences, for_group
from ovenbird.core.refreshes import Refresh, configuration
from ovenbird.core.rolls import Done, GiveUp, RollBack, Wait
from ovenbird.core.templates import sources
from ovenbird.core.undos import Cancel, Decision, StartBack, Way
from ovenbird.errors import BadEvent, BadFleet, Denied, LaneLost, NotFound, Terminal, Unavailable
from ovenbird.events import rollout as state
from ovenbird.events.envelope import at
from ovenbird.fleet import Fleet
from ovenbird.ledger import doorbells, lanes, rollouts
from ovenbird.leftovers import Verdict
from ovenbird.undoing import Case

_USED = {"rollout", "fleet", "action", "execution", "failure"}  # the rest is compared, not read
SERVED = timedelta(minutes=5)  # for the balancers to find the old version healthy again
_MOST_TURNS = 8  # turn a refresh round, look at it, and look again with its doorbell read first
STRAGGLERS = timedelta(seconds=70)  # so long may a function of a dead execution still run
_STRAGGLING = "A step of the execution that died may still run."


class _Gone(Exception):
    """The group does not exist any more, or is about to go: there is nothing to be undone."""


@dataclass(frozen=True)
class _Look:
    """What there is at one moment, and what follows from it."""

    group: Group
    way: Way
    preferences: Preferences
    decision: Decision
    refreshed: bool  # whether the rollout has come to the group
    blaming: Sequence[Refresh]


def step(event: dict[str, Any], now: datetime) -> Answer:
    """One look at the group on its way back; at its end, everything else.

    Whoever asks and does not run the rollout is answered in one sentence (``ignored``), and nothing
    is changed.

    Raises:
        UndoFailed: The group could not be brought back, or something was left behind. Record and
            notice are written and the lane is free all the same.
    """
    try:
        state.check_undo({name: event[name] for name in event if name in _USED}, now)
        case = undoing.case(event)
    except BadEvent as bad:
        case = str(bad).removesuffix(".")
    if isinstance(case, str):
        return answers.done(f"{case}; nothing was done.", ignored=case)
    try:
        verdict = _group(case, now)
    except Terminal as failure:
        verdict = Verdict(str(failure), failed=True)
    if isinstance(verdict, dict):
        return verdict
    return leftovers.unseen_builder(case, now) or leftovers.clear(case, verdict, now)


def _group(case: Case, now: datetime) -> Answer | Verdict:
    """Look, decide and act until there is something to wait for, or nothing to do any more.

    A wait is answered only if its doorbell was read before the look that led to it.
    """
    if case.record.result in rollouts.REACHED:
        return Verdict("The fleet runs what was wanted; only the end failed.", "nothing touched")
    if case.record.result:  # all was done, but for what comes after the record
        failed = case.record.result == "UndoFailed"
        return Verdict(case.record.reason, "nothing touched", failed=failed)
    claim, version, told = case.claim, case.version, case.part("undo")
    if version is None:
        return _untouched(case, now)
    try:
        lanes.keep(claim, case.lane, now)
    except LaneLost as lost:
        return Verdict(f"{lost} The group is left to it.", "nothing touched")
    fleet, since = _fleet(case), told.get("since", now.isoformat())
    irreversible = bool(told.get("irreversible"))
    unknown = f"group-{case.plan['group']}"  # while there is no refresh to be named
    bell = told.get("doorbell", unknown)
    rings = {bell: doorbells.read(bell)}
    started = False
    facts: dict[str, Any] = {name: told[name] for name in ("unserved", "returned") if name in told}
    for _ in range(_MOST_TURNS):
        try:
            look = _look(case, version, fleet, irreversible, datetime.fromisoformat(since), now)
        except _Gone as gone:
            return Verdict(str(gone), "nothing left")
        match look.decision:
            case Done(reason=reason) if not look.refreshed and _may_straggle(case, now):
                wait = Wait(f"{reason} {_STRAGGLING}", sweep="soon")
            case Done(reason=reason) if not look.refreshed:
                return Verdict(reason, blaming=look.blaming)
            case Done(reason=reason):
                lack = surveys.unserved(look.group, case.plan.get("left_out") or ())
                unserved = told.get("unserved") or now.isoformat()
                if lack and now - datetime.fromisoformat(unserved) < SERVED:
                    wait = Wait(f"{reason} {lack}", sweep="soon")
                    facts["unserved"] = unserved
                elif fleet.addresses.count and _may_return(case):
                    wait = Wait(f"{reason} Its addresses follow.", after=looks.SHORTEST)
                    facts |= {"unserved": unserved, "returned": True, "detour": "addresses"}
                else:
                    return Verdict(f"{reason} {lack}".strip(), blaming=look.blaming)
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
            return undoing.wait(
                case,
                bell,
                rings[bell],
                wait.reason,
                now,
                sweep=wait.sweep,
                after=wait.after,
                since=since,
                irreversible=irreversible,
                **facts,
            )
        rings[bell] = doorbells.read(bell)
    raise Unavailable("The group keeps changing while it is looked at; look again.")


def _may_return(case: Case) -> bool:
    """Whether the addresses' step comes next: once, and where it knows the rollout.

    It needs the rollout's own execution, and its lane. What it answers (or the failure of it) is in
    the state, whatever the undo itself has said before: so nothing goes round in circles.
    """
    been = bool(case.part("undo").get("returned")) or "returned" in case.event
    return case.holds and not case.is_after_death and not been and "unreturned" not in case.event


def _untouched(case: Case, now: datetime) -> Answer | Verdict:
    """Nothing of it can have come to the group; but a step that still runs may begin something."""
    if case.record.plan and not case.holds and at(case.event, "version") is not None:
        holder = f"rollout {case.lane.holder}" if case.lane.holder else "nobody"
        return Verdict(
            f"The lane of {case.fleet} has passed on to {holder}, and the group with it.",
            "nothing touched",
        )
    if case.record.plan and _may_straggle(case, now):
        leftovers.end_builders(case)
        bell = f"group-{case.plan['group']}"
        return undoing.wait(case, bell, doorbells.read(bell), _STRAGGLING, now, sweep="soon")
    return Verdict("The group was not touched.", "nothing touched")


def _may_straggle(case: Case, now: datetime) -> bool:
    """Whether a function that the dead execution had started may still be at work."""
    return case.died is not None and now - case.died < STRAGGLERS


def _look(
    case: Case,
    version: dict[str, Any],
    fleet: Fleet,
    irreversible: bool,
    first_look: datetime,
    now: datetime,
) -> _Look:
    plan = case.plan
    try:
        group = autoscaling_groups.describe(plan["group"])
    except NotFound as missing:
        raise _Gone(f"Group {plan['group']} is gone, and its instances: nothing runs.") from missing
    if refusal := owners.refusal(f"Group {group.name}", group.tags, case.fleet):
        raise Denied(refusal)
    if group.leaving:
        raise _Gone(
            f"Group {group.name} is being deleted ({group.status}), and its instances with it."
        )
    old = plan["from"]
    way = Way(
        forward={**group.versions, **version["targets"]},
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
    blamed = undos.image_is_blamed(case.action, case.error, forth, irreversible=irreversible)
    blamed = blamed and not case.part("roll").get("excused", False)
    refreshed = bool(forth or way.backwards(refreshes))
    return _Look(group, way, wishes, decision, refreshed, forth if blamed else ())


def _fleet(case: Case) -> Fleet:
    """The fleet's wishes; where the plan has none that can be read, what is safe for any group."""
    try:
        return documents.parse(case.fleet, case.plan["document"])
    except (BadFleet, KeyError):
        return Fleet(case.fleet, group="")
