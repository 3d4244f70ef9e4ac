"""Machines that exist only in memory: a disk is the list of revisions that scripts installed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count

from sandbox.cloud.kernel import Kernel
from sandbox.cloud.machines import CommandOutcome

_REVISION = re.compile(r"\bOVENBIRD_REVISION=(['\"]?)([^'\"\s;]*)\1")


_WELL = CommandOutcome(0)


@dataclass(frozen=True)
class Disk:
    """What is on a disk: the revisions installed on it, the last one is what runs."""

    revisions: tuple[str, ...] = ()

    @property
    def revision(self) -> str:
        """What the application on it is; empty when nothing was ever installed."""
        return self.revisions[-1] if self.revisions else ""


@dataclass(frozen=True)
class Script:
    """A script that ran (or runs) on a machine."""

    instance_id: str
    lines: tuple[str, ...]
    environment: Mapping[str, str]
    disk: Disk

    @property
    def revision(self) -> str:
        """The revision that the script's lines (or environment) name."""
        if found := _REVISION.search("\n".join(self.lines)):
            return found[2]
        return self.environment.get("OVENBIRD_REVISION", "")


@dataclass(frozen=True)
class Ending:
    """How a script ends: after how long (cloud time; ``None`` never by itself), and with what."""

    after: timedelta | None = timedelta(seconds=20)
    outcome: CommandOutcome = _WELL


def _ends_well(_script: Script) -> Ending:
    return Ending()


def _is_healthy(_instance_id: str, _disk: Disk) -> bool:
    return True


class Imaginary:
    """The machines of the stories.

    Set ``ends`` to say how scripts end, and ``healthy`` to say whether a running application with
    a given disk answers its health check; ``scripts`` keeps every script that ran. A script that
    ends well installs the revision that it names (``OVENBIRD_REVISION=…``).
    """

    def __init__(self) -> None:
        self.images: dict[str, Disk] = {}
        self.disks: dict[str, Disk] = {}
        self.running: set[str] = set()
        self.scripts: list[Script] = []
        self.user_data: dict[str, str] = {}
        self.ends: Callable[[Script], Ending] = _ends_well
        self.healthy: Callable[[str, Disk], bool] = _is_healthy
        self._addresses = count(10)
        self._busy: dict[str, list[Callable[[CommandOutcome], None]]] = {}
        self._kernel: Kernel | None = None

    def stand_on(self, kernel: Kernel) -> None:
        """Scripts take their time on this kernel's timeline; without one they end at once."""
        self._kernel = kernel

    def create(self, instance_id: str, image_id: str) -> str:
        self.disks[instance_id] = self.images.get(image_id, Disk())
        number = next(self._addresses)
        return f"10.0.{number // 250}.{number % 250 + 1}"

    def start(self, instance_id: str, user_data: str) -> None:
        self.running.add(instance_id)
        self.user_data[instance_id] = user_data

    def stop(self, instance_id: str) -> None:
        self.running.discard(instance_id)
        self.cancel(instance_id)

    def destroy(self, instance_id: str) -> None:
        self.stop(instance_id)
        self.disks.pop(instance_id, None)

    def capture(self, instance_id: str, image_id: str) -> None:
        self.images[image_id] = self.disks[instance_id]

    def discard(self, image_id: str) -> None:
        self.images.pop(image_id, None)

    def run(
        self,
        instance_id: str,
        script: Sequence[str],
        environment: Mapping[str, str],
        timeout_seconds: int,
        done: Callable[[CommandOutcome], None],
    ) -> None:
        ran = Script(instance_id, tuple(script), dict(environment), self.disks[instance_id])
        self.scripts.append(ran)
        ending = self.ends(ran)
        self._busy.setdefault(instance_id, []).append(done)

        def end(outcome: CommandOutcome) -> None:
            if done not in self._busy.get(instance_id, ()):
                return  # it was cancelled
            self._busy[instance_id].remove(done)
            if outcome.exit_code == 0 and ran.revision:
                disk = self.disks[instance_id]
                self.disks[instance_id] = replace(disk, revisions=(*disk.revisions, ran.revision))
            done(outcome)

        limit = timedelta(seconds=timeout_seconds)
        if ending.after is None or ending.after > limit:
            self._later(limit, lambda: end(CommandOutcome(137, stderr="killed: timed out")))
        else:
            self._later(ending.after, lambda: end(ending.outcome))

    def cancel(self, instance_id: str) -> None:
        for done in self._busy.pop(instance_id, ()):
            done(CommandOutcome(143, stderr="killed"))

    def probe(self, instance_id: str, port: int, path: str, done: Callable[[bool], None]) -> None:
        disk = self.disks.get(instance_id)
        done(instance_id in self.running and disk is not None and self.healthy(instance_id, disk))

    def _later(self, delay: timedelta, action: Callable[[], None]) -> None:
        if self._kernel is None:
            action()
        else:
            self._kernel.after(delay, action)
