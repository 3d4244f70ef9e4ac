"""The blueprint of a builder: what it takes from a launch template, and what stands in the way.

A builder is no member of production. It takes what it needs to boot and to be reached, by a rule
for every member that a template can have; a member without a rule is named in the plan. The
template is named in the launch, because the roles may launch from nothing else; and a launch can
replace what its template says, but take nothing out ("the complex structure as specified in the
launch template plus any additional nested parameters"). So whatever a builder must not have is
replaced by something neutral, a device is crossed out (``NoDevice``), and what can be neither is a
reason to refuse.

Source: EC2 user guide, "Launch EC2 instances using a launch template"; EC2 API reference,
RunInstances, BlockDeviceMapping.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from ovenbird.core.groups import Group
from ovenbird.core.images import FLEET, ROLLOUT, Disk, Image
from ovenbird.core.tokens import launch_token

ROLE = "ovenbird:role"
BUILDER = "builder"
KEEP = "keep"
MOST_TYPES = 4
MOST_TAGS = 50  # of an instance, AWS's own aside. Source: EC2 user guide, "Tag restrictions".
TAGGED = ("instance", "volume", "network-interface")
EMPTY = "#!/bin/sh\n"  # user data that does nothing; an empty text would leave the template's

Content = Mapping[str, Any]  # LaunchTemplateData

# A rule for every member of a template. What is taken: to boot, to be reached, to be allowed.
TAKEN = frozenset(
    {
        "CpuOptions",
        "EbsOptimized",
        "IamInstanceProfile",
        "KernelId",
        "LicenseSpecifications",
        "RamDiskId",
        "SecurityGroupIds",
        "SecurityGroups",
    }
)
# What no launch can take out, and does a builder no harm.
HARMLESS = frozenset(
    {
        "CreditSpecification",
        "ElasticGpuSpecifications",
        "ElasticInferenceAccelerators",
        "KeyName",
        "MaintenanceOptions",
        "Operator",
        "PrivateDnsNameOptions",
        "SecondaryInterfaces",
        "TagSpecifications",
    }
)
# What every builder has as its own.
OWN = frozenset(
    {
        "BlockDeviceMappings",
        "DisableApiStop",
        "DisableApiTermination",
        "ImageId",
        "InstanceInitiatedShutdownBehavior",
        "InstanceType",
        "NetworkInterfaces",
        "UserData",
    }
)
# What is replaced where the template has it.
NEUTRAL: dict[str, dict[str, Any]] = {
    "EnclaveOptions": {"Enabled": False},
    "HibernationOptions": {"Configured": False},
    "Monitoring": {"Enabled": False},
    "NetworkPerformanceOptions": {"BandwidthWeighting": "default"},
}
LOOKED_INTO = frozenset({"CapacityReservationSpecification", "MetadataOptions", "Placement"})
REFUSED = frozenset({"InstanceMarketOptions", "InstanceRequirements"})
RULED = TAKEN | HARMLESS | OWN | NEUTRAL.keys() | LOOKED_INTO | REFUSED

_OF_A_DISK = ("VolumeType", "Iops", "Throughput", "KmsKeyId")
_OF_AN_INTERFACE = ("AssociatePublicIpAddress", "AssociateCarrierIpAddress", "Groups")
_OF_A_PLACE = ("Tenancy", "HostResourceGroupArn")
_IPV6 = ("Ipv6AddressCount", "Ipv6Addresses", "Ipv6Prefixes", "Ipv6PrefixCount")


@dataclass(frozen=True)
class Blueprint:
    """Everything that the launch of a builder depends on.

    Args:
        template: The version's LaunchTemplateData.
        base: The image that it starts from, in place of the template's.
        types: The instance types to try, the best first.
        subnets: Those of the group; none leaves the choice to EC2.
        user_data: ``None`` for none, ``keep`` for the template's, else a text.
        tags: The owner's, for everything that is made.
    """

    fleet: str
    rollout: str
    template_id: str
    version: str
    template: Content
    base: Image
    types: tuple[str, ...]
    subnets: tuple[str, ...] = ()
    user_data: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Attempt:
    """One RunInstances request; those of the same kind differ in the subnet only."""

    kind: tuple[str, int]  # the instance type, and the how manieth way to buy its capacity
    request: dict[str, Any]


def attempts(blueprint: Blueprint) -> tuple[Attempt, ...]:
    """The requests to try, one after the other: purchase by purchase, type by type, by subnet.

    A builder does not run in capacity that is reserved for production, unless there is no other.
    """
    found = []
    for (number, purchase), instance_type, subnet in product(
        enumerate(_purchases(blueprint.template)), blueprint.types, blueprint.subnets or (None,)
    ):
        request = {**_request(blueprint, instance_type, subnet), **purchase}
        token = launch_token(blueprint.rollout, request)
        found.append(Attempt((instance_type, number), {**request, "ClientToken": token}))
    return tuple(found)


def instance_types(template: Content, mixed: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The types to try: the template's first, then those that the group's overrides name.

    The overrides launch the same image, so each of their types can boot it. Not all of a long list:
    each is tried in every subnet, in one turn.
    """
    return launched_types(template, mixed)[:MOST_TYPES]


