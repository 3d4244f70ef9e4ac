"""The whole sandbox in one process: the model cloud, ministack around it, machines and doors."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from sandbox import emulator as emulators
from sandbox.around import Around
from sandbox.cloud.clock import WallClock
from sandbox.cloud.cloud import Cloud
from sandbox.doors import Doors
from sandbox.emulator import Emulator
from sandbox.fleet import SampleFleet, make_fleet
from sandbox.gateway import Gateway
from sandbox.keys import Key, Keys
from sandbox.lock import Lock
from sandbox.loopback import Loopback, Place, free_port
from sandbox.machines import RealMachines
from sandbox.processes import Processes
from sandbox.server import Server

REGION = "us-east-1"
PORT = 4566
SPEED = 30.0
_HEARTBEAT = 0.01  # seconds, at most, between two looks at what is due
_HURRY = 100.0  # the speed at which the sample fleet comes into being, before anybody watches
# What Lambda's workers must not inherit: other credentials, and what changes how Python runs.
_UNSET = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",
)
_ROOT = Path(__file__).parent.parent


class PortTaken(Exception):
    """Something else listens on the endpoint's port."""


class Sandbox:
    """AWS on this machine, from ``with`` to the end of its block; nothing survives it.

    One sandbox at a time in a process: ministack keeps its state in its modules, and the process's
    environment is the sandbox's while it runs.

    Args:
        speed: By how much every duration of the cloud is divided.
        port: Of the endpoint; 0 for any that is free.
        fleet: Whether to make the sample fleet.
    """

    def __init__(self, *, speed: float = SPEED, port: int = PORT, fleet: bool = True) -> None:
        chosen = free_port(port)
        if port and chosen != port:
            raise PortTaken(f"Port {port} is taken; choose another one with --port.")
        self.speed = speed
        self.place = Place("127.0.0.1", chosen)
        self.keys = Keys.random()
        self.began = datetime.now(UTC)
        self.fleet: SampleFleet | None = None
        self._wants_fleet = fleet
        self._closing = threading.Event()
        self._opened = contextlib.ExitStack()

    @property
    def endpoint(self) -> str:
        """The endpoint URL of every AWS service."""
        return self.place.url

    @property
    def balancer_url(self) -> str:
        """Where the sample fleet's load balancer listens; the first one if there are several."""
        return next(iter(self.doors.balancers.values())).url

    @property
    def addresses(self) -> dict[str, str]:
        """Where each Elastic IP is served: public address → URL."""
        return {public: address.url for public, address in self.doors.addresses.items()}

    @property
    def is_alive(self) -> bool:
        """Whether everything still runs; a thread that died has said why on the terminal."""
        return self._heart.is_alive() and self.around.is_alive and self._server.is_alive

    @property
    def exports(self) -> dict[str, str]:
        """The environment with which the aws CLI, boto3 and sam work against this sandbox."""
        return exports(self.endpoint, self.keys.people)

    def client(self, service: str) -> Any:
        """A boto3 client of this sandbox."""
        return client(service, self.endpoint, self.keys.people)

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self._opened.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.close()

    def _open(self) -> None:
        """Start everything; what was started last is closed first."""
        opened = self._opened
        self.state = Path(tempfile.mkdtemp(prefix="ovenbird-sandbox-"))
        processes = Processes(self.state)
        opened.callback(processes.close)
        opened.enter_context(_log_to(self.log))
        opened.enter_context(_environment(self._environment()))
        opened.enter_context(_temporary(self.state / "tmp"))

        loopback = Loopback(self.place.port)
        of_instances = exports(self.endpoint, self.keys.instances)
        self.machines = RealMachines(processes, loopback, of_instances, tools())
        opened.callback(self.machines.close)
        self.cloud = Cloud(WallClock(), self.machines, speed=self.speed, region=REGION)
        self.emulator = Emulator(self.speed, processes, self.keys.functions)
        opened.callback(self.emulator.close)
        self.gateway = Gateway(self.cloud, self.emulator.application)
        opened.callback(self.gateway.close)
        self.lock = Lock(self.gateway, self.keys, self.place)
        self._server = Server(self.place, self.lock)
        opened.callback(self._server.close)
        self._server.start()
        self.around = Around(self.cloud, self.emulator)
        self.around.start()
        opened.callback(self.around.close)
        self.doors = Doors(self.cloud, self.machines, loopback)
        self.doors.start()
        opened.callback(self.doors.close)
        self._heart = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._heart.start()
        opened.callback(self._heart.join)
        opened.callback(self._closing.set)
        if self._wants_fleet:
            self.make_fleet()

    def make_fleet(self) -> SampleFleet:
        """Make the sample fleet, once, and return when it serves."""
        with self._hurried():
            self.fleet = make_fleet(self.cloud, self.machines, self.client)
        self.doors.look()
        return self.fleet

    @property
    def log(self) -> Path:
        """Where ministack and the web server write what they have to say."""
        return self.state / "sandbox.log"

    def _environment(self) -> dict[str, str]:
        nowhere = str(self.state / "no-such-file")
        return {
            **emulators.environment(self.place.port, self.speed),
            **self.exports,
            # The profiles of whoever runs this must not decide where a Lambda's calls go.
            "AWS_CONFIG_FILE": nowhere,
            "AWS_SHARED_CREDENTIALS_FILE": nowhere,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1,localhost",
            "PATH": os.pathsep.join([*tools(), os.environ.get("PATH", os.defpath)]),
        }

    def _beat(self) -> None:
        while not self._closing.is_set():
            self.cloud.tick()
            self.doors.look()
            time.sleep(_HEARTBEAT)

    @contextlib.contextmanager
    def _hurried(self) -> Any:
        timeline = self.cloud.kernel.timeline
        usual, timeline.speed = timeline.speed, max(timeline.speed, _HURRY)
        try:
            yield
        finally:
            timeline.speed = usual


def exports(endpoint: str, key: Key) -> dict[str, str]:
    """The environment for tools that work against a sandbox with that endpoint."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        **key.environment,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_PAGER": "",
        "SAM_CLI_TELEMETRY": "0",
    }


def client(service: str, endpoint: str, key: Key) -> Any:
    """A boto3 client of a sandbox."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=key.id,
        aws_secret_access_key=key.secret,
        config=Config(retries={"mode": "standard", "max_attempts": 3}),
    )


def tools() -> list[str]:
    """The directories in which the project's own aws and sam lie, if they were installed."""
    wanted = [_ROOT / ".venv/bin", _ROOT / ".tools/bin", Path(sys.executable).parent]
    return list(dict.fromkeys(str(directory) for directory in wanted if directory.is_dir()))


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Any:
    """Set environment variables, and put back what was there."""
    before = {name: os.environ.get(name) for name in (*variables, *_UNSET)}
    for name in _UNSET:
        os.environ.pop(name, None)
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _temporary(directory: Path) -> Any:
    """Let everything in this process and its children make temporary files in the state."""
    directory.mkdir()
    before, tempfile.tempdir = tempfile.tempdir, str(directory)
    try:
        with _environment({"TMPDIR": str(directory)}):
            yield
    finally:
        tempfile.tempdir = before


@contextlib.contextmanager
def _log_to(path: Path) -> Any:
    """Send what libraries log to a file; without this, ministack would log to the terminal."""
    file = logging.FileHandler(path)
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s [%(name)s] %(message)s"))
    logging.getLogger().addHandler(file)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(file)
        file.close()
