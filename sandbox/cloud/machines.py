"""What a machine is to the model cloud: a disk, an application, and scripts that run on it.

The stories use machines that exist only in memory; the sandbox uses directories and processes.
Every answer comes through a callback, because the sandbox's machines take their time; a machine in
memory calls back through the cloud's timeline or at once. Callbacks may come from another thread:
whoever implements this calls them under the cloud's lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class CommandOutcome:
    """How a script ended; ``exit_code`` 0 is success."""

    exit_code: int
    stdout: str = ""
    stderr: str = ""


class Machines(Protocol):
    """The machines behind the instances."""

    def create(self, instance_id: str, image_id: str) -> str:
        """Copy the image's disk for a new instance; return its private address."""

    def start(self, instance_id: str, user_data: str) -> None:
        """Boot: the application on the disk starts (also after a stop)."""

    def stop(self, instance_id: str) -> None:
        """End the application; the disk stays."""

    def destroy(self, instance_id: str) -> None:
        """End the application and remove the disk."""

    def capture(self, instance_id: str, image_id: str) -> None:
        """Copy the instance's disk into a new image (CreateImage)."""

    def discard(self, image_id: str) -> None:
        """Remove an image's disk (DeregisterImage)."""

    def run(
        self,
        instance_id: str,
        script: Sequence[str],
        environment: Mapping[str, str],
        timeout_seconds: int,
        done: Callable[[CommandOutcome], None],
    ) -> None:
        """Run the lines as one shell script on the machine and tell how it ended (Run Command)."""

    def cancel(self, instance_id: str) -> None:
        """Kill the script that runs on the machine, if any; ``done`` is still called."""

    def probe(self, instance_id: str, port: int, path: str, done: Callable[[bool], None]) -> None:
        """Ask the application as a health check does: did it answer 200 in time?"""
