"""Processes that cannot outlive the sandbox: each leads a group and is written down for the warden.

A process writes its own pid down before it becomes the program, so there is no moment in which it
runs unknown.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from sandbox import warden

_NOTED = 'echo $$ > "$1" && shift && exec "$@"'


class Process:
    """A process group that was started here."""

    def __init__(self, popen: subprocess.Popen[bytes], note: Path) -> None:
        self._popen, self._note = popen, note

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def wait(self, seconds: float | None = None) -> int:
        """The exit code; 128 + n after signal n, as a shell says it.

        Raises:
            subprocess.TimeoutExpired: It still runs after that time.
        """
        code = self._popen.wait(seconds)
        return code if code >= 0 else 128 - code

    def end(self, grace: float = 0.0) -> None:
        """Kill the whole group (it may ask itself to end first); harmless when it is gone."""
        if grace and self.alive:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(grace)
        self._signal(signal.SIGKILL)  # also what the leader has left behind
        self._popen.wait()
        self._note.unlink(missing_ok=True)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, number)


class Processes:
    """Starts processes in a state directory that the warden watches."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.pids = state / "pids"
        self.pids.mkdir(parents=True)
        self._noted: dict[Path, subprocess.Popen[str]] = {}
        self._warden = subprocess.Popen(
            [sys.executable, "-I", "-S", warden.__file__, str(state)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def start(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        directory: Path,
        stdout: IO[bytes],
        stderr: IO[bytes],
    ) -> Process:
        """Start a command as the leader of a group of its own, with nothing on its input."""
        handle, note = tempfile.mkstemp(dir=self.pids)
        os.close(handle)
        popen = subprocess.Popen(
            ["/bin/sh", "-c", _NOTED, "sh", note, *command],
            env=dict(environment),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        return Process(popen, Path(note))

    def note(self, popen: subprocess.Popen[str]) -> None:
        """Write down a process that somebody else started in this sandbox."""
        self._forget_the_dead()
        note = self.pids / f"noted-{popen.pid}"
        note.write_text(str(popen.pid))
        self._noted[note] = popen

    def close(self) -> None:
        """Kill what is left and remove the state directory; repeating it is harmless."""
        self._forget_the_dead()
        if self._warden.stdin and not self._warden.stdin.closed:
            self._warden.stdin.close()
        self._warden.wait()

    def _forget_the_dead(self) -> None:
        """Drop the notes of processes that have ended: their numbers may be given out again."""
        for note, popen in list(self._noted.items()):
            if popen.poll() is not None:
                for pipe in (popen.stdin, popen.stdout, popen.stderr):
                    with contextlib.suppress(OSError):  # what was not yet written has no reader
                        if pipe:
                            pipe.close()
                note.unlink(missing_ok=True)
                del self._noted[note]
