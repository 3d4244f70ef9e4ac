"""Every wait of a rollout survives an event that is lost, doubled or late."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.stories.fleets import Fleet
from tests.stories.story import a_fleet

WAITS = [
    pytest.param("EC2 Instance State-change", id="instance"),
    pytest.param("EC2 Command", id="command"),
    pytest.param("EC2 AMI State Change", id="image"),
    pytest.param("EC2 Auto Scaling Instance Refresh", id="refresh"),
    pytest.param("EC2 ", id="all of them"),
]


def lost(web: Fleet, kind: str) -> None:
    web.world.delivery.lost.add(kind)


def doubled(web: Fleet, kind: str) -> None:
    web.world.delivery.doubled.add(kind)


def late(web: Fleet, kind: str) -> None:
    web.world.delivery.late[kind] = timedelta(minutes=20)


@pytest.mark.parametrize("kind", WAITS)
@pytest.mark.parametrize("fares", [lost, doubled, late])
def test_a_rollout_survives_its_events(kind: str, fares: Callable[[Fleet, str], None]) -> None:
    with a_fleet() as web:
        fares(web, kind)
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        assert len(web.images) == 1
        assert len(web.refreshes) == 1


@pytest.mark.parametrize("fares", [lost, doubled, late])
def test_the_wait_for_the_lane_survives_its_event(fares: Callable[[Fleet, str], None]) -> None:
    """What ends a pause is the only event of this wait; a lane that is given back rings itself."""
    with a_fleet() as web:
        web.pause("moving house")
        new = web.world.upload("two")
        web.world.run_for(minutes=5)
        fares(web, "Parameter Store Change")
        web.unpause()
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}


def test_an_undo_survives_lost_events() -> None:
    with a_fleet() as web:
        web.world.delivery.lost.add("EC2 ")
        web.world.machines.healthy = lambda instance_id, disk: disk.revision == "one"
        web.world.upload("two")
        assert web.world.finish().error == "RollFailed"
        assert web.is_as_before()


def test_with_events_nothing_is_polled() -> None:
    """The sweeps are for lost events: where all arrive, a bell ends every long wait."""
    with a_fleet() as web:
        web.world.upload("two")
        rollout = web.world.finish()
        ended = [
            event.kind for event in rollout.history if event.state in ("WaitForBake", "WaitForRoll")
        ]
        assert "TaskTimedOut" not in ended
        assert "TaskSucceeded" in ended
