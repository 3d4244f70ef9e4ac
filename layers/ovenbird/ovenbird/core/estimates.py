"""How long a rollout will take and what it will cost, roughly; the assumptions are named."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

from ovenbird.core import prices
from ovenbird.core.groups import Group
from ovenbird.core.preferences import Preferences, one_more, surge

BAKE_MINUTES = 10  # launch 1, agent 1, scripts 2, stop 1, image 5
LAUNCH_MINUTES = 3  # until a new instance passes its health checks
PLAN_MINUTES = 1  # everything else
TRANSITIONS = 40
INVOCATIONS = 60
GB_SECONDS = INVOCATIONS * 0.5  # a second each at 512 MB
LEDGER_WRITES = 100
LEDGER_READS = 100


@dataclass(frozen=True)
class Estimate:
    """``minutes`` until the end; ``dollars`` on top of what the fleet costs anyway."""

    minutes: int
    dollars: float
    basis: str


def waits(preferences: Preferences, group: Group) -> float:
    """The minutes that a roll waits because it is told to: it cannot take less."""
    _, batches = _batches(preferences, group)
    pauses = len([percent for percent in preferences.checkpoints if percent < 100])
    seconds = (
        batches * preferences.warmup_seconds
        + pauses * preferences.checkpoint_delay_seconds
        + preferences.bake_time_seconds
    )
    return seconds / 60 if group.desired else 0


def estimate(preferences: Preferences, group: Group, *, bakes: bool) -> Estimate:
    """The estimate for a group of this size; each batch takes a launch and the warm-up."""
    batch, batches = _batches(preferences, group)
    roll = batches * LAUNCH_MINUTES + waits(preferences, group)
    bake = BAKE_MINUTES if bakes else 0
    extra = surge(preferences, group.desired, one_more(group)) - group.overage
    ahead = ceil(max(extra, 0) / group.largest_weight)
    more_instances = bake / 60 + ahead * roll / 60
    dollars = (
        TRANSITIONS * prices.STATE_TRANSITION
        + INVOCATIONS * prices.LAMBDA_REQUEST
        + GB_SECONDS * prices.LAMBDA_GB_SECOND
        + LEDGER_WRITES * prices.LEDGER_WRITE
        + LEDGER_READS * prices.LEDGER_READ
        + more_instances * (prices.INSTANCE_HOUR + prices.PUBLIC_IPV4_HOUR)
        + (prices.IMAGE_GB * prices.SNAPSHOT_GB_MONTH if bakes else 0)
    )
    return Estimate(
        minutes=round(PLAN_MINUTES + bake + roll),
        dollars=round(dollars, 3),
        basis=(
            f"{batches} batches of {batch} at {LAUNCH_MINUTES} minutes and the warm-up each"
            + (f", {BAKE_MINUTES} minutes of bake, one month of its snapshot" if bakes else "")
            + "; prices of us-east-1 from November 2026, to be verified"
        ),
    )


def _batches(preferences: Preferences, group: Group) -> tuple[int, int]:
    """How many instances at a time, and how often: what fits between the two percentages.

    Instances of different weights are taken for instances of the largest.
    """
    room = preferences.max_healthy_percent - preferences.min_healthy_percent
    units = floor(group.desired * room / 100) - group.overage
    batch = max(units // group.largest_weight, 1)
    return batch, ceil(group.instances / batch)
