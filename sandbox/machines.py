"""Real machines: an image is a directory, an instance is a copy of it and a process.

The disk's ``etc/rc.local`` is what boots; it starts the application in the foreground on
``$INSTANCE_ADDRESS:$PORT``. Run Command is ``sh`` in the disk's top directory. Paths in scripts are
relative to that directory, which stands for ``/``. An image without a directory (one of AWS's own)
is an empty disk.

Some programs ask the whole system, whatever directory they are in: a machine has its own
``cloud-init``, or the wait for a machine's first boot would be a wait for the laptop's.
"""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.cloud.kernel import Kernel
from sandbox.cloud.machines import CommandOutcome
from sandbox.loopback import Loopback, Place
from sandbox.processes import Process, Processes

APPLICATION_PORT = 8080
TIMED_OUT = 137  # the shell's word for SIGKILL, which is how a script ends that takes too long
_SHORTEST_TIMEOUT = 10.0  # real seconds; a script does not run faster because the cloud does
_PROBE_SECONDS = 1.0
# Where a system has its own programs.
_PROGRAMS = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin")
_STOP_GRACE = 0.5
_OUTPUT_LIMIT = 100_000  # bytes kept of each stream; the service cuts further


@dataclass
class _Machine:
    disk: Path
    place: Place
    application: Process | None = None
    scripts: list[Process] = field(default_factory=list)

    def end(self, grace: float = 0.0) -> None:
        for process in (self.application, *self.scripts):
            if process:
                process.end(grace)
        self.application, self.scripts = None, []


