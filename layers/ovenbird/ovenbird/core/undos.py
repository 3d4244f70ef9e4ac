"""The way back: what to do next so that a group whose roll failed runs its old version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ovenbird.core.census import count
from ovenbird.core.groups import Group
from ovenbird.core.preferences import Preferences
from ovenbird.core.refreshes import Refresh, ours
from ovenbird.core.rolls import ENDING, MOST_PASSES, SETTLING, Done, GiveUp, RollBack, Wait


@dataclass(frozen=True)
class StartBack:
    """Start a refresh to the old version."""

    reason: str


@dataclass(frozen=True)
class Cancel:
    """Cancel the refresh: AWS cannot roll it back."""

    reason: str
    refresh: str


Decision = RollBack | Cancel | StartBack | Wait | Done | GiveUp

BLAMED = frozenset({"Failed", "RollbackSuccessful", "RollbackFailed"})


@dataclass(frozen=True)
class Way:
    """From where the rollout wanted to go, back to what the group ran when it began.

    Both map template ids to version numbers; ``forward`` is empty when no version was published.
    """

    forward: Mapping[str, str]
    back: Mapping[str, str]
    began: datetime

    def forth(self, refreshes: Sequence[Refresh]) -> list[Refresh]:
        """The refreshes with which this rollout went forward, newest first."""
        return [each for each in refreshes if ours(each, self.forward, self.began)]

    def backwards(self, refreshes: Sequence[Refresh]) -> list[Refresh]:
        """The refreshes with which this rollout went back, newest first."""
        return [each for each in refreshes if ours(each, self.back, self.began)]


def decide(
    group: Group,
    refreshes: Sequence[Refresh],
    way: Way,
    *,
    preferences: Preferences,
    irreversible: bool,
    first_look: datetime,
    now: datetime,
) -> Decision:
    """The next thing to do so that every instance, and the next one, is on the old version.

    A group that this rollout never refreshed is left as it is, whatever it runs.

    Args:
        refreshes: The group's refreshes, newest first.
        irreversible: AWS has refused to roll the active refresh back.
        first_look: When the undo looked for the first time; a refresh that was started a moment
            before may not be visible yet.
    """
    forth = way.forth(refreshes) if way.forward else []
    back = way.backwards(refreshes)
    if not forth and not back:
        if way.forward and now - first_look < SETTLING / 4:
            return Wait("Looking whether a refresh of this rollout appears.", sweep="soon")
        return Done(f"Group {group.name} was not touched.")
    active = next((each for each in refreshes if each.active), None)
    if active is not None:
        decision = _end(group, active, forth, back, irreversible)
        if isinstance(decision, Wait) and now - first_look > ENDING:
            return GiveUp(f"{active}, and has not ended within a day; it is left to AWS.")
        return decision
    census = count(
        group,
        way.back,
        protected_instances=preferences.protected_instances,
        standby_instances=preferences.standby_instances,
    )
    if census.complete:
        return Done(f"Group {group.name} is back: {census}.")
    last = next(each for each in refreshes if each in forth or each in back)
    if last.ended is not None and now - last.ended < SETTLING and _went_back(last, back):
        return Wait(f"{last}, but of the group: {census}. It may lag behind.", sweep="soon")
    if len(back) >= MOST_PASSES:
        return GiveUp(
            f"Group {group.name} is not back after {len(back)} refreshes: {census}. {last}."
        )
    return StartBack(f"On the way back, group {group.name}: {census}.")


def _end(
    group: Group,
    active: Refresh,
    forth: Sequence[Refresh],
    back: Sequence[Refresh],
    irreversible: bool,
) -> Decision:
    """Something is running: ours is turned round, somebody else's is not fought."""
    if active in back or (active in forth and active.ending):
        return Wait(f"{active}; waiting for its end.", active.refresh_id)
    if active not in forth:
        return GiveUp(
            f"Somebody else is refreshing group {group.name}, so it cannot be brought back: "
            f"{active}."
        )
    if irreversible:
        return Cancel(f"{active}; AWS cannot roll it back, so it is cancelled.", active.refresh_id)
    return RollBack(f"{active}; it is rolled back.", active.refresh_id)


def _went_back(last: Refresh, back: Sequence[Refresh]) -> bool:
    """Whether AWS says of its newest refresh that the group is on the old version now."""
    return last.status == "RollbackSuccessful" or (last in back and last.status == "Successful")


def image_is_blamed(
    action: str, error: str, forth: Sequence[Refresh], *, irreversible: bool
) -> bool:
    """Whether the rollout seems to have failed because of what is in the image.

    It has, if the image had its chance (:func:`ovenbird.core.launches.excuse`). Only a roll that
    began and did not come to its end says so. A refresh that a person cancelled, that somebody
    else's refresh prevented, or that AWS refused to start says nothing of the image. Nor does a
    roll-back: its image has served the fleet before, and may be the last good one.

    Args:
        action: ``release`` or ``roll-back``.
        error: The name of the failure.
        forth: The rollout's refreshes to the new version.
        irreversible: The last of them had to be cancelled, because AWS could not roll it back.
    """
    failed = any(each.status in BLAMED for each in forth) or (irreversible and bool(forth))
    return action == "release" and error == "RollFailed" and failed
