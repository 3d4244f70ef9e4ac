"""A launch that an Auto Scaling group tried: whether an instance came of it, and what AWS said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ovenbird.core import codes
from ovenbird.core.codes import Kind
from ovenbird.core.quotes import prose

# Why EC2 ends an instance that never ran: the account's or AWS's own fault. Not the instance's own
# (Client.InstanceInitiatedShutdown), a person's or a hook's. Sources: EC2 API reference,
# StateReason; activities in public reports (gruntwork-io/terratest#693).
_NOT_THE_IMAGES = re.compile(
    r"Termination Reason: (Client\.(InvalidKMSKey|InvalidKmsKey|InternalError|VolumeLimitExceeded)"
    r"|Server\.)"
)


@dataclass(frozen=True)
class Launch:
    """``instance_id`` is empty where EC2 refused; ``said`` is AWS's reason, if it gives one."""

    instance_id: str = ""
    said: str = ""

    @property
    def was_a_chance(self) -> bool:
        """Whether whatever became of it may be the image's doing."""
        return bool(self.instance_id) and not _NOT_THE_IMAGES.search(self.said)


def excuse(launches: Sequence[Launch]) -> str:
    """Why an image is not to blame for a roll that failed: it never had its chance.

    Empty if it had: whatever became of an instance that ran may be the image's doing. What EC2
    refuses to launch (no capacity, a quota, no addresses in the subnet) is not, nor what it ends
    for the account's fault before it runs (a key of the volumes, a quota of them, a bad host).

    Args:
        launches: All that the group tried with the new version, newest first.
    """
    if any(launch.was_a_chance for launch in launches):
        return ""
    said = next((prose(launch.said).rstrip(" .") for launch in launches if launch.said), "")
    because = f" (AWS: {said})" if said else ""
    ran = "ran" if any(launch.instance_id for launch in launches) else "was launched"
    kind = codes.kind_of_words(said)
    then = (
        "release the same again when there is room."
        if kind in (None, Kind.ROOM)
        else f"the same is released without another bake. {kind.value}"
    )
    return f"No instance {ran} from the new image{because}, so it is not marked bad: {then}"
