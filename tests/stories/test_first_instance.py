"""Addresses are part of the roll: tried on the first new instance, and told of at its end."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from ovenbird.ledger import claims
from sandbox.cloud.errors import AwsError
from tests.stories import fleets
from tests.stories.calls import Go, HandlerCall
from tests.stories.fleets import Fleet
from tests.stories.story import a_fleet
from tests.stories.world import present


def is_new(web: Fleet, instance: str) -> bool:
    member = web.group.members.get(instance)
    return member is not None and member.template["Version"] == "2"


def refuses_new(web: Fleet, code: str) -> None:
    """AWS puts no address on a new instance; a dry run says nothing of it."""

    def refuse(call: HandlerCall, go: Go) -> Any:
        moves = call.operation == "AssociateAddress" and not call.only_looks
        if moves and is_new(web, call.params.get("InstanceId", "")):
            raise AwsError(code, "The address cannot be put there.", 400)
        return go()

    web.world.interference = refuse


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("Gateway.NotAttached", "AddressFailed"),
        ("InvalidInstanceID", "AddressFailed"),
        ("OperationNotPermitted", "AddressFailed"),
        ("UnauthorizedOperation", "Denied"),
    ],
)
def test_what_aws_refuses_for_good_stops_the_roll_while_the_old_ones_live(
    code: str, error: str
) -> None:
    with a_fleet() as web:
        before = dict(web.holders)
        refuses_new(web, code)
        web.world.upload("two")
        assert web.world.finish().error == error
        assert web.holders == before
        assert web.revisions == {fleets.OLD: 4}
        for holder in before.values():
            assert f"is on {holder} (healthy)" in web.world.notices[-1]


def test_the_notice_of_a_release_says_where_each_address_is() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        for holder in web.holders.values():
            assert f"is on {holder} (healthy)" in web.world.notices[-1]


def test_a_refusal_that_passes_is_waited_for() -> None:
    """The step is told again and again that the instance is not ready, for some minutes."""
    with a_fleet() as web:
        refuses_new(web, "IncorrectInstanceState")
        new = web.world.upload("two")
        web.world.run_until(lambda: web.world.rollouts[-1:] != [] and placing(web), hours=2)
        web.world.run_for(minutes=3)
        web.world.interference = lambda _, go: go()
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        assert sorted(web.holders) == list(web.allocations)


def placing(web: Fleet) -> bool:
    return web.world.rollouts[-1].state == "WaitForAddress"


def test_a_way_back_that_a_person_began_waits_for_its_addresses_as_any_other() -> None:
    """Every one of its waits is sealed, although the stop is told at each of them."""
    with a_fleet() as web:
        first = dict(web.holders)
        web.world.upload("two")
        web.world.run_until(lambda: web.holders != first, hours=2)
        web.roll_back()
        (rollout,) = web.world.rollouts
        with mock.patch.object(claims, "claim", return_value=False):
            web.world.run_until(lambda: rollout.visited.count("WaitForReturn") == 4, hours=2)
        assert web.world.finish().error == "Stopped"
        assert "unreturned" not in rollout.whole
        assert sorted(web.holders) == list(web.allocations)
        assert web.is_as_before()


def test_one_that_does_not_pass_in_ten_minutes_is_undone() -> None:
    with a_fleet() as web:
        refuses_new(web, "IncorrectInstanceState")
        web.world.upload("two")
        ended = web.world.finish()
        assert ended.error == "AddressFailed"
        assert "After 10 minutes" in ended.cause
        assert web.revisions == {fleets.OLD: 4}
        assert set(web.holders.values()) <= set(web.serving)


def test_they_are_brought_back_before_the_notice_where_no_event_tells_of_it() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.run_until(lambda: moved(web) == set(web.allocations), hours=2)
        web.world.delivery.lost.add("EC2 Instance ")
        web.world.operator("autoscaling", "CancelInstanceRefresh", AutoScalingGroupName="web")
        assert web.world.finish().error == "RollFailed"
        assert web.revisions == {fleets.OLD: 4}
        assert sorted(web.holders) == list(web.allocations)
        for holder in web.holders.values():
            assert holder in web.serving
            assert f"is on {holder} (healthy)" in web.world.notices[-1]


def moved(web: Fleet) -> set[str]:
    """The addresses that are on new instances."""
    return {each for each, holder in web.holders.items() if is_new(web, holder)}


def test_a_fleet_with_one_address_goes_back_with_a_minute_between_batches() -> None:
    with present() as world:
        web = fleets.make(world, size=2, addresses=1)
        web.group.target_groups = ()
        web.update(HealthCheckType="EC2", HealthCheckGracePeriod=0)
        world.upload("two")
        world.run_until(lambda: web.versions["2"] == 2, hours=2)
        world.operator("autoscaling", "CancelInstanceRefresh", AutoScalingGroupName="web")
        assert world.finish().error == "RollFailed"
        back = [each for each in world.calls if each.operation == "StartInstanceRefresh"][-1]
        assert back.function == "undo_rollout"
        assert back.params["Preferences"]["InstanceWarmup"] >= 60


def test_a_group_that_is_deleted_in_the_middle_is_no_alarm() -> None:
    with present() as world:
        web = fleets.make(world, size=2, addresses=1)
        world.upload("two")
        world.run_until(lambda: bool(web.refreshes))
        world.operator(
            "autoscaling", "DeleteAutoScalingGroup", AutoScalingGroupName="web", ForceDelete=True
        )
        assert world.finish().error == "NotFound"
        assert "may run two versions" not in world.notices[-1]
        assert "203.0.113.1 is on" in world.notices[-1]
