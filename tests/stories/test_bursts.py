"""Many pushes at once: two rollouts at most, the last one among them, and a few looks for each.

Reported: a whole folder is one event for each file (stackoverflow.com/q/40765699), and executions
that die of 25,000 events (aws-solutions/distributed-load-testing-on-aws#335).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.stories.fleets import Fleet
from tests.stories.test_order import a_small_fleet, looks
from tests.stories.test_queue import results

FOLDER = {"s3": {"bucket": "acme-releases", "key": "web/*"}}
MOST_LOOKS = 3  # of an execution that takes its place in the queue, and is told to leave it
MOST_TRANSITIONS = 12  # of one that is superseded


def idle(_web: Fleet) -> None:
    pass


def rolling(web: Fleet) -> None:
    web.world.upload("before", "web/before.tar.gz")
    web.world.run_until(lambda: bool(web.refreshes))


def paused(web: Fleet) -> None:
    web.pause("freeze")


STATES = pytest.mark.parametrize("state", [idle, rolling, paused])


def cheap(web: Fleet) -> None:
    """Nobody looked in vain: neither those that were rolled nor those that gave way."""
    for rollout in web.world.rollouts:
        assert rollout.visited.count("PlanRollout") <= MOST_LOOKS
        if "BakeImage" not in rollout.visited:
            assert rollout.transitions <= MOST_TRANSITIONS


def synced(web: Fleet, files: int, seconds: float) -> str:
    """As ``aws s3 sync`` does it; the revision of the last one."""
    last = ""
    for number in range(files):
        last = web.world.upload(f"file {number}", f"web/{number:03d}.bin")
        web.world.run_for(seconds=seconds / files)
    return last


@STATES
def test_a_folder_of_forty_files_within_a_second(state: Callable[[Fleet], None]) -> None:
    with a_small_fleet(release=FOLDER) as web:
        state(web)
        last = synced(web, 40, 0.8)
        web.world.run_for(minutes=30)
        if state is paused:
            web.unpause()
        web.world.finish()
        assert web.revisions == {last: 2}
        assert results(web).count("released") == (1 if state is paused else 2)
        assert len(web.images) <= 2
        cheap(web)


@STATES
def test_ten_pushes_within_a_minute(state: Callable[[Fleet], None]) -> None:
    with a_small_fleet() as web:
        state(web)
        for number in range(10):
            last = web.world.upload(f"push {number}")
            web.world.run_for(seconds=6)
        web.world.run_for(minutes=30)
        if state is paused:
            web.unpause()
        web.world.finish()
        assert web.revisions == {last: 2}
        assert results(web).count("released") == (1 if state is paused else 2)
        cheap(web)


def test_a_burst_into_a_pause_of_hours_waits_without_a_sound() -> None:
    with a_small_fleet(release=FOLDER) as web:
        web.pause("freeze")
        last = synced(web, 20, 0.5)
        web.world.run_for(hours=9)
        waiting = [each for each in web.world.rollouts if each.running]
        assert len(waiting) == 1
        assert looks(web.world) < 20 * MOST_LOOKS + 9
        web.unpause()
        web.world.finish()
        assert web.revisions == {last: 2}
        assert results(web).count("superseded") == 19


def test_doubled_events_of_a_burst_cost_nothing_more() -> None:
    with a_small_fleet(release=FOLDER) as web:
        web.world.delivery.doubled.add("Object Created")
        last = synced(web, 12, 0.5)
        web.world.finish()
        assert len(web.world.rollouts) == 12
        assert web.revisions == {last: 2}
        assert len(web.images) == 2
        cheap(web)


@pytest.mark.parametrize("seed", range(3))
def test_a_burst_whose_events_come_in_any_order_ends_on_its_newest_version(seed: int) -> None:
    """One object, uploaded twelve times within a second."""
    with a_small_fleet() as web:
        draw = random.Random(seed)
        for number in range(12):
            late = timedelta(seconds=draw.uniform(0.1, 4))
            last = web.world.upload(f"version {number}", late=late)
        web.world.finish()
        assert web.revisions == {last: 2}
        assert len(web.images) <= 2
        cheap(web)


def test_a_burst_of_which_the_first_one_fails_still_ends_on_its_last() -> None:
    with a_small_fleet(release=FOLDER) as web:
        bad = web.world.upload("file 0", "web/bad.bin")
        web.world.machines.healthy = lambda _, disk: disk.revision != bad
        web.world.run_for(seconds=5)
        last = synced(web, 8, 0.4)
        web.world.finish()
        assert results(web).count("RollFailed") == 1
        assert results(web).count("released") == 1
        assert web.revisions == {last: 2}
        cheap(web)
