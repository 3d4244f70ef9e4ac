"""New instances of a roll: whether they get traffic in time, while the old ones still live.

AWS goes on to the next batch when a new instance is warm, and with the health check type EC2
nobody asks the balancers. So they are asked here, once a new instance is in service and again
before it is warm; and in the end for the whole group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ovenbird.core.census import Census
from ovenbird.core.groups import Group
from ovenbird.core.names import few
from ovenbird.core.preferences import Preferences
from ovenbird.core.traffic import Opinion, State, told, unwanted

MARGIN = timedelta(seconds=20)  # before AWS goes on: the look, a roll-back, a move of an address
REGISTERED = timedelta(seconds=30)  # AWS registers an instance before it is in service
UNSEEN = timedelta(seconds=30)  # half of the time between two looks for the first
CHECKING = timedelta(minutes=3)  # a network balancer takes so long until its first verdict
AGAIN = timedelta(minutes=2)
SETTLED = timedelta(minutes=10)  # at the end: AWS may still replace one that fell sick
MOST_WATCHED = 10  # new instances; then the usual looks are enough
_MOST_KEPT = 20  # in the state machine's data; the others begin anew


@dataclass(frozen=True)
class Limits:
    """How long a new instance has until it must get traffic.

    ``held``: AWS itself does not go on while a balancer calls it unhealthy, and replaces it.
    """

    allowed: timedelta
    held: bool


def limits(group: Group, preferences: Preferences) -> Limits:
    """For a group and the refresh that it gets.

    The look comes before the warm-up is over. Where its owner gave the roll a shorter one, AWS goes
    on before anybody can know.
    """
    warmup, least = preferences.warmup_seconds, group.traffic_seconds
    warm = timedelta(seconds=warmup)
    allowed = max(warm - MARGIN, REGISTERED) if warmup >= least else timedelta(seconds=least)
    return Limits(allowed, held=group.asks_balancers)


@dataclass(frozen=True)
class Arrivals:
    """What is remembered of the new instances between two looks.

    ``proven`` is how many there were when all of them got traffic; ``waiting`` are those that did
    not, with the moment at which each was first met in service; ``ending`` is since when only
    traffic is missing at the end. ``due`` is when the first instance is looked for unasked, and
    ``held`` whether AWS holds the roll for a sick one (:class:`Limits`).
    """

    proven: int = 0
    waiting: Mapping[str, datetime] = field(default_factory=dict, hash=False)
    ending: datetime | None = None
    due: datetime | None = None
    held: bool = True

    def to_json(self) -> dict[str, Any]:
        """As facts of an answer."""
        oldest = sorted(self.waiting.items(), key=lambda each: each[1])[:_MOST_KEPT]
        return {
            "proven": self.proven,
            "waiting": {instance: since.isoformat() for instance, since in oldest},
            "ending": self.ending.isoformat() if self.ending else None,
            "due": self.due.isoformat() if self.due else None,
            "held": self.held,
        }

    @classmethod
    def from_json(cls, answer: Mapping[str, Any] | None) -> Arrivals:
        """From the step's previous answer, or from nothing at its first look."""
        known = answer or {}
        waiting = known.get("waiting") or {}
        ending, due = known.get("ending"), known.get("due")
        return cls(
            proven=known.get("proven") or 0,
            waiting={each: datetime.fromisoformat(since) for each, since in waiting.items()},
            ending=datetime.fromisoformat(ending) if ending else None,
            due=datetime.fromisoformat(due) if due else None,
            held=known.get("held", True),
        )


@dataclass(frozen=True)
class Wanted:
    """Every new instance gets traffic."""


@dataclass(frozen=True)
class Early:
    """Some do not yet; look again after that time."""

    reason: str
    after: timedelta


@dataclass(frozen=True)
class Unwanted:
    """Some do not, and their time is over.

    ``excused``: no health check said so; nobody registered them, so the image is not to blame.
    """

    reason: str
    excused: bool


Verdict = Wanted | Early | Unwanted


