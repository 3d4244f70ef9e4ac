"""What a rollout is estimated to take."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ovenbird.core import estimates, prices
from tests.unit.fleets import group
from tests.unit.surveys import LARGE

FOUR = group(3, 3, 3, 3)


def test_batches_take_a_launch_and_a_warm_up_each() -> None:
    four = estimates.estimate(LARGE, FOUR, bakes=False)
    assert four.minutes == 1 + 4 * (estimates.LAUNCH_MINUTES + 1)
    assert "4 batches of 1" in four.basis


def test_pauses_and_bake_time_count() -> None:
    slow = replace(
        LARGE, checkpoints=(50, 100), checkpoint_delay_seconds=600, bake_time_seconds=300
    )
    plain = estimates.estimate(LARGE, FOUR, bakes=False)
    assert estimates.estimate(slow, FOUR, bakes=False).minutes == plain.minutes + 15


def test_a_bake_costs_time_and_a_snapshot() -> None:
    without = estimates.estimate(LARGE, FOUR, bakes=False)
    with_bake = estimates.estimate(LARGE, FOUR, bakes=True)
    assert with_bake.minutes == without.minutes + estimates.BAKE_MINUTES
    snapshot = prices.IMAGE_GB * prices.SNAPSHOT_GB_MONTH
    assert with_bake.dollars > without.dollars + snapshot
    assert "to be verified" in with_bake.basis


def test_an_empty_group_costs_next_to_nothing() -> None:
    empty = estimates.estimate(LARGE, group(), bakes=False)
    assert (empty.minutes, empty.dollars) == (estimates.PLAN_MINUTES, 0.001)


@pytest.mark.parametrize(
    ("desired", "most", "batches", "batch"),
    [
        pytest.param(7, 129, 4, 2, id="a size that the batch does not divide"),
        pytest.param(10, 125, 5, 2, id="one that it does"),
        pytest.param(1, 200, 1, 1, id="one instance"),
        pytest.param(4, 110, 4, 1, id="less than one instance fits"),
        pytest.param(3, 200, 1, 3, id="all at once"),
    ],
)
def test_the_last_batch_may_be_smaller(desired: int, most: int, batches: int, batch: int) -> None:
    wide = replace(LARGE, max_healthy_percent=most)
    seen = group(*[3] * desired)
    told = estimates.estimate(wide, seen, bakes=False)
    assert told.basis.startswith(f"{batches} batches of {batch} at ")
    assert told.minutes == 1 + batches * (estimates.LAUNCH_MINUTES + 1)
    assert estimates.waits(wide, seen) == batches  # a minute of warm-up each
