"""However a roll fails: it ends in Fail, with the fleet at full capacity on the old version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.cloud.imaginary import Disk
from tests.stories.alarms import alarm, set_alarm
from tests.stories.fleets import OLD, Fleet
from tests.stories.story import a_fleet

ALARMS = {"alarms": ["web-5xx"]}


def new_version_is_sick(web: Fleet) -> None:
    def healthy(_instance_id: str, disk: Disk) -> bool:
        return disk.revision == OLD

    web.world.machines.healthy = healthy


def half_way(web: Fleet) -> None:
    """Until some of the new instances serve, but not all."""
    web.world.run_until(lambda: 0 < web.revisions[OLD] < web.group.desired)


def alarm_rings(web: Fleet) -> None:
    half_way(web)
    set_alarm(web.world, "ALARM")


def a_person_cancels(web: Fleet) -> None:
    half_way(web)
    web.world.operator("autoscaling", "CancelInstanceRefresh", AutoScalingGroupName="web")


def a_person_cancels_the_rollback(web: Fleet) -> None:
    half_way(web)
    web.world.operator("autoscaling", "RollbackInstanceRefresh", AutoScalingGroupName="web")
    web.world.run_for(seconds=20)
    web.world.operator("autoscaling", "CancelInstanceRefresh", AutoScalingGroupName="web")


def launches_fail(web: Fleet) -> None:
    half_way(web)
    web.world.cloud.ec2.launching.lack_capacity(times=40)


def launches_fail_also_on_the_way_back(web: Fleet) -> None:
    half_way(web)
    web.world.cloud.ec2.launching.lack_capacity(times=60)


BACK = ["RollbackSuccessful"]


@pytest.mark.parametrize(
    ("breaks", "roll", "because", "ends", "bad"),
    [
        pytest.param(
            new_version_is_sick, {}, "no progress", BACK, True, id="unhealthy, so it stalls"
        ),
        pytest.param(alarm_rings, ALARMS, "web-5xx", BACK, True, id="alarm, AWS rolls back"),
        pytest.param(
            alarm_rings,
            {**ALARMS, "auto_rollback": False},
            "web-5xx",
            ["Failed", "Successful"],
            True,
            id="alarm, the refresh fails",
        ),
        pytest.param(
            a_person_cancels,
            {},
            "ancelled",
            ["Cancelled", "Successful"],
            False,
            id="cancelled by a person",
        ),
        pytest.param(
            a_person_cancels_the_rollback,
            {},
            "ancelled",
            ["Cancelled", "Successful"],
            False,
            id="its rollback cancelled",
        ),
        pytest.param(launches_fail, {}, "no progress", BACK, True, id="launches fail"),
        pytest.param(
            launches_fail_also_on_the_way_back,
            {},
            "no progress",
            ["RollbackFailed", "Successful"],
            True,
            id="rollback fails too",
        ),
    ],
)
def test_a_failed_roll_is_undone(
    breaks: Callable[[Fleet], None],
    roll: dict[str, Any],
    because: str,
    ends: list[str],
    bad: bool,
) -> None:
    """``ends``: how the refreshes ended, oldest first; a second one is our own way back."""
    with a_fleet(roll=roll) as web:
        alarm(web.world)
        web.world.upload("two")
        breaks(web)
        rollout = web.world.finish(hours=12)

        assert (rollout.status, rollout.error) == ("FAILED", "RollFailed")
        assert rollout.visited[-1] == "RolloutFailed"
        assert because in rollout.cause
        assert because in web.world.notices[-1]
        assert [refresh.status for refresh in reversed(web.refreshes)] == ends
        assert web.is_as_before()
        (image,) = web.images
        assert ("ovenbird:bad" in web.tags(image.image_id)) is bad


def test_a_bad_image_is_never_used_again() -> None:
    with a_fleet() as web:
        new_version_is_sick(web)
        web.world.upload("two")
        web.world.finish()
        web.world.machines.healthy = lambda instance_id, disk: True  # it was the machine's fault
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        bad, good = web.images
        assert good.name == f"{bad.name}-2"


@pytest.mark.parametrize(
    ("lacks", "said"),
    [
        (lambda web: web.world.cloud.ec2.launching.lack_capacity(times=1000), "capacity in the"),
        (lambda web: web.world.cloud.ec2.launching.exceed_quota(times=1000), "vCPU limit of 32"),
    ],
    ids=["capacity", "quota"],
)
def test_an_image_that_was_never_launched_is_not_blamed(
    lacks: Callable[[Fleet], None], said: str
) -> None:
    """And the same content is rolled, without another bake, when there is room again."""
    with a_fleet() as web:
        new = web.world.upload("two")
        web.world.run_until(lambda: bool(web.refreshes))
        lacks(web)
        assert web.world.finish(hours=12).error == "RollFailed"
        assert web.is_as_before()
        (image,) = web.images
        assert "ovenbird:bad" not in web.tags(image.image_id)
        assert "it is not marked bad" in web.world.notices[-1]
        assert said in web.world.notices[-1]

        web.world.cloud.ec2.launching.recover()
        assert web.world.upload("two") == new
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        assert len(web.images) == 1


def test_an_image_that_is_marked_is_told() -> None:
    with a_fleet() as web:
        new_version_is_sick(web)
        web.world.upload("two")
        web.world.finish()
        assert "The image is marked bad." in web.world.notices[-1]


@pytest.mark.parametrize(
    ("reason", "bad"),
    [
        ("Client.InstanceInitiatedShutdown: Instance initiated shutdown", True),
        ("Client.InvalidKMSKey.InvalidState: The KMS key is in an incorrect state", False),
        ("Client.VolumeLimitExceeded: Volume limit exceeded", False),
        ("Server.InternalError: Internal error on launch", False),
    ],
)
def test_an_instance_that_never_ran_was_a_chance_unless_the_account_is_at_fault(
    reason: str, bad: bool
) -> None:
    """An id alone says little: EC2 gives one, and ends the instance before it runs."""
    with a_fleet() as web:
        web.world.upload("two")
        web.world.run_until(lambda: bool(web.refreshes))
        launching = web.world.cloud.ec2.launching
        launching.never_run(reason=reason)
        web.world.run_until(lambda: len(web.world.cloud.ec2.instances.all) > 5)
        launching.lack_capacity(times=1000)
        assert web.world.finish(hours=12).error == "RollFailed"
        (image,) = web.images
        assert ("ovenbird:bad" in web.tags(image.image_id)) is bad


def test_a_refresh_of_somebody_else_during_the_undo_is_not_fought() -> None:
    with a_fleet(may_pin=True) as web:
        web.world.upload("two")
        half_way(web)
        web.world.operator(
            "autoscaling",
            "CancelInstanceRefresh",
            AutoScalingGroupName="web",
            WaitForTransitioningInstances=False,
        )
        web.world.operator(
            "autoscaling",
            "StartInstanceRefresh",
            AutoScalingGroupName="web",
            Preferences={
                "MinHealthyPercentage": 100,
                "MaxHealthyPercentage": 125,
                "InstanceWarmup": 60,
            },
        )
        rollout = web.world.finish()
        assert rollout.error == "UndoFailed"
        assert "omebody else" in rollout.cause
        assert "omebody else" in web.world.notices[-1]
        web.world.run_until(lambda: web.group.refresh is None)
