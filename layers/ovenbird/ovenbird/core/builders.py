"""The builder: the one instance that is launched outside the group, to be made into an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ovenbird.core.images import FLEET, ROLLOUT
from ovenbird.core.templates import Version
from ovenbird.core.tokens import token

ROLE = "ovenbird:role"
BUILDER = "builder"
MOST_TYPES = 4

_UNIQUE = ("NetworkInterfaceId", "PrivateIpAddress", "PrivateIpAddresses", "Ipv6Addresses")
_ENDING = ("shutting-down", "terminated")
SEEN_AFTER = timedelta(seconds=90)  # that long may EC2 not show an instance that was launched


@dataclass(frozen=True)
class Builder:
    """A builder as it was observed; ``state`` is EC2's, ``state_reason`` says why it ended."""

    instance_id: str
    state: str
    launched: datetime
    rollout: str = ""
    state_reason: str = ""
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def is_alive(self) -> bool:
        """Whether it still has to be terminated."""
        return self.state not in _ENDING


def of_rollout(builders: Sequence[Builder], rollout: str) -> Builder | None:
    """The rollout's builder; the oldest living one, should a repeated launch have made two."""
    ours = [builder for builder in builders if builder.rollout == rollout]
    return min(
        ours, key=lambda b: (not b.is_alive, b.launched.timestamp(), b.instance_id), default=None
    )


def unseen(
    builders: Sequence[Builder],
    rollout: str,
    *,
    known: str | None,
    launched: datetime,
    now: datetime,
) -> bool:
    """Whether the rollout may have a builder that cannot be seen yet.

    Args:
        known: Its id, if the launch was answered.
        launched: When it was launched, or the earliest time at which it can have been.
    """
    if now - launched >= SEEN_AFTER:
        return False
    seen = {builder.instance_id for builder in builders if builder.rollout == rollout}
    return known not in seen if known else not seen


def alive(builders: Sequence[Builder]) -> tuple[str, ...]:
    """The ids of those that still have to be terminated."""
    return tuple(builder.instance_id for builder in builders if builder.is_alive)


def instance_types(template: Mapping[str, Any], mixed: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The types to try: the template's first, then those that the group's overrides name.

    The overrides launch the same image, so each of their types can boot it. Not all of a long list:
    each is tried in every subnet, in one turn.
    """
    overrides = ((mixed or {}).get("LaunchTemplate") or {}).get("Overrides") or []
    named = (each.get("InstanceType") for each in (template, *overrides))
    return tuple(dict.fromkeys(str(each) for each in named if each))[:MOST_TYPES]


def refusal(running: Version) -> str | None:
    """Why no builder can be launched from the version that the group runs, if none can.

    Source: EC2 user guide, "Stop and start Spot Instances": a one-time request cannot be stopped,
    and RunInstances cannot take the wish for one out of the template.
    """
    if not running.content.get("InstanceMarketOptions"):
        return None
    return (
        f"Version {running.number} of {running.template_id} asks for Spot Instances, and a builder "
        "has to be stopped, which AWS does not do with those; let the group ask for them instead, "
        "with a mixed instances policy."
    )


def launch_request(
    *,
    template_id: str,
    version: str,
    template: Mapping[str, Any],
    base: str,
    kept_devices: Sequence[str] = (),
    instance_type: str,
    subnet: str | None,
    fleet: str,
    rollout: str,
) -> dict[str, Any]:
    """The RunInstances request: the group's template, with what a builder needs otherwise.

    It stops, and does not terminate, when its script shuts it down; it can be stopped and
    terminated whatever the template protects; none of its volumes and interfaces outlives it.

    Args:
        template: The version's LaunchTemplateData.
        base: The image it starts from, in place of the template's.
        kept_devices: The devices that the base image keeps when an instance is terminated.
        subnet: One of the group's. A template that describes its network interfaces gets it there,
            in each, because EC2 refuses a subnet beside them.

    Source: EC2 API reference, RunInstances.
    """
    tags = [
        {"Key": key, "Value": value}
        for key, value in (
            (FLEET, fleet),
            (ROLLOUT, rollout),
            (ROLE, BUILDER),
            ("Name", f"ovenbird builder {fleet}"),
        )
    ]
    request: dict[str, Any] = {
        "LaunchTemplate": {"LaunchTemplateId": template_id, "Version": version},
        "ImageId": base,
        "InstanceType": instance_type,
        "MinCount": 1,
        "MaxCount": 1,
        "InstanceInitiatedShutdownBehavior": "stop",
        "DisableApiTermination": False,
        "DisableApiStop": False,
        "TagSpecifications": [
            {"ResourceType": resource, "Tags": tags} for resource in ("instance", "volume")
        ],
    }
    interfaces = template.get("NetworkInterfaces")
    if interfaces:
        request["NetworkInterfaces"] = [_own(interface, subnet) for interface in interfaces]
    elif subnet:
        request["SubnetId"] = subnet
    devices = _disposable(template.get("BlockDeviceMappings") or [], kept_devices)
    if devices:
        request["BlockDeviceMappings"] = devices
    return {**request, "ClientToken": token(rollout, "bake_image", request)}


def _own(interface: Mapping[str, Any], subnet: str | None) -> dict[str, Any]:
    """The builder's own interface: without what only one instance can have."""
    own = {key: deepcopy(value) for key, value in interface.items() if key not in _UNIQUE}
    if interface.get("Ipv6Addresses"):
        own["Ipv6AddressCount"] = len(interface["Ipv6Addresses"])
    if subnet:
        own["SubnetId"] = subnet
    return {**own, "DeleteOnTermination": True}


def _disposable(
    template: Sequence[Mapping[str, Any]], kept_devices: Sequence[str]
) -> list[dict[str, Any]]:
    """The template's devices with every volume to be deleted on termination; none if all are."""
    kept = {
        str(mapping["DeviceName"])
        for mapping in template
        if mapping.get("Ebs", {}).get("DeleteOnTermination") is False
    }
    inherited = set(kept_devices) - {str(mapping.get("DeviceName")) for mapping in template}
    if not kept and not inherited:
        return []
    changed = [deepcopy(dict(mapping)) for mapping in template]
    for mapping in changed:
        if mapping["DeviceName"] in kept:
            mapping["Ebs"]["DeleteOnTermination"] = True
    return changed + [
        {"DeviceName": device, "Ebs": {"DeleteOnTermination": True}} for device in sorted(inherited)
    ]
