"""What a rollout is estimated to take."""

from __future__ import annotations

from dataclasses import replace

from ovenbird.core import estimates, prices
from tests.unit.surveys import LARGE


def test_batches_take_a_launch_and_a_warm_up_each() -> None:
    four = estimates.estimate(LARGE, desired=4, bakes=False)
    assert four.minutes == 1 + 4 * (estimates.LAUNCH_MINUTES + 1)
    assert "4 batches of 1" in four.basis


def test_pauses_and_bake_time_count() -> None:
    slow = replace(
        LARGE, checkpoints=(50, 100), checkpoint_delay_seconds=600, bake_time_seconds=300
    )
    plain = estimates.estimate(LARGE, desired=4, bakes=False)
    assert estimates.estimate(slow, desired=4, bakes=False).minutes == plain.minutes + 15


def test_a_bake_costs_time_and_a_snapshot() -> None:
    without = estimates.estimate(LARGE, desired=4, bakes=False)
    with_bake = estimates.estimate(LARGE, desired=4, bakes=True)
    assert with_bake.minutes == without.minutes + estimates.BAKE_MINUTES
    snapshot = prices.IMAGE_GB * prices.SNAPSHOT_GB_MONTH
    assert with_bake.dollars > without.dollars + snapshot
    assert "to be verified" in with_bake.basis


def test_an_empty_group_costs_next_to_nothing() -> None:
    empty = estimates.estimate(LARGE, desired=0, bakes=False)
    assert (empty.minutes, empty.dollars) == (estimates.PLAN_MINUTES, 0.001)
