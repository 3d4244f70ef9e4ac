"""Whoever may tag things decides nothing by it: what is ours is said by ids and by AWS's own marks.

The attacker has ``ec2:CreateTags``, and sometimes may launch or image instances of his own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.cloud.imaginary import Disk
from tests.stories import dynamodb, fleets
from tests.stories.fleets import OLD, Fleet
from tests.stories.story import a_fleet
from tests.stories.world import World, present

ROLE = {"Key": "ovenbird:role", "Value": "builder"}


def tag(world: World, *things: str, **tags: str) -> None:
    pairs = [{"Key": key.replace("_", ":", 1), "Value": value} for key, value in tags.items()]
    world.operator("ec2", "CreateTags", Resources=list(things), Tags=pairs)


def evil_image(world: World, name: str = "attackers") -> str:
    image = world.cloud.ec2.images.seed(name)
    world.machines.images[image] = Disk(("EVIL",))
    return image


def launched(web: Fleet, **tags: str) -> str:
    """An instance of the attacker's, launched from the fleet's template as the console does it."""
    answer = web.world.operator(
        "ec2",
        "RunInstances",
        LaunchTemplate={"LaunchTemplateId": web.template, "Version": "1"},
        MinCount=1,
        MaxCount=1,
    )
    instance = str(answer["Instances"][0]["InstanceId"])
    tag(web.world, instance, **tags)
    return instance


def touched(web: Fleet, *instances: str) -> list[str]:
    """What functions did to any of these instances."""
    return [
        f"{call.function}: {call.operation}"
        for call in web.world.calls
        if call.operation in ("TerminateInstances", "StopInstances", "CreateImage", "SendCommand")
        and {*call.params.get("InstanceIds", ()), call.params.get("InstanceId")} & {*instances}
    ]


class TestMembersOfAGroup:
    @pytest.mark.parametrize("rollout", [False, True], ids=["role", "role and rollout"])
    def test_are_no_builders_whatever_they_are_tagged(self, rollout: bool) -> None:
        with a_fleet(size=3, addresses=0) as web:
            members = web.serving
            tag(web.world, *members, ovenbird_role="builder")
            new = web.world.upload("two")
            web.world.run_until(lambda: bool(web.world.rollouts))
            if rollout:
                tag(web.world, *members, ovenbird_rollout=web.world.rollouts[0].name)
            assert web.world.finish().status == "SUCCEEDED"
            assert touched(web, *members) == []
            assert web.revisions == {new: 3}

    def test_are_not_ended_by_an_undo_either(self) -> None:
        with a_fleet(size=3, addresses=0) as web:
            members = web.serving
            web.world.upload("two")
            web.world.run_until(lambda: bool(web.builders))
            name = web.world.rollouts[0].name
            tag(web.world, *members, ovenbird_role="builder", ovenbird_rollout=name)
            web.roll_back()  # stops the rollout
            assert web.world.finish().error == "Stopped"
            assert touched(web, *members) == []
            assert web.revisions == {OLD: 3}

    def test_that_the_template_tags_as_builders_are_left_alone(self) -> None:
        """The tag comes with each launch then, of the group's own instances."""
        with present() as world:
            web = fleets.make(world, size=2, addresses=0)
            world.operator(
                "ec2",
                "CreateLaunchTemplateVersion",
                LaunchTemplateId=web.template,
                SourceVersion="1",
                LaunchTemplateData={
                    "TagSpecifications": [{"ResourceType": "instance", "Tags": [ROLE]}]
                },
            )
            web.update(LaunchTemplate={"LaunchTemplateId": web.template, "Version": "2"})
            for revision in ("two", "three"):
                new = world.upload(revision)
                assert world.finish().status == "SUCCEEDED"
                assert web.revisions == {new: 2}
            assert touched(web, *web.group.members) == []

    def test_a_builder_that_is_put_into_a_group_is_left_to_it(self) -> None:
        with a_fleet(addresses=0) as web:
            web.world.upload("two")
            web.world.run_until(lambda: bool(web.world.machines.scripts))
            (builder,) = web.builders
            # AttachInstances; the tag is AWS's
            web.world.cloud.ec2.tags.put(
                builder.instance_id, {"aws:autoscaling:groupName": "other"}
            )
            rollout = web.world.finish()
            assert rollout.error == "BakeFailed"
            assert "into the group other" in rollout.cause
            assert builder.is_alive


class TestStrangers:
    def test_that_look_like_left_builders_live_on(self) -> None:
        with a_fleet(addresses=0) as web:
            other = launched(web, ovenbird_role="builder", ovenbird_fleet="web")
            web.world.upload("two")
            web.world.run_until(lambda: bool(web.refreshes))
            second = launched(web, ovenbird_role="builder", ovenbird_fleet="web")
            assert web.world.finish().status == "SUCCEEDED"
            assert touched(web, other, second) == []
            for each in (other, second):
                assert web.world.cloud.ec2.instances.all[each].is_alive
                assert each in web.world.notices[-1]

    def test_that_copy_every_tag_of_a_builder_are_not_scripted_or_imaged(self) -> None:
        """As "launch more like this" of the console does it, at the best of moments."""
        with a_fleet(addresses=0) as web:
            new = web.world.upload("two")
            web.world.run_until(lambda: bool(web.builders))
            name = web.world.rollouts[0].name
            copied = launched(
                web, ovenbird_role="builder", ovenbird_fleet="web", ovenbird_rollout=name
            )
            web.world.machines.disks[copied] = Disk(("EVIL",))
            assert web.world.finish().status == "SUCCEEDED"
            assert touched(web, copied) == []
            assert web.revisions == {new: web.group.desired}
            web.world.operator("ec2", "TerminateInstances", InstanceIds=[copied])

    def test_no_builder_comes_from_a_template_of_nobodys(self) -> None:
        """Between the plan and the launch the tag is taken away, or given to another fleet."""
        with a_fleet(addresses=0) as web:
            web.world.upload("two")
            web.world.run_until(lambda: bool(web.world.rollouts))
            web.world.run_until(lambda: "plan" in (web.world.rollouts[0].whole or {}))
            tag(web.world, web.template, ovenbird_fleet="api")
            rollout = web.world.finish()
            assert rollout.error == "Denied"
            assert "carries the tag ovenbird:fleet=api, so it is left alone" in rollout.cause
            assert not web.builders


