"""What a builder takes from a launch template, and the requests that launch it."""

from __future__ import annotations

from typing import Any

import pytest

from ovenbird.core import blueprints
from ovenbird.core.blueprints import Blueprint
from ovenbird.core.images import Disk, Image
from sandbox.cloud import shapes
from tests.unit.fleets import group

ROOT = "/dev/xvda"
BASE = Image("ami-1", "golden", "available", disks=(Disk(ROOT, "snap-base", 10),), root_device=ROOT)
RESERVED = {
    "CapacityReservationSpecification": {
        "CapacityReservationTarget": {"CapacityReservationId": "cr-1"}
    }
}


def blueprint(template: dict[str, Any] | None = None, **changes: Any) -> Blueprint:
    given: dict[str, Any] = {
        "fleet": "web",
        "rollout": "web-1",
        "template_id": "lt-1",
        "version": "3",
        "template": template or {},
        "base": BASE,
        "types": ("t4g.small",),
        "subnets": ("subnet-1",),
    }
    return Blueprint(**(given | changes))


def request(template: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The first request, checked against EC2's own model."""
    made = blueprints.attempts(blueprint(template, **changes))[0].request
    shapes.params("ec2", "RunInstances", made)
    return made


def test_names_the_groups_template_and_the_base_image() -> None:
    made = request()
    assert len(made.pop("ClientToken")) == 64
    tags = [
        {"Key": "Name", "Value": "ovenbird builder web"},
        {"Key": "ovenbird:fleet", "Value": "web"},
        {"Key": "ovenbird:rollout", "Value": "web-1"},
        {"Key": "ovenbird:role", "Value": "builder"},
    ]
    assert made == {
        "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "3"},
        "ImageId": "ami-1",
        "InstanceType": "t4g.small",
        "MinCount": 1,
        "MaxCount": 1,
        "InstanceInitiatedShutdownBehavior": "stop",
        "DisableApiTermination": False,
        "DisableApiStop": False,
        "TagSpecifications": [
            {"ResourceType": each, "Tags": tags}
            for each in ("instance", "volume", "network-interface")
        ],
        "SubnetId": "subnet-1",
    }


def test_every_member_that_a_template_can_have_has_one_rule() -> None:
    """A new version of AWS's model brings new members: each has to be thought about."""
    content = shapes.model("ec2").shape_for("ResponseLaunchTemplateData")
    assert set(content.members) == blueprints.RULED  # type: ignore[attr-defined]
    rules = [
        blueprints.TAKEN,
        blueprints.HARMLESS,
        blueprints.OWN,
        frozenset(blueprints.NEUTRAL),
        blueprints.LOOKED_INTO,
        blueprints.REFUSED,
    ]
    assert sum(map(len, rules)) == len(blueprints.RULED)


def test_what_is_taken_is_not_sent_again() -> None:
    """It is in the template; who names it once more needs other permissions for it."""
    template = {
        "IamInstanceProfile": {"Name": "web"},
        "SecurityGroupIds": ["sg-1"],
        "EbsOptimized": True,
        "CpuOptions": {"CoreCount": 1},
        "KeyName": "ops",
        "CreditSpecification": {"CpuCredits": "standard"},
    }
    assert request(template).keys() == request().keys()


def test_what_production_has_is_replaced_by_something_neutral() -> None:
    made = request(
        {
            "Monitoring": {"Enabled": True},
            "HibernationOptions": {"Configured": True},
            "EnclaveOptions": {"Enabled": True},
            "NetworkPerformanceOptions": {"BandwidthWeighting": "vpc-1"},
            "Placement": {"GroupName": "cluster", "HostId": "h-1", "Tenancy": "dedicated"},
            "DisableApiTermination": True,
            "DisableApiStop": True,
            "InstanceInitiatedShutdownBehavior": "terminate",
        }
    )
    assert made["Monitoring"] == {"Enabled": False}
    assert made["HibernationOptions"] == {"Configured": False}
    assert made["EnclaveOptions"] == {"Enabled": False}
    assert made["NetworkPerformanceOptions"] == {"BandwidthWeighting": "default"}
    assert made["Placement"] == {"Tenancy": "dedicated"}
    assert made["DisableApiTermination"] is made["DisableApiStop"] is False
    assert made["InstanceInitiatedShutdownBehavior"] == "stop"


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({"GroupName": "spread"}, {"Tenancy": "default"}, id="a placement group"),
        pytest.param(
            {"Tenancy": "host", "HostResourceGroupArn": "arn:x", "Affinity": "host"},
            {"Tenancy": "host", "HostResourceGroupArn": "arn:x"},
            id="hosts of a licence",
        ),
        pytest.param(
            {"GroupName": "p", "PartitionNumber": 3}, {"Tenancy": "default"}, id="a partition"
        ),
    ],
)
def test_of_a_placement_only_its_tenancy_is_taken(
    given: dict[str, Any], sent: dict[str, Any] | None
) -> None:
    assert request({"Placement": given}).get("Placement") == sent


