"""``make verify-aws`` against the sandbox: the model does what is assumed, and nothing stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.sandbox import Sandbox
from tests.aws.__main__ import ASSUMPTIONS
from tests.template.deployed import ROOT

SPEED = 30
PAUSE = 0.05
INVENTORY = {
    "groups": ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups"),
    "addresses": ("ec2", "describe_addresses", "Addresses"),
    "images": ("ec2", "describe_images", "Images"),
    "snapshots": ("ec2", "describe_snapshots", "Snapshots"),
    "templates": ("ec2", "describe_launch_templates", "LaunchTemplates"),
    "alarms": ("cloudwatch", "describe_alarms", "MetricAlarms"),
    "functions": ("lambda", "list_functions", "Functions"),
    "machines": ("stepfunctions", "list_state_machines", "stateMachines"),
    "roles": ("iam", "list_roles", "Roles"),
    "profiles": ("iam", "list_instance_profiles", "InstanceProfiles"),
    "queues": ("sqs", "list_queues", "QueueUrls"),
    "rules": ("events", "list_rules", "Rules"),
    "tables": ("dynamodb", "list_tables", "TableNames"),
}


@pytest.fixture(scope="module")
def outside() -> dict[str, str]:
    return dict(os.environ)


@pytest.fixture(scope="module")
def sandbox(outside: dict[str, str]) -> Iterator[Sandbox]:
    """After ``outside``, because the environment is the sandbox's while it runs."""
    with Sandbox(speed=SPEED, port=0) as running:
        yield running


def begin(sandbox: Sandbox, outside: dict[str, str], *more: str) -> subprocess.Popen[str]:
    """As from the command line, with the exports that ``make sandbox`` prints."""
    assert sandbox.fleet
    small = ("--image", sandbox.fleet.image_id, "--instance-type", "t3.micro")
    return subprocess.Popen(
        [sys.executable, "-m", "tests.aws", *small, "--pause", str(PAUSE), *more],
        cwd=ROOT,
        env={**outside, **sandbox.exports},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def inventory(sandbox: Sandbox) -> dict[str, int]:
    """How many there are of everything that the suite makes."""
    counted = {
        what: len(getattr(sandbox.client(service), call)().get(member, []))
        for what, (service, call, member) in INVENTORY.items()
    }
    return counted | {"instances": len(living(sandbox))}


def living(sandbox: Sandbox) -> list[Any]:
    found = sandbox.client("ec2").describe_instances()["Reservations"]
    return [
        each
        for reservation in found
        for each in reservation["Instances"]
        if each["State"]["Name"] not in ("shutting-down", "terminated")
    ]


def test_all_of_it_holds_and_nothing_is_left(sandbox: Sandbox, outside: dict[str, str]) -> None:
    before = inventory(sandbox)
    told, _ = (running := begin(sandbox, outside, "--yes")).communicate(timeout=240)
    assert running.returncode == 0, told
    assert sandbox.endpoint in told
    table = told.partition("\nAssumption ")[2]
    for assumption in ASSUMPTIONS:
        assert f"{assumption.says} " in table
    assert table.count("  held  ") == len(ASSUMPTIONS)
    assert inventory(sandbox) == before


def test_it_asks_first(sandbox: Sandbox, outside: dict[str, str]) -> None:
    before = inventory(sandbox)
    told, _ = (running := begin(sandbox, outside)).communicate("no\n", timeout=60)
    assert running.returncode == 2
    assert "Go on? Type yes:" in told
    assert told.endswith("Nothing was made.\n")
    assert inventory(sandbox) == before


def test_it_cleans_up_when_it_is_stopped(sandbox: Sandbox, outside: dict[str, str]) -> None:
    before = inventory(sandbox)
    running = begin(sandbox, outside, "--yes")
    assert running.stdout
    for line in running.stdout:
        if line.startswith("held: "):  # now there are a role, a table and state machines
            running.send_signal(signal.SIGINT)
            break
    told, _ = running.communicate(timeout=120)
    assert running.returncode == 1
    assert "Stopped; cleaning up first." in told
    assert "it was stopped before" in told
    assert inventory(sandbox) == before
