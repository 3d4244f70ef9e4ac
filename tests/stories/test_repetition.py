"""What is asked for twice is made once, also where the first one cannot be seen yet."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.stories.calls import Go, HandlerCall
from tests.stories.fleets import Fleet
from tests.stories.story import a_fleet


def versions(web: Fleet) -> list[int]:
    """The numbers of the template's versions, oldest first."""
    answer = web.world.operator(
        "ec2", "DescribeLaunchTemplateVersions", LaunchTemplateId=web.template
    )
    return sorted(each["VersionNumber"] for each in answer["LaunchTemplateVersions"])


@pytest.mark.parametrize("operation", ["RunInstances", "CreateImage"])
def test_what_was_made_unseen_and_unheard_is_not_made_again(operation: str) -> None:
    """The answer is lost, however often it is asked, and describing does not show it yet."""
    with a_fleet() as web:
        web.world.cloud.kernel.visible_after = timedelta(seconds=45)
        web.world.cloud.faults.lose_answer(operation, times=7)
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        assert len(web.builders) == 1
        assert len(web.images) == 1


def test_a_version_made_unseen_and_unheard_is_not_made_again() -> None:
    def sees_none(call: HandlerCall, go: Go) -> Any:
        if call.operation == "DescribeLaunchTemplateVersions" and "Filters" in call.params:
            return {"LaunchTemplateVersions": []}
        return go()

    with a_fleet() as web:
        web.world.interference = sees_none
        web.world.cloud.faults.lose_answer("CreateLaunchTemplateVersion", times=7)
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        assert versions(web) == [1, 2]
