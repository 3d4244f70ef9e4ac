"""How a group is refreshed: every preference, explicit, with defaults that fit its size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Any, Protocol

from ovenbird.core.groups import Group

ADDRESS_WARMUP_SECONDS = 60  # time to put an Elastic IP on a new instance before the next batch
LEAST_SURGE_PERCENT = 10


class RollWishes(Protocol):
    """What the owner of a fleet may wish; ``None`` means "what is safe for this group"."""

    @property
    def min_healthy_percent(self) -> int | None: ...
    @property
    def max_healthy_percent(self) -> int | None: ...
    @property
    def warmup_seconds(self) -> int | None: ...
    @property
    def checkpoints(self) -> tuple[int, ...]: ...
    @property
    def checkpoint_delay_seconds(self) -> int: ...
    @property
    def bake_time_seconds(self) -> int: ...
    @property
    def skip_matching(self) -> bool: ...
    @property
    def auto_rollback(self) -> bool: ...
    @property
    def alarms(self) -> tuple[str, ...]: ...
    @property
    def protected_instances(self) -> str: ...
    @property
    def standby_instances(self) -> str: ...


@dataclass(frozen=True)
class Preferences:
    """The RefreshPreferences of one refresh.

    None is left to AWS: the defaults of its API and of its console differ, and an omitted
    MaxHealthyPercentage terminates the only instance of a group of one before it launches another.
    Source: EC2 Auto Scaling API reference, RefreshPreferences.
    """

    min_healthy_percent: int
    max_healthy_percent: int
    warmup_seconds: int
    checkpoints: tuple[int, ...] = ()
    checkpoint_delay_seconds: int = 3600
    bake_time_seconds: int = 0
    skip_matching: bool = True
    auto_rollback: bool = True
    alarms: tuple[str, ...] = ()
    protected_instances: str = "Refresh"
    standby_instances: str = "Ignore"

    def to_aws(self) -> dict[str, Any]:
        """As StartInstanceRefresh takes them.

        CheckpointDelay is refused without CheckpointPercentages, and neither these nor alarms have
        any other default than none; so they are there only when there are some.
        """
        preferences: dict[str, Any] = {
            "MinHealthyPercentage": self.min_healthy_percent,
            "MaxHealthyPercentage": self.max_healthy_percent,
            "InstanceWarmup": self.warmup_seconds,
            "BakeTime": self.bake_time_seconds,
            "SkipMatching": self.skip_matching,
            "AutoRollback": self.auto_rollback,
            "ScaleInProtectedInstances": self.protected_instances,
            "StandbyInstances": self.standby_instances,
        }
        if self.checkpoints:
            preferences["CheckpointPercentages"] = list(self.checkpoints)
            preferences["CheckpointDelay"] = self.checkpoint_delay_seconds
        if self.alarms:
            preferences["AlarmSpecification"] = {"Alarms": list(self.alarms)}
        return preferences

    def again(self) -> Preferences:
        """For another pass to the same version: what is there stays, and nothing pauses."""
        return replace(self, skip_matching=True, checkpoints=(), bake_time_seconds=0)

    def back(self) -> Preferences:
        """For the way back to the old version, which an alarm must neither prevent nor stop."""
        return replace(self.again(), alarms=(), auto_rollback=False)


def preferences(
    roll: RollWishes,
    *,
    desired: int,
    addresses: bool,
    group_warmup_seconds: int = 0,
    traffic_seconds: int = 0,
    ahead: int = 1,
) -> Preferences:
    """The owner's wishes, completed with what is safe for a group of this size.

    Full capacity is kept (min 100), and so many instances are launched ahead that at least one
    whole one fits: a group of one gets max 200, and launches before it terminates.

    Args:
        desired: The group's desired capacity, in units where its instances have weights.
        addresses: Whether Elastic IPs follow the instances; they need a moment per batch.
        group_warmup_seconds: What the group itself gives its instances (default warm-up, or else
            health check grace period).
        traffic_seconds: How long a new instance may need until it gets traffic: while it is not
            warm, AWS does not go on.
        ahead: The units above the desired capacity with one more instance (:func:`one_more`).
    """
    least, most = roll.min_healthy_percent, roll.max_healthy_percent
    if least is None:
        least = 100
    if most is None:
        surge_percent = max(ceil(100 * ahead / max(desired, 1)), LEAST_SURGE_PERCENT)
        # AWS wants them at most 100 apart.
        most = min(100 + surge_percent, least + 100)
    warmup = group_warmup_seconds if roll.warmup_seconds is None else roll.warmup_seconds
    if roll.warmup_seconds is None:
        warmup = max(warmup, traffic_seconds, ADDRESS_WARMUP_SECONDS if addresses else 0)
    checkpoints = roll.checkpoints
    if checkpoints and checkpoints[-1] < 100:  # a refresh ends at its last checkpoint
        checkpoints = (*checkpoints, 100)
    return Preferences(
        min_healthy_percent=least,
        max_healthy_percent=most,
        warmup_seconds=warmup,
        checkpoints=checkpoints,
        checkpoint_delay_seconds=roll.checkpoint_delay_seconds,
        bake_time_seconds=roll.bake_time_seconds,
        skip_matching=roll.skip_matching,
        auto_rollback=roll.auto_rollback,
        alarms=roll.alarms,
        protected_instances=roll.protected_instances,
        standby_instances=roll.standby_instances,
    )


def for_group(group: Group, roll: RollWishes, *, addresses: bool) -> Preferences:
    """:func:`preferences` for a group as it stands."""
    return preferences(
        roll,
        desired=group.desired,
        addresses=addresses,
        group_warmup_seconds=group.warmup_seconds,
        traffic_seconds=group.traffic_seconds,
        ahead=one_more(group),
    )


def one_more(group: Group) -> int:
    """The units above the desired capacity that the group has with one instance more.

    One, where instances have no weights. Else those of the largest, and what the instances that
    are there are beyond the desired capacity already.
    """
    return group.largest_weight + group.overage


def surge(preferences: Preferences, desired: int, ahead: int = 1) -> int:
    """How many units more than desired the group has at most while it is rolled.

    A unit is an instance where instances have no weights. When no whole instance fits between the
    two percentages, AWS launches one first all the same (with an explicit maximum).
    Source: EC2 Auto Scaling API reference, RefreshPreferences.
    """
    if desired == 0:
        return 0
    ceiling = floor(desired * preferences.max_healthy_percent / 100)
    ground = ceil(desired * preferences.min_healthy_percent / 100)
    return max(ceiling - desired, ahead if ceiling - ground < ahead else 0)


def fits(preferences: Preferences, group: Group) -> bool:
    """Whether one whole instance can be launched ahead, or terminated first.

    Where instances have no weights, AWS sees to it.
    """
    ceiling = floor(group.desired * preferences.max_healthy_percent / 100)
    ground = ceil(group.desired * preferences.min_healthy_percent / 100)
    units = group.desired + group.overage
    launches = units + group.largest_weight <= max(ceiling, ground + group.largest_weight)
    return group.desired == 0 or launches or units - group.largest_weight >= ground
