"""A fleet that cannot be rolled safely is refused before anything is touched, and told why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.stories.alarms import alarm
from tests.stories.fleets import Fleet
from tests.stories.story import a_fleet

WRITES_TO_A_FLEET = ("ec2", "autoscaling", "elbv2", "cloudwatch", "ssm")


def nothing(_web: Fleet) -> None:
    """The fleet is made badly already."""


def somebody_refreshes(web: Fleet) -> None:
    web.world.operator(
        "autoscaling",
        "StartInstanceRefresh",
        AutoScalingGroupName="web",
        Preferences={
            "MinHealthyPercentage": 100,
            "MaxHealthyPercentage": 125,
            "InstanceWarmup": 60,
        },
    )


def untag(web: Fleet) -> None:
    web.tag("shop")


def suspend(web: Fleet) -> None:
    web.world.operator(
        "autoscaling",
        "SuspendProcesses",
        AutoScalingGroupName="web",
        ScalingProcesses=["Terminate"],
    )


@pytest.mark.parametrize(
    ("options", "before", "because"),
    [
        pytest.param({"version": "$Latest"}, nothing, "roll.pin", id="latest"),
        pytest.param({"version": "$Default"}, nothing, "roll.pin", id="default"),
        pytest.param({"image_by_parameter": True}, nothing, "parameter", id="ssm image"),
        pytest.param({}, somebody_refreshes, "efresh", id="somebody else's refresh"),
        pytest.param(
            {"roll": {"alarms": ["web-5xx"]}},
            lambda web: alarm(web.world, "ALARM"),
            "web-5xx",
            id="alarm in ALARM",
        ),
        pytest.param(
            {"roll": {"alarms": ["web-5xx"]}}, nothing, "web-5xx", id="alarm does not exist"
        ),
        pytest.param({"maximum": 4}, nothing, "MaxSize", id="no room for the surge"),
        pytest.param(
            {
                "size": 1,
                "addresses": 1,
                "roll": {"min_healthy_percent": 100, "max_healthy_percent": 100},
            },
            nothing,
            "one instance",
            id="group of one with 100/100",
        ),
        pytest.param(
            {"roll": {"warmup_seconds": 600, "give_up_after_minutes": 30}},
            nothing,
            "alone take 40 minutes",
            id="no time for its own waits",
        ),
        pytest.param({}, untag, "ovenbird:fleet", id="not tagged"),
        pytest.param({}, suspend, "Terminate", id="suspended process"),
    ],
)
def test_refuses(options: dict[str, Any], before: Callable[[Fleet], None], because: str) -> None:
    with a_fleet(**options) as web:
        before(web)
        calls = len(web.world.calls)
        web.world.upload("two")
        rollout = web.world.finish()

        assert (rollout.status, rollout.error) == ("FAILED", "Refused"), rollout.cause
        assert because in rollout.cause
        assert because in web.world.notices[-1]
        touched = [
            call.operation
            for call in web.world.calls[calls:]
            if call.service in WRITES_TO_A_FLEET and not call.only_looks
        ]
        assert touched == []
        assert set(web.versions) == {"1"}
        assert web.saved_version == options.get("version", "1")
        assert not web.builders


def test_a_group_that_does_not_exist_is_not_found() -> None:
    with a_fleet() as web:
        web.document(groups=["shop"])
        web.world.upload("two")
        rollout = web.world.finish()
        assert (rollout.status, rollout.error) == ("FAILED", "NotFound")
        assert "shop" in web.world.notices[-1]
        assert web.is_as_before()


def test_a_bad_document_is_refused_with_the_field_the_value_and_what_would_be_right() -> None:
    with a_fleet() as web:
        web.document(roll={"min_healthy_percent": 180})
        web.world.upload("two")
        web.world.run_for(minutes=10)
        assert web.is_as_before()
        assert not web.world.rollouts
        dead = web.world.delivery.dead
        assert not dead or dead[0][2] == "BadFleet"
        dead.clear()


def test_the_second_fleet_on_one_template_is_not_told_to_take_it_from_the_first() -> None:
    """terraform-aws-eks#2186: a group for each zone, all of them on one launch template."""
    with a_fleet(size=1, addresses=0) as web:
        web.world.operator(
            "autoscaling",
            "CreateAutoScalingGroup",
            AutoScalingGroupName="web-b",
            MinSize=0,
            MaxSize=2,
            DesiredCapacity=0,
            VPCZoneIdentifier=web.world.cloud.ec2.networks.subnets[0].subnet_id,
            LaunchTemplate={"LaunchTemplateId": web.template, "Version": "1"},
            Tags=[
                {
                    "Key": "ovenbird:fleet",
                    "Value": "web-b",
                    "PropagateAtLaunch": True,
                    "ResourceId": "web-b",
                    "ResourceType": "auto-scaling-group",
                }
            ],
        )
        web.world.operator(
            "ssm",
            "PutParameter",
            Name="/ovenbird/fleets/web-b",
            Type="String",
            Value='{"groups": ["web-b"]}',
        )
        web.world.ask("accept_release", {"fleet": "web-b", "release": {"revision": "2"}})
        rollout = web.world.finish()
        assert rollout.error == "Refused"
        assert f"Launch template {web.template} is fleet web's" in rollout.cause
        assert "give group web-b a template of its own" in rollout.cause
        new = web.world.upload("two")
        web.world.finish()
        assert web.revisions == {new: 1}
