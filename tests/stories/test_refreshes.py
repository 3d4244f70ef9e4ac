"""The roll through everything that an instance refresh may become, whatever it is done to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from botocore.model import StringShape
from botocore.session import Session

from sandbox.cloud.autoscaling.replacement import Replacement
from sandbox.cloud.imaginary import Disk
from tests.stories.alarms import alarm, set_alarm
from tests.stories.calls import Go, HandlerCall
from tests.stories.fleets import OLD, Fleet
from tests.stories.story import a_fleet
from tests.stories.test_roll_failures import (
    a_person_cancels,
    alarm_rings,
    half_way,
    launches_fail_also_on_the_way_back,
    new_version_is_sick,
)

NAME = "InstanceRefreshStatus"
STEPS = ("roll_group", "undo_rollout")


def nothing(_web: Fleet) -> None:
    """All goes well."""


def looked_at(web: Fleet) -> None:
    """An event that makes the roll look at once."""
    web.world.cloud.kernel.bus.emit(
        "aws.autoscaling",
        "EC2 Auto Scaling Instance Refresh Checkpoint Reached",
        {"AutoScalingGroupName": "web", "InstanceRefreshId": web.refreshes[-1].refresh_id},
    )


def at_once(web: Fleet) -> None:
    """All goes well, and somebody looks before AWS has begun."""
    web.world.run_until(lambda: bool(web.refreshes))
    looked_at(web)


def slowly(web: Fleet) -> None:
    """A person cancels while an instance boots for long, and the cancellation waits for it."""
    web.world.run_until(lambda: bool(web.refreshes))
    web.world.run_until(lambda: any(m.lifecycle == "Pending" for m in web.group.members.values()))
    web.world.operator("autoscaling", "CancelInstanceRefresh", AutoScalingGroupName="web")
    looked_at(web)


CASES: tuple[tuple[dict[str, Any], Callable[[Fleet], None], set[str]], ...] = (
    ({}, at_once, {"Pending", "InProgress", "Successful"}),
    ({"bake_time_seconds": 900}, nothing, {"Baking", "Successful"}),
    ({}, new_version_is_sick, {"RollbackInProgress", "RollbackSuccessful"}),
    ({"alarms": ["web-5xx"], "auto_rollback": False}, alarm_rings, {"Failed"}),
    ({}, launches_fail_also_on_the_way_back, {"RollbackFailed"}),
    ({}, a_person_cancels, {"Cancelled"}),
    ({}, slowly, {"Cancelling"}),
)


def test_the_cases_below_have_every_status_that_there_is() -> None:
    model = Session().get_service_model("autoscaling")
    (status,) = [model.shape_for(name) for name in model.shape_names if name == NAME]
    assert isinstance(status, StringShape)
    assert set().union(*(statuses for *_, statuses in CASES)) == set(status.enum)


@pytest.mark.parametrize(
    ("roll", "happens", "statuses"),
    CASES,
    ids=["well", "baking", "rolled back", "failed", "not rolled back", "cancelled", "cancelling"],
)
def test_every_status_is_met_and_ends_well_or_with_a_name(
    roll: dict[str, Any], happens: Callable[[Fleet], None], statuses: set[str]
) -> None:
    with a_fleet(roll=roll) as web:
        alarm(web.world)
        met: set[str] = set()

        def looks(call: HandlerCall, go: Go) -> Any:
            answer = go()
            if call.operation == "DescribeInstanceRefreshes" and call.function in STEPS:
                met.update(each["Status"] for each in answer["InstanceRefreshes"][:1])
            return answer

        web.world.interference = looks
        new = web.world.upload("two")
        happens(web)
        rollout = web.world.finish(hours=12)
        assert statuses <= met
        if happens in (nothing, at_once):
            assert rollout.status == "SUCCEEDED"
            assert web.revisions == {new: 4}
        else:
            assert rollout.error == "RollFailed"
            assert web.is_as_before()


@contextmanager
def cancelling_for_ever() -> Iterator[None]:
    def stays(engine: Replacement, *given: Any) -> Any:
        return engine._hold(*given)

    with mock.patch.object(Replacement, "_cancelling", stays):
        yield


def test_a_refresh_that_is_cancelled_for_ever_is_left_to_aws_and_told() -> None:
    with a_fleet(size=2, addresses=0, check_seconds=30, shortcut=True) as web:
        with cancelling_for_ever():
            web.world.upload("two")
            half_way(web)
            web.world.operator("autoscaling", "CancelInstanceRefresh", AutoScalingGroupName="web")
            rollout = web.world.finish(hours=80)
            assert rollout.error == "UndoFailed"
            assert "has not ended within a day" in web.world.notices[-1]
            assert len(web.serving) >= 2
        web.world.run_until(lambda: web.group.refresh is None)


def sick_from(web: Fleet, first: int) -> list[str]:
    """The k-th of the new instances and all after it do not get well; all that were asked."""
    asked: list[str] = []

    def healthy(instance: str, disk: Disk) -> bool:
        if disk.revision == OLD:
            return True
        if instance not in asked:
            asked.append(instance)
        return asked.index(instance) + 1 < first

    web.world.machines.healthy = healthy
    return asked


@pytest.mark.parametrize("first", [1, 2, 3, 4])
def test_instances_that_do_not_get_well(first: int) -> None:
    """From the first one (all of them) to the last one."""
    with a_fleet() as web:
        asked = sick_from(web, first)
        web.world.upload("two")
        assert web.world.finish(hours=12).error == "RollFailed"
        assert "no progress" in web.world.notices[-1]
        assert len(asked) >= first
        assert web.is_as_before()


def test_one_instance_that_does_not_get_well_is_replaced_by_aws() -> None:
    with a_fleet() as web:
        asked = sick_from(web, 2)
        new = web.world.upload("two")
        web.world.run_until(lambda: len(asked) == 2)
        web.world.machines.healthy = lambda instance, _disk: instance != asked[1]
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        assert asked[1] not in web.group.members


@pytest.mark.parametrize("size", [2, 6])
def test_another_size_in_the_middle_of_a_roll_that_fails_is_kept_by_the_way_back(size: int) -> None:
    with a_fleet(roll={"alarms": ["web-5xx"]}) as web:
        alarm(web.world)
        web.world.upload("two")
        half_way(web)
        web.update(DesiredCapacity=size)
        web.world.run_for(seconds=30)
        set_alarm(web.world, "ALARM")
        assert web.world.finish().error == "RollFailed"
        assert web.is_as_before()
        assert len(web.serving) == size


@pytest.mark.parametrize("when", ["before", "in the middle"])
def test_an_instance_in_standby_is_left_alone(when: str) -> None:
    with a_fleet(addresses=0) as web:
        if when == "before":
            apart = into_standby(web)
        new = web.world.upload("two")
        if when == "in the middle":
            half_way(web)
            apart = into_standby(web)
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 3}
        assert web.group.members[apart].template["Version"] == "1"


def into_standby(web: Fleet) -> str:
    """A person takes one of the old instances out."""
    members = web.group.members.values()
    old = next(
        member.instance_id
        for member in members
        if member.template["Version"] == "1" and member.lifecycle == "InService"
    )
    web.forgive(but=1)
    web.world.operator(
        "autoscaling",
        "EnterStandby",
        AutoScalingGroupName="web",
        InstanceIds=[old],
        ShouldDecrementDesiredCapacity=True,
    )
    web.world.run_for(seconds=20)
    web.forgive()
    return old


@pytest.mark.parametrize(
    ("wish", "left"), [("Ignore", 1), ("Refresh", 0)], ids=["left alone", "replaced"]
)
def test_a_protected_instance_fares_as_its_owner_wishes(wish: str, left: int) -> None:
    with a_fleet(roll={"protected_instances": wish}) as web:
        (one, *_) = web.serving
        web.world.operator(
            "autoscaling",
            "SetInstanceProtection",
            AutoScalingGroupName="web",
            InstanceIds=[one],
            ProtectedFromScaleIn=True,
        )
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions[OLD] == left
        assert web.revisions[new] == 4 - left


def test_a_refresh_that_cannot_be_rolled_back_is_cancelled_and_the_group_brought_back() -> None:
    with a_fleet() as web:
        sick_from(web, 2)
        web.world.upload("two")
        web.world.cloud.faults.fail(
            "RollbackInstanceRefresh", "IrreversibleInstanceRefresh", times=2
        )
        rollout = web.world.finish()
        assert rollout.error == "RollFailed"
        assert "AWS cannot roll it back" in web.world.notices[-1]
        assert [each.status for each in web.refreshes] == ["Successful", "Cancelled"]
        assert web.is_as_before()
