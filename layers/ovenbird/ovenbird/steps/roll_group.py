"""RollGroup: every instance of the group onto the published version, by AWS's instance refresh.

Each turn looks at the group and its refreshes, lets :mod:`ovenbird.core.rolls` decide and does that
one thing. The refresh is known by where it goes and when it began, so a turn that was killed after
it had started one finds it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ovenbird import answers
from ovenbird.answers import Answer
from ovenbird.aws import autoscaling_groups, autoscaling_refreshes
from ovenbird.core import rolls
from ovenbird.core.groups import Group
from ovenbird.core.preferences import Preferences, for_group
from ovenbird.core.progress import Progress
from ovenbird.core.refreshes import Refresh, configuration
from ovenbird.core.rolls import Decision, Done, GiveUp, Goal, Patience, RollBack, Start, Wait
from ovenbird.core.templates import sources
from ovenbird.errors import Refused, RollFailed, Unavailable
from ovenbird.events import rollout as state
from ovenbird.fleet import Fleet
from ovenbird.ledger import doorbells, lanes

_PLANNED = ("plan.fence", "plan.document", "plan.group", "plan.began", "plan.from")
_MOST_TURNS = 8  # start a pass, look at it, and look again with its doorbell read first


@dataclass(frozen=True)
class _Look:
    """What there is at one moment, and what is wanted of it."""

    group: Group
    goal: Goal
    preferences: Preferences
    mine: Sequence[Refresh]
    decision: Decision


def step(event: dict[str, Any], now: datetime) -> Answer:
    """One look at the roll, and what follows from it.

    Raises:
        BadEvent: The state is not well made.
        BadFleet: The document in the plan is wrong.
        RollFailed: AWS rolled the refresh back, failed it or had it cancelled; somebody else
            refreshes the group or gave it another template or version; or it did not get there in
            time.
        Refused: AWS does not accept the refresh; the group was not touched.
    """
    state.check(event, now, *_PLANNED, "version")
    rollout, fence = event["rollout"], event["plan"]["fence"]
    lanes.hold(event["fleet"], rollout, fence, now)
    answer = _turn(event, state.fleet_of(event), now)
    if answer["next"] == "wait":
        lanes.renew(event["fleet"], rollout, fence, now, doorbell=answer["doorbell"])
    return answer


def _turn(event: dict[str, Any], fleet: Fleet, now: datetime) -> Answer:
    """Look, decide and act until there is something to wait for.

    A wait is answered only if its doorbell was read before the look that led to it.
    """
    progress = Progress.from_json(event.get("roll"))
    unknown = f"group-{event['plan']['group']}"  # while there is no refresh to be named
    bell = progress.refresh or unknown
    rings = {bell: doorbells.read(bell)}
    blocked = False
    for _ in range(_MOST_TURNS):
        look, progress = _look(event, fleet, progress, now)
        passes = len(look.mine)
        match look.decision:
            case Done(reason=reason):
                facts = {"refresh": progress.refresh, "percent": progress.percent}
                return answers.done(reason, passes=passes, **facts)
            case GiveUp(reason=reason):
                raise RollFailed(reason)
            case RollBack(reason=reason):
                progress = replace(progress, given_up=reason)
                if not autoscaling_refreshes.roll_back(look.group.name):
                    raise RollFailed(f"{reason} AWS cannot roll it back.")
                wait = Wait(f"{reason} It is rolled back.", sweep="soon")
            case Start() if blocked:
                wait = Wait("A refresh is active, but it cannot be seen yet.", sweep="soon")
            case Start(again=again):
                refresh = _start(look, again)
                if refresh is None:
                    blocked = True
                else:
                    progress = Progress(refresh=refresh, since=now)
                    rings[refresh] = doorbells.read(refresh)
                continue
            case Wait() as wait:
                pass
        bell = wait.refresh or unknown
        if bell in rings:
            return answers.wait(
                bell,
                rings[bell],
                wait.reason,
                sweep=wait.sweep,
                passes=passes,
                **progress.to_json(),
            )
        rings[bell] = doorbells.read(bell)
    raise Unavailable("The group keeps changing while it is looked at; look again.")


def _look(
    event: dict[str, Any], fleet: Fleet, progress: Progress, now: datetime
) -> tuple[_Look, Progress]:
    plan, version = event["plan"], event["version"]
    group = autoscaling_groups.describe(plan["group"])
    if group.template is None or group.template.template_id != version["template"]:
        raise RollFailed(
            f"Somebody gave group {group.name} another launch template ({group.template}) while it "
            f"was rolled to version {version['version']} of {version['template']}."
        )
    goal = Goal(
        {**group.versions, **version["targets"]}, began=datetime.fromisoformat(plan["began"])
    )
    wishes = for_group(group, fleet.roll, addresses=fleet.addresses.count > 0)
    refreshes = autoscaling_refreshes.recent(group.name)
    mine = goal.refreshes(refreshes, progress)
    if not mine:
        _refuse_edited(group, plan["from"], goal)
    progress = progress.seen(mine, now)
    decision = rolls.decide(
        group,
        refreshes,
        goal,
        progress=progress,
        preferences=wishes,
        patience=Patience(
            stall=timedelta(minutes=fleet.roll.stall_minutes),
            give_up_after=timedelta(minutes=fleet.roll.give_up_after_minutes),
        ),
        now=now,
    )
    return _Look(group, goal, wishes, mine, decision), progress


def _refuse_edited(group: Group, planned: dict[str, Any], goal: Goal) -> None:
    """What somebody has given the group since the plan must not be rolled away unasked.

    Once a refresh of ours has begun AWS itself lets nobody edit it.
    """
    before = sources(planned["template"], planned["version"], planned.get("overrides") or {})
    for template, version in group.versions.items():
        known = (before.get(template), goal.versions.get(template))
        if version.isdigit() and template in before and version not in known:
            raise RollFailed(
                f"Somebody gave group {group.name} version {version} of {template} after the plan "
                f"was made, which goes from version {before[template]}; release again."
            )


def _start(look: _Look, again: bool) -> str | None:
    wishes = look.preferences.again() if again else look.preferences
    try:
        return autoscaling_refreshes.start(
            look.group.name, configuration(look.group, look.goal.versions), wishes.to_aws()
        )
    except Refused as refused:
        if look.mine:  # refused means that nothing was touched, and something was
            raise RollFailed(str(refused)) from refused
        raise
