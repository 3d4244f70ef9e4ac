"""``sam build`` and ``sam deploy`` of the real application into the sandbox."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.sandbox import Sandbox

ROOT = Path(__file__).parent.parent
STACK = "ovenbird"


class DeployFailed(Exception):
    """SAM did not succeed; the text ends with the last lines that it printed."""


@dataclass(frozen=True)
class Deployed:
    """What the stack made; ``functions`` are the functions' names by their steps' names."""

    state_machine_arn: str
    ledger: str
    topic_arn: str
    functions: Mapping[str, str]


def build() -> None:
    """``sam build``; what has not changed since the last time is reused."""
    _sam(["build"], os.environ)


def deploy(sandbox: Sandbox, environment: Mapping[str, str] | None = None) -> Deployed:
    """``sam deploy`` against the sandbox's endpoint.

    Args:
        environment: Of whoever deploys; without it, this process's with the sandbox's exports.
    """
    _sam(["deploy", "--config-env", "sandbox"], environment or {**os.environ, **sandbox.exports})
    stacks = sandbox.client("cloudformation")
    outputs = {
        each["OutputKey"]: each["OutputValue"]
        for each in stacks.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
    }
    functions = {
        each["LogicalResourceId"].removesuffix("Function"): each["PhysicalResourceId"]
        for page in stacks.get_paginator("list_stack_resources").paginate(StackName=STACK)
        for each in page["StackResourceSummaries"]
        if each["ResourceType"] == "AWS::Lambda::Function"
    }
    return Deployed(
        outputs["RolloutStateMachineArn"], outputs["LedgerName"], outputs["TopicArn"], functions
    )


def _sam(command: Sequence[str], environment: Mapping[str, str]) -> None:
    tools = os.pathsep.join([str(ROOT / ".tools/bin"), environment.get("PATH", os.defpath)])
    sam = shutil.which("sam", path=tools)
    if sam is None:
        raise DeployFailed("There is no sam; make ready installs it.")
    ran = subprocess.run(
        [sam, *command],
        cwd=ROOT,
        env={**environment, "PATH": tools, "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        printed = f"{ran.stdout}\n{ran.stderr}".strip().splitlines()
        raise DeployFailed(f"sam {command[0]} failed:\n" + "\n".join(printed[-15:]))
