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

from ovenbird import answers, arrivals
from ovenbird.answers import Answer
from ovenbird.arrivals import Roll
from ovenbird.aws import autoscaling_groups, autoscaling_refreshes
from ovenbird.core import looks, owners, rolls, seals
from ovenbird.core.arrivals import Arrivals, first_look
from ovenbird.core.groups import Group
from ovenbird.core.preferences import Preferences, for_group
from ovenbird.core.progress import Progress
from ovenbird.core.refreshes import Refresh, configuration
from ovenbird.core.rolls import (
    Decision,
    Done,
    GiveUp,
    Goal,
    Patience,
    RollBack,
    Start,
    TryAddress,
    Wait,
)
from ovenbird.core.templates import sources
from ovenbird.core.traffic_refusals import REGISTERS
from ovenbird.errors import Denied, NotFound, Refused, RollFailed, Unavailable
from ovenbird.events import rollout as state
from ovenbird.fleet import Fleet
from ovenbird.ledger import doorbells, lanes

_PLANNED = ("plan.fence", "plan.document", "plan.group", "plan.began", "plan.from")
_MOST_TURNS = 8  # start a pass, look at it, and look again with its doorbell read first


@dataclass(frozen=True)
class Known:
    """What is remembered between two looks; it travels in the step's answer."""

    progress: Progress
    arrivals: Arrivals

    def started(self, refresh: str, now: datetime, due: datetime) -> Known:
        """After a refresh was started, whose first instance is looked for then, unasked."""
        progress = Progress(refresh=refresh, since=now, tried=self.progress.tried)
        return Known(progress, replace(self.arrivals, due=due))

    def given_up(self, reason: str, *, excused: bool) -> Known:
        """After a rollback was asked for."""
        return replace(self, progress=replace(self.progress, given_up=reason, excused=excused))

    def tried(self) -> Known:
        """After an address is tried, whatever comes of it."""
        return replace(self, progress=replace(self.progress, tried=True))

    def to_json(self) -> dict[str, Any]:
        """As facts of an answer."""
        return {**self.progress.to_json(), **self.arrivals.to_json()}

    @classmethod
    def from_json(cls, answer: dict[str, Any] | None) -> Known:
        """From the step's previous answer, or from nothing at its first look."""
        return cls(Progress.from_json(answer), Arrivals.from_json(answer))


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
        BadEvent: The state is not well made, or not that of this rollout.
        Denied: The group does not carry the fleet's tag any more.
        BadFleet: The document in the plan is wrong.
        RollFailed: AWS rolled the refresh back, failed it or had it cancelled; somebody else
            refreshes the group or gave it another template or version; or it did not get there in
            time.
        Refused: AWS does not accept the refresh; the group was not touched.
    """
    state.check(event, now, *_PLANNED, "version")
    claim = lanes.hold(state.claim(event, "plan", "version", "roll"), now)
    answer = _turn(event, state.fleet_of(event), now)
    if answer["next"] == "wait":  # what it answers at its end is not read any more
        sealing = seals.sealing(event, "roll", answer)
        lanes.renew(claim, now, doorbell=answer["doorbell"], sealing=sealing)
    return answer


def _turn(event: dict[str, Any], fleet: Fleet, now: datetime) -> Answer:
    """Look, decide and act until there is something to wait for.

    A wait is answered only if its doorbell was read before the look that led to it.
    """
    known = Known.from_json(event.get("roll"))
    launches = f"group-{event['plan']['group']}"  # rings for the refreshes of the group, too
    # Where it is proven now, the next launch is waited for; else it is not.
    watches = known.arrivals.waiting and not known.arrivals.held
    bell = (not watches and known.progress.refresh) or launches
    rings = {bell: doorbells.read(bell)}
    blocked = detour = False
    for _ in range(_MOST_TURNS):
        look, known = _look(event, fleet, known, now)
        passes = len(look.mine)
        match look.decision:
            case Done(reason=reason):
                facts = {"refresh": known.progress.refresh, "percent": known.progress.percent}
                return answers.done(reason, passes=passes, **facts)
            case GiveUp(reason=reason):
                raise RollFailed(reason)
            case TryAddress(reason=reason):
                known, detour = known.tried(), True
                wait = Wait(reason, look.mine[0].refresh_id, after=looks.SHORTEST)
            case RollBack(reason=reason, excused=excused):
                known = known.given_up(reason, excused=excused)
                if not autoscaling_refreshes.roll_back(look.group.name):
                    raise RollFailed(f"{reason} AWS cannot roll it back.")
                wait = Wait(f"{reason} It is rolled back.", sweep="soon")
            case Start() if blocked:
                wait = Wait("A refresh is active, but it cannot be seen yet.", sweep="soon")
            case Start(again=again):
                refresh = _start(look, again)
                if refresh is None:
                    blocked = True
                    continue
                after = first_look(timedelta())
                known = known.started(refresh, now, due=now + after)
                wait = Wait(f"Refresh {refresh} is started.", launches=True, after=after)
            case Wait() as wait:
                pass
        bell = launches if wait.launches or not wait.refresh else wait.refresh
        if bell in rings:
            answer = answers.wait(
                event,
                "roll",
                bell,
                rings[bell],
                wait.reason,
                now=now,
                sweep=wait.sweep,
                after=wait.after,
                passes=passes,
                **known.to_json(),
            )
            if detour and "rest_seconds" in answer:  # the next look makes it
                return answer | {"tried": False}
            return answer | ({"detour": "addresses"} if detour else {})
        rings[bell] = doorbells.read(bell)
    raise Unavailable("The group keeps changing while it is looked at; look again.")


def _look(event: dict[str, Any], fleet: Fleet, known: Known, now: datetime) -> tuple[_Look, Known]:
    plan, version = event["plan"], event["version"]
    group = autoscaling_groups.describe(plan["group"])
    if refusal := owners.refusal(f"Group {group.name}", group.tags, fleet.name):
        raise Denied(refusal)
    if group.leaving:
        raise NotFound(f"Group {group.name} is being deleted ({group.status}).")
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
    mine = goal.refreshes(refreshes, known.progress)
    if not mine:
        _refuse_edited(group, plan["from"], goal)
    known = replace(known, progress=known.progress.seen(mine, now))
    decision = rolls.decide(
        group,
        refreshes,
        goal,
        progress=known.progress,
        preferences=wishes,
        patience=Patience(
            stall=timedelta(minutes=fleet.roll.stall_minutes),
            give_up_after=timedelta(minutes=fleet.roll.give_up_after_minutes),
        ),
        now=now,
    )
    roll = Roll(group, goal.versions, mine[0] if mine else None, wishes)
    decision, met = arrivals.look(
        decision,
        roll,
        known.arrivals,
        left_out=plan.get("left_out") or (),
        planned=plan.get("desired", group.desired),
        tries_address=fleet.addresses.count > 0 and not known.progress.tried,
        now=now,
    )
    return _Look(group, goal, wishes, mine, decision), replace(known, arrivals=met)


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
    group = look.group
    if REGISTERS in group.suspended and group.feeds_balancers:
        sentence = (
            f"Group {group.name} has suspended {REGISTERS} since the plan, so its balancers would "
            "send nothing to new instances; resume it."
        )
        raise RollFailed(sentence) if look.mine else Refused(sentence)
    wishes = look.preferences.again() if again else look.preferences
    try:
        return autoscaling_refreshes.start(
            look.group.name, configuration(look.group, look.goal.versions), wishes.to_aws()
        )
    except Refused as refused:
        if look.mine:  # refused means that nothing was touched, and something was
            raise RollFailed(str(refused)) from refused
        raise
