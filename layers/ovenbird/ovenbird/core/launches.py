"""A launch that an Auto Scaling group tried: whether an instance came of it, and what AWS said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ovenbird.core.quotes import prose


@dataclass(frozen=True)
class Launch:
    """``instance_id`` is empty where EC2 refused; ``said`` is AWS's reason, if it gives one."""

    instance_id: str = ""
    said: str = ""


def excuse(launches: Sequence[Launch]) -> str:
    """Why an image is not to blame for a roll that failed: it never had its chance.

    Empty if it had: whatever became of an instance that was launched may be the image's doing. What
    EC2 refuses to launch (no capacity, a quota, no addresses in the subnet) is not.

    Args:
        launches: All that the group tried with the new version, newest first.
    """
    if any(launch.instance_id for launch in launches):
        return ""
    said = next((prose(launch.said).rstrip(" .") for launch in launches if launch.said), "")
    because = f" (AWS: {said})" if said else ""
    return (
        f"No instance was launched from the new image{because}, so it is not marked bad: release "
        "the same again when there is room."
    )
