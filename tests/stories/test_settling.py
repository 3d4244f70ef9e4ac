"""The end of a good rollout: what fails there is no reason to roll it back."""

from __future__ import annotations

from tests.stories.story import a_fleet


def test_people_who_cannot_be_told_do_not_cost_a_release() -> None:
    with a_fleet() as web:
        web.world.cloud.faults.fail("Publish", "AuthorizationError", times=1)
        new = web.world.upload("two")
        rollout = web.world.finish()
        assert rollout.status == "SUCCEEDED"
        assert "Nobody was told" in str(rollout.output)
        assert web.revisions == {new: 4}
        assert len(web.refreshes) == 1


def test_a_topic_that_is_out_of_order_for_long_does_not_cost_a_release_either() -> None:
    with a_fleet() as web:
        web.world.cloud.faults.fail("Publish", "InternalError", status=500, times=200)
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
