"""What fails once the fleet runs what was wanted: the address, the end; and what stays as it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from sandbox.cloud.errors import AwsError
from sandbox.cloud.faults import Killed
from tests.stories import fleets
from tests.stories.asl.execution import Execution
from tests.stories.calls import Go, HandlerCall
from tests.stories.fleets import OLD, Fleet
from tests.stories.story import a_fleet
from tests.stories.world import World, present


class Unwell:
    """For the looks at the addresses after the roll, no target is well for a while."""

    def __init__(self, web: Fleet, lasts: timedelta) -> None:
        self.web, self.lasts = web, lasts
        self.since: datetime | None = None

    def __call__(self, call: HandlerCall, go: Go) -> Any:
        answer = go()
        world = self.web.world
        if call.operation != "DescribeTargetHealth" or call.function != "move_address":
            return answer
        if world.rollouts[-1].state != "MoveAddress":
            return answer
        self.since = self.since or world.now()
        if world.now() - self.since < self.lasts:
            for each in answer["TargetHealthDescriptions"]:
                each["TargetHealth"] = {"State": "unhealthy"}
        return answer


def test_an_address_whose_instance_is_unwell_for_half_a_minute_is_waited_for() -> None:
    with a_fleet() as web:
        web.world.interference = Unwell(web, timedelta(seconds=30))
        new = web.world.upload("two")
        rollout = web.world.finish()
        assert rollout.status == "SUCCEEDED", rollout.cause
        assert web.revisions == {new: 4}
        waits = rollout.visited.count("WaitForAddress")
        assert 1 <= waits <= 4  # each is 15 seconds: a wait that fails at once would be many more
        assert len(web.refreshes) == 1


@pytest.mark.parametrize("minutes", [8, 60])
def test_an_address_that_nobody_well_can_take_is_waited_for_ten_minutes(minutes: int) -> None:
    with a_fleet() as web:
        web.world.interference = Unwell(web, timedelta(minutes=minutes))
        new = web.world.upload("two")
        rollout = web.world.finish()
        if minutes < 10:
            assert rollout.status == "SUCCEEDED", rollout.cause
            assert web.revisions == {new: 4}
            return
        assert (rollout.status, rollout.error) == ("FAILED", "AddressFailed")
        assert "After 10 minutes" in rollout.cause
        assert web.revisions == {OLD: 4}
        assert web.saved_version == "1"
        assert rollout.visited.count("WaitForAddress") <= 45
        (image,) = web.images
        assert "ovenbird:bad" not in web.tags(image.image_id)


class DiesLate:
    """Once the ledger has the rollout's end, settling it fails in some way, for good."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error
        self.ended = False

    def __call__(self, call: HandlerCall, go: Go) -> Any:
        if call.function != "settle_rollout" or call.service == "lambda":
            return go()
        if self.ended:
            raise self.error or Killed("while it was settled")
        answer = go()
        key = call.params.get("Key", {}).get("pk", {}).get("S", "")
        if key.startswith("rollout#") and "#result" in call.params.get("UpdateExpression", ""):
            self.ended = True
        return answer


def released(world: World) -> Fleet:
    web = fleets.make(world)
    world.upload("two")
    assert world.finish().status == "SUCCEEDED"
    return web


def settles(web: Fleet, error: BaseException | None) -> Execution:
    web.world.interference = dies = DiesLate(error)
    rollout = web.world.finish(hours=8)
    assert dies.ended
    return rollout


NOT_ALLOWED = AwsError("AccessDeniedException", "not authorized to UpdateItem", 400)


@pytest.mark.parametrize("error", [None, NOT_ALLOWED], ids=["killed", "denied"])
def test_a_release_whose_end_fails_late_stays(error: BaseException | None) -> None:
    with present() as world:
        web = fleets.make(world)
        new = world.upload("two")
        rollout = settles(web, error)
        assert rollout.status == "FAILED"
        assert web.revisions == {new: 4}
        assert len(web.refreshes) == 1
        item = world.ledger()[f"rollout#{rollout.name}"]
        assert item["result"] == {"S": "released"}
        assert "only the end failed" in rollout.whole["undo"]["reason"]
        (image,) = web.images
        assert "ovenbird:bad" not in web.tags(image.image_id)
        assert "holder" not in world.ledger()["lane#web"]


@pytest.mark.parametrize("error", [None, NOT_ALLOWED], ids=["killed", "denied"])
def test_a_roll_back_whose_end_fails_late_does_not_lead_to_the_bad_version_again(
    error: BaseException | None,
) -> None:
    with present() as world:
        web = released(world)
        web.roll_back()
        rollout = settles(web, error)
        assert rollout.status == "FAILED"
        assert web.revisions == {OLD: 4}
        assert len(web.refreshes) == 2
        item = world.ledger()[f"rollout#{rollout.name}"]
        assert item["result"] == {"S": "rolled-back"}
        assert world.parameter("/ovenbird/fleets/web/image") == web.image
        assert any(rollout.name in notice for notice in world.notices)


def test_after_an_end_that_failed_late_the_next_release_is_rolled() -> None:
    with present() as world:
        web = fleets.make(world)
        world.upload("two")
        settles(web, None)
        world.interference = lambda _call, go: go()
        new = world.upload("three")
        assert world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}
