"""The wait for package managers that upgrade at the first boot, in real shells."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from ovenbird.core import boots

# It answers "activating" as often as the file of the unit says.
SYSTEMCTL = """#!/bin/sh
echo "$@" >>asked
case $1 in
is-active)
  if [ -s "$2" ]; then sed -i 1d "$2"; echo activating; exit 3; fi
  echo inactive
  exit 3 ;;
esac
"""


def wait(root: Path, machine: str) -> subprocess.CompletedProcess[str]:
    programs = root / "bin"
    programs.mkdir()
    systemctl = programs / "systemctl"
    systemctl.write_text(SYSTEMCTL)
    systemctl.chmod(0o755)
    sleep = programs / "sleep"
    sleep.write_text("#!/bin/sh\n")
    sleep.chmod(0o755)
    return subprocess.run(
        ["sh", "-eu", "-c", boots.text(), "boot", str(root / "words"), machine],
        cwd=root,
        env={"PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_upgrades_that_run_are_waited_for_and_none_begins(tmp_path: Path) -> None:
    """They hold the package manager's lock for minutes, and a stop would leave half of one."""
    (tmp_path / "apt-daily-upgrade.service").write_text("one\ntwo\n")
    ended = wait(tmp_path, "ec2")
    assert ended.returncode == 0, ended.stderr
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[0].startswith("stop apt-daily.timer apt-daily-upgrade.timer ")
    assert asked.count("is-active apt-daily-upgrade.service") == 3
    assert ended.stdout == "waits for apt-daily-upgrade.service\n"


def test_the_timers_of_a_laptop_are_left_alone(tmp_path: Path) -> None:
    began = time.monotonic()
    assert wait(tmp_path, "").returncode == 0
    assert not (tmp_path / "asked").exists()
    assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    ("seconds", "said"), [(60, "within 1 minute;"), (900, "within 15 minutes;")]
)
def test_says_how_long_it_waited(seconds: int, said: str) -> None:
    assert said in boots.too_late(seconds)