class RealMachines:
    """The sandbox's machines (see ``sandbox.cloud.machines``).

    ``environment`` is what scripts and applications get besides their own: the endpoint and the
    credentials of the sandbox. ``tools`` are directories with programs like ``aws``. Every callback
    holds the cloud's lock.
    """

    def __init__(
        self,
        processes: Processes,
        loopback: Loopback,
        environment: Mapping[str, str],
        tools: Sequence[str] = (),
    ) -> None:
        self._processes, self._loopback = processes, loopback
        self._tools = tools or [str(Path(sys.executable).parent)]
        self._environment = dict(environment)
        self._lock, self._speed = threading.RLock(), 1.0
        self._images = processes.state / "images"
        self._disks = processes.state / "instances"
        self._consoles = processes.state / "consoles"
        self._programs = processes.state / "programs"
        for directory in (self._images, self._disks, self._consoles, self._programs):
            directory.mkdir(parents=True)
        cloud_init = self._programs / "cloud-init"
        cloud_init.write_text("#!/bin/sh\necho 'status: done'\n")
        cloud_init.chmod(0o755)
        self._machines: dict[str, _Machine] = {}
        self._probes = ThreadPoolExecutor(8, thread_name_prefix="probe")
        self._runs = ThreadPoolExecutor(8, thread_name_prefix="run-command")

    # What the model cloud asks for.

    def stand_on(self, kernel: Kernel) -> None:
        """Call back under this kernel's lock, and let scripts time out at its speed."""
        self._lock, self._speed = kernel.lock, kernel.timeline.speed

    def create(self, instance_id: str, image_id: str) -> str:
        disk = self._disks / instance_id
        image = self._images / image_id
        if image.is_dir():
            # A copy, not hard links: a script that appends to a file must not change the image.
            shutil.copytree(image, disk, symlinks=True)
        else:
            disk.mkdir()
        place = self._loopback.place(APPLICATION_PORT)
        self._machines[instance_id] = _Machine(disk, place)
        return place.host

    def start(self, instance_id: str, user_data: str) -> None:
        machine = self._machines[instance_id]
        machine.end()
        temporary = machine.disk / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        first_boot = machine.disk / "var/lib/cloud" / instance_id
        commands = []
        if user_data.startswith("#!") and not first_boot.exists():
            (machine.disk / "user-data").write_text(user_data)
            commands.append("sh ./user-data")
        first_boot.mkdir(parents=True, exist_ok=True)
        if (machine.disk / "etc/rc.local").exists():
            commands.append("exec sh etc/rc.local")
        if not commands:
            return
        with (self._consoles / f"{instance_id}.log").open("ab") as console:
            machine.application = self._processes.start(
                ["sh", "-c", "\n".join(commands)],
                environment=self._shell(instance_id, {}),
                directory=machine.disk,
                stdout=console,
                stderr=console,
            )

    def stop(self, instance_id: str) -> None:
        self._machines[instance_id].end(_STOP_GRACE)

    def destroy(self, instance_id: str) -> None:
        machine = self._machines.pop(instance_id, None)
        if machine:
            machine.end()
            shutil.rmtree(machine.disk, ignore_errors=True)

    def capture(self, instance_id: str, image_id: str) -> None:
        machine = self._machines[instance_id]
        self.store(image_id, machine.disk)

    def discard(self, image_id: str) -> None:
        shutil.rmtree(self._images / image_id, ignore_errors=True)

    def run(
        self,
        instance_id: str,
        script: Sequence[str],
        environment: Mapping[str, str],
        timeout_seconds: int,
        done: Callable[[CommandOutcome], None],
    ) -> None:
        machine = self._machines[instance_id]
        temporary = machine.disk / "tmp"
        temporary.mkdir(exist_ok=True)
        streams = [temporary / f".command-{len(machine.scripts)}.{name}" for name in ("out", "err")]
        with streams[0].open("wb") as stdout, streams[1].open("wb") as stderr:
            process = self._processes.start(
                ["sh", "-c", "\n".join(script)],
                environment=self._shell(instance_id, environment),
                directory=machine.disk,
                stdout=stdout,
                stderr=stderr,
            )
        machine.scripts.append(process)
        limit = max(timeout_seconds / self._speed, _SHORTEST_TIMEOUT)
        self._runs.submit(self._finish, process, streams, limit, done)

    def cancel(self, instance_id: str) -> None:
        machine = self._machines.get(instance_id)
        for process in machine.scripts if machine else ():
            if process.alive:
                process.end()

    def probe(self, instance_id: str, port: int, path: str, done: Callable[[bool], None]) -> None:
        place = self.place(instance_id, port)
        self._probes.submit(self._probe, place, path, done)

    # What the rest of the sandbox asks for.

    def place(self, instance_id: str, port: int) -> Place | None:
        """Where an instance's port really listens; ``None`` when there is no such machine."""
        machine = self._machines.get(instance_id)
        if machine is None:
            return None
        return Place(machine.place.host, port) if self._loopback.many else machine.place

    def store(self, image_id: str, disk: Path) -> None:
        """Keep a copy of a directory as an image's disk, without what lies in its ``tmp``."""

        def leave_out(directory: str, names: list[str]) -> list[str]:
            return names if Path(directory) == disk / "tmp" else []

        shutil.copytree(disk, self._images / image_id, symlinks=True, ignore=leave_out)

    def console(self, instance_id: str) -> str:
        """What the application has written (also after the instance is gone)."""
        path = self._consoles / f"{instance_id}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def close(self) -> None:
        """End every process; scripts that run are killed and their outcome is told."""
        for machine in list(self._machines.values()):
            machine.end()
        self._runs.shutdown()
        self._probes.shutdown(cancel_futures=True)

    def _shell(self, instance_id: str, extra: Mapping[str, str]) -> dict[str, str]:
        """A small environment: nothing of the user's own but the system's programs."""
        machine = self._machines[instance_id]
        return {
            "PATH": search_path([str(self._programs), *self._tools]),
            "LANG": "C.UTF-8",
            "AWS_EC2_METADATA_DISABLED": "true",
            **self._environment,
            "HOME": str(machine.disk),
            "TMPDIR": str(machine.disk / "tmp"),
            "INSTANCE_ID": instance_id,
            "INSTANCE_ADDRESS": machine.place.host,
            "PORT": str(machine.place.port),
            **extra,
        }

    def _finish(
        self,
        process: Process,
        streams: Sequence[Path],
        limit: float,
        done: Callable[[CommandOutcome], None],
    ) -> None:
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            process.end()
            code = TIMED_OUT
        stdout, stderr = (_head(stream) for stream in streams)
        with self._lock:
            done(CommandOutcome(code, stdout, stderr))

    def _probe(self, place: Place | None, path: str, done: Callable[[bool], None]) -> None:
        healthy = place is not None and _answers(place, path)
        with self._lock:
            done(healthy)


def search_path(tools: Sequence[str]) -> str:
    """The search path of an instance: these directories and the system's, none of the user's."""
    return os.pathsep.join([*tools, *_PROGRAMS])


def _answers(place: Place, path: str) -> bool:
    connection = http.client.HTTPConnection(place.host, place.port, timeout=_PROBE_SECONDS)
    try:
        connection.request("GET", path, headers={"User-Agent": "ELB-HealthChecker/2.0"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _head(stream: Path) -> str:
    """The beginning of a stream's file; nothing when the disk has gone meanwhile."""
    try:
        with stream.open("rb") as file:
            return file.read(_OUTPUT_LIMIT).decode(errors="replace")
    except FileNotFoundError:
        return ""
