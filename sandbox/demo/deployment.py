"""``sam build`` and ``sam deploy`` of the real application into the sandbox."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sandbox.sandbox import Sandbox

ROOT = Path(__file__).parent.parent.parent
STACK = "ovenbird"


class DeployFailed(Exception):
    """SAM did not succeed; the text ends with the last lines that it printed."""


@dataclass(frozen=True)
class Deployed:
    """What the stack made, as far as the show needs it."""

    state_machine_arn: str
    accept_release: str


def build() -> None:
    """``sam build``; what has not changed since the last time is reused."""
    _sam("build", dict(os.environ))


def deploy(sandbox: Sandbox) -> Deployed:
    """``sam deploy`` against the sandbox's endpoint."""
    _sam("deploy", {**os.environ, **sandbox.exports})
    stacks = sandbox.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stacks[0]["Outputs"]}
    return Deployed(outputs["RolloutStateMachineArn"], outputs["AcceptReleaseFunctionName"])


def _sam(command: str, environment: dict[str, str]) -> None:
    tools = os.pathsep.join([str(ROOT / ".tools/bin"), environment.get("PATH", os.defpath)])
    sam = shutil.which("sam", path=tools)
    if sam is None:
        raise DeployFailed("There is no sam; make demo installs it.")
    ran = subprocess.run(
        [sam, command],
        cwd=ROOT,
        env={**environment, "PATH": tools, "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        printed = f"{ran.stdout}\n{ran.stderr}".strip().splitlines()
        raise DeployFailed(f"sam {command} failed:\n" + "\n".join(printed[-15:]))
