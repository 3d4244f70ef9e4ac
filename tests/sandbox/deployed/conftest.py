"""The application, built and deployed once by the real SAM, for all tests of this directory."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator

import pytest

from sandbox import deployment, fleet
from sandbox.sandbox import Sandbox
from tests.sandbox.deployed.stack import Stack, user

SPEED = 60
# Two instances at a time, so that four rollouts take a minute.
DOCUMENT = {**fleet.DOCUMENT, "roll": {"alarms": [fleet.ALARM], "max_healthy_percent": 150}}


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for all, because a deployment takes seconds: a test says what it finds first.

    Nothing may be left when it ends, whatever still ran in it.
    """
    tmp_path_factory.getbasetemp()  # made now, because the sandbox has a place of its own for such
    outside = dict(os.environ)
    deployment.build()
    with Sandbox(speed=SPEED, port=0) as sandbox:
        environment = user(outside, sandbox)
        deployed = deployment.deploy(sandbox, environment)
        sandbox.client("ssm").put_parameter(
            Name=f"/ovenbird/fleets/{fleet.NAME}", Value=json.dumps(DOCUMENT), Overwrite=True
        )
        yield Stack(sandbox, deployed, environment)
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert str(sandbox.state) not in running.stdout
    assert not sandbox.state.exists()