def launched_types(template: Content, mixed: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Every type that the group may launch, each once."""
    overrides = ((mixed or {}).get("LaunchTemplate") or {}).get("Overrides") or []
    named = (each.get("InstanceType") for each in (template, *overrides))
    return tuple(dict.fromkeys(str(each) for each in named if each))


def owners_tags(group: Group, document: Mapping[str, str]) -> dict[str, str]:
    """What the owner wants on everything that is made: the group's propagated tags, the document's.

    Not the group's ``Name``, which is its instances', nor what AWS and Ovenbird write themselves.
    """
    propagated = {
        key: value
        for key, value in group.tags.items()
        if key in group.propagated
        and key != "Name"
        and not key.lower().startswith(("aws:", "ovenbird:"))
    }
    return {**propagated, **document}


def tags(fleet: str, rollout: str, owners: Mapping[str, str]) -> dict[str, str]:
    """What a builder, its volumes and its interface are tagged with, in the launch."""
    ours = {FLEET: fleet, ROLLOUT: rollout, ROLE: BUILDER}
    return {"Name": f"ovenbird builder {fleet}", **owners, **ours}


def boot_identity(user_data: str | None, template: Content) -> str:
    """What says whether two builders do the same at their first boot; empty where they do nothing.

    Args:
        user_data: As in the document.
    """
    text = template.get("UserData") or "" if user_data == KEEP else user_data or ""
    return hashlib.sha256(str(text).encode()).hexdigest()[:16] if text else ""


def _request(blueprint: Blueprint, instance_type: str, subnet: str | None) -> dict[str, Any]:
    """It stops, and does not terminate, when its script shuts it down; it can be stopped and
    terminated whatever the template protects; none of its volumes and interfaces outlives it.
    """
    template = blueprint.template
    written = tags(blueprint.fleet, blueprint.rollout, blueprint.tags).items()
    pairs = [{"Key": key, "Value": value} for key, value in written]
    request: dict[str, Any] = {
        "LaunchTemplate": {
            "LaunchTemplateId": blueprint.template_id,
            "Version": blueprint.version,
        },
        "ImageId": blueprint.base.image_id,
        "InstanceType": instance_type,
        "MinCount": 1,
        "MaxCount": 1,
        "InstanceInitiatedShutdownBehavior": "stop",
        "DisableApiTermination": False,
        "DisableApiStop": False,
        "TagSpecifications": [{"ResourceType": each, "Tags": pairs} for each in TAGGED],
        **{name: value for name, value in NEUTRAL.items() if template.get(name)},
        **_placement(template),
    }
    if blueprint.user_data != KEEP and (template.get("UserData") or blueprint.user_data):
        request["UserData"] = blueprint.user_data or EMPTY
    if (template.get("MetadataOptions") or {}).get("HttpEndpoint") == "disabled":
        request["MetadataOptions"] = _reachable(template["MetadataOptions"])
    interfaces = template.get("NetworkInterfaces")
    if interfaces:
        request["NetworkInterfaces"] = _interfaces(interfaces, subnet)
    elif subnet:
        request["SubnetId"] = subnet
    devices = _devices(template.get("BlockDeviceMappings") or [], blueprint.base)
    if devices:
        request["BlockDeviceMappings"] = devices
    return request


def _purchases(template: Content) -> tuple[dict[str, Any], ...]:
    """How its capacity is bought: outside of what the template reserves, and then as it says."""
    wanted = template.get("CapacityReservationSpecification") or {}
    target = wanted.get("CapacityReservationTarget")
    if not target and wanted.get("CapacityReservationPreference") != "capacity-reservations-only":
        return ({},)
    outside = {"CapacityReservationSpecification": {"CapacityReservationPreference": "open"}}
    return (outside, {})


def _placement(template: Content) -> dict[str, Any]:
    """Tenancy is what a licence or a rule may ask for; groups and hosts are production's."""
    given = template.get("Placement") or {}
    if not given:
        return {}
    kept = {name: given[name] for name in _OF_A_PLACE if given.get(name)}
    return {"Placement": {"Tenancy": "default", **kept}}


def _reachable(metadata: Content) -> dict[str, Any]:
    """Without the metadata service neither the agent nor its permissions come."""
    return {
        **{name: value for name, value in metadata.items() if name != "State"},
        "HttpEndpoint": "enabled",
    }


def _interfaces(template: Sequence[Content], subnet: str | None) -> list[dict[str, Any]]:
    """The template's interfaces as the builder's own: in one subnet, without addresses, ended with
    it.

    All of them, because those that a launch does not name may be made as the template says, and
    outlive the builder.
    """
    first = min(template, key=_place)
    subnet = subnet or first.get("SubnetId")
    return [_interface(each, subnet) for each in template]


def _interface(given: Content, subnet: str | None) -> dict[str, Any]:
    card, index = _place(given)
    own: dict[str, Any] = {"DeviceIndex": index, **({"NetworkCardIndex": card} if card else {})}
    own |= {name: given[name] for name in _OF_AN_INTERFACE if given.get(name) is not None}
    if given.get("InterfaceType"):
        own["InterfaceType"] = "interface"
    if any(given.get(name) for name in _IPV6):
        own["Ipv6AddressCount"] = 1
    return {**own, **({"SubnetId": subnet} if subnet else {}), "DeleteOnTermination": True}


def _place(interface: Content) -> tuple[int, int]:
    return int(interface.get("NetworkCardIndex") or 0), int(interface.get("DeviceIndex") or 0)


def _devices(template: Sequence[Content], base: Image) -> list[dict[str, Any]]:
    """The disks of the base image, each at least as large as it wants, and no others."""
    of_base = {disk.device: disk for disk in base.disks}
    if not of_base and base.root_device:
        of_base = {base.root_device: Disk(base.root_device)}
    named = {str(each.get("DeviceName")): each for each in template}
    changed = []
    for device, disk in of_base.items():
        given = named.get(device)
        if given is not None and "NoDevice" not in given:
            changed.append({"DeviceName": device, "Ebs": _disk(disk, given.get("Ebs") or {})})
        elif given is None and disk.kept:
            changed.append({"DeviceName": device, "Ebs": {"DeleteOnTermination": True}})
    others = [name for name, each in named.items() if name not in of_base]
    return changed + [{"DeviceName": name, "NoDevice": ""} for name in others]


def _disk(disk: Disk, given: Content) -> dict[str, Any]:
    """The base's own disk, as the template would have it: never with another one's snapshot."""
    ebs: dict[str, Any] = {name: given[name] for name in _OF_A_DISK if given.get(name)}
    if given.get("Encrypted"):
        ebs["Encrypted"] = True
    if given.get("VolumeSize"):
        ebs["VolumeSize"] = max(int(given["VolumeSize"]), disk.size)
    if given.get("SnapshotId") and disk.snapshot:
        ebs["SnapshotId"] = disk.snapshot
    return {**ebs, "DeleteOnTermination": True}
