"""Whether the balancers that a group feeds send traffic to its instances.

A group calls an instance healthy that nobody sends a request to: with the health check type EC2 it
never asks its balancers, and with ELB it does not mind an instance that they do not know. Here they
are asked themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ovenbird.core.groups import Group
from ovenbird.core.names import few

HEALTHY = "healthy"
_NOBODY_CHECKS = "Target.HealthCheckDisabled"
# What an instance says that no health check will change.
_UNUSED = frozenset({"unused", "draining", "unhealthy.draining"})
_OWN_FAULT = frozenset({"Target.InvalidState"})  # stopped: the group replaces it


@dataclass(frozen=True)
class TargetGroup:
    """A target group as the plan sees it.

    ``used`` says whether a balancer sends anything to it at all; ``kind`` is its target type.
    """

    arn: str
    used: bool = True
    kind: str = "instance"

    @property
    def name(self) -> str:
        """Its name, from the ARN."""
        return name_of(self.arn)

    @property
    def left_out(self) -> str:
        """Why its opinion does not count; empty where it does.

        Auto Scaling registers instances by their ids, so targets of another type are not its own.
        """
        if self.kind != "instance":
            return f"its targets are of the type {self.kind}, which no Auto Scaling group registers"
        return "" if self.used else "no load balancer sends anything to it"


@dataclass(frozen=True)
class State:
    """What a balancer says of one instance: its state, and why."""

    state: str
    reason: str = ""

    @property
    def wanted(self) -> bool:
        """Whether it may get traffic."""
        return self.state == HEALTHY or self.reason == _NOBODY_CHECKS

    @property
    def hopeless(self) -> bool:
        """Whether waiting for a health check is of no use: it is not registered, or not in use."""
        return self.state in _UNUSED and self.reason not in _OWN_FAULT

    def __str__(self) -> str:
        return self.reason or self.state


UNKNOWN = State("unused", "Target.NotRegistered")


@dataclass(frozen=True)
class Opinion:
    """What one balancer says of all the instances that it knows.

    ``source`` is the ARN of a target group, or the name of a Classic Load Balancer.
    """

    source: str
    states: Mapping[str, State] = field(hash=False)

    @property
    def name(self) -> str:
        """As people call it."""
        if self.source.startswith("arn:"):
            return f"target group {name_of(self.source)}"
        return f"Classic Load Balancer {self.source}"

    @property
    def idle(self) -> bool:
        """Whether nothing that it knows is in use: then no balancer sends anything to it."""
        return bool(self.states) and all(
            each == State("unused", "Target.NotInUse") for each in self.states.values()
        )

    def of(self, instance: str) -> State:
        """What it says of one instance."""
        return self.states.get(instance, UNKNOWN)


def name_of(arn: str) -> str:
    """A target group's name: ``…:targetgroup/web/0123456789abcdef`` → ``web``."""
    parts = arn.split("/")
    return parts[1] if len(parts) > 1 else arn


def healthy(opinions: Sequence[Opinion]) -> frozenset[str] | None:
    """The instances that every balancer wants; ``None`` where there is none to ask.

    One to which no balancer sends anything is not asked: it calls no instance healthy, ever.
    """
    asked = [each for each in opinions if not each.idle]
    if not asked:
        return None
    wanted = [{name for name, said in each.states.items() if said.wanted} for each in asked]
    return frozenset(set.intersection(*wanted))


def unwanted(
    opinions: Sequence[Opinion], instances: Iterable[str]
) -> dict[str, tuple[Opinion, State]]:
    """Those of the instances that some balancer does not want, with the worst that one says.

    Args:
        opinions: All of them count: leave out those that do not.
    """
    found: dict[str, tuple[Opinion, State]] = {}
    for instance in sorted(instances):
        against = [(each, each.of(instance)) for each in opinions if not each.of(instance).wanted]
        if against:
            found[instance] = max(against, key=lambda pair: pair[1].hopeless)
    return found


def told(found: Mapping[str, tuple[Opinion, State]]) -> str:
    """``i-1 (target group web: Target.Timeout)``, at most ten of them."""
    return few([f"{name} ({by.name}: {said})" for name, (by, said) in found.items()])


def asked(group: Group, left_out: Iterable[str]) -> tuple[str, ...]:
    """The balancers of the group whose opinion counts: ARNs, and names of classic ones."""
    out = set(left_out)
    return tuple(
        each for each in (*group.target_groups, *group.classic_balancers) if each not in out
    )


def sentences(group: Group, opinions: Sequence[Opinion], *, warmup_seconds: int) -> list[str]:
    """What the plan says of the balancers that are asked: what they must say, and what they say.

    Args:
        opinions: Of those that count, as they are now.
        warmup_seconds: How long AWS waits after a new instance.
    """
    if not opinions:
        return []
    names = " and ".join(each.name for each in opinions)
    written = [
        f"Give each new instance {warmup_seconds} seconds until {names} must call it healthy, and "
        "at the end as many as the group wants."
    ]
    standing = [each.instance_id for each in group.members if each.in_service]
    found = unwanted(opinions, standing)
    if found:
        written.append(
            f"{len(found)} of the {len(standing)} instances do not get traffic now: {told(found)}. "
            "If the release does not change that, it is undone."
        )
    return written
