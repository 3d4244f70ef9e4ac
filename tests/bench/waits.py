"""How long a rollout waits for what is ready already, and what its waiting costs.

A wait is a run of answers of one step that name the same doorbell. It should end when the thing
has changed, and ends when the step is entered next and sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.bench.rollouts import Told

STEPS = {
    "PlanRollout": "plan_rollout",
    "BakeImage": "bake_image",
    "RollGroup": "roll_group",
    "MoveAddress": "move_address",
    "UndoRollout": "undo_rollout",
}

_LOOK = timedelta(seconds=1)  # a step has looked by then; it may see what changed meanwhile


@dataclass(frozen=True)
class Wait:
    """``ready`` is when the thing changed; ``by_event`` whether AWS sends an event for it."""

    doorbell: str
    ready: datetime
    ended: datetime
    by_event: bool

    @property
    def late(self) -> timedelta:
        return max(self.ended - self.ready, timedelta())


def waits(told: Told, agent: timedelta) -> Iterator[Wait]:
    """The waits of a rollout.

    Args:
        agent: From a builder's running to its agent being online, for which AWS has no event.
    """
    looks = list(_looks(told))
    for (_, answer), (entered, following) in pairwise(looks):
        bell = answer.get("doorbell", "")
        if answer["next"] != "wait" or _phase(answer) == _phase(following):
            continue
        changes = [when for when, what in told.changes if _thing(bell) in what]
        if "script" not in answer and bell.startswith("i-"):
            running = min(changes[1:])  # the first says pending
            yield Wait(bell, running + agent, entered, by_event=False)
        else:
            seen = entered + _LOOK
            yield Wait(bell, max(when for when in changes if when <= seen), entered, True)


def _thing(bell: str) -> str:
    """How events name what the bell is for; a group's is rung by the launches into it."""
    group = bell.removeprefix("group-")
    return bell if group == bell else f'"AutoScalingGroupName": "{group}"'


def _phase(answer: dict[str, Any]) -> tuple[Any, ...]:
    return answer["next"], answer.get("doorbell"), "script" in answer


def _looks(told: Told) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """When each step was entered, and what it answered."""
    answers = {
        state: iter([answer for name, answer in told.answers if name == function])
        for state, function in STEPS.items()
    }
    for event in told.execution.history:
        if event.kind == "TaskStateEntered" and event.state in answers:
            yield event.at, next(answers[event.state])
