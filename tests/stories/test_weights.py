"""A group whose instances count for several units: sizes are units, and people count instances."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stories import fleets
from tests.stories.fleets import Fleet
from tests.stories.invariants import Invariants
from tests.stories.world import present


@contextlib.contextmanager
def weighted(
    *, weight: str = "4", size: int = 8, maximum: int = 12, addresses: int = 0, **document: Any
) -> Iterator[Fleet]:
    """A fleet of eight units in instances of four.

    As reported for groups with weights: github.com/spinnaker/spinnaker/issues/7070.
    """
    with present() as world:
        web = fleets.make(world, size=2, maximum=40, addresses=addresses, **document)
        policy = {
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateId": web.template, "Version": "1"},
                "Overrides": [{"InstanceType": "t3.small", "WeightedCapacity": weight}],
            }
        }
        web.update(MixedInstancesPolicy=policy, DesiredCapacity=size, MaxSize=maximum)
        world.run_for(minutes=10)
        watch = Invariants(world, web)
        web.forgive, web.edited = watch.forgive, watch.edited
        watch.desired = watch.promised = len(web.serving)
        yield web


def plan(web: Fleet) -> dict[str, Any]:
    answer: dict[str, Any] = web.world.ask(
        "plan_rollout",
        {
            "fleet": "web",
            "dry_run": True,
            "release": {"bucket": "acme-releases", "key": "web/two.tar.gz"},
        },
    )
    return answer


def test_it_is_rolled_one_whole_instance_at_a_time() -> None:
    with weighted() as web:
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 2}
        (asked,) = [c for c in web.world.calls if c.operation == "StartInstanceRefresh"]
        assert asked.params["Preferences"]["MaxHealthyPercentage"] == 150


def test_the_plan_counts_instances_and_says_units() -> None:
    with weighted() as web:
        told = plan(web)
        (roll,) = [each for each in told["steps"] if each.startswith("Roll ")]
        assert "the 2 instances (8 units) of group web" in roll
        assert "at most 4 units more" in roll
        assert "2 batches of 1" in told["estimate"]["basis"]


def test_the_notice_counts_instances() -> None:
    with weighted() as web:
        web.world.upload("two")
        web.world.finish()
        assert "Group: web, 2 instances on the new version" in web.world.notices[-1]


def test_room_for_one_unit_is_not_room_for_an_instance() -> None:
    with weighted(maximum=9) as web:
        web.world.upload("two")
        ended = web.world.finish()
        assert ended.error == "Refused"
        assert "has 8 of at most 9 units, and the roll needs room for 12" in ended.cause
        assert not web.images


def test_addresses_are_counted_against_instances() -> None:
    """Eight units would hold three addresses; two instances do not."""
    with weighted(addresses=3) as web:
        web.world.upload("two")
        ended = web.world.finish()
        assert ended.error == "Refused"
        assert "group web has 2 instances, and each takes one address" in ended.cause


def test_addresses_follow_as_many_instances_as_there_are() -> None:
    with weighted(addresses=2) as web:
        web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert sorted(web.holders.values()) == sorted(web.serving)


def test_an_instance_that_is_the_whole_group_is_refused() -> None:
    """AWS says that it may then replace all instances at once."""
    with weighted(size=4, maximum=20) as web:
        web.world.upload("two")
        ended = web.world.finish()
        assert ended.error == "Refused"
        assert "an instance type that counts for 4" in ended.cause


def test_a_bad_release_goes_back_in_whole_instances() -> None:
    with weighted() as web:
        web.world.machines.healthy = lambda _, disk: disk.revision == "one"
        web.world.upload("two")
        assert web.world.finish().error == "RollFailed"
        assert web.revisions == {"one": 2}


@pytest.mark.parametrize(("weight", "size", "instances"), [("3", 9, 3), ("5", 12, 3), ("2", 7, 4)])
def test_other_weights(weight: str, size: int, instances: int) -> None:
    """Also where the instances are more than is wanted: twelve units in fives are fifteen."""
    with weighted(weight=weight, size=size, maximum=40) as web:
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: instances}
        assert web.group.units >= size
