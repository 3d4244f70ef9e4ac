"""The roll of a group to a version: what to do next, given what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ovenbird.core.census import Census, count
from ovenbird.core.groups import Group
from ovenbird.core.preferences import Preferences
from ovenbird.core.progress import Progress
from ovenbird.core.refreshes import Refresh, ours

MOST_PASSES = 3
SETTLING = timedelta(seconds=60)  # the group's description may lag behind the refresh's success
INVISIBLE = timedelta(minutes=5)  # a refresh that we started must be visible by then
ENDING = timedelta(hours=24)  # a refresh that is rolled back or cancelled must have ended by then


@dataclass(frozen=True)
class Start:
    """Start a refresh; ``again`` when it is another pass and shall touch only what is not there."""

    reason: str
    again: bool = False


@dataclass(frozen=True)
class Wait:
    """Look again later; ``refresh`` is the refresh that is waited for, if it is known.

    ``launches``: or until the group has launched an instance. ``after``: at the latest after that
    time.
    """

    reason: str
    refresh: str = ""
    sweep: Literal["soon", "late"] = "late"
    launches: bool = False
    after: timedelta | None = None


@dataclass(frozen=True)
class RollBack:
    """Ask AWS to bring the group back to its saved configuration.

    ``excused``: what is wrong is not the image's doing.
    """

    reason: str
    refresh: str
    excused: bool = False


@dataclass(frozen=True)
class TryAddress:
    """See whether an address can be put on the first new instance, before AWS goes on."""

    reason: str


@dataclass(frozen=True)
class Done:
    """Every instance is on the version."""

    reason: str


@dataclass(frozen=True)
class GiveUp:
    """The roll has failed; somebody else undoes it."""

    reason: str


Decision = Start | Wait | RollBack | TryAddress | Done | GiveUp


@dataclass(frozen=True)
class Goal:
    """Where the rollout that began then takes the group: template id → version number."""

    versions: Mapping[str, str]
    began: datetime

    def refreshes(self, refreshes: Sequence[Refresh], progress: Progress) -> list[Refresh]:
        """Those of this rollout, in the order given: one for each pass."""
        return [
            each
            for each in refreshes
            if each.refresh_id == progress.refresh or ours(each, self.versions, self.began)
        ]


@dataclass(frozen=True)
class Patience:
    """How long is too long: without any progress, and in all."""

    stall: timedelta
    give_up_after: timedelta


def decide(
    group: Group,
    refreshes: Sequence[Refresh],
    goal: Goal,
    *,
    progress: Progress,
    preferences: Preferences,
    patience: Patience,
    now: datetime,
) -> Decision:
    """The next thing to do for a group that shall get to the goal.

    Args:
        refreshes: The group's refreshes, newest first; at most one is active.
        progress: What is remembered of the refresh, this look included.
    """
    mine = goal.refreshes(refreshes, progress)
    active = next((each for each in refreshes if each.active), None)
    if active is not None:
        if active not in mine:
            return GiveUp(
                f"Somebody else is refreshing group {group.name}: {active}. "
                "Let it end or cancel it, then release again."
            )
        return _watch(active, mine, progress, preferences, patience, now)
    if progress.refresh and not any(each.refresh_id == progress.refresh for each in mine):
        if progress.since is not None and now - progress.since > INVISIBLE:
            return GiveUp(f"Refresh {progress.refresh} was started, but AWS does not know it.")
        return Wait(f"Refresh {progress.refresh} cannot be seen yet.", progress.refresh, "soon")
    census = count(
        group,
        goal.versions,
        protected_instances=preferences.protected_instances,
        standby_instances=preferences.standby_instances,
    )
    if not mine:
        if census.complete:
            return Done(f"Group {group.name} is there already: {census}.")
        return Start(f"Group {group.name}: {census}.", again=not census.stragglers)
    return _judge(group, mine, census, progress, now)


def _watch(
    refresh: Refresh,
    mine: Sequence[Refresh],
    progress: Progress,
    preferences: Preferences,
    patience: Patience,
    now: datetime,
) -> Decision:
    """A refresh of ours is active: let it go on, or stop it in time."""
    starts = [each.started for each in mine if each.started is not None]
    age = now - min(starts, default=now)
    if refresh.ending:
        if age > patience.give_up_after + ENDING:
            return GiveUp(f"{refresh}, and does not come to its end.")
        return Wait(f"{refresh}; waiting for its end.", refresh.refresh_id)
    if age > patience.give_up_after:
        return RollBack(
            f"{refresh}; the roll has taken longer than {_minutes(patience.give_up_after)}.",
            refresh.refresh_id,
        )
    allowed = stall_allowance(progress, preferences, patience)
    if refresh.status != "Baking" and progress.since and now - progress.since > allowed:
        return RollBack(
            f"{refresh}; no progress for {_minutes(now - progress.since)} "
            f"(at most {_minutes(allowed)} are allowed).",
            refresh.refresh_id,
        )
    return Wait(f"{refresh}.", refresh.refresh_id)


def stall_allowance(progress: Progress, preferences: Preferences, patience: Patience) -> timedelta:
    """How long a refresh may show no progress before it counts as stalled.

    An instance counts only when it is warm, so the warm-up comes on top; and after a checkpoint AWS
    pauses on purpose. Source: EC2 Auto Scaling API reference, InstanceRefresh, PercentageComplete;
    RefreshPreferences, CheckpointDelay.
    """
    allowed = patience.stall + timedelta(seconds=preferences.warmup_seconds)
    if any(
        progress.percent_before < point <= progress.percent for point in preferences.checkpoints
    ):
        allowed += timedelta(seconds=preferences.checkpoint_delay_seconds)
    return allowed


def _judge(
    group: Group, mine: Sequence[Refresh], census: Census, progress: Progress, now: datetime
) -> Decision:
    """The newest refresh of ours has ended: is the group there?"""
    last = mine[0]
    if last.status != "Successful":
        if progress.given_up:  # AWS then only says that we asked for it
            return GiveUp(f"{progress.given_up} Its end: {last.status}.")
        return GiveUp(f"{last}.")
    if census.complete:
        return Done(f"Group {group.name}: {census}.")
    if last.ended is not None and now - last.ended < SETTLING:
        return Wait(f"{last}, but of the group: {census}. It may lag behind.", sweep="soon")
    if len(mine) >= MOST_PASSES:
        return GiveUp(f"After {len(mine)} refreshes of group {group.name}: {census}.")
    return Start(f"Group {group.name}: {census}.", again=True)


def _minutes(span: timedelta) -> str:
    return f"{span / timedelta(minutes=1):.0f} minutes"
