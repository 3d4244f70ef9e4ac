"""In whatever order things happen: one valid holder, the newest release wins, nothing is lost."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from ovenbird.core import orders
from ovenbird.core.seals import Claim
from ovenbird.errors import LaneLost, Stopped
from ovenbird.ledger import lanes, table
from ovenbird.ledger.lanes import Held, Queued, Superseded, Taken
from tests.unit import ledger

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
TIME_TO_LIVE = "expires"  # held to the template by tests/template/test_template.py
ROLLOUTS = st.sampled_from(["web-0", "web-1", "web-2", "web-3"])


class Lanes(RuleBasedStateMachine):
    """Rollouts come, wait, take, run out, are seized, stopped and end, as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.stack.enter_context(ledger.empty())
        self.now = NOON
        self.released: dict[str, str] = {}  # rollout → its order
        self.fences: dict[str, int] = {}  # what each was told when it took the lane
        self.highest = 0
        self.waiting: set[str] = set()  # those that were told they are next
        self.rung: set[str] = set()  # those whose doorbell was to be rung
        self.barrier = ""
        self.until = NOON  # the end of the present holder's lease

    def teardown(self) -> None:
        self.stack.close()

    @initialize(minutes=st.lists(st.integers(3, 6), min_size=4, max_size=4))  # many ties
    def push(self, minutes: list[int]) -> None:
        for number, minute in enumerate(minutes):
            self.released[f"web-{number}"] = _order(minute, number)

    @rule(rollout=ROLLOUTS)
    def takes_or_queues(self, rollout: str) -> None:
        at = self.released[rollout]
        holder = lanes.read("web").holder
        try:
            taken = lanes.take("web", rollout, self.now, order=at)
            if isinstance(taken, Held) and taken.expired:
                taken = lanes.overtake("web", rollout, self.now, order=at)
        except Stopped:
            assert holder == rollout
            self.until = self.now + lanes.LEASE
            return
        if isinstance(taken, Taken):
            assert holder in ("", rollout) or self.until < self.now
            self._took(rollout, taken)
            return
        queued = lanes.queue("web", rollout, at, "waits")
        if isinstance(queued, Queued):
            self._displaced(queued.displaced, by=at)
            self.waiting.add(rollout)
            assert at > self.barrier
        else:
            assert isinstance(queued, Superseded)
            winner = self.barrier if queued.by == "a stop by hand" else self.released[queued.by]
            assert winner > at
            self.waiting.discard(rollout)

    @rule()
    def all_come(self) -> None:
        for rollout in self.released:
            self.takes_or_queues(rollout)

    @rule()
    def the_holder_ends(self) -> None:
        holder = lanes.read("web").holder
        if holder:
            self.ends(holder)

    @rule(rollout=ROLLOUTS)
    def seizes(self, rollout: str) -> None:
        holder = lanes.read("web").holder
        if holder and holder != rollout:
            taken = lanes.seize("web", rollout, holder, self.now, order=self.released[rollout])
            if isinstance(taken, Taken):
                self._took(rollout, taken)

    @rule(rollout=ROLLOUTS)
    def renews(self, rollout: str) -> None:
        if rollout in self.fences:
            try:
                lanes.renew(Claim("web", rollout, self.fences[rollout]), self.now, doorbell=rollout)
                self.until = self.now + lanes.LEASE
            except Stopped:
                self.until = self.now + lanes.LEASE
            except LaneLost:
                lane = lanes.read("web")
                assert (lane.holder, lane.fence) != (rollout, self.fences[rollout])

    @rule(rollout=ROLLOUTS)
    def ends(self, rollout: str) -> None:
        if rollout in self.fences:
            waiting = lanes.release("web", rollout, self.fences[rollout])
            if waiting:
                self.rung.add(waiting)
            assert lanes.read("web").holder != rollout or self._fence_is_old(rollout)

    @rule()
    def stops(self) -> None:
        holder = lanes.read("web").holder
        if holder:
            at = _order(5, 9)
            stopping = lanes.request_stop("web", holder, "somebody", "why", at)
            assert stopping is not None
            self.barrier = at
            if stopping.displaced:
                self.rung.add(stopping.displaced)

    @rule(minutes=st.integers(1, 40))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @invariant()
    def at_most_one_holds(self) -> None:
        holding = []
        for rollout, fence in self.fences.items():
            try:
                lanes.check(Claim("web", rollout, fence))
            except LaneLost:
                continue
            except Stopped:
                pass
            holding.append(rollout)
        assert len(holding) <= 1

    @invariant()
    def whoever_was_told_to_wait_is_next_or_was_rung(self) -> None:
        queued = lanes.read("web").queued
        assert self.waiting <= {queued} | self.rung

    @invariant()
    def who_waits_beside_a_free_lane_was_rung(self) -> None:
        lane = lanes.read("web")
        if lane.queued and not lane.holder:
            assert lane.queued in self.rung

    @invariant()
    def the_table_never_deletes_it(self) -> None:
        """Its time to live would take fence, barrier and queue with it, when a holder died."""
        assert TIME_TO_LIVE not in (table.get("lane#web") or {})

    def _took(self, rollout: str, taken: Taken) -> None:
        assert taken.fence > self.highest or self.fences.get(rollout) == taken.fence
        self.highest = max(self.highest, taken.fence)
        self.fences[rollout] = taken.fence
        self._displaced(taken.displaced, by=self.released[rollout])
        self.until = self.now + lanes.LEASE
        self.waiting.discard(rollout)
        self.rung.discard(rollout)

    def _displaced(self, rollout: str, *, by: str) -> None:
        if rollout:
            assert self.released[rollout] < by
            self.rung.add(rollout)

    def _fence_is_old(self, rollout: str) -> bool:
        return lanes.read("web").fence != self.fences[rollout]


def _order(minute: int, number: int) -> str:
    return orders.order((NOON + timedelta(minutes=minute)).isoformat(), number)


def test_lanes_in_any_order_of_events() -> None:
    # Without shrinking: it would take minutes, and twenty steps can be read.
    plain = settings(
        max_examples=25, stateful_step_count=20, deadline=None, phases=[Phase.generate]
    )
    run_state_machine_as_test(Lanes, settings=plain)
