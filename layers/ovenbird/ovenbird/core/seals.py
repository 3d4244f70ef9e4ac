"""Seals: by which the ledger knows a rollout's state again.

A step reads its state from its event, and whoever may invoke a function can write an event. So the
lane keeps digests of what each step was given and has answered, and every step compares them with
what its event carries before it changes anything.

A step may be killed after its answer was sealed, and is then repeated with what it was given the
first time; so both are good. An attempt that was given up and goes on all the same may seal beside
its successor; so the answers of all attempts are good.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PLAN = "plan"
LATER = (
    *("bake", "version", "roll", "addresses", "settle", "undo"),
    *("failure", "returned", "unreturned"),
)
MOST_ANSWERS = 4  # of attempts with the same state
NOTHING = ""  # the digest of a part that is not there yet

Seals = Mapping[str, tuple[str, ...]]  # part → what its step was given, and what it answered


@dataclass(frozen=True)
class Claim:
    """Who a step says it is, and what its event carries.

    Args:
        fence: The number with which the plan says that the rollout took the lane.
        carried: Part → digest of what the event carries, for the parts that the step relies on.
        holder: The execution that holds the lane; empty where it has the rollout's id as its name.
        sealed: What the lane knew of the parts when the claim was compared with it.
    """

    fleet: str
    rollout: str
    fence: int
    carried: Mapping[str, str] = field(default_factory=dict, hash=False)
    holder: str = ""
    sealed: Seals = field(default_factory=dict, hash=False)

    @property
    def execution(self) -> str:
        """The name of the execution that holds the lane."""
        return self.holder or self.rollout


@dataclass(frozen=True)
class Sealing:
    """The digests of a part as a step was given it, and as it answers it."""

    part: str
    given: str
    answered: str

    def after(self, before: Sequence[str]) -> tuple[str, ...]:
        """The part's seal, in place of the one before."""
        others = [each for each in before[1:] if each != self.answered]
        if before[:1] != (self.given,):
            others = []
        return (self.given, *others[-(MOST_ANSWERS - 1) :], self.answered)


def digest(value: Any) -> str:
    """32 hex digits of a JSON value; the same however its members are ordered and numbers written.

    Step Functions parses and writes every answer anew on its way to the next step.
    """
    try:
        text = json.dumps(_canonical(value), sort_keys=True, separators=(",", ":"))
    except RecursionError:
        return "nested too deeply"  # no step has answered it
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def carried(state: Mapping[str, Any], part: str) -> str:
    """The digest of one part of a state.

    With the plan goes everything that was there before it: the input and the execution.
    """
    if part == PLAN:
        return digest({name: value for name, value in state.items() if name not in LATER})
    value = state.get(part)
    return NOTHING if value is None else digest(value)


def sealing(state: Mapping[str, Any], part: str, answer: Mapping[str, Any]) -> Sealing:
    """What a step seals that was given this state and answers that."""
    return Sealing(part, carried(state, part), carried({**state, part: answer}, part))


def broken(carried: Mapping[str, str], sealed: Seals) -> str | None:
    """The first part that no step of the rollout has answered so; ``None`` where all were."""
    unknown = (part for part, seen in carried.items() if seen not in sealed.get(part, (NOTHING,)))
    return next(unknown, None)


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _canonical(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_canonical(part) for part in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
