"""Looks: how often a step may look while it waits, and when it looks again unasked.

A look costs about fifteen events of the execution's history, and 25,000 end the execution without a
word. So the looks of one step are counted. Its first ones are free, as fast as anything rings; then
each has to be paid for with time, and more time the more there were: who rings every second for an
hour causes some hundred of them. What rings during a rest is noticed after it. A wait in which
nothing rings is looked at in ever longer intervals.

Source: Step Functions developer guide, Quotas, "Maximum execution history size".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

Part = Literal["plan", "bake", "roll", "addresses", "returned", "undo"]
Sweep = Literal["soon", "late"]

MOST = 300  # looks of one step; five steps of a rollout look again and again
FREE = 60
PACE = timedelta(seconds=15)
SLOWER_AFTER = 100  # looks; from then on the pace doubles
SLOWER_EVERY = 25
LONGEST_REST = timedelta(minutes=10)
SOON = timedelta(seconds=15)
SHORTEST = timedelta(seconds=5)
LONGEST_SOON = timedelta(minutes=1)
# How long a step waits for an event that AWS does send; less than a lane's lease, where it has one.
LATE: dict[Part, timedelta] = {
    "plan": timedelta(hours=1),
    "bake": timedelta(minutes=5),
    "roll": timedelta(minutes=10),
    "addresses": timedelta(minutes=5),
    "returned": timedelta(minutes=5),
    "undo": timedelta(minutes=5),
}
LONGEST_LATE = timedelta(hours=1)
LONGEST_IN_QUEUE = timedelta(days=2)
_OF_ITS_AGE = 24  # a wait of a day is looked at every hour


@dataclass(frozen=True)
class Looks:
    """The looks of a step until now, as its last answer says.

    Args:
        count: How many there were.
        paid: Until when those are paid for, ``None`` before the first.
        waited_for: What was waited for last: the doorbell, and how.
        since: Since when.
    """

    count: int = 0
    paid: datetime | None = None
    waited_for: tuple[str, str] = ("", "")
    since: datetime | None = None

    @classmethod
    def from_json(cls, answer: Mapping[str, Any]) -> Looks:
        """Of the step's last answer, if it was a wait; else nothing was looked at yet."""
        pace = answer.get("pace") or {}
        return cls(
            count=int(pace.get("looks", 0)),
            paid=_time(pace.get("paid")),
            waited_for=(answer.get("doorbell", ""), answer.get("sweep", "")),
            since=_time(pace.get("since")),
        )


@dataclass(frozen=True)
class Again:
    """The next look: when it comes unasked, and how long nothing brings it about before.

    ``rest`` is zero in every rollout that nobody disturbs.
    """

    count: int
    paid: datetime
    since: datetime
    after: timedelta
    rest: timedelta

    def to_json(self) -> dict[str, Any]:
        """As it stands in the answer."""
        return {
            "looks": self.count,
            "paid": self.paid.isoformat(),
            "since": self.since.isoformat(),
        }


@dataclass(frozen=True)
class TooMany:
    """The history of the execution would be full before the rollout has ended, or been undone."""

    reason: str


def again(looks: Looks, part: Part, doorbell: str, sweep: Sweep, now: datetime) -> Again | TooMany:
    """When to look again, after one more look."""
    count = looks.count + 1
    if count > MOST:
        return TooMany(
            f"It was looked at {MOST} times in this step: something rings all the time, and the "
            "history of the execution may not grow without end."
        )
    same = looks.since is not None and looks.waited_for == (doorbell, sweep)
    since = looks.since if same and looks.since is not None else now
    paid = max(min(looks.paid or now, now + FREE * PACE), now) + pace(count)
    return Again(
        count=count,
        paid=paid,
        since=since,
        after=_after(part, sweep, now - since),
        rest=max(paid - now - FREE * PACE, timedelta()),
    )


def pace(count: int) -> timedelta:
    """What the look of that number costs."""
    doublings = min(max(count - SLOWER_AFTER, 0) // SLOWER_EVERY, 10)
    return min(PACE * (1 << doublings), LONGEST_REST)


def _time(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)


def _after(part: Part, sweep: Sweep, age: timedelta) -> timedelta:
    if sweep == "soon":
        least, most = SOON, LONGEST_SOON
    else:
        least, most = LATE[part], LONGEST_IN_QUEUE if part == "plan" else LONGEST_LATE
    return min(max(least, age / _OF_ITS_AGE), most)
