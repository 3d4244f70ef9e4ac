"""What other people and programs do meanwhile: it is noticed, not fought, and told."""

from __future__ import annotations

import pytest

from tests.stories.asl.execution import Execution
from tests.stories.fleets import OLD, Fleet
from tests.stories.story import a_fleet
from tests.stories.test_addresses import stranger
from tests.stories.test_refusals import somebody_refreshes
from tests.stories.test_roll_failures import half_way


def while_it_bakes(web: Fleet) -> None:
    web.world.upload("two")
    web.world.run_until(lambda: any(one.state == "running" for one in web.builders))


def version_of_somebody(web: Fleet) -> str:
    """A person publishes a version of their own."""
    answer = web.world.operator(
        "ec2",
        "CreateLaunchTemplateVersion",
        LaunchTemplateId=web.template,
        SourceVersion="1",
        LaunchTemplateData={"InstanceType": "t3.large"},
    )
    return str(answer["LaunchTemplateVersion"]["VersionNumber"])


def test_a_refresh_that_somebody_starts_while_it_bakes_is_not_fought() -> None:
    with a_fleet() as web:
        while_it_bakes(web)
        web.world.run_until(lambda: bool(web.images) and web.images[0].state == "available")
        somebody_refreshes(web)
        rollout = web.world.finish()
        assert rollout.error == "RollFailed"
        assert "omebody else is refreshing" in web.world.notices[-1]
        assert [each.desired for each in web.refreshes] == [None]
        web.world.run_until(lambda: web.group.refresh is None)
        assert web.is_as_before()


def test_a_version_that_somebody_gives_the_group_while_it_bakes_is_not_rolled_away() -> None:
    with a_fleet() as web:
        while_it_bakes(web)
        number = version_of_somebody(web)
        web.update(LaunchTemplate={"LaunchTemplateId": web.template, "Version": number})
        web.edited()
        rollout = web.world.finish()
        assert rollout.error == "RollFailed"
        assert f"Somebody gave group web version {number}" in web.world.notices[-1]
        assert not web.refreshes
        assert web.saved_version == number
        assert web.revisions == {OLD: 4}
        (image,) = web.images
        assert "ovenbird:bad" not in web.tags(image.image_id)

        web.world.upload("three")
        assert web.world.finish().status == "SUCCEEDED"


def test_a_version_that_somebody_publishes_is_not_launched() -> None:
    with a_fleet() as web:
        while_it_bakes(web)
        theirs = version_of_somebody(web)
        assert web.world.finish().status == "SUCCEEDED"
        assert theirs not in web.versions
        templates = web.world.cloud.ec2.templates.all[web.template]
        assert templates.versions[int(web.saved_version)].content["InstanceType"] == "t3.small"


def test_a_default_version_that_somebody_sets_stays_where_the_rollout_fails() -> None:
    with a_fleet() as web:
        while_it_bakes(web)
        theirs = version_of_somebody(web)
        asked = {"LaunchTemplateId": web.template, "DefaultVersion": theirs}
        web.world.operator("ec2", "ModifyLaunchTemplate", **asked)
        half_way(web)
        web.roll_back()
        assert web.world.finish().error == "Stopped"
        assert str(web.world.cloud.ec2.templates.all[web.template].default) == theirs
        assert web.revisions == {OLD: 4}


@pytest.mark.parametrize("when", ["published", "rolled"])
def test_an_image_that_somebody_deletes_is_missed_and_undone(when: str) -> None:
    with a_fleet(roll={"stall_minutes": 5}) as web:
        web.world.upload("two")
        if when == "published":
            web.world.run_until(lambda: any(baked(each) for each in web.world.rollouts))
        else:
            web.world.run_until(lambda: bool(web.refreshes))
        (image,) = web.images
        web.world.operator(
            "ec2", "DeregisterImage", ImageId=image.image_id, DeleteAssociatedSnapshots=True
        )
        rollout = web.world.finish(hours=6)
        assert rollout.error == ("NotFound" if when == "published" else "RollFailed")
        assert image.image_id in web.world.notices[-1]
        assert web.is_as_before()


def baked(rollout: Execution) -> bool:
    return rollout.state == "AfterBake" and rollout.whole["bake"]["next"] == "done"


def test_a_process_that_somebody_suspends_in_the_middle_stalls_it_and_is_left_so() -> None:
    with a_fleet(roll={"stall_minutes": 5}) as web:
        web.world.upload("two")
        half_way(web)
        asked = {"AutoScalingGroupName": "web", "ScalingProcesses": ["InstanceRefresh"]}
        web.world.operator("autoscaling", "SuspendProcesses", **asked)
        web.world.run_for(minutes=30)
        assert set(web.group.suspended) == {"InstanceRefresh"}
        web.world.operator("autoscaling", "ResumeProcesses", **asked)
        assert web.world.finish(hours=12).error == "RollFailed"
        assert "no progress" in web.world.notices[-1]
        assert web.is_as_before()


def test_an_address_that_somebody_takes_in_the_middle_is_left_to_them() -> None:
    with a_fleet() as web:
        other = stranger(web.world, web)
        web.world.upload("two")
        half_way(web)
        allocation = web.allocations[0]
        web.world.operator(
            "ec2",
            "AssociateAddress",
            AllocationId=allocation,
            InstanceId=other,
            AllowReassociation=True,
        )
        web.forgive()
        assert web.world.finish().status == "SUCCEEDED"
        assert web.holders[allocation] == other
