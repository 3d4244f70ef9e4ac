"""The end of a good rollout: what fails there is no reason to roll it back."""

from __future__ import annotations

import pytest

from tests.stories.story import a_fleet


@pytest.mark.parametrize(
    ("code", "status", "times"),
    [
        pytest.param("AuthorizationError", 400, 1, id="not allowed"),
        pytest.param("InternalError", 500, 200, id="out of order for long"),
    ],
)
def test_people_who_cannot_be_told_do_not_cost_a_release(
    code: str, status: int, times: int
) -> None:
    with a_fleet() as web:
        web.world.cloud.faults.fail("Publish", code, status=status, times=times)
        new = web.world.upload("two")
        rollout = web.world.finish()
        assert rollout.status == "SUCCEEDED"
        assert "Nobody was told" in str(rollout.output)
        assert web.revisions == {new: 4}
        assert len(web.refreshes) == 1


def test_a_topic_that_comes_back_within_a_minute_tells_people() -> None:
    with a_fleet() as web:
        web.world.cloud.faults.fail("Publish", "InternalError", status=500, times=8)
        web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert len(web.world.notices) == 1
