"""A rollback by hand: after success, twice, and while a rollout runs."""

from __future__ import annotations

import pytest

from tests.stories.fleets import OLD, Fleet
from tests.stories.story import a_fleet


def release(web: Fleet, content: str) -> str:
    revision = web.world.upload(content)
    assert web.world.finish().status == "SUCCEEDED"
    return revision


def test_goes_to_the_image_before_without_a_bake() -> None:
    with a_fleet() as web:
        release(web, "two")
        answer = web.roll_back()
        rollout = web.world.finish()
        assert rollout.name in str(answer)
        assert rollout.status == "SUCCEEDED"
        assert "BakeImage" not in rollout.visited
        assert web.revisions == {OLD: 4}
        assert web.world.ledger()[f"rollout#{rollout.name}"]["result"] == {"S": "rolled-back"}
        web.world.run_for(seconds=5)  # AWS looks at the image first
        assert web.world.parameter("/ovenbird/fleets/web/image") == web.image
        assert "it is slow" in web.world.notices[-1]


def test_twice_in_a_row_goes_two_images_back() -> None:
    with a_fleet() as web:
        second = release(web, "two")
        release(web, "three")
        web.roll_back()
        web.world.finish()
        assert web.revisions == {second: 4}
        web.world.run_for(minutes=2)
        web.roll_back()
        web.world.finish()
        assert web.revisions == {OLD: 4}


def test_with_nothing_behind_it_is_refused() -> None:
    with a_fleet() as web:
        web.roll_back()
        rollout = web.world.finish()
        assert rollout.error == "Refused"
        assert web.is_as_before()


def test_to_an_image_that_is_named() -> None:
    with a_fleet() as web:
        release(web, "two")
        release(web, "three")
        web.roll_back(image=web.image)
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {OLD: 4}


def test_asked_twice_at_once_is_one_rollback() -> None:
    with a_fleet() as web:
        second = release(web, "two")
        release(web, "three")
        web.roll_back()
        web.world.run_for(seconds=90)
        web.roll_back()
        web.world.finish()
        assert web.revisions == {second: 4}


def test_a_release_after_it_rolls_forward_again() -> None:
    with a_fleet() as web:
        release(web, "two")
        web.roll_back()
        web.world.finish()
        third = release(web, "three")
        assert web.revisions == {third: 4}
        web.world.run_for(minutes=2)
        web.roll_back()
        web.world.finish()
        assert web.revisions == {OLD: 4}


@pytest.mark.parametrize(
    "state",
    ["WaitForBakeSoon", "WaitForBake", "WaitForRoll"],
)
def test_while_a_rollout_runs_it_stops_that_rollout(state: str) -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.run_until(
            lambda: bool(web.world.rollouts) and web.world.rollouts[0].state == state
        )
        web.world.run_for(seconds=5)
        web.roll_back()
        rollout = web.world.finish()
        assert len(web.world.rollouts) == 1
        assert (rollout.status, rollout.error) == ("FAILED", "Stopped")
        assert "it is slow" in rollout.cause
        assert web.is_as_before()
        assert not any("ovenbird:bad" in web.tags(image.image_id) for image in web.images)


def test_while_a_rollout_runs_and_another_waits_it_stops_both() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.run_for(minutes=1)
        web.world.upload("three")
        web.world.run_for(minutes=1)
        web.roll_back()
        web.world.finish()
        first, second = web.world.rollouts
        assert first.error == "Stopped"
        assert second.output["plan"]["result"] == "superseded"
        assert web.is_as_before()


def test_what_it_stopped_can_be_released_again() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.run_until(lambda: bool(web.refreshes))
        web.roll_back()
        web.world.finish()
        web.world.run_for(minutes=2)
        new = web.world.upload("two")
        rollout = web.world.finish()
        assert rollout.status == "SUCCEEDED"
        assert "BakeImage" not in rollout.visited  # the image was not to blame
        assert web.revisions == {new: 4}


def test_a_pause_does_not_hold_it_back() -> None:
    with a_fleet() as web:
        release(web, "two")
        web.pause("the last release is slow")
        web.roll_back()
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {OLD: 4}