@pytest.mark.parametrize(
    ("metadata", "sent"),
    [
        pytest.param({"HttpTokens": "required"}, None, id="reachable"),
        pytest.param(
            {"State": "applied", "HttpEndpoint": "disabled", "HttpTokens": "required"},
            {"HttpEndpoint": "enabled", "HttpTokens": "required"},
            id="switched off, which the agent cannot do without",
        ),
    ],
)
def test_the_metadata_service_is_there(
    metadata: dict[str, Any], sent: dict[str, Any] | None
) -> None:
    assert request({"MetadataOptions": metadata}).get("MetadataOptions") == sent


@pytest.mark.parametrize(
    ("template", "wanted", "sent"),
    [
        pytest.param({}, None, None, id="none, and none is wanted"),
        pytest.param({"UserData": "am9pbg=="}, None, "#!/bin/sh\n", id="that of production"),
        pytest.param({"UserData": "am9pbg=="}, "keep", None, id="kept"),
        pytest.param({"UserData": "am9pbg=="}, "#!/bin/sh\necho", "#!/bin/sh\necho", id="own"),
        pytest.param({}, "#cloud-config\n{}", "#cloud-config\n{}", id="own, without one"),
        pytest.param({}, "keep", None, id="kept, without one"),
    ],
)
def test_user_data_is_the_templates_only_where_that_is_wanted(
    template: dict[str, Any], wanted: str | None, sent: str | None
) -> None:
    assert request(template, user_data=wanted).get("UserData") == sent


def test_what_a_builder_does_at_its_first_boot_has_an_identity() -> None:
    joins, leaves = {"UserData": "am9pbg=="}, {"UserData": "bGVhdmU="}
    assert blueprints.boot_identity(None, joins) == ""
    assert blueprints.boot_identity("keep", {}) == ""
    own = blueprints.boot_identity("#!/bin/sh", joins)
    assert own == blueprints.boot_identity("#!/bin/sh", leaves) != ""
    kept = blueprints.boot_identity("keep", joins)
    assert len({own, kept, blueprints.boot_identity("keep", leaves)}) == 3


INTERFACES = [
    pytest.param(
        [{"DeviceIndex": 0, "AssociatePublicIpAddress": True}],
        [{"DeviceIndex": 0, "AssociatePublicIpAddress": True}],
        id="the way to the network",
    ),
    pytest.param(
        [
            {"DeviceIndex": 1, "NetworkInterfaceId": "eni-1"},
            {"DeviceIndex": 0, "Groups": ["sg-1"], "DeleteOnTermination": False},
        ],
        [{"DeviceIndex": 1}, {"DeviceIndex": 0, "Groups": ["sg-1"]}],
        id="each of several ends with it",
    ),
    pytest.param(
        [
            {"DeviceIndex": 1, "NetworkCardIndex": 1, "Groups": ["sg-9"], "InterfaceType": "efa"},
            {"DeviceIndex": 0, "NetworkCardIndex": 0, "Groups": ["sg-1"], "InterfaceType": "efa"},
        ],
        [
            {
                "DeviceIndex": 1,
                "NetworkCardIndex": 1,
                "Groups": ["sg-9"],
                "InterfaceType": "interface",
            },
            {"DeviceIndex": 0, "Groups": ["sg-1"], "InterfaceType": "interface"},
        ],
        id="of several network cards, and plain",
    ),
    pytest.param(
        [
            {
                "DeviceIndex": 0,
                "PrivateIpAddress": "10.0.0.9",
                "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.9", "Primary": True}],
                "Ipv6Addresses": [{"Ipv6Address": "::1"}, {"Ipv6Address": "::2"}],
                "Ipv4Prefixes": [{"Ipv4Prefix": "10.0.1.0/28"}],
                "Ipv6Prefixes": [{"Ipv6Prefix": "2001:db8::/80"}],
                "SecondaryPrivateIpAddressCount": 3,
                "PrimaryIpv6": True,
                "EnaSrdSpecification": {"EnaSrdEnabled": True},
                "ConnectionTrackingSpecification": {"TcpEstablishedTimeout": 60},
                "EnaQueueCount": 8,
                "Description": "of production",
            }
        ],
        [{"DeviceIndex": 0, "Ipv6AddressCount": 1}],
        id="nothing that only one instance can have",
    ),
]


