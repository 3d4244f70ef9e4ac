"""The clean-up of a builder, run by real shells on a directory in place of its disk."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ovenbird.core import traces
from ovenbird.core.traces import TRACES, Trace

AGENT = {"AWS_SSM_INSTANCE_ID": "i-0123456789abcdef0"}
GIVEN = "AAAAC3NzaC1lZDI1NTE5AAAAIBuilderBuilderBuilderBuilderBuilderBuilder"
OWN = "AAAAC3NzaC1lZDI1NTE5AAAAITeamTeamTeamTeamTeamTeamTeamTeamTeamTeamTeam"


@pytest.fixture(params=["sh", "bash", "busybox sh"])
def shell(request: pytest.FixtureRequest) -> list[str]:
    program, *arguments = request.param.split()
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"no {program} here")
    return [found, *arguments]


def clean(
    shell: list[str],
    root: Path,
    *,
    named: str | None = None,
    machine: str = "",
    agent: bool = True,
) -> subprocess.CompletedProcess[str]:
    """As the script does it; ``named`` is the directory that the clean-up is told."""
    words = root.parent / "words"
    words.write_text("")
    return subprocess.run(
        [
            *(*shell, "-eu", "-c", traces.text(), "clean", str(words)),
            *(str(root.resolve()) if named is None else named, machine),
        ],
        cwd=root,
        env={"PATH": os.environ["PATH"]} | (AGENT if agent else {}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def words(root: Path) -> str:
    return (root.parent / "words").read_text().strip()


def place(root: Path, path: str, text: str = "x") -> Path:
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """The disk of a builder that has lived: something at every place, and what is the image's."""
    root = tmp_path / "a disk"
    for trace in TRACES:
        for path in trace.paths:
            place(root, path.replace("*", "thing"))
    place(root, "/usr/bin/cloud-init")
    place(root, "/var/lib/amazon/ssm/i-1/document/orchestration/c/_script.sh", "PASSWORD=1")
    place(root, "/var/lib/cloud/instances/i-1/user-data.txt")
    for path in KEPT:
        place(root, path)
    return root


DEEDS = (
    'rm -rf -- "$1"',
    ': >"$1"',
    'printf "%s\\n" "$kept" >"$1"',
    "systemctl daemon-reload",
    "systemctl start ovenbird-clean.service",
)
KEPT = (
    "/var/lib/cloud/scripts/per-boot/warm-up",
    "/var/lib/cloud/seed/nocloud/meta-data",
    "/etc/ssh/sshd_config",
    "/srv/web/app.py",
    "/home/web/.profile",
    "/root/.aws/config",
    "/var/lib/amazon/ssm/packages/agent",
    "/etc/ecs/ecs.config",
    "/var/log/nginx/access.log",
)


def kept(root: Path, trace: Trace) -> list[str]:
    return [
        str(found)
        for path in trace.paths
        for found in root.glob(path.lstrip("/"))
        if trace.how == "remove" or found.stat().st_size
    ]


def test_nothing_of_the_builders_life_is_left(shell: list[str], disk: Path) -> None:
    ended = clean(shell, disk)
    assert ended.returncode == 0, words(disk)
    assert ended.stderr == ""
    left = {trace.name: found for trace in TRACES if (found := kept(disk, trace))}
    assert left.keys() <= {"the key pair's public key"}  # no key was given here
    assert (disk / "etc/machine-id").read_text() == ""


def test_what_is_the_images_own_stays(shell: list[str], disk: Path) -> None:
    clean(shell, disk)
    assert [path for path in KEPT if not (disk / path.lstrip("/")).exists()] == []
    assert clean(shell, disk).returncode == 0  # once more changes nothing


def test_an_image_without_systemds_firsts_is_no_fault(shell: list[str], tmp_path: Path) -> None:
    root = tmp_path / "empty"
    root.mkdir()
    assert clean(shell, root).returncode == 0
    assert list(root.iterdir()) == []


def test_host_keys_stay_where_nothing_would_make_them_again(shell: list[str], disk: Path) -> None:
    (disk / "usr/bin/cloud-init").unlink()
    for maker in disk.rglob("sshd-keygen*"):
        maker.unlink()
    ended = clean(shell, disk)
    assert "keeps the SSH host keys" in ended.stdout
    assert list((disk / "etc/ssh").glob("ssh_host_*"))


