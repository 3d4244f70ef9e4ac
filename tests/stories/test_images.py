"""What may become of an image while it is made, and of its name, its snapshots and its key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from sandbox.cloud.imaginary import Disk
from tests.stories.fleets import OLD, Fleet
from tests.stories.story import a_fleet
from tests.stories.test_strangers import image_of_a_stranger

BAD_KEY = "Client.InvalidKMSKey.InvalidState: The KMS key provided is in an incorrect state"


def planned(web: Fleet) -> dict[str, str]:
    """The name and the key of the image that the rollout is about to make."""
    web.world.run_until(lambda: bool((web.world.rollouts[0].whole or {}).get("plan")))
    bake: dict[str, str] = web.world.rollouts[0].whole["plan"]["bake"]
    return bake


def name_it_as_ours(web: Fleet) -> None:
    """A rollout of the same content, stopped by a person, has made an image all the same."""
    bake, revision = planned(web), web.world.rollouts[0].whole["release"]["revision"]
    theirs = image_of_a_stranger(web, bake["name"])
    tags = {"ovenbird:fleet": "web", "ovenbird:bake-key": bake["key"]}
    tags |= {"ovenbird:base": web.image, "ovenbird:revision": revision}
    web.world.operator(
        "ec2",
        "CreateTags",
        Resources=[theirs],
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )
    web.world.machines.images[theirs] = Disk((OLD, revision))


def test_an_image_with_our_name_and_our_tags_is_not_ours_for_that() -> None:
    """Tags can be written by whoever may tag; only what the ledger knows is adopted."""
    with a_fleet() as web:
        web.world.upload("two")
        web.world.run_for(seconds=5)
        name_it_as_ours(web)
        rollout = web.world.finish()
        assert rollout.error == "BakeFailed"
        assert "which Ovenbird did not bake" in rollout.cause
        assert web.is_as_before()

        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        assert "is passed over" in web.world.rollouts[-1].whole["plan"]["reason"]


def test_an_image_that_is_pending_for_a_day_is_given_up() -> None:
    with a_fleet() as web:
        kernel = web.world.cloud.kernel
        kernel.durations = replace(kernel.durations, image=timedelta(hours=30))
        web.world.upload("two")
        began = web.world.now()
        rollout = web.world.finish(hours=40)
        assert rollout.error == "BakeFailed"
        assert "still pending after 24 hours" in web.world.notices[-1]
        assert rollout.stopped is not None
        assert timedelta(hours=24) < rollout.stopped - began < timedelta(hours=25)
        assert web.is_as_before()


def test_an_image_that_is_pending_for_most_of_a_day_is_waited_for() -> None:
    with a_fleet() as web:
        kernel = web.world.cloud.kernel
        kernel.durations = replace(kernel.durations, image=timedelta(hours=23))
        new = web.world.upload("two")
        assert web.world.finish(hours=40).status == "SUCCEEDED"
        assert web.revisions == {new: 4}


@pytest.mark.parametrize("state", ["failed", "error", "invalid", "disabled"])
def test_an_image_in_a_state_of_no_use_is_told_with_its_reason(state: str) -> None:
    """Its snapshots are in error; they stay with it, and it keeps its name."""
    with a_fleet() as web:
        web.world.cloud.ec2.images.fail_next("The snapshot failed", code="Client.SnapshotFailed")
        web.world.upload("two")
        web.world.run_until(lambda: any(image.state == "failed" for image in web.images))
        (image,) = web.images
        image.state = state
        snapshots = web.world.cloud.ec2.snapshots.all
        assert {snapshots[one].state for one in image.snapshots} == {"error"}
        assert web.world.finish().error == "BakeFailed"
        assert f"is {state}: The snapshot failed" in web.world.notices[-1]
        assert web.is_as_before()


def no_builder(web: Fleet) -> None:
    web.world.cloud.ec2.launching.never_run(reason=BAD_KEY)


def no_image(web: Fleet) -> None:
    web.world.cloud.ec2.images.fail_next(BAD_KEY)


@pytest.mark.parametrize("breaks", [no_builder, no_image])
def test_a_key_that_is_disabled_while_it_bakes_is_named(breaks: Callable[[Fleet], None]) -> None:
    with a_fleet() as web:
        breaks(web)
        web.world.upload("two")
        assert web.world.finish().error == "BakeFailed"
        assert "The KMS key provided is in an incorrect state" in web.world.notices[-1]
        assert web.is_as_before()


def test_a_key_that_is_disabled_while_it_rolls_is_a_stall_and_undone() -> None:
    with a_fleet(roll={"stall_minutes": 5}) as web:
        web.world.upload("two")
        web.world.run_until(lambda: bool(web.refreshes))
        (image,) = web.images
        launching = web.world.cloud.ec2.launching
        launching.never_run(times=1000, image_id=image.image_id, reason=BAD_KEY)
        assert web.world.finish(hours=6).error == "RollFailed"
        assert "no progress" in web.world.notices[-1]
        assert web.is_as_before()
