"""Instances that are directories and processes."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

import pytest

from ovenbird.core import scripts
from sandbox import releases
from sandbox.cloud.kernel import Kernel
from sandbox.cloud.machines import CommandOutcome
from sandbox.machines import TIMED_OUT, RealMachines
from sandbox.processes import Processes


def eventually(true: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def run(
    machines: RealMachines,
    instance: str,
    script: Sequence[str],
    environment: dict[str, str] | None = None,
) -> CommandOutcome:
    ended: list[CommandOutcome] = []
    machines.run(instance, script, environment or {}, 3600, ended.append)
    eventually(lambda: bool(ended))
    return ended[0]


def healthy(machines: RealMachines, instance: str) -> bool:
    answers: list[bool] = []
    machines.probe(instance, 8080, "/health", answers.append)
    eventually(lambda: bool(answers))
    return answers[0]


def get(machines: RealMachines, instance: str, path: str) -> str:
    place = machines.place(instance, 8080)
    assert place
    connection = http.client.HTTPConnection(place.host, place.port, timeout=2)
    connection.request("GET", path)
    body = connection.getresponse().read().decode()
    connection.close()
    return body


def disk_of(machines: RealMachines, instance: str) -> Path:
    return Path(run(machines, instance, ["pwd"]).stdout.strip())


def install(machines: RealMachines, instance: str, version: str, artifact: Path) -> None:
    artifact.write_bytes(releases.build_artifact(version))
    environment = {"OVENBIRD_ARTIFACT": str(artifact)}
    script = ["set -eu", *releases.INSTALL, *releases.VERIFY]
    assert run(machines, instance, script, environment).exit_code == 0


def boot_script(machines: RealMachines, instance: str) -> None:
    text = (releases.APPLICATION / "etc/rc.local").read_text()
    script = ["mkdir -p etc", f"cat > etc/rc.local <<'END'\n{text}\nEND"]
    assert run(machines, instance, script).exit_code == 0


def test_an_image_serves_what_was_baked_into_it(machines: RealMachines, tmp_path: Path) -> None:
    machines.create("i-builder", "ami-of-amazon")
    machines.start("i-builder", "")
    boot_script(machines, "i-builder")
    install(machines, "i-builder", "2", tmp_path / "artifact")
    machines.stop("i-builder")
    machines.capture("i-builder", "ami-baked")
    machines.destroy("i-builder")

    machines.create("i-web", "ami-baked")
    machines.start("i-web", "")

    eventually(lambda: healthy(machines, "i-web"))
    assert get(machines, "i-web", "/version") == "2\n"
    assert get(machines, "i-web", "/") == "Good morning from version 2 on i-web\n"


def test_a_bad_release_passes_its_self_test_and_fails_its_health_check(
    machines: RealMachines, tmp_path: Path
) -> None:
    machines.create("i-web", "ami-of-amazon")
    boot_script(machines, "i-web")
    install(machines, "i-web", releases.BAD, tmp_path / "artifact")
    machines.start("i-web", "")

    eventually(lambda: answers(machines, "i-web"))
    assert not healthy(machines, "i-web")
    assert get(machines, "i-web", "/health") == "SESSION_STORE is not set\n"


def answers(machines: RealMachines, instance: str) -> bool:
    try:
        return bool(get(machines, instance, "/version"))
    except OSError:
        return False


def test_the_application_ends_with_the_machine(machines: RealMachines, tmp_path: Path) -> None:
    machines.create("i-web", "ami-of-amazon")
    boot_script(machines, "i-web")
    install(machines, "i-web", "1", tmp_path / "artifact")
    machines.start("i-web", "")
    eventually(lambda: healthy(machines, "i-web"))

    machines.stop("i-web")
    assert not healthy(machines, "i-web")

    machines.start("i-web", "")
    eventually(lambda: healthy(machines, "i-web"))

    machines.destroy("i-web")
    assert not healthy(machines, "i-web")


def test_what_an_instance_writes_does_not_change_its_image(machines: RealMachines) -> None:
    machines.create("i-1", "ami-of-amazon")
    run(machines, "i-1", ["echo one > file"])
    machines.capture("i-1", "ami-1")
    machines.create("i-2", "ami-1")
    run(machines, "i-2", ["echo two >> file"])
    machines.create("i-3", "ami-1")

    assert run(machines, "i-3", ["cat file"]).stdout == "one\n"


def test_an_image_that_was_deregistered_leaves_its_instances_alone(machines: RealMachines) -> None:
    machines.create("i-1", "ami-of-amazon")
    run(machines, "i-1", ["echo one > file"])
    machines.capture("i-1", "ami-1")
    machines.create("i-2", "ami-1")
    machines.discard("ami-1")

    assert run(machines, "i-2", ["cat file"]).stdout == "one\n"


def test_temporary_files_are_not_baked(machines: RealMachines) -> None:
    machines.create("i-1", "ami-of-amazon")
    run(machines, "i-1", ['echo rubbish > "$TMPDIR/rubbish"'])
    machines.capture("i-1", "ami-1")
    machines.create("i-2", "ami-1")

    assert run(machines, "i-2", ['ls "$TMPDIR"']).stdout == ""


def test_a_script_tells_how_it_ended(machines: RealMachines) -> None:
    machines.create("i-1", "ami-of-amazon")

    outcome = run(
        machines, "i-1", ['echo "$GREETING $TEAM"', "echo no >&2", "exit 3"], {"GREETING": "hi"}
    )

    assert outcome == CommandOutcome(3, "hi web\n", "no\n")


def test_a_script_that_is_cancelled_ends_with_all_that_it_started(machines: RealMachines) -> None:
    machines.create("i-1", "ami-of-amazon")
    ended: list[CommandOutcome] = []
    script = ["sleep 600 & echo $! > child", "wait"]
    machines.run("i-1", script, {}, 3600, ended.append)
    child = disk_of(machines, "i-1") / "child"
    eventually(lambda: child.exists() and bool(child.read_text()))

    machines.cancel("i-1")

    eventually(lambda: bool(ended))
    assert ended[0].exit_code == TIMED_OUT
    eventually(lambda: not running(int(child.read_text())))


def test_a_script_that_takes_too_long_is_killed(
    machines: RealMachines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.machines._SHORTEST_TIMEOUT", 0.1)
    machines.create("i-1", "ami-of-amazon")
    ended: list[CommandOutcome] = []

    machines.run("i-1", ["sleep 600"], {}, 0, ended.append)

    eventually(lambda: bool(ended))
    assert ended[0].exit_code == TIMED_OUT


def test_a_machine_that_is_destroyed_takes_its_scripts_with_it(machines: RealMachines) -> None:
    machines.create("i-1", "ami-of-amazon")
    ended: list[CommandOutcome] = []
    machines.run("i-1", ["sleep 600"], {}, 3600, ended.append)

    machines.destroy("i-1")

    eventually(lambda: bool(ended))
    assert ended[0].exit_code != 0


def test_callbacks_hold_the_clouds_lock(machines: RealMachines, kernel: Kernel) -> None:
    machines.create("i-1", "ami-of-amazon")
    ended: list[CommandOutcome] = []
    with kernel.lock:
        machines.run("i-1", ["true"], {}, 3600, ended.append)
        time.sleep(0.3)
        assert not ended
    eventually(lambda: bool(ended))


def test_user_data_runs_at_the_first_boot_only(machines: RealMachines) -> None:
    machines.create("i-1", "ami-of-amazon")
    disk = disk_of(machines, "i-1")
    for _ in range(2):
        machines.start("i-1", "#!/bin/sh\necho booted >> boots\n")
        eventually((disk / "boots").exists)
        machines.stop("i-1")

    assert (disk / "boots").read_text() == "booted\n"


def test_nothing_survives_the_sandbox(machines: RealMachines, processes: Processes) -> None:
    machines.create("i-1", "ami-of-amazon")
    machines.run("i-1", ["sleep 600 & echo $! > child", "wait"], {}, 3600, lambda _: None)
    child = disk_of(machines, "i-1") / "child"
    eventually(lambda: child.exists() and bool(child.read_text()))
    pid = int(child.read_text())

    processes.close()

    assert not running(pid)
    assert not processes.state.exists()


def running(pid: int) -> bool:
    """Whether the process does anything; one that waits to be collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_a_bake_leaves_an_image_without_the_builders_life_and_the_laptop_as_it_was(
    machines: RealMachines, tmp_path: Path
) -> None:
    """The whole script of a bake, as Run Command runs it; only this machine's disk is cleaned."""
    artifact = tmp_path / "2.tar.gz"
    artifact.write_bytes(releases.build_artifact("2"))
    tools = tmp_path / "tools"
    tools.mkdir()
    aws = tools / "aws"
    aws.write_text(f'#!/bin/sh\nfor last; do :; done\ncp {artifact} "$last"\n')
    aws.chmod(0o755)
    machines.create("i-builder", "ami-of-amazon")
    machines.start("i-builder", "")
    disk = disk_of(machines, "i-builder")
    for name in TRACES_OF_A_BUILDER:
        (disk / name).parent.mkdir(parents=True, exist_ok=True)
        (disk / name).write_text("the builder's")
    own = [Path("/") / name for name in TRACES_OF_A_BUILDER]
    before = {path: path.stat().st_size for path in own if path.exists()}

    script = scripts.lines(
        scripts.Artifact("acme", "web/2.tar.gz", owner="123456789012"),
        revision="2",
        fleet="web",
        environment={},
        install=releases.INSTALL,
        verify=releases.VERIFY,
        timeout_seconds=60,
    )
    with mock.patch.object(machines, "_tools", [str(tools)]):
        outcome = run(machines, "i-builder", script, {"AWS_SSM_INSTANCE_ID": "i-builder"})

    assert outcome.exit_code == 0, outcome
    assert "status: done" in outcome.stdout  # the machine's own cloud-init, not the laptop's
    left = [name for name in TRACES_OF_A_BUILDER if (disk / name).exists()]
    assert left == ["etc/machine-id", "var/log/syslog"]
    assert [(disk / name).read_text() for name in left] == ["", ""]
    assert (disk / "srv/web/app.py").exists()
    assert all(path.stat().st_size >= size for path, size in before.items())


TRACES_OF_A_BUILDER = (
    "etc/machine-id",
    "var/lib/cloud/instances/i-builder/user-data.txt",
    "var/lib/amazon/ssm/i-builder/document/orchestration/c/_script.sh",
    "var/lib/ecs/data/agent.db",
    "root/.bash_history",
    "var/log/syslog",
)
