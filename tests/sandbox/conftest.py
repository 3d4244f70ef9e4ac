"""What the sandbox's tests share: a state directory with its warden, and real machines in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.cloud.clock import WallClock
from sandbox.cloud.kernel import Kernel
from sandbox.loopback import MANY, ONE, Loopback
from sandbox.machines import RealMachines
from sandbox.processes import Processes


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    started = Processes(tmp_path / "state")
    yield started
    started.close()


@pytest.fixture(params=[MANY, ONE])
def machines(
    request: pytest.FixtureRequest, processes: Processes, kernel: Kernel
) -> Iterator[RealMachines]:
    loopback = Loopback(os.getpid(), request.param)  # apart from another run
    if loopback.many and not Loopback().many:
        pytest.skip("this system has only 127.0.0.1")
    made = RealMachines(processes, loopback, {"TEAM": "web"})
    made.stand_on(kernel)
    yield made
    made.close()


@pytest.fixture
def kernel() -> Kernel:
    return Kernel(WallClock())
