"""Block devices: what image, template and call say of an instance's disks, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.cloud.errors import AwsError

Device = dict[str, Any]  # a BlockDeviceMapping


@dataclass(frozen=True)
class Disk:
    """A volume that a launch makes; ``snapshot`` is empty for a blank one."""

    device: str
    size: int  # GiB
    kind: str = "gp2"
    snapshot: str = ""
    deleted_with_instance: bool = True
    encrypted: bool = False


def joined(under: Sequence[Device], over: Sequence[Device]) -> list[Device]:
    """The devices of both; what ``over`` says of a device replaces what ``under`` says, by member.

    Source: EC2 user guide, "Launch EC2 instances using a launch template": "the instance is
    launched with a volume with the device name /dev/xvdb as well as any other block device mappings
    that are specified in the launch template … its values are replaced with the specified values".
    That a member which is not specified stays is the harder of two readings.
    """
    devices: dict[str, Device] = {}
    for each in (*under, *over):
        name = str(each.get("DeviceName", ""))
        known = devices.get(name, {})
        ebs = known.get("Ebs", {}) | each.get("Ebs", {})
        devices[name] = {**known, **each, **({"Ebs": ebs} if ebs else {})}
    return list(devices.values())


def disks(devices: Iterable[Device], size_of: Callable[[str], int]) -> tuple[Disk, ...]:
    """The volumes that these devices ask for.

    A device with ``NoDevice`` is left out, whatever else it says (EC2 API reference,
    BlockDeviceMapping); one with a ``VirtualName`` is no volume.

    Args:
        size_of: The size of a snapshot; raises EC2's error for one that there is not.

    Raises:
        AwsError: A size that is too small for its snapshot, or none at all.
    """
    return tuple(
        _disk(each["DeviceName"], each["Ebs"], size_of)
        for each in devices
        if "NoDevice" not in each and "Ebs" in each
    )


def _disk(device: str, ebs: Mapping[str, Any], size_of: Callable[[str], int]) -> Disk:
    snapshot, size = ebs.get("SnapshotId", ""), ebs.get("VolumeSize")
    least = size_of(snapshot) if snapshot else 0
    if size is None and not snapshot:
        raise AwsError("MissingParameter", "The request must contain the parameter size")
    if size is not None and size < least:  # the text is from a public report of 2024
        raise AwsError(
            "InvalidBlockDeviceMapping",
            f"Volume of size {size}GB is smaller than snapshot '{snapshot}', expect size>="
            f" {least}GB",
        )
    return Disk(
        device,
        size or least,
        ebs.get("VolumeType", "gp2"),
        snapshot,
        ebs.get("DeleteOnTermination", True),
        ebs.get("Encrypted", False),
    )