@pytest.mark.parametrize(("interfaces", "taken"), INTERFACES)
def test_a_builder_has_interfaces_of_its_own(
    interfaces: list[dict[str, Any]], taken: list[dict[str, Any]]
) -> None:
    """All in one subnet, and none outlives it."""
    made = request({"NetworkInterfaces": interfaces})
    assert "SubnetId" not in made, "EC2 refuses it beside interfaces"
    own = {"SubnetId": "subnet-1", "DeleteOnTermination": True}
    assert made["NetworkInterfaces"] == [{**each, **own} for each in taken]


def test_an_interface_stays_in_its_subnet_where_the_group_names_none() -> None:
    interfaces = [{"DeviceIndex": 0, "SubnetId": "subnet-9"}]
    (sent,) = request({"NetworkInterfaces": interfaces}, subnets=())["NetworkInterfaces"]
    assert sent["SubnetId"] == "subnet-9"
    assert "SubnetId" not in request(subnets=())


ROOT_GONE = {"DeviceName": ROOT, "Ebs": {"DeleteOnTermination": True}}


@pytest.mark.parametrize(
    ("mappings", "disks", "sent"),
    [
        pytest.param([], (Disk(ROOT, "snap-base", 10),), None, id="nothing to change"),
        pytest.param(
            [{"DeviceName": ROOT, "Ebs": {"VolumeSize": 20}}],
            (Disk(ROOT, "snap-base", 10),),
            [{"DeviceName": ROOT, "Ebs": {"VolumeSize": 20, "DeleteOnTermination": True}}],
            id="room for what is installed",
        ),
        pytest.param(
            [{"DeviceName": ROOT, "Ebs": {"VolumeSize": 8}}],
            (Disk(ROOT, "snap-base", 30),),
            [{"DeviceName": ROOT, "Ebs": {"VolumeSize": 30, "DeleteOnTermination": True}}],
            id="at least as large as the base wants",
        ),
        pytest.param(
            [
                {
                    "DeviceName": ROOT,
                    "Ebs": {
                        "Encrypted": True,
                        "KmsKeyId": "key-1",
                        "VolumeType": "gp3",
                        "Iops": 3000,
                        "Throughput": 250,
                        "DeleteOnTermination": False,
                        "VolumeInitializationRate": 100,
                    },
                }
            ],
            (Disk(ROOT, "snap-base", 10),),
            [
                {
                    "DeviceName": ROOT,
                    "Ebs": {
                        "Encrypted": True,
                        "KmsKeyId": "key-1",
                        "VolumeType": "gp3",
                        "Iops": 3000,
                        "Throughput": 250,
                        "DeleteOnTermination": True,
                    },
                }
            ],
            id="as fast and as encrypted as those of production",
        ),
        pytest.param(
            [{"DeviceName": ROOT, "Ebs": {"SnapshotId": "snap-old", "Encrypted": False}}],
            (Disk(ROOT, "snap-base", 10),),
            [{"DeviceName": ROOT, "Ebs": {"SnapshotId": "snap-base", "DeleteOnTermination": True}}],
            id="the base's own disk, whatever the template pins",
        ),
        pytest.param(
            [
                {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"},
                {"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": "snap-data"}},
                {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 100}},
            ],
            (Disk(ROOT, "snap-base", 10),),
            [
                {"DeviceName": "/dev/sdb", "NoDevice": ""},
                {"DeviceName": "/dev/sdf", "NoDevice": ""},
                {"DeviceName": "/dev/sda1", "NoDevice": ""},
            ],
            id="no disks but those of the base",
        ),
        pytest.param(
            [],
            (Disk(ROOT, "snap-base", 10), Disk("/dev/sdf", "snap-d", 50, kept=True)),
            [{"DeviceName": "/dev/sdf", "Ebs": {"DeleteOnTermination": True}}],
            id="a volume that the image keeps",
        ),
        pytest.param(
            [{"DeviceName": "/dev/sdf", "NoDevice": ""}],
            (Disk(ROOT, "snap-base", 10), Disk("/dev/sdf", "snap-d", 50, kept=True)),
            None,
            id="a volume of the image that production leaves out",
        ),
        pytest.param([{"DeviceName": ROOT}], (), [ROOT_GONE], id="an image that tells no devices"),
    ],
)
def test_a_builder_has_the_disks_of_its_base(
    mappings: list[dict[str, Any]],
    disks: tuple[Disk, ...],
    sent: list[dict[str, Any]] | None,
) -> None:
    base = Image("ami-1", "golden", "available", disks=disks, root_device=ROOT)
    made = request({"BlockDeviceMappings": mappings}, base=base)
    assert made.get("BlockDeviceMappings") == sent