def names_a_base(web: Fleet) -> str:
    evil = evil_image(web.world)
    tag(web.world, web.image, ovenbird_base=evil)
    return evil


def names_a_base_on_a_bake(web: Fleet) -> str:
    web.world.upload("zero")
    web.world.finish()
    evil = evil_image(web.world)
    tag(web.world, web.images[0].image_id, ovenbird_base=evil)
    return evil


@pytest.mark.parametrize("attack", [names_a_base, names_a_base_on_a_bake])
def test_no_bake_starts_where_a_tag_says(attack: Callable[[Fleet], str]) -> None:
    with a_fleet(addresses=0) as web:
        evil = attack(web)
        web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        launches = [each.params for each in web.world.calls if each.operation == "RunInstances"]
        assert {each["ImageId"] for each in launches} == {web.image}
        assert evil not in {each["base"] for each in plans(web)}


def plans(web: Fleet) -> list[dict[str, Any]]:
    return [each.whole["plan"] for each in web.world.rollouts if each.whole]


class TestImages:
    def test_that_are_tagged_and_named_like_a_bake_are_not_used(self) -> None:
        """The key is no secret: whoever knows base, content and scripts can compute it."""
        with a_fleet(addresses=0) as web:
            plan = web.world.ask(
                "accept_release",
                {
                    "fleet": "web",
                    "dry_run": True,
                    "release": {"bucket": "acme-releases", "key": "web/app.tar.gz"}
                    | {"revision": "two"},
                },
            )
            web.world.finish()
            assert plan["accepted"]
            bake = plans(web)[-1]["bake"]
            evil = evil_image(web.world, bake["name"])
            tag(web.world, evil, ovenbird_fleet="web", **{"ovenbird_bake-key": bake["key"]})
            web.world.ask(
                "accept_release",
                {
                    "fleet": "web",
                    "release": {"bucket": "acme-releases", "key": "web/app.tar.gz"}
                    | {"revision": "two"},
                },
            )
            assert web.world.finish().status == "SUCCEEDED"
            assert web.revisions == {"two": web.group.desired}
            last = plans(web)[-1]
            assert last["bake"]["name"] == f"{bake['name']}-2"
            assert f"Ovenbird has not made {evil}" in last["reason"]

    def test_of_our_builder_that_somebody_else_takes_early_are_not_used(self) -> None:
        """``ec2:CreateImage`` on the builder, under the name that we would take."""
        with a_fleet(addresses=0) as web:
            web.world.upload("two")
            web.world.run_until(lambda: bool(web.world.machines.scripts))
            (builder,) = web.builders
            name = plans(web)[-1]["bake"]["name"]
            web.world.operator(
                "ec2", "CreateImage", InstanceId=builder.instance_id, Name=name, NoReboot=True
            )
            rollout = web.world.finish()
            assert rollout.error == "BakeFailed"
            assert f"The name {name} is taken" in rollout.cause
            assert web.is_as_before()

    def test_a_tag_of_anybodys_does_not_bar_the_way_back(self) -> None:
        with a_fleet(addresses=0) as web:
            web.world.upload("two")
            web.world.finish()
            tag(web.world, web.image, ovenbird_bad="https://evil.example")
            web.roll_back()
            assert web.world.finish().status == "SUCCEEDED"
            assert web.revisions == {OLD: web.group.desired}

    def test_a_tag_of_anybodys_does_not_make_a_release_bake_again(self) -> None:
        with a_fleet(addresses=0) as web:
            new = web.world.upload("two")
            web.world.finish()
            tag(web.world, web.images[0].image_id, ovenbird_bad="x")
            web.roll_back()
            web.world.finish()
            web.world.upload("two")
            assert web.world.finish().status == "SUCCEEDED"
            assert web.revisions == {new: web.group.desired}
            assert len(web.images) == 1

    def test_who_takes_the_mark_away_brings_no_bad_image_back(self) -> None:
        with a_fleet(addresses=0, roll={"stall_minutes": 5}) as web:
            web.world.machines.healthy = lambda _, disk: disk.revision in (OLD, "fine")
            web.world.upload("two")
            assert web.world.finish(hours=6).error == "RollFailed"
            (bad,) = web.images
            web.world.operator(
                "ec2", "DeleteTags", Resources=[bad.image_id], Tags=[{"Key": "ovenbird:bad"}]
            )
            web.world.upload("two")
            web.world.finish(hours=6)
            assert plans(web)[-1]["bake"]["name"] == f"{bad.name}-2"


def test_a_fleet_goes_on_where_the_ledger_has_forgotten_its_images() -> None:
    """Baked before the ledger knew, or its item is lost: baked once more, and no tag is asked."""
    with a_fleet(addresses=0) as web:
        new = web.world.upload("two")
        web.world.finish()
        key = {"pk": {"S": "images#web"}}
        dynamodb.call("DeleteItem", {"TableName": web.world.deployment.table, "Key": key})
        web.roll_back()
        web.world.finish()
        web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: web.group.desired}
        assert len(web.images) == 2
