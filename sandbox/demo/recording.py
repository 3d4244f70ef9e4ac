"""What happened in the show, as data: the screen and the report are drawn from it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sandbox.demo.traffic import Tally

NOBODY = ""


@dataclass(frozen=True)
class InstanceSeen:
    """An instance at one moment; ``phase`` is one of ``starting serving leaving``."""

    instance_id: str
    version: str
    phase: str
    health: str
    zone: str = ""


@dataclass(frozen=True)
class Moment:
    """The fleet at one moment; ``at`` is in real seconds since the show began."""

    at: float
    instances: tuple[InstanceSeen, ...]
    holders: tuple[tuple[str, str], ...]  # (public address, instance id or NOBODY), sorted
    builder: bool
    balancer: Tally
    addresses: Tally

    def by_version(self, phase: str) -> Counter[str]:
        return Counter(seen.version for seen in self.instances if seen.phase == phase)

    def version_of(self, instance_id: str) -> str:
        return next((i.version for i in self.instances if i.instance_id == instance_id), "")


@dataclass(frozen=True)
class StateEntered:
    """The state machine entered a state."""

    at: float
    name: str


@dataclass(frozen=True)
class Note:
    """One line of the story, for the screen's log and the report's list."""

    at: float
    text: str
    kind: str = "plain"  # plain good bad


@dataclass
class Act:
    """One thing that a person does, and all that follows from it."""

    title: str
    promise: str
    began: float
    ended: float = 0.0
    rollout: str = ""
    result: str = ""
    reason: str = ""
    moments: list[Moment] = field(default_factory=list)
    states: list[StateEntered] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    transitions: int = 0
    history_events: int = 0
    api_calls: int = 0
    changing_calls: int = 0
    invocations: int = 0
    baked: bool = False
    dollars: float = 0.0

    @property
    def succeeded(self) -> bool:
        return self.result == "SUCCEEDED"

    @property
    def outcome(self) -> str:
        """One word for the table: what became of it."""
        if not self.succeeded:
            return "undone"
        if not any(entered.name == "Roll" for entered in self.states):
            return "nothing to do"
        return "rolled" if self.baked else "rolled, no bake"

    def say(self, at: float, text: str, kind: str = "plain") -> None:
        self.notes.append(Note(at, text, kind))

    def served(self) -> tuple[Tally, Tally]:
        """What the balancer and the addresses answered and lost during the act."""
        if not self.moments:
            return Tally(0, 0), Tally(0, 0)
        first, last = self.moments[0], self.moments[-1]
        return (
            Tally(
                last.balancer.answered - first.balancer.answered,
                last.balancer.lost - first.balancer.lost,
            ),
            Tally(
                last.addresses.answered - first.addresses.answered,
                last.addresses.lost - first.addresses.lost,
            ),
        )


@dataclass
class Show:
    """The whole demo; ``speed`` turns real seconds into cloud time."""

    speed: float
    acts: list[Act] = field(default_factory=list)

    def cloud_seconds(self, real_seconds: float) -> float:
        return real_seconds * self.speed