def test_every_type_is_tried_in_every_subnet() -> None:
    tried = blueprints.attempts(blueprint(types=("a", "b"), subnets=("s-1", "s-2")))
    assert [(each.kind, each.request["SubnetId"]) for each in tried] == [
        (("a", 0), "s-1"),
        (("a", 0), "s-2"),
        (("b", 0), "s-1"),
        (("b", 0), "s-2"),
    ]
    assert len({each.request["ClientToken"] for each in tried}) == 4


@pytest.mark.parametrize(
    ("template", "ways"),
    [
        pytest.param({}, [None], id="nothing is reserved"),
        pytest.param(RESERVED, ["open", None], id="a reservation of production's"),
        pytest.param(
            {
                "CapacityReservationSpecification": {
                    "CapacityReservationPreference": "capacity-reservations-only"
                }
            },
            ["open", None],
            id="nothing but reservations",
        ),
        pytest.param(
            {"CapacityReservationSpecification": {"CapacityReservationPreference": "none"}},
            [None],
            id="no reservation",
        ),
    ],
)
def test_reserved_capacity_is_the_last_resort(
    template: dict[str, Any], ways: list[str | None]
) -> None:
    tried = blueprints.attempts(blueprint(template))
    assert [
        each.request.get("CapacityReservationSpecification", {}).get(
            "CapacityReservationPreference"
        )
        for each in tried
    ] == ways
    assert [each.kind for each in tried] == [("t4g.small", n) for n in range(len(ways))]


def overrides(*given: dict[str, Any]) -> dict[str, Any]:
    return {"LaunchTemplate": {"Overrides": list(given)}}


@pytest.mark.parametrize(
    ("template", "mixed", "expected"),
    [
        pytest.param({"InstanceType": "t4g.small"}, None, ("t4g.small",), id="the template's"),
        pytest.param(
            {"InstanceType": "c7g.large"},
            overrides({"InstanceType": "m7g.large"}, {"InstanceType": "c7g.large"}),
            ("c7g.large", "m7g.large"),
            id="the template's first, each once",
        ),
        pytest.param(
            {},
            overrides({"WeightedCapacity": "1"}, {"InstanceType": "c7g.large"}),
            ("c7g.large",),
            id="those of overrides that name one",
        ),
        pytest.param({}, None, (), id="none"),
        pytest.param({}, {"LaunchTemplate": {}}, (), id="no overrides"),
        pytest.param(
            {"InstanceType": "a"},
            overrides(*({"InstanceType": each} for each in "bcdef")),
            ("a", "b", "c", "d"),
            id="not all of a long list",
        ),
    ],
)
def test_finds_the_instance_types(
    template: dict[str, Any], mixed: dict[str, Any] | None, expected: tuple[str, ...]
) -> None:
    assert blueprints.instance_types(template, mixed) == expected


def test_the_owners_tags_are_on_everything_and_do_not_say_what_is_ours() -> None:
    owners = {"team": "web", "ovenbird:role": "member", "Name": "bake"}
    made = request(tags=owners)
    (pairs,) = {
        tuple((tag["Key"], tag["Value"]) for tag in each["Tags"])
        for each in made["TagSpecifications"]
    }
    assert dict(pairs) == {
        "Name": "bake",
        "team": "web",
        "ovenbird:fleet": "web",
        "ovenbird:rollout": "web-1",
        "ovenbird:role": "builder",
    }
    assert [each["ResourceType"] for each in made["TagSpecifications"]] == [
        "instance",
        "volume",
        "network-interface",
    ]


def test_the_groups_propagated_tags_are_the_owners_too() -> None:
    tags = {
        "CostCenter": "42",
        "secret": "x",
        "Name": "web",
        "ovenbird:fleet": "web",
        "aws:cloudformation:stack-name": "web",
        "team": "old",
    }
    fleet = group(1)
    object.__setattr__(fleet, "tags", tags)
    object.__setattr__(fleet, "propagated", frozenset(tags) - {"secret"})
    assert blueprints.owners_tags(fleet, {"team": "web"}) == {"CostCenter": "42", "team": "web"}
