"""However a bake fails: the fleet is as it was, no builder is left, and the reason is AWS's own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sandbox.cloud.imaginary import Ending
from sandbox.cloud.machines import CommandOutcome
from tests.stories.fleets import DOCUMENT, Fleet
from tests.stories.story import a_fleet

BAKE: dict[str, Any] = DOCUMENT["bake"]
SECOND = timedelta(seconds=1)
BROKEN = CommandOutcome(2, stdout="unpacking", stderr="tar: This does not look like a tar archive")


def script_fails(web: Fleet) -> None:
    web.world.machines.ends = lambda script: Ending(outcome=BROKEN)


def script_hangs(web: Fleet) -> None:
    web.world.machines.ends = lambda script: Ending(after=None)


def image_fails(web: Fleet) -> None:
    web.world.cloud.ec2.images.fail_next("The snapshot limit was reached", code="Client.Limit")


def agent_never_comes(web: Fleet) -> None:
    web.world.cloud.ssm.agents.starts = lambda instance_id: False


def no_capacity(web: Fleet) -> None:
    web.world.cloud.ec2.launching.lack_capacity(times=1000)


def builder_never_runs(web: Fleet) -> None:
    web.world.cloud.ec2.launching.never_run(reason="Server.InternalError: bad host")


def builder_is_terminated(web: Fleet) -> None:
    def terminate() -> None:
        alive = [one.instance_id for one in web.builders if one.is_alive]
        web.world.operator("ec2", "TerminateInstances", InstanceIds=alive)

    def watch() -> None:
        if any(one.state == "running" for one in web.builders):
            terminate()
        else:
            web.world.after(SECOND, watch)

    watch()


@pytest.mark.parametrize(
    ("breaks", "document", "because"),
    [
        pytest.param(script_fails, {}, "does not look like a tar archive", id="script fails"),
        pytest.param(script_hangs, {"timeout_minutes": 5}, "Timed Out", id="script times out"),
        pytest.param(image_fails, {}, "The snapshot limit was reached", id="image fails"),
        pytest.param(agent_never_comes, {}, "SSM agent", id="agent never online"),
        pytest.param(no_capacity, {}, "apacity", id="no capacity"),
        pytest.param(builder_never_runs, {}, "bad host", id="builder never runs"),
        pytest.param(builder_is_terminated, {}, "terminated", id="builder terminated"),
    ],
)
def test_a_failed_bake_leaves_the_fleet_alone(
    breaks: Callable[[Fleet], None], document: dict[str, Any], because: str
) -> None:
    with a_fleet() as web:
        web.document(bake=BAKE | document, addresses={"count": 2})
        breaks(web)
        web.world.upload("two")
        rollout = web.world.finish()

        assert (rollout.status, rollout.error) == ("FAILED", "BakeFailed")
        assert because in rollout.cause
        assert because in web.world.notices[-1]
        assert web.is_as_before()
        assert not web.refreshes
        assert not any("ovenbird:bad" in web.tags(image.image_id) for image in web.images)


def test_after_a_failed_image_the_same_content_is_baked_under_another_name() -> None:
    with a_fleet() as web:
        image_fails(web)
        web.world.upload("two")
        web.world.finish()
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        failed, baked = web.images
        assert failed.state == "failed"
        assert baked.name == f"{failed.name}-2"


def test_after_a_failed_script_the_same_content_is_baked_again() -> None:
    """The script may have failed for a reason outside of the content."""
    with a_fleet() as web:
        script_fails(web)
        web.world.upload("two")
        web.world.finish()
        web.world.machines.ends = lambda script: Ending()
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}


def test_a_builder_that_cannot_be_seen_yet_is_waited_for_and_ended() -> None:
    """A person stops it in the minute in which EC2 may not show what was launched."""
    with a_fleet() as web:
        web.world.cloud.kernel.visible_after = timedelta(seconds=50)
        web.world.upload("two")
        web.world.run_until(lambda: bool(web.builders))
        web.roll_back()
        rollout = web.world.finish()
        assert rollout.error == "Stopped"
        assert web.is_as_before()
        assert len(web.builders) == 1
