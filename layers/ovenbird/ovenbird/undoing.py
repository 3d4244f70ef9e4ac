"""Whether there is anything to undo for whoever asks, and what.

The undo must be possible whatever else is wrong, so it reads hardly anything from its event: plan,
version, image and words of a rollout stand in the ledger. From the event comes who asks, and that
is compared: with the execution that the ledger has seen run the rollout, with the lane's holder and
with its fence. Nothing at all is done for anybody else, and people are told nothing of it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ovenbird import answers
from ovenbird.answers import Answer
from ovenbird.core import orders, releases, seals
from ovenbird.core.looks import Sweep
from ovenbird.core.seals import Claim
from ovenbird.errors import Stopped
from ovenbird.events import rollout as state
from ovenbird.events.envelope import at
from ovenbird.ledger import lanes, rollouts
from ovenbird.ledger.lanes import Lane
from ovenbird.ledger.rollouts import Rollout


@dataclass(frozen=True)
class Case:
    """A rollout that failed, as the ledger knows it.

    Args:
        execution: The name of the one that undoes: the rollout's own, or the one that was started
            because that one died.
        error, cause: The failure that is undone.
        event: Only for what is told in sentences, and for what was compared here.
    """

    record: Rollout
    lane: Lane
    execution: str
    error: str
    cause: str
    event: dict[str, Any] = field(hash=False)

    @property
    def fleet(self) -> str:
        return self.record.fleet

    @property
    def rollout(self) -> str:
        return self.record.rollout

    @property
    def action(self) -> str:
        return str(self.event["action"])

    @property
    def holds(self) -> bool:
        """Whether the lane is still that of this execution."""
        return self.lane.holder == self.execution

    @property
    def claim(self) -> Claim:
        """For what is written into the lane."""
        return Claim(
            self.fleet,
            self.rollout,
            self.lane.fence,
            holder=self.execution,
            sealed=self.lane.seals,
        )

    @property
    def plan(self) -> dict[str, Any]:
        """Empty where it was not planned."""
        return self.record.plan or {}

    @property
    def version(self) -> dict[str, Any] | None:
        """What it has published; nothing launches from it before the group is rolled."""
        return self.lane.version if self.holds else None

    @property
    def died(self) -> datetime | None:
        """When its own execution died, if this is the undo of one that did."""
        return self.record.died.at if self.record.died and self.is_after_death else None

    @property
    def is_after_death(self) -> bool:
        return self.execution != self.rollout

    def part(self, name: str) -> dict[str, Any]:
        """A part of the state that our own steps have answered; else empty."""
        if seals.broken({name: seals.carried(self.event, name)}, self.lane.seals):
            return {}
        return self.event.get(name) or {}

    @property
    def words(self) -> str:
        """A digest of the failure, to know again what was told of."""
        return seals.digest([self.error, self.cause])


def case(event: dict[str, Any]) -> Case | str:
    """What is to be undone, or why it is nothing for whoever asks; nothing is changed.

    IAM: dynamodb:GetItem
    """
    rollout, asks = event["rollout"], event["execution"]["name"]
    own = asks == rollout
    if not own and asks != releases.undo_name(rollout):
        return f"Execution {asks} does not run rollout {rollout}"
    if event.get("dry_run"):
        return f"Rollout {rollout} is a dry run, which changes nothing"
    record = rollouts.read(rollout)
    if record is None:
        return f"The ledger knows no rollout {rollout}"
    if record.fleet != event["fleet"]:
        return f"Rollout {rollout} is not one of fleet {event['fleet']}"
    if record.asked != _asked(event):
        return f"Rollout {rollout} was not accepted with this input"
    if own and record.execution and record.execution != event["execution"]["began"]:
        return f"Rollout {rollout} is run by an execution that began at {record.execution}"
    if not own and record.died is None:
        return f"The execution of rollout {rollout} has not died, as far as the ledger knows"
    lane = lanes.read(record.fleet)
    error, cause = state.error_of(event), state.cause_of(event)
    if record.died and not own:
        error, cause = record.died.error, record.died.cause
    found = Case(record, lane, asks, error, cause, event)
    return _refusal(found) or found


def wait(
    case: Case,
    doorbell: str,
    rings: int,
    reason: str,
    now: datetime,
    *,
    sweep: Sweep,
    **facts: Any,
) -> Answer:
    """Come back to the undo; the lease is prolonged, where the lane is ours, and the answer sealed.

    Raises:
        LaneLost, LimitNear: Nothing is waited for any more.

    IAM: dynamodb:UpdateItem
    """
    before = {"undo": case.part("undo")}
    answer = answers.wait(before, "undo", doorbell, rings, reason, now=now, sweep=sweep, **facts)
    if "detour" in facts:  # made once, and now: the state machine would rest in its place
        answer.pop("rest_seconds", None)
    if case.holds:
        sealing = seals.sealing(case.event, "undo", answer)
        with suppress(Stopped):  # a person stopped the rollout: that is what is done here
            lanes.renew(case.claim, now, doorbell=doorbell, sealing=sealing)
    return answer


def _asked(event: dict[str, Any]) -> str:
    try:
        return orders.digest(event)
    except RecursionError:
        return "nested too deeply"


def _refusal(case: Case) -> str | None:
    record, lane = case.record, case.lane
    if lane.holder == releases.undo_name(case.rollout) != case.execution:
        return f"Rollout {case.rollout} is undone by execution {lane.holder}"
    fence = at(case.event, "plan.fence")
    if case.holds and not case.is_after_death:
        if fence is None and set(lane.seals) - {seals.PLAN}:
            return f"plan.fence is missing; rollout {case.rollout} was planned with {lane.fence}"
        if fence is not None and fence != lane.fence:
            return f"plan.fence is {fence}; rollout {case.rollout} was planned with {lane.fence}"
    if not record.result or case.holds:
        return None
    told = record.notified or record.result in rollouts.REACHED | rollouts.NOTHING_ROLLED
    if told or record.words != case.words:
        return f"Rollout {case.rollout} has ended already ({record.result})"
    return None
