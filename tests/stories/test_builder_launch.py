"""A builder is no member of production, whatever its template is like; and what a plan knows of it.

The templates are of shapes that people have; the situations are out of public reports, such as
aws/amazon-ecs-agent#2738 (user data that registers), cloudfoundry/bosh-aws-cpi-release#84 and
aws/aws-cli#4297 (pinned snapshots), hashicorp/terraform-provider-aws#6712 (architectures),
zalando-incubator/kubernetes-on-aws PR#3817 (sizes), kubernetes/autoscaler#5173 (attributes),
aws/karpenter-provider-aws#5850 (tags of Spot requests).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.cloud.ec2.instances import Instance
from sandbox.cloud.imaginary import Disk
from tests.stories.fleets import DOCUMENT, OLD, Fleet
from tests.stories.story import a_fleet

ROOT = "/dev/xvda"
JOINS = "#!/bin/sh\necho ECS_CLUSTER=prod >/etc/ecs/ecs.config\n"
BAKE: dict[str, Any] = DOCUMENT["bake"]
TWO: dict[str, Any] = {"count": 2}


def template(web: Fleet, *, replaces: bool = True, **content: Any) -> None:
    """The group launches a version with this content now; its instances are as they were."""
    answer = web.world.operator(
        "ec2",
        "CreateLaunchTemplateVersion",
        LaunchTemplateId=web.template,
        **({"SourceVersion": "1"} if replaces else {}),
        LaunchTemplateData=content,
    )
    version = str(answer["LaunchTemplateVersion"]["VersionNumber"])
    web.update(LaunchTemplate={"LaunchTemplateId": web.template, "Version": version})
    web.edited()


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def baked(web: Fleet) -> Instance:
    """The builder of a rollout that worked."""
    new = web.world.upload("two")
    assert web.world.finish().status == "SUCCEEDED"
    assert web.revisions == {new: web.group.desired}
    (builder,) = web.builders
    return builder


def launch(web: Fleet) -> dict[str, Any]:
    (call,) = [each for each in web.world.calls if each.operation == "RunInstances"]
    return call.params


class TestFirstBoot:
    def test_does_not_what_members_do(self) -> None:
        with a_fleet() as web:
            template(web, UserData=coded(JOINS))
            builder = baked(web)
            assert builder.user_data == "#!/bin/sh\n"
            assert all(web.world.machines.user_data[one] == JOINS for one in web.serving)

    def test_keeps_it_where_the_document_says_so(self) -> None:
        with a_fleet(bake=BAKE | {"user_data": "keep"}) as web:
            template(web, UserData=coded(JOINS))
            assert baked(web).user_data == JOINS

    def test_has_its_own_where_the_document_says_so(self) -> None:
        own = "#cloud-config\npackage_update: true\n"
        with a_fleet(bake=BAKE | {"user_data": own}) as web:
            template(web, UserData=coded(JOINS))
            assert baked(web).user_data == own

    def test_another_first_boot_is_another_image(self) -> None:
        with a_fleet(bake=BAKE | {"user_data": "#!/bin/sh\ntrue\n"}) as web:
            baked(web)
            web.document(bake=BAKE | {"user_data": "#!/bin/sh\nfalse\n"}, addresses=TWO)
            web.world.upload("two")
            assert web.world.finish().status == "SUCCEEDED"
            assert len(web.images) == 2


class TestDisks:
    def test_boots_the_base_and_not_the_disk_that_the_template_pins(self) -> None:
        """As "create template from instance" of the console writes it."""
        with a_fleet() as web:
            (old,) = web.world.cloud.ec2.images.all[web.image].snapshots
            other = web.world.cloud.ec2.images.seed("acme-web-2027")
            web.world.machines.images[other] = Disk(("2027",))
            pinned = {"SnapshotId": old, "VolumeSize": 8, "Encrypted": False}
            template(web, BlockDeviceMappings=[{"DeviceName": ROOT, "Ebs": pinned}])
            web.document(bake=BAKE | {"base": other}, addresses=TWO)
            builder = baked(web)
            assert old not in json.dumps(launch(web))
            assert web.world.machines.images[web.images[0].image_id].revisions[0] == "2027"
            assert builder.volumes[0].disk.snapshot != old

    def test_has_none_but_those_of_its_base(self) -> None:
        with a_fleet() as web:
            template(
                web,
                BlockDeviceMappings=[
                    {"DeviceName": ROOT, "Ebs": {"VolumeSize": 20, "VolumeType": "gp3"}},
                    {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 500, "Encrypted": True}},
                    {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"},
                ],
            )
            builder = baked(web)
            disks = {each.disk.device: each.disk.size for each in builder.volumes}
            assert disks == {ROOT: 20}
            (image,) = web.images
            assert [each["DeviceName"] for each in image.devices] == [ROOT]
            assert all(
                {each.disk.device for each in member.volumes} == {ROOT, "/dev/sdf"}
                for member in map(web.world.cloud.ec2.instances.all.__getitem__, web.serving)
            )

    def test_has_those_of_a_base_with_data(self) -> None:
        with a_fleet() as web:
            base = web.world.cloud.ec2.images.seed("with data", others={"/dev/sdf": 50})
            web.world.machines.images[base] = Disk((OLD,))
            web.document(bake=BAKE | {"base": base}, addresses=TWO)
            builder = baked(web)
            assert {each.disk.device for each in builder.volumes} == {ROOT, "/dev/sdf"}
            assert not web.world.cloud.ec2.instances.left

    def test_leaves_no_volume_behind(self) -> None:
        with a_fleet() as web:
            kept = {"VolumeSize": 9, "DeleteOnTermination": False}
            template(web, BlockDeviceMappings=[{"DeviceName": ROOT, "Ebs": kept}])
            builder = baked(web)
            assert builder.volumes[0].volume_id not in web.world.cloud.ec2.instances.left

    def test_a_base_that_wants_more_than_the_template_gives_is_refused(self) -> None:
        with a_fleet() as web:
            base = web.world.cloud.ec2.images.seed("acme-2027", size=30)
            template(web, BlockDeviceMappings=[{"DeviceName": ROOT, "Ebs": {"VolumeSize": 8}}])
            web.document(bake=BAKE | {"base": base}, addresses=TWO)
            web.world.upload("two")
            rollout = web.world.finish()
            assert rollout.error == "Refused"
            assert f"gives {ROOT} 8 GiB, and the image {base} needs 30" in rollout.cause
            assert not web.builders


class TestWhatOnlyOneCanHave:
    def test_interfaces_without_what_belongs_to_another(self) -> None:
        with a_fleet(addresses=0) as web:
            interfaces = [
                {
                    "DeviceIndex": 0,
                    "Groups": ["sg-0123456789abcdef0"],
                    "InterfaceType": "efa",
                    "Ipv4Prefixes": [{"Ipv4Prefix": "10.0.9.0/28"}],
                    "Ipv6Prefixes": [{"Ipv6Prefix": "2001:db8::/80"}],
                    "PrivateIpAddress": "10.0.9.9",
                },
                {"DeviceIndex": 1, "NetworkCardIndex": 1, "InterfaceType": "efa-only"},
            ]
            template(web, NetworkInterfaces=interfaces)
            baked(web)
            sent, other = launch(web)["NetworkInterfaces"]
            assert set(sent) == {
                "DeviceIndex",
                "Groups",
                "InterfaceType",
                "Ipv6AddressCount",
                "SubnetId",
                "DeleteOnTermination",
            }
            assert sent["InterfaceType"] == other["InterfaceType"] == "interface"
            assert other["DeleteOnTermination"]

    def test_no_place_among_the_others(self) -> None:
        with a_fleet() as web:
            template(web, Placement={"GroupName": "spread", "Tenancy": "dedicated"})
            baked(web)
            assert launch(web)["Placement"] == {"Tenancy": "dedicated"}

    def test_no_capacity_that_is_reserved_while_there_is_other(self) -> None:
        reserved = {"CapacityReservationTarget": {"CapacityReservationId": "cr-0123456789abcdef0"}}
        with a_fleet() as web:
            template(web, CapacityReservationSpecification=reserved)
            baked(web)
            assert launch(web)["CapacityReservationSpecification"] == {
                "CapacityReservationPreference": "open"
            }

    def test_the_reservation_where_there_is_no_other(self) -> None:
        reserved = {"CapacityReservationTarget": {"CapacityReservationId": "cr-0123456789abcdef0"}}
        with a_fleet() as web:
            template(web, CapacityReservationSpecification=reserved)
            subnets = len(web.world.cloud.ec2.networks.subnets)
            web.world.cloud.ec2.launching.lack_capacity(times=5 * subnets)  # the SDK's own tries
            web.world.upload("two")
            web.world.run_until(lambda: bool(web.builders))
            *_, last = [each.params for each in web.world.calls if each.operation == "RunInstances"]
            assert "CapacityReservationSpecification" not in last
            assert web.world.finish().status == "SUCCEEDED"


def by_attributes(web: Fleet) -> None:
    requirements = {"VCpuCount": {"Min": 2}, "MemoryMiB": {"Min": 4096}}
    template(web, replaces=False, ImageId=web.image, InstanceRequirements=requirements)


def of_another_architecture(web: Fleet) -> None:
    base = web.world.cloud.ec2.images.seed("arm", architecture="arm64")
    web.document(bake=BAKE | {"base": base}, addresses=TWO)


def windows(web: Fleet) -> None:
    base = web.world.cloud.ec2.images.seed("windows", platform="Windows")
    web.document(bake=BAKE | {"base": base}, addresses=TWO)


def tags_of_spot_requests(web: Fleet) -> None:
    tags = [{"Key": "team", "Value": "web"}]
    template(web, TagSpecifications=[{"ResourceType": "spot-instances-request", "Tags": tags}])


def no_type(web: Fleet) -> None:
    template(web, replaces=False, ImageId=web.image, IamInstanceProfile={"Name": "web"})


def of_another_fleet(web: Fleet) -> None:
    tag = {"Key": "ovenbird:fleet", "Value": "api"}
    web.world.operator("ec2", "CreateTags", Resources=[web.template], Tags=[tag])


def too_many_tags(web: Fleet) -> None:
    pairs = [{"Key": f"k{n}", "Value": "v"} for n in range(48)]
    template(web, TagSpecifications=[{"ResourceType": "instance", "Tags": pairs}])


@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        pytest.param(by_attributes, "(InstanceRequirements)", id="attributes"),
        pytest.param(of_another_architecture, "is arm64, and the group launches", id="arm64"),
        pytest.param(windows, "is Windows, and bake.install", id="Windows"),
        pytest.param(tags_of_spot_requests, "tags Spot requests", id="tags of Spot requests"),
        pytest.param(no_type, "names no instance type", id="no type"),
        pytest.param(of_another_fleet, "is fleet api", id="a template of two fleets"),
        pytest.param(too_many_tags, "would have 52 tags", id="tags"),
    ],
)
def test_what_a_plan_can_know_is_refused_by_the_plan(
    breaks: Callable[[Fleet], None], said: str
) -> None:
    with a_fleet() as web:
        breaks(web)
        web.world.upload("two")
        rollout = web.world.finish()
        assert rollout.error == "Refused"
        assert said in rollout.cause
        assert not [each for each in web.world.calls if each.operation == "RunInstances"]


def test_a_plan_says_what_it_cannot_know() -> None:
    with a_fleet() as web:
        template(web, KeyName="ops")
        web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        told = " ".join(web.world.rollouts[0].whole["plan"]["not_checked"])
        assert "key pair ops, instance profile web" in told
        assert "whether the account" not in told
        assert "quotas" in told and "policies allow" in told


class TestTags:
    """What an organisation demands of everything that is made (packer-plugin-amazon#45)."""

    def test_those_of_the_document_are_on_all_that_is_made(self) -> None:
        with a_fleet(tags={"CostCenter": "42", "team": "web/éclair"}) as web:
            builder = baked(web)
            (image,) = web.images
            made = [builder.instance_id, builder.volumes[0].volume_id, builder.interface_id]
            for thing in (builder.instance_id, image.image_id, *image.snapshots):
                assert web.tags(thing)["CostCenter"] == "42", thing
                assert web.tags(thing)["team"] == "web/éclair", thing
            asked = {
                each["ResourceType"]: {tag["Key"]: tag["Value"] for tag in each["Tags"]}
                for each in launch(web)["TagSpecifications"]
            }
            assert len(made) == len(asked) == 3
            assert all(tags["CostCenter"] == "42" for tags in asked.values())

    def test_those_that_the_group_propagates_too(self) -> None:
        with a_fleet(tags={"team": "web"}) as web:
            web.world.operator(
                "autoscaling",
                "CreateOrUpdateTags",
                Tags=[
                    {"ResourceId": "web", "ResourceType": "auto-scaling-group"}
                    | {"Key": key, "Value": value, "PropagateAtLaunch": propagated}
                    for key, value, propagated in (
                        ("CostCenter", "42", True),
                        ("team", "old", True),
                        ("private", "x", False),
                        ("Name", "web", True),
                    )
                ],
            )
            builder = baked(web)
            tags = web.tags(builder.instance_id)
            assert (tags["CostCenter"], tags["team"]) == ("42", "web")
            assert tags["Name"] == "ovenbird builder web"
            assert "private" not in tags
            assert "Name" not in web.tags(web.images[0].image_id)

    def test_they_are_given_in_the_call_that_makes_the_thing(self) -> None:
        """A policy that demands tags judges the call itself."""
        with a_fleet(tags={"CostCenter": "42"}) as web:
            seen = len(web.world.calls)
            baked(web)
            operations = {each.operation for each in web.world.calls[seen:]}
            assert "CreateTags" not in operations
            (image,) = [each for each in web.world.calls if each.operation == "CreateImage"]
            assert {each["ResourceType"] for each in image.params["TagSpecifications"]} == {
                "image",
                "snapshot",
            }

    def test_they_are_those_of_the_plan(self) -> None:
        """An edit in the middle of a rollout counts for the next one."""
        with a_fleet(tags={"CostCenter": "42"}) as web:
            web.world.upload("two")
            web.world.run_until(lambda: bool(web.world.machines.scripts))
            web.document(tags={"CostCenter": "43"}, addresses=TWO)
            assert web.world.finish().status == "SUCCEEDED"
            assert web.tags(web.images[0].image_id)["CostCenter"] == "42"

    def test_they_do_not_make_another_image(self) -> None:
        with a_fleet(tags={"CostCenter": "42"}) as web:
            baked(web)
            web.document(tags={"CostCenter": "43"}, addresses=TWO)
            web.world.upload("two")
            assert web.world.finish().status == "SUCCEEDED"
            assert len(web.images) == 1
            assert web.world.rollouts[-1].whole["plan"]["result"] == "nothing-to-do"
