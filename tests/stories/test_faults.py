"""AWS at its worst: throttling, lost answers, and things that cannot be seen yet."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.stories.fleets import OLD, Fleet
from tests.stories.story import a_fleet

WRITES = [
    "RunInstances",
    "SendCommand",
    "StopInstances",
    "CreateImage",
    "TerminateInstances",
    "CreateLaunchTemplateVersion",
    "StartInstanceRefresh",
    "AssociateAddress",
    "ModifyLaunchTemplate",
    "PutParameter",
    "Publish",
    "StartExecution",
    "SendTaskSuccess",
    "UpdateItem",
]


def tries(web: Fleet, operation: str) -> int:
    """How often the operation was called, every try of botocore counted."""
    return sum(call.operation == operation for call in web.world.calls)


@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize("times", [1, 7])
def test_a_lost_answer_is_harmless(operation: str, times: int) -> None:
    """More than botocore tries in one call, so that the step itself is repeated as well."""
    with a_fleet() as web:
        before = tries(web, operation)
        web.world.cloud.faults.lose_answer(operation, times=times)
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert tries(web, operation) > before
        assert web.revisions == {new: 4}
        assert len(web.images) == 1
        assert len(web.refreshes) == 1
        assert len(web.world.machines.scripts) == 1


@pytest.mark.parametrize("operation", WRITES)
def test_throttling_only_slows_it_down(operation: str) -> None:
    with a_fleet() as web:
        before = tries(web, operation)
        web.world.cloud.faults.throttle(operation, times=8)
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert tries(web, operation) - before > 8
        assert web.revisions == {new: 4}


@pytest.mark.parametrize(
    "operation", ["RollbackInstanceRefresh", "CreateTags", "TerminateInstances"]
)
@pytest.mark.parametrize("times", [1, 7])
def test_an_undo_survives_lost_answers(operation: str, times: int) -> None:
    with a_fleet() as web:
        web.world.machines.healthy = lambda instance_id, disk: disk.revision == OLD
        web.world.upload("two")
        web.world.run_until(lambda: bool(web.refreshes))
        web.world.cloud.faults.lose_answer(operation, times=times)
        assert web.world.finish().error == "RollFailed"
        assert web.is_as_before()


@pytest.mark.parametrize("seconds", [2, 10, 45])
def test_what_was_just_made_may_not_be_seen_yet(seconds: int) -> None:
    with a_fleet() as web:
        web.world.cloud.kernel.visible_after = timedelta(seconds=seconds)
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        assert len(web.images) == 1
        assert len(web.world.machines.scripts) == 1
