"""From one rollout of a fleet to another one, in the middle of a turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.stories import dynamodb
from tests.stories.asl.execution import Execution
from tests.stories.calls import Go, HandlerCall
from tests.stories.fleets import Fleet
from tests.stories.world import World

TURN = timedelta(seconds=50)  # of the minute that a function may run


@dataclass
class Switch:
    """Stands still after a call of a rollout's functions, and lets the others go on meanwhile.

    ``number`` counts the calls of all its turns; 0 is before the first. ``asleep``: Step Functions
    stood still before the turn that makes this call, until the lease on the lane had run out.
    """

    world: World
    rollout: int  # in the order in which they were started
    number: int
    others: Callable[[], object]
    asleep: bool = False
    calls: list[HandlerCall] = field(default_factory=list)
    done: bool = False

    def __call__(self, call: HandlerCall, go: Go) -> Any:
        if not self._is_its(call):
            return go()
        if self.asleep and (not self.calls or self.calls[-1].invocation != call.invocation):
            self._lease_runs_out()
        if self.number == 0:
            self._over()
        self.calls.append(call)
        try:
            return go()
        finally:
            if len(self.calls) == self.number:
                self._over()

    def _over(self) -> None:
        if not self.done:
            self.done = True
            self.others()

    def _lease_runs_out(self) -> None:
        """While the rollout still has the lane; the sleep itself would only cost time."""
        past = str(int(self.world.now().timestamp()) - 60)
        for key, item in self.world.ledger().items():
            if item.get("holder", {}).get("S") == self.world.rollouts[self.rollout].name:
                dynamodb.call(
                    "UpdateItem",
                    {
                        "TableName": self.world.deployment.table,
                        "Key": {"pk": {"S": key}},
                        "UpdateExpression": "SET #until = :past",
                        "ExpressionAttributeNames": {"#until": "until"},
                        "ExpressionAttributeValues": {":past": {"N": past}},
                    },
                )

    def _is_its(self, call: HandlerCall) -> bool:
        rollouts = self.world.rollouts
        if not call.invocation or len(rollouts) <= self.rollout:
            return False
        event = self.world.lambdas.invocations[call.invocation - 1].event
        return isinstance(event, dict) and event.get("rollout") == rollouts[self.rollout].name


def go_on(world: World, enough: Callable[[], bool]) -> None:
    """Let everybody else go on, until it is enough or the turn would be over."""
    until = world.now() + TURN
    world.run_until(lambda: enough() or world.now() >= until)


def can_go_no_further(rollout: Execution) -> bool:
    """Whether it has ended, or waits for somebody who has the lane."""
    return not rollout.running or rollout.state == "WaitForLane"


def push(web: Fleet, content: str) -> str:
    """A later release, which goes as far as it can; its revision."""
    web.world.run_for(seconds=2)  # times of releases are in whole seconds
    revision = web.world.upload(content)
    number = len(web.world.rollouts)

    def enough() -> bool:
        rollouts = web.world.rollouts[number:]
        return bool(rollouts) and can_go_no_further(rollouts[-1])

    go_on(web.world, enough)
    return revision
