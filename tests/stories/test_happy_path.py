"""A push becomes a fleet on the new version; and the cases in which there is less to do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stories.fleets import OLD
from tests.stories.story import a_fleet
from tests.stories.world import BUCKET


def test_a_push_becomes_a_fleet_on_the_new_version() -> None:
    with a_fleet() as web:
        new = web.world.upload("two")
        rollout = web.world.finish()

        assert rollout.status == "SUCCEEDED"
        assert rollout.visited[:3] == ["BeginRollout", "AfterBegin", "PlanRollout"]
        assert rollout.visited[-2:] == ["SettleRollout", "RolloutDone"]
        assert web.revisions == {new: 4}
        assert web.versions == {web.saved_version: 4} == {"2": 4}

        (image,) = web.images
        tags = web.tags(image.image_id)
        assert tags["ovenbird:fleet"] == "web"
        assert tags["ovenbird:rollout"] == rollout.name
        assert tags["ovenbird:revision"] == new
        assert tags["ovenbird:base"] == web.image
        assert web.tags(image.snapshots[0])["ovenbird:fleet"] == "web"
        assert [builder.state for builder in web.builders] == ["terminated"]
        assert sorted(web.holders) == list(web.allocations)
        assert set(web.holders.values()) <= set(web.serving)

        web.world.run_for(seconds=5)  # AWS looks at the image first
        assert web.world.parameter("/ovenbird/fleets/web/image") == image.image_id
        templates = web.world.operator(
            "ec2", "DescribeLaunchTemplates", LaunchTemplateIds=[web.template]
        )
        assert templates["LaunchTemplates"][0]["DefaultVersionNumber"] == 2
        (notice,) = web.world.notices
        assert new[:7] in notice
        ledger = web.world.ledger()
        assert ledger[f"rollout#{rollout.name}"]["result"] == {"S": "released"}
        assert ledger["fleet#web"]["images"] == {"L": [{"S": web.image}, {"S": image.image_id}]}


def test_a_rollout_is_cheap() -> None:
    """A wait costs three transitions however long it takes: the doorbell, not polling."""
    with a_fleet() as web:
        web.world.upload("two")
        rollout = web.world.finish()
        assert rollout.transitions < 60
        assert len(rollout.history) < 400
        assert len(web.world.calls) < 500


def test_the_scripts_get_what_they_need() -> None:
    with a_fleet() as web:
        new = web.world.upload("two")
        web.world.finish()
        (script,) = web.world.machines.scripts
        text = "\n".join(script.lines)
        assert f"OVENBIRD_REVISION={new}" in text.replace("'", "")
        assert "OVENBIRD_FLEET=web" in text.replace("'", "")
        assert BUCKET in text
        assert 'tar -xzf "$OVENBIRD_ARTIFACT" -C /srv/web' in text
        assert "curl -fsS localhost:8080/health" in text


def test_the_same_content_again_is_rolled_out_without_a_bake() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.finish()
        web.world.upload("three")
        web.world.finish()
        again = web.world.upload("two")
        rollout = web.world.finish()
        assert "BakeImage" not in rollout.visited
        assert web.revisions == {again: 4}
        assert len(web.images) == 2


def test_there_is_nothing_to_do_when_the_fleet_is_there_already() -> None:
    with a_fleet() as web:
        new = web.world.upload("two")
        web.world.finish()
        web.world.upload("two")
        rollout = web.world.finish()
        assert rollout.visited[-1] == "RolloutEnded"
        assert rollout.output["plan"]["result"] == "nothing-to-do"
        assert web.revisions == {new: 4}
        assert len(web.refreshes) == 1


def test_a_dry_run_plans_and_changes_nothing() -> None:
    with a_fleet() as web:
        before = len(web.world.calls)
        payload = {
            "fleet": "web",
            "release": {"bucket": BUCKET, "key": "web/two.tar.gz", "revision": "two"},
            "dry_run": True,
        }
        web.world.ask("accept_release", payload)
        rollout = web.world.finish()

        plan = rollout.output["plan"]
        assert plan["result"] == "planned"
        assert plan["steps"]
        assert plan["estimate"]["minutes"] > 0
        assert plan["estimate"]["dollars"] > 0
        writes = [
            call.operation
            for call in web.world.calls[before:]
            if call.service not in ("dynamodb", "stepfunctions", "sns") and not call.only_looks
        ]
        assert writes == []
        assert web.is_as_before()


def test_a_dry_run_that_is_refused_leaves_no_trace() -> None:
    with a_fleet() as web:
        web.world.operator("autoscaling", "SuspendProcesses", AutoScalingGroupName="web")
        payload = {"fleet": "web", "release": {"revision": "two"}, "dry_run": True}
        web.world.ask("accept_release", payload)
        rollout = web.world.finish()
        assert rollout.error == "Refused"
        assert web.world.notices == []
        assert "result" not in web.world.ledger()[f"rollout#{rollout.name}"]  # only its acceptance
        web.world.operator("autoscaling", "ResumeProcesses", AutoScalingGroupName="web")


def test_a_dry_run_does_not_stand_in_the_way_of_a_rollout() -> None:
    with a_fleet() as web:
        new = web.world.upload("two")
        web.world.run_for(minutes=1)
        payload = {"fleet": "web", "release": {"revision": "three"}, "dry_run": True}
        web.world.ask("accept_release", payload)
        web.world.run_for(minutes=1)
        planned = web.world.rollouts[1]
        assert planned.status == "SUCCEEDED"
        assert planned.output["plan"]["result"] == "planned"
        web.world.finish()
        assert web.revisions == {new: 4}


def test_a_request_on_the_bus_is_a_release_too() -> None:
    """What a CI job such as GitHub Actions puts on the bus."""
    brought = {"events": {"artifact": f"s3://{BUCKET}/web/*"}}
    with a_fleet(release=brought) as web:
        web.world.put_event(
            "ovenbird",
            "Release Requested",
            {"fleet": "web", "revision": "4f1c2d7", "artifact": f"s3://{BUCKET}/web/4f1c2d7.tgz"},
        )
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {"4f1c2d7": 4}


def test_a_group_of_zero_is_published_to_and_starts_with_the_new_version() -> None:
    with a_fleet(size=0, maximum=4, addresses=0) as web:
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        web.update(DesiredCapacity=2)
        web.world.run_until(lambda: len(web.serving) == 2)
        assert web.revisions == {new: 2}


def test_a_group_of_one_launches_before_it_terminates() -> None:
    with a_fleet(size=1, addresses=1) as web:
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 1}


@pytest.mark.parametrize("size", [2, 3, 10])
def test_groups_of_other_sizes(size: int) -> None:
    with a_fleet(size=size) as web:
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: size}


def test_a_scale_out_in_the_middle_is_kept_and_gets_the_new_version() -> None:
    with a_fleet() as web:
        new = web.world.upload("two")
        web.world.run_until(lambda: 0 < web.revisions[OLD] < 4)
        web.update(DesiredCapacity=6)
        assert web.world.finish().status == "SUCCEEDED"
        assert web.group.desired == 6
        assert web.revisions == {new: 6}


def test_a_scale_in_in_the_middle_is_kept() -> None:
    with a_fleet(size=6) as web:
        new = web.world.upload("two")
        web.world.run_until(lambda: 0 < web.revisions[OLD] < 6)
        web.update(DesiredCapacity=3)
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 3}


def test_overrides_with_templates_of_their_own_get_the_image_too() -> None:
    with a_fleet(mixed=True) as web:
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        policy = web.group.saved.written()["MixedInstancesPolicy"]["LaunchTemplate"]
        versions = [
            each["LaunchTemplateSpecification"]["Version"]
            for each in policy["Overrides"]
            if "LaunchTemplateSpecification" in each
        ]
        assert versions == ["2"]


@pytest.mark.parametrize("alias", ["$Latest", "$Default"])
def test_a_group_on_an_alias_is_pinned_first_if_its_owner_says_so(alias: str) -> None:
    with a_fleet(version=alias, roll={"pin": True}, may_pin=True) as web:
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        assert web.saved_version == "2"


def test_a_straggler_gets_another_pass_that_touches_only_it() -> None:
    with a_fleet(roll={"protected_instances": "Ignore"}) as web:
        straggler = protect_one(web, True)
        new = web.world.upload("two")
        web.world.run_until(lambda: bool(web.refreshes) and not web.refreshes[0].is_active)
        protect_one(web, False, straggler)
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        second, first = web.refreshes
        assert first.status == second.status == "Successful"
        assert second.preferences.describe()["SkipMatching"] is True


def protect_one(web: Any, protected: bool, instance: str = "") -> str:
    instance = instance or web.serving[0]
    web.world.operator(
        "autoscaling",
        "SetInstanceProtection",
        AutoScalingGroupName="web",
        InstanceIds=[instance],
        ProtectedFromScaleIn=protected,
    )
    return instance


def test_every_preference_of_the_refresh_is_sent() -> None:
    roll = {
        "min_healthy_percent": 75,
        "max_healthy_percent": 150,
        "warmup_seconds": 90,
        "checkpoints": [50, 100],
        "checkpoint_delay_seconds": 120,
        "bake_time_seconds": 60,
    }
    with a_fleet(roll=roll, min_healthy_percent=75) as web:
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        sent = web.refreshes[0].preferences.describe()
        assert sent == {
            "MinHealthyPercentage": 75,
            "MaxHealthyPercentage": 150,
            "InstanceWarmup": 90,
            "CheckpointPercentages": [50, 100],
            "CheckpointDelay": 120,
            "BakeTime": 60,
            "SkipMatching": True,
            "AutoRollback": True,
            "ScaleInProtectedInstances": "Refresh",
            "StandbyInstances": "Ignore",
        }


def test_the_same_seed_tells_the_same_story() -> None:
    def tell() -> list[tuple[str, str, str]]:
        with a_fleet(seed=7) as web:
            web.world.upload("two")
            web.world.finish()
            return [(str(c.at), c.function, c.operation) for c in web.world.calls]

    assert tell() == tell()
