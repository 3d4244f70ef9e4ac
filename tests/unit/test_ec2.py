"""The adapters of EC2: odd answers, and requests that no story makes, word for word."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from ovenbird.aws import ec2_addresses, ec2_images, ec2_instances, ec2_templates
from ovenbird.core.addresses import Address
from ovenbird.core.blueprints import Attempt
from ovenbird.core.builders import Builder
from ovenbird.core.images import Disk, Image
from ovenbird.errors import BakeFailed, Declined, NotFound, NotYetVisible, Refused
from tests.unit.stubs import stubbed

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def ec2() -> Iterator[Stubber]:
    with stubbed("ec2") as stubber:
        yield stubber


class TestImages:
    def test_an_image_with_every_kind_of_device(self, ec2: Stubber) -> None:
        """Instance store has no volume, a device may be left out, a volume have no snapshot."""
        ec2.add_response(
            "describe_images",
            {
                "Images": [
                    {
                        "ImageId": "ami-1",
                        "State": "available",
                        "Name": "golden",
                        "CreationDate": "2026-01-05T12:00:00.000Z",
                        "RootDeviceName": "/dev/sda1",
                        "Tags": [{"Key": "team", "Value": "web"}],
                        "BlockDeviceMappings": [
                            {
                                "DeviceName": "/dev/sda1",
                                "Ebs": {"SnapshotId": "snap-1", "DeleteOnTermination": True},
                            },
                            {
                                "DeviceName": "/dev/sdf",
                                "Ebs": {"VolumeSize": 20, "DeleteOnTermination": False},
                            },
                            {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"},
                            {"DeviceName": "/dev/sdc", "NoDevice": ""},
                        ],
                    }
                ]
            },
            {"ImageIds": ["ami-1"]},
        )
        image = ec2_images.get("ami-1")
        assert (image.image_id, image.name, image.state) == ("ami-1", "golden", "available")
        assert image.tags == {"team": "web"}
        assert image.created == NOON
        assert image.disks == (
            Disk("/dev/sda1", "snap-1"),
            Disk("/dev/sdf", size=20, kept=True),
        )
        assert image.root_device == "/dev/sda1"
        assert image.kept_devices == ("/dev/sdf",)

    def test_an_image_of_which_aws_tells_next_to_nothing(self, ec2: Stubber) -> None:
        ec2.add_response("describe_images", {"Images": [{"ImageId": "ami-1", "State": "pending"}]})
        image = ec2_images.get("ami-1")
        assert image == Image("ami-1", "", "pending", created=None)
        assert (image.disks, image.kept_devices, image.root_device) == ((), (), "")
        assert (image.architecture, image.platform, image.source_instance) == ("", "", "")

    def test_what_an_image_was_made_of_and_what_it_runs_on(self, ec2: Stubber) -> None:
        told = {"ImageId": "ami-1", "State": "available", "Architecture": "arm64"}
        told |= {"Platform": "Windows", "SourceInstanceId": "i-1"}
        ec2.add_response("describe_images", {"Images": [told]})
        image = ec2_images.get("ami-1")
        assert (image.architecture, image.platform) == ("arm64", "windows")
        assert image.source_instance == "i-1"

    def test_images_are_asked_for_by_the_beginning_of_their_names(self, ec2: Stubber) -> None:
        ec2.add_response(
            "describe_images",
            {"Images": []},
            {
                "Owners": ["self"],
                "IncludeDisabled": True,
                "Filters": [{"Name": "name", "Values": ["ovenbird-web-k*"]}],
                "MaxResults": 100,
            },
        )
        assert ec2_images.named_like("ovenbird-web-k") == []

    def test_a_failed_image_has_its_reason(self, ec2: Stubber) -> None:
        failed = {
            "ImageId": "ami-1",
            "State": "failed",
            "StateReason": {"Code": "Client.InternalError", "Message": "the key is disabled"},
        }
        ec2.add_response("describe_images", {"Images": [failed]})
        assert ec2_images.get("ami-1").state_reason == "the key is disabled"

    def test_an_empty_answer_is_no_image(self, ec2: Stubber) -> None:
        ec2.add_response("describe_images", {"Images": []})
        with pytest.raises(NotFound, match=r"^The image ami-1 does not exist, or this account may"):
            ec2_images.get("ami-1")

    def test_an_image_is_asked_for_by_name_among_our_own_also_disabled(self, ec2: Stubber) -> None:
        ec2.add_response(
            "describe_images",
            {"Images": []},
            {
                "Owners": ["self"],
                "IncludeDisabled": True,
                "Filters": [{"Name": "name", "Values": ["ovenbird-web-k"]}],
                "MaxResults": 100,
            },
        )
        assert ec2_images.named("ovenbird-web-k") is None

    def test_volumes_that_outlive_their_instance_are_kept_so_in_the_image(
        self, ec2: Stubber
    ) -> None:
        tags = [{"Key": "ovenbird:fleet", "Value": "web"}]
        ec2.add_response(
            "create_image",
            {"ImageId": "ami-2"},
            {
                "InstanceId": "i-1",
                "Name": "ovenbird-web-k",
                "Description": "d" * 255,
                "TagSpecifications": [
                    {"ResourceType": "image", "Tags": tags},
                    {"ResourceType": "snapshot", "Tags": tags},
                ],
                "BlockDeviceMappings": [
                    {"DeviceName": "/dev/sdf", "Ebs": {"DeleteOnTermination": False}},
                    {"DeviceName": "/dev/sdg", "Ebs": {"DeleteOnTermination": False}},
                ],
            },
        )
        made = ec2_images.create(
            "i-1",
            name="ovenbird-web-k",
            description="d" * 300,
            tags={"ovenbird:fleet": "web"},
            kept_devices=("/dev/sdf", "/dev/sdg"),
        )
        assert made == "ami-2"

    @pytest.mark.parametrize(
        ("code", "failure", "words"),
        [
            ("SnapshotLimitExceeded", BakeFailed, '"Snapshots per Region" of this account is used'),
            ("InvalidAMIName.Duplicate", NotYetVisible, "An image ovenbird-web-k exists but"),
            ("InvalidAMIName.Malformed", Declined, "because"),
        ],
    )
    def test_an_image_that_is_refused(
        self, ec2: Stubber, code: str, failure: type[Exception], words: str
    ) -> None:
        ec2.add_client_error("create_image", code, "because")
        with pytest.raises(failure, match=words):
            ec2_images.create("i-1", name="ovenbird-web-k", description="", tags={})

    @pytest.mark.parametrize("code", ["InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"])
    def test_an_image_that_is_gone_needs_no_mark(self, ec2: Stubber, code: str) -> None:
        ec2.add_client_error("create_tags", code)
        ec2_images.mark_bad("ami-1", "it crashed")

    def test_a_mark_that_is_refused_is_loud(self, ec2: Stubber) -> None:
        ec2.add_client_error("create_tags", "TagLimitExceeded")
        with pytest.raises(Declined):
            ec2_images.mark_bad("ami-1", "it crashed")


ATTEMPT = Attempt(("t3.small", 0), {"MinCount": 1, "MaxCount": 1})


class TestBuilders:
    def launched(self, **more: Any) -> dict[str, Any]:
        return {"InstanceId": "i-1", "State": {"Name": "pending"}, "LaunchTime": NOON, **more}

    def test_builders_stand_in_several_reservations(self, ec2: Stubber) -> None:
        ended = {"Tags": [{"Key": "ovenbird:rollout", "Value": "web-1"}]} | {
            "InstanceId": "i-2",
            "State": {"Name": "terminated"},
            "StateReason": {"Code": "Server.SpotInstanceTermination", "Message": "taken back"},
        }
        ec2.add_response(
            "describe_instances",
            {
                "Reservations": [
                    {"Instances": [self.launched()]},
                    {"Instances": []},
                    {"Instances": [{"LaunchTime": NOON} | ended]},
                ]
            },
            {
                "Filters": [
                    {"Name": "tag:ovenbird:fleet", "Values": ["web"]},
                    {"Name": "tag:ovenbird:role", "Values": ["builder"]},
                ],
                "MaxResults": 100,
            },
        )
        assert ec2_instances.builders("web") == [
            Builder("i-1", "pending", NOON, rollout="", state_reason=""),
            Builder("i-2", "terminated", NOON, rollout="web-1", state_reason="taken back"),
        ]

    @pytest.mark.parametrize(
        ("transition", "stopped"),
        [
            ("User initiated (2026-01-05 12:00:00 GMT)", NOON),
            ("Server.SpotInstanceTermination", None),
            ("", None),
        ],
    )
    def test_the_marks_that_only_aws_writes_are_read(
        self, ec2: Stubber, transition: str, stopped: datetime | None
    ) -> None:
        marked = self.launched(
            ClientToken="t" * 64,
            StateTransitionReason=transition,
            Tags=[{"Key": "aws:autoscaling:groupName", "Value": "web"}],
        )
        ec2.add_response("describe_instances", {"Reservations": [{"Instances": [marked]}]})
        (found,) = ec2_instances.builders("web")
        assert (found.client_token, found.group, found.stopped) == ("t" * 64, "web", stopped)

    def test_where_there_is_no_room_the_next_request_is_made(self, ec2: Stubber) -> None:
        ec2.add_client_error("run_instances", "InsufficientInstanceCapacity", "none in a")
        ec2.add_response("run_instances", {"Instances": [self.launched()]})
        assert ec2_instances.launch([ATTEMPT, ATTEMPT]) == "i-1"

    def test_no_room_anywhere_tells_each_refusal(self, ec2: Stubber) -> None:
        ec2.add_client_error("run_instances", "InsufficientInstanceCapacity", "none in a")
        ec2.add_client_error("run_instances", "InsufficientFreeAddressesInSubnet", "b is full")
        with pytest.raises(BakeFailed) as failed:
            ec2_instances.launch([ATTEMPT, ATTEMPT])
        assert "none in a (InsufficientInstanceCapacity)" in str(failed.value)
        assert "b is full (InsufficientFreeAddressesInSubnet)" in str(failed.value)

    def test_a_builder_that_was_ended_is_not_made_again(self, ec2: Stubber) -> None:
        ec2.add_client_error("run_instances", "IdempotentInstanceTerminated")
        with pytest.raises(BakeFailed, match="was terminated before its image was made"):
            ec2_instances.launch([ATTEMPT])

    def test_each_is_ended_by_a_call_of_its_own(self, ec2: Stubber) -> None:
        ec2.add_client_error("terminate_instances", "InvalidInstanceID.NotFound")
        ec2.add_response(
            "terminate_instances", {"TerminatingInstances": []}, {"InstanceIds": ["i-2"]}
        )
        ec2_instances.terminate(["i-1", "i-2"])

    def test_one_that_may_not_be_ended_is_loud(self, ec2: Stubber) -> None:
        ec2.add_client_error("terminate_instances", "OperationNotPermitted", "protected")
        with pytest.raises(Declined, match="protected"):
            ec2_instances.terminate(["i-1"])


class TestTemplates:
    def publish(self) -> str:
        return ec2_templates.publish("lt-1", "3", {"ImageId": "ami-2"}, description="d", token="t")

    def test_a_version_is_asked_for_whole(self, ec2: Stubber) -> None:
        ec2.add_response(
            "create_launch_template_version",
            {"LaunchTemplateVersion": {"VersionNumber": 4}},
            {
                "LaunchTemplateId": "lt-1",
                "SourceVersion": "3",
                "LaunchTemplateData": {"ImageId": "ami-2"},
                "VersionDescription": "d",
                "ClientToken": "t",
            },
        )
        assert self.publish() == "4"

    def test_a_version_that_ec2_warns_of_is_refused_in_its_words(self, ec2: Stubber) -> None:
        ec2.add_response(
            "create_launch_template_version",
            {
                "LaunchTemplateVersion": {"VersionNumber": 4},
                "Warning": {
                    "Errors": [
                        {"Code": "InvalidKeyPair", "Message": "There is no key web"},
                        {"Code": "InvalidSubnet", "Message": "There is no subnet s"},
                    ]
                },
            },
        )
        with pytest.raises(Refused) as refused:
            self.publish()
        assert str(refused.value) == (
            "EC2 warns that version 4 of lt-1 cannot be launched: There is no key web "
            "(InvalidKeyPair); There is no subnet s (InvalidSubnet)"
        )

    def test_a_warning_without_errors_is_none(self, ec2: Stubber) -> None:
        made = {"LaunchTemplateVersion": {"VersionNumber": 4}, "Warning": {"Errors": []}}
        ec2.add_response("create_launch_template_version", made)
        assert self.publish() == "4"

    def test_empty_answers_are_not_found(self, ec2: Stubber) -> None:
        ec2.add_response("describe_launch_template_versions", {"LaunchTemplateVersions": []})
        with pytest.raises(NotFound, match=r"^Version 3 of the launch template lt-1 does not"):
            ec2_templates.version("lt-1", "3")
        ec2.add_response("describe_launch_templates", {"LaunchTemplates": []})
        with pytest.raises(NotFound, match=r"^The launch template lt-1 does not exist\.$"):
            ec2_templates.tags(["lt-1"])

    def test_a_version_without_content_and_a_template_without_tags(self, ec2: Stubber) -> None:
        ec2.add_response(
            "describe_launch_template_versions",
            {"LaunchTemplateVersions": [{"LaunchTemplateId": "lt-1", "VersionNumber": 3}]},
        )
        seen = ec2_templates.version("lt-1", "3")
        assert (seen.template_id, seen.number, seen.content, seen.image) == ("lt-1", "3", {}, None)
        ec2.add_response(
            "describe_launch_templates", {"LaunchTemplates": [{"LaunchTemplateId": "lt-1"}]}
        )
        assert ec2_templates.tags(["lt-1"])["lt-1"] == {}


class TestAddresses:
    def test_an_address_that_is_free_and_one_on_an_interface(self, ec2: Stubber) -> None:
        free = {"AllocationId": "eipalloc-1", "PublicIp": "192.0.2.1", "InstanceId": ""}
        taken = {
            "AllocationId": "eipalloc-2",
            "PublicIp": "192.0.2.2",
            "AssociationId": "eipassoc-1",
            "NetworkInterfaceId": "eni-1",
        }
        left = {"AllocationId": "eipalloc-3", "PublicIp": "192.0.2.3", "NetworkInterfaceId": "eni"}
        ec2.add_response(
            "describe_addresses",
            {"Addresses": [free, taken, left]},
            {"Filters": [{"Name": "tag:ovenbird:fleet", "Values": ["web"]}]},
        )
        assert ec2_addresses.pool("web") == (
            Address("eipalloc-1", "192.0.2.1", "", ""),
            Address("eipalloc-2", "192.0.2.2", "", "eni-1"),
            Address("eipalloc-3", "192.0.2.3", "", ""),
        )

    def test_an_address_that_was_released_is_not_found(self, ec2: Stubber) -> None:
        ec2.add_response("describe_addresses", {"Addresses": []})
        with pytest.raises(NotFound, match=r"^There is no address eipalloc-1 in this account"):
            ec2_addresses.describe("eipalloc-1")

    @pytest.mark.parametrize(
        ("interfaces", "named"),
        [
            pytest.param([], {"InstanceId": "i-1"}, id="none that is shown"),
            pytest.param([("eni-1", 0)], {"InstanceId": "i-1"}, id="one"),
            pytest.param(
                [("eni-2", 1), ("eni-1", 0)], {"NetworkInterfaceId": "eni-1"}, id="the first of two"
            ),
            pytest.param([("eni-2", 1), ("eni-3", 2)], {"InstanceId": "i-1"}, id="no first one"),
        ],
    )
    def test_an_instance_is_named_by_its_first_interface(
        self, ec2: Stubber, interfaces: list[tuple[str, int]], named: dict[str, str]
    ) -> None:
        shown = [
            {"NetworkInterfaceId": name, "Attachment": {"DeviceIndex": index}}
            for name, index in interfaces
        ]
        ec2.add_response(
            "describe_instances",
            {
                "Reservations": [
                    {"Instances": [{"InstanceId": "i-1", "NetworkInterfaces": shown}]},
                ]
            },
            {"Filters": [{"Name": "instance-id", "Values": ["i-1"]}]},
        )
        assert ec2_addresses.target("i-1") == named

    @pytest.mark.parametrize("state", ["shutting-down", "terminated"])
    def test_those_that_end_are_told_from_those_that_live(self, ec2: Stubber, state: str) -> None:
        ec2.add_response(
            "describe_instances",
            {
                "Reservations": [
                    {"Instances": [{"InstanceId": "i-1", "State": {"Name": state}}]},
                    {"Instances": [{"InstanceId": "i-2", "State": {"Name": "stopped"}}]},
                ]
            },
        )
        assert ec2_addresses.ended({"i-1", "i-2", "i-3"}) == {"i-1"}

    def test_nobody_is_asked_for_nobody(self, ec2: Stubber) -> None:
        assert ec2_addresses.ended(()) == frozenset()
        ec2.assert_no_pending_responses()
