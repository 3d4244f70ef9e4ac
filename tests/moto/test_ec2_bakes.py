"""The adapters of a bake against moto: a second opinion on the shape of requests and answers.

moto knows neither client tokens nor duplicate names, image states, tags on an image's snapshots or
ListCommandInvocations; the model cloud does.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws

from ovenbird.aws import clients, commands, ec2_images, ec2_instances, ec2_templates
from ovenbird.core import blueprints, images
from ovenbird.core.blueprints import Blueprint
from ovenbird.core.images import Image
from ovenbird.errors import NotFound

KEY = "0123456789abcdef"


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty account of moto's."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        clients.reset()
        yield clients.get("ec2")
    clients.reset()


@pytest.fixture
def base(ec2: Any) -> str:
    """An image that the team made."""
    return str(ec2.register_image(Name="golden", RootDeviceName="/dev/sda1")["ImageId"])


@pytest.fixture
def template(ec2: Any, base: str) -> str:
    made = ec2.create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={"ImageId": base, "InstanceType": "t3.small"},
        TagSpecifications=[
            {
                "ResourceType": "launch-template",
                "Tags": [{"Key": "ovenbird:fleet", "Value": "web"}],
            }
        ],
    )
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


def without_snapshot_tags(params: dict[str, Any], **_: Any) -> None:
    params["TagSpecifications"] = [
        each for each in params["TagSpecifications"] if each["ResourceType"] != "snapshot"
    ]


def launch(template: str, base: str, subnet: str | None = None) -> str:
    blueprint = Blueprint(
        fleet="web",
        rollout="web-1",
        template_id=template,
        version="1",
        template={},
        base=Image(base, "golden", "available"),
        types=("t3.small",),
        subnets=(subnet,) if subnet else (),
    )
    return ec2_instances.launch(blueprints.attempts(blueprint))


def test_a_builder_is_launched_found_stopped_and_terminated(
    ec2: Any, template: str, base: str
) -> None:
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    instance = launch(template, base, subnet)
    ec2.run_instances(ImageId=base, MinCount=1, MaxCount=1)  # somebody else's

    (seen,) = ec2_instances.builders("web")
    assert (seen.instance_id, seen.rollout, seen.is_alive) == (instance, "web-1", True)
    assert ec2_instances.builders("api") == []

    ec2_instances.stop(instance)
    assert ec2_instances.builders("web")[0].state == "stopped"
    ec2_instances.terminate([instance, "i-0123456789abcdef0"])
    assert not ec2_instances.builders("web")[0].is_alive


def test_an_image_is_made_with_its_tags_and_found_by_its_name(
    ec2: Any, template: str, base: str
) -> None:
    ec2.meta.events.register("provide-client-params.ec2.CreateImage", without_snapshot_tags)
    instance = launch(template, base)
    made = ec2_images.create(
        instance,
        name=f"ovenbird-web-{KEY}",
        description="Fleet web, release v2",
        tags=images.tags(fleet="web", key=KEY, rollout="web-1", base=base, revision="v2"),
    )
    image = ec2_images.named(f"ovenbird-web-{KEY}")
    assert image is not None and image.image_id == made
    assert image.is_available and image.tags["ovenbird:base"] == base
    assert image.disks and image.root_device
    assert [each.image_id for each in ec2_images.named_like(f"ovenbird-web-{KEY}")] == [made]
    assert ec2_images.named_like(f"ovenbird-web-{'f' * 16}") == []
    assert ec2_images.named("ovenbird-web-x") is None

    ec2_images.mark_bad(made, "unhealthy")
    assert ec2_images.get(made).tags["ovenbird:bad"] == "unhealthy"


def test_a_version_is_published_read_and_made_the_default(template: str, base: str) -> None:
    source = ec2_templates.version(template, "$Latest")
    assert (source.number, source.image) == ("1", base)
    number = ec2_templates.publish(
        template, "1", {"ImageId": "ami-2"}, description="Ovenbird rollout web-1: v2", token="t"
    )
    assert number == "2"
    # moto passes over the filter by image.
    assert "2" in [each.number for each in ec2_templates.of_image(template, "ami-2")]
    ec2_templates.make_default(template, "2")
    assert ec2_templates.version(template, "$Default").number == "2"
    assert ec2_templates.tags([template]) == {template: {"ovenbird:fleet": "web"}}


@pytest.mark.usefixtures("ec2")
def test_what_is_gone_is_not_found() -> None:
    with pytest.raises(NotFound, match="lt-0123456789abcdef0"):
        ec2_templates.version("lt-0123456789abcdef0", "1")
    with pytest.raises(NotFound, match="ami-0123456789abcdef0"):
        ec2_images.get("ami-0123456789abcdef0")


def test_a_script_is_sent_as_a_shell_script(template: str, base: str) -> None:
    instance = launch(template, base)
    sent = commands.send(
        instance,
        ["true", "false"],
        comment="Ovenbird web-1",
        timeout=timedelta(minutes=60),
        delivery=timedelta(minutes=10),
    )
    (command,) = clients.get("ssm").list_commands(CommandId=sent)["Commands"]
    assert command["InstanceIds"] == [instance]
    assert command["Comment"] == "Ovenbird web-1"
    assert command["Parameters"] == {
        "commands": ["true", "false"],
        "workingDirectory": ["/"],
        "executionTimeout": ["3600"],
    }
