"""A sender's clock moves nothing ahead: whoever writes a time of the future gains nothing by it.

``events:PutEvents`` lets the sender choose the time of an event of its own. Once such a request
counted as the newest until then, every true push as superseded, green and without a notice.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from sandbox.cloud.imaginary import Ending
from sandbox.cloud.machines import CommandOutcome
from tests.stories import fleets
from tests.stories.fleets import OLD, Fleet
from tests.stories.story import a_fleet
from tests.stories.test_queue import results
from tests.stories.world import World, present

JUNK = "junk"


def a_small_fleet() -> AbstractContextManager[Fleet]:
    return a_fleet(size=2, addresses=0, shortcut=True)


def requested(world: World, revision: str = JUNK, *, minutes_ahead: float) -> None:
    moment = world.now() + timedelta(minutes=minutes_ahead)
    world.delivery.put(
        {
            "version": "0",
            "id": world.cloud.kernel.ids.uuid(),
            "detail-type": "Release Requested",
            "source": "ovenbird",
            "account": world.cloud.kernel.account,
            "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": world.cloud.kernel.region,
            "resources": [],
            "detail": {"fleet": "web", "revision": revision},
        }
    )


def junk_fails(world: World, after: timedelta = timedelta(minutes=8)) -> None:
    bad = Ending(after, CommandOutcome(1, stderr="x"))
    world.machines.ends = lambda script: bad if script.revision == JUNK else Ending()


@pytest.mark.parametrize("ahead", [1, 5, 14])
def test_a_request_of_the_near_future_displaces_no_push(ahead: int) -> None:
    with a_small_fleet() as web:
        junk_fails(web.world)
        requested(web.world, minutes_ahead=ahead)
        web.world.run_for(minutes=1 / 2)
        fix = web.world.upload("the fix")
        web.world.finish()
        assert results(web) == ["BakeFailed", "released"]
        assert web.revisions == {fix: 2}


def test_requests_of_the_near_future_again_and_again_keep_no_push_away() -> None:
    with a_small_fleet() as web:
        junk_fails(web.world, timedelta(minutes=1))
        for number in range(4):
            requested(web.world, minutes_ahead=14)
            web.world.run_for(minutes=2)
            push = web.world.upload(f"push {number}")
            web.world.run_for(minutes=25)
        web.world.finish()
        assert results(web).count("released") == 4
        assert web.revisions == {push: 2}


def test_a_request_of_the_near_future_does_not_wait_before_a_push_in_a_pause() -> None:
    with a_small_fleet() as web:
        web.pause("freeze")
        requested(web.world, minutes_ahead=14)
        web.world.run_for(seconds=30)
        push = web.world.upload("two")
        web.world.run_for(minutes=5)
        web.unpause()
        web.world.finish()
        assert results(web) == ["superseded", "released"]
        assert web.revisions == {push: 2}


def test_a_request_of_the_near_future_does_not_outlive_a_stop_by_hand() -> None:
    with a_small_fleet() as web:
        web.world.upload("two")
        web.world.run_for(minutes=1)
        requested(web.world, "three", minutes_ahead=14)
        web.world.run_for(seconds=30)
        web.roll_back()
        web.world.finish()
        assert results(web) == ["Stopped", "superseded"]
        assert web.revisions == {OLD: 2}


def test_what_was_released_from_the_near_future_makes_no_later_push_stale() -> None:
    with a_small_fleet() as web:
        requested(web.world, "three", minutes_ahead=14)
        web.world.run_for(minutes=11)  # it is rolled by then, and its time has not come yet
        push = web.world.upload("two")
        web.world.finish()
        assert results(web) == ["released", "released"]
        assert web.revisions == {push: 2}


def test_a_time_far_in_the_future_is_refused_and_told() -> None:
    with present(shortcut=True) as world:
        fleets.make(world, size=2, addresses=0)
        requested(world, minutes_ahead=60)
        world.run_for(minutes=5)
        assert world.rollouts == []
        assert [error for _, _, error in world.delivery.dead] == ["BadEvent"]


def test_a_time_of_the_past_makes_a_request_older_and_never_newer() -> None:
    with a_small_fleet() as web:
        push = web.world.upload("two")
        web.world.finish()
        requested(web.world, minutes_ahead=-600)
        web.world.finish()
        assert results(web) == ["released", "stale"]
        assert web.revisions == {push: 2}