def judge(
    new: Sequence[str],
    opinions: Sequence[Opinion],
    arrivals: Arrivals,
    limits: Limits,
    now: datetime,
) -> tuple[Verdict, Arrivals]:
    """Whether the new instances get traffic; and what is remembered of them.

    Args:
        new: The instances of the new version that are in service.
        opinions: What the balancers that count say now.
    """
    found = unwanted(opinions, new)
    # No event told of it: it has been in service for some time.
    missed = arrivals.due is not None and now >= arrivals.due
    met = now - UNSEEN if missed else now
    waiting = {each: arrivals.waiting.get(each, met) for each in found}
    proven = arrivals.proven if found else len(new)
    after = replace(arrivals, proven=proven, waiting=waiting, due=None, held=limits.held)
    if not found:
        return Wanted(), after
    late: dict[str, tuple[Opinion, State]] = {}
    next_look = AGAIN
    for each, (by, said) in found.items():
        age = now - waiting[each]
        first, last = _times(said, limits)
        if age >= last:
            late[each] = (by, said)
        elif age < first:
            next_look = min(next_look, first - age)
        else:
            next_look = min(next_look, last - age)
    if late:
        age = max(now - waiting[each] for each in late)
        return Unwanted(
            f"{len(late)} of {len(new)} new instances get no traffic "
            f"{age / timedelta(seconds=1):.0f} seconds after they were in service: {told(late)}.",
            excused=all(said.hopeless for _, said in late.values()),
        ), after
    return Early(f"Not wanted by their balancers yet: {told(found)}.", next_look), after


def _times(said: State, limits: Limits) -> tuple[timedelta, timedelta]:
    """When to look at an instance in that state, and when it is too late for it.

    It is never too late for one that is checked, where AWS holds the roll for it and replaces it:
    the roll then has no progress, which is counted elsewhere.
    """
    if said.hopeless:
        soon = min(REGISTERED, limits.allowed)
        return soon, soon
    if limits.held:
        return limits.allowed, timedelta.max
    checking = CHECKING if said.state == "initial" else timedelta(0)
    return limits.allowed, limits.allowed + checking


def first_look(elapsed: timedelta) -> timedelta:
    """After which time to look for the first new instance, should no event tell of it."""
    return min(max(elapsed / 2, 2 * UNSEEN), timedelta(minutes=10))


@dataclass(frozen=True)
class Complete:
    """As many instances as the group wants get traffic."""

    reason: str


@dataclass(frozen=True)
class Missing:
    """Not so many; it is given up, where ``over``, or looked at again after that time."""

    reason: str
    over: bool
    after: timedelta = timedelta(0)


def count(
    group: Group,
    census: Census,
    opinions: Sequence[Opinion],
    arrivals: Arrivals,
    limits: Limits,
    *,
    planned: int,
    now: datetime,
) -> tuple[Complete | Missing, Arrivals]:
    """Whether a group that runs the version everywhere is served, too; and what is remembered.

    Args:
        census: Complete.
        planned: The desired capacity of the plan. What others have added to it since is waited
            for, and not held against the release if it does not come.
    """
    serving = [each for each in group.members if each.in_service]
    new = {each.instance_id for each in serving} & set(census.on_target)
    found = unwanted(opinions, new)
    sick = [
        each.instance_id
        for each in group.members
        if each.lifecycle == "InService" and not each.healthy
    ]
    units = sum(each.weight for each in serving if each.instance_id not in found)
    since = arrivals.ending or now
    after = replace(arrivals, ending=since)
    names = " and ".join(each.name for each in opinions)
    if not found and not sick and units >= group.desired:
        healthy = f"; all are healthy at {names}" if names and new else ""
        return Complete(f"Group {group.name}: {census}{healthy}."), after
    over = now - since > SETTLED + limits.allowed
    if found:
        lack = (
            f"{len(found)} of them {'is' if len(found) == 1 else 'are'} not healthy: {told(found)}"
        )
    elif sick:
        lack = f"the group itself calls {few(sick)} unhealthy"
    else:
        unit = "units" if group.weighted else "instances"
        lack = f"only {units} of the {group.desired} {unit} that it wants are in service"
        if over and units >= min(planned, group.desired):
            return Complete(f"Group {group.name}: {census}, and {lack}."), after
    wait = min(max((now - since) / 2, timedelta(seconds=15)), timedelta(minutes=1))
    return Missing(f"Group {group.name}: {census}, but {lack}.", over, wait), after
