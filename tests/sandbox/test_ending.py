"""Nothing survives the sandbox, however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from sandbox import fleet
from sandbox.loopback import free_port
from sandbox.sandbox import Sandbox

_ROOT = Path(__file__).parent.parent.parent


class Up:
    """``python -m sandbox up`` in a process, with its state under a directory of the test."""

    def __init__(self, temporary: Path) -> None:
        self.temporary = temporary
        self.port = free_port(0)
        self._output = temporary / "output"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sandbox", "up", "--port", str(self.port)],
                cwd=_ROOT,
                env={**os.environ, "TMPDIR": str(temporary)},
                stdout=output,
                stderr=output,
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def left_behind(self) -> list[str]:
        """State directories, ports and processes that are still there."""
        left = [path.name for path in self.temporary.glob("ovenbird-sandbox-*")]
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", self.port)) == 0:
                left.append(f"port {self.port}")
        seen = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
        return left + [line for line in seen.stdout.splitlines() if str(self.temporary) in line]


def eventually(true: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    started = Up(tmp_path)
    eventually(lambda: "# Balancer:" in started.output or started.process.poll() is not None, 90)
    assert started.process.poll() is None, started.output
    yield started
    started.process.kill()
    started.process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_well(up: Up, number: signal.Signals) -> None:
    assert any("ovenbird-sandbox-" in each for each in up.left_behind)

    up.process.send_signal(number)

    assert up.process.wait(20) == 0
    assert up.left_behind == []
    assert "Traceback" not in up.output


def test_a_crash_leaves_nothing_either(up: Up) -> None:
    up.process.kill()
    up.process.wait()

    eventually(lambda: up.left_behind == [], 10)


def test_it_says_how_to_use_it(up: Up) -> None:
    assert f"export AWS_ENDPOINT_URL=http://127.0.0.1:{up.port}" in up.output
    assert "export AWS_ACCESS_KEY_ID=" in up.output
    assert up.output.count("# Address:") == 2


def test_a_port_that_is_taken_is_said(up: Up) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "sandbox", "up", "--port", str(up.port)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert second.returncode == 1
    assert f"Port {up.port} is taken" in second.stdout


def test_a_sandbox_that_cannot_begin_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.fleet._PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr("sandbox.fleet.SIZE", 9)  # more than the group may have
    broken = Sandbox(port=0)

    with pytest.raises((fleet.FleetNotReady, ClientError)), broken:
        raise AssertionError("it did begin")

    assert not broken.state.exists()