def test_only_the_key_that_ec2_gave_the_builder_is_taken_out(shell: list[str], disk: Path) -> None:
    metadata = {"v1": {"public_ssh_keys": [f"ssh-ed25519 {GIVEN} builder"]}}
    place(disk, "/run/cloud-init/instance-data.json", json.dumps(metadata))
    lines = [f"ssh-ed25519 {OWN} team", f'command="echo no" ssh-ed25519 {GIVEN} builder']
    root_keys = place(disk, "/root/.ssh/authorized_keys", "\n".join(lines) + "\n")
    only_given = place(disk, "/home/web/.ssh/authorized_keys", lines[1] + "\n")
    assert clean(shell, disk).returncode == 0, words(disk)
    assert root_keys.read_text() == lines[0] + "\n"
    assert only_given.read_text().strip() == ""


def test_nothing_is_removed_where_no_agent_runs_it(shell: list[str], disk: Path) -> None:
    before = sorted(disk.rglob("*"))
    ended = clean(shell, disk, agent=False)
    assert ended.returncode == 0
    assert "no SSM agent runs this" in ended.stdout
    assert sorted(disk.rglob("*")) == before


def test_a_laptops_own_disk_is_never_touched(
    shell: list[str], disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even with the agent's variable set: nothing says that this is an EC2 instance."""
    text, evil = traces.text(), disk.parent / "evil"
    for deed in DEEDS:  # so that not even a mistake in the guard could harm anybody
        assert deed in text
        text = text.replace(deed, "echo done >>../evil")
    text = text.replace("/run/", "run/")
    monkeypatch.setattr(traces, "text", lambda: text)
    ended = clean(shell, disk, named="")
    assert ended.returncode == 1
    assert words(disk).startswith("found no sign of an EC2 instance, so nothing was removed")
    assert not evil.exists()


@pytest.mark.parametrize("linked", ["etc", "var", "root", "var/lib/amazon/ssm"])
def test_what_lies_behind_a_link_is_not_touched(
    shell: list[str], disk: Path, tmp_path: Path, linked: str
) -> None:
    """In the sandbox a link of the owner's may lead out of the machine's directory."""
    outside = tmp_path / "outside"
    shutil.move(disk / linked, outside)
    (disk / linked).symlink_to(outside)
    before = sorted(outside.rglob("*")), [f.read_text() for f in outside.rglob("*") if f.is_file()]
    assert clean(shell, disk).returncode == 0, words(disk)
    after = sorted(outside.rglob("*")), [f.read_text() for f in outside.rglob("*") if f.is_file()]
    assert after == before


def test_a_file_that_is_a_link_is_not_emptied(shell: list[str], disk: Path, tmp_path: Path) -> None:
    outside = place(tmp_path, "machine-id", "the laptop's")
    (disk / "etc/machine-id").unlink()
    (disk / "etc/machine-id").symlink_to(outside)
    assert clean(shell, disk).returncode == 0
    assert outside.read_text() == "the laptop's"


def test_what_cannot_be_removed_is_named(
    shell: list[str], disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = disk.parent / "bin"
    programs.mkdir()
    (programs / "rm").write_text("#!/bin/sh\nexit 1\n")
    (programs / "rm").chmod(0o755)
    if "busybox" in shell[0]:
        pytest.skip("it has an rm of its own")
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    ended = clean(shell, disk)
    assert ended.returncode == 1
    assert words(disk).startswith("could not remove ")
    assert "etc/ssh/ssh_host_thing" in words(disk)


def test_what_is_in_use_is_removed_when_the_machine_stops(disk: Path) -> None:
    """On an instance: by a unit that is stopped after the agent; it is no part of the image."""
    text = traces.text()
    assert "/run/systemd/system/ovenbird-clean.service" in text
    assert "Before=amazon-ssm-agent.service" in text
    late = [path for trace in TRACES if trace.late for path in trace.paths]
    assert "/var/lib/amazon/ssm/i-*" in late
    assert all(trace.late for trace in TRACES if any("/ssm/" in path for path in trace.paths))


def test_the_part_for_the_stop_is_a_script_of_its_own(shell: list[str], disk: Path) -> None:
    """As the unit runs it; with the disk in place of ``/``."""
    script = traces.late_script().replace("root=\n", f"root='{disk.resolve()}'\n")
    ended = subprocess.run([*shell, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [trace.name for trace in TRACES if trace.late and kept(disk, trace)] == []
    assert (disk / "etc/machine-id").read_text() == "x"


def test_every_trace_has_a_reason_and_absolute_places() -> None:
    for trace in TRACES:
        assert trace.why.endswith("."), trace.name
        assert all(path.startswith("/") and "'" not in path for path in trace.paths), trace.name
    assert len({trace.name for trace in TRACES}) == len(TRACES)
