"""Names that are strange and still allowed: the rollout runs to its end all the same."""

from __future__ import annotations

import json
import subprocess
from typing import Any
from unittest import mock

import pytest

from tests.hostile.witness import PAYLOAD
from tests.stories.asl.failures import StateFailed
from tests.stories.story import a_fleet
from tests.stories.template import Function
from tests.stories.world import BUCKET


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("\u0627\u0644\u0648\u064a\u0628", id="right to left"),
        pytest.param("💥" * 250, id="four bytes each"),
        pytest.param("e\u0301 \u00a0 \u200d", id="composed and blank"),
        pytest.param("'; reboot; '$(reboot)`reboot`", id="shell"),
        pytest.param("{{ssm:/acme/secret}}", id="Run Command"),
        pytest.param("${AWS::AccountId} $.plan.fence %s {0}", id="templates"),
        pytest.param("../../../etc/passwd", id="path"),
        pytest.param("x" * 1000, id="long"),
    ],
)
def test_strange_names_are_rolled_out_like_any_other(name: str) -> None:
    release = {"events": {"artifact": f"s3://{BUCKET}/web/*"}}
    with a_fleet(size=1, addresses=1, release=release) as web:
        request: dict[str, Any] = {
            "fleet": "web",
            "revision": name,
            "description": f"{name}\n\x00\u202e",
            "artifact": {"bucket": BUCKET, "key": f"web/{name}"[:1024], "version_id": name},
        }
        web.world.put_event("ovenbird", "Release Requested", request)
        rollout = web.world.finish()
        assert rollout.status == "SUCCEEDED", (rollout.error, rollout.cause)
        assert len(json.dumps(rollout.whole)) < PAYLOAD
        assert web.versions == {"2": 1}
        (script,) = web.world.machines.scripts
        (line,) = [line for line in script.lines if line.startswith("export OVENBIRD_REVISION=")]
        said = [line, 'printf %s "$OVENBIRD_REVISION"']
        shell = subprocess.run(["sh", "-c", "\n".join(said)], capture_output=True, check=True)
        assert shell.stdout.decode() == name
        assert "{{" not in "".join(script.lines)
        assert "\u202e" not in "".join(web.world.notices)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="half"),
        pytest.param("[" * 5000, id="deep"),
        pytest.param('{"errorMessage": ' + "[" * 400 + "]" * 400 + "}", id="deep inside"),
        pytest.param("\u202e\u0000" * 1000, id="odd"),
        pytest.param("x" * 30_000, id="long"),
    ],
)
def test_an_undo_tells_of_a_failure_whatever_its_cause_says(text: str) -> None:
    with a_fleet(size=1, addresses=0) as web:
        invoke = web.world.lambdas.invoke

        def fails(function: Function, payload: Any) -> Any:
            if function.folder.name == "bake_image":
                raise StateFailed("BakeFailed", text)
            return invoke(function, payload)

        with mock.patch.object(web.world.lambdas, "invoke", fails):
            web.world.upload("two")
            assert web.world.finish().error == "BakeFailed"
        (notice,) = web.world.notices
        assert "BakeFailed" in notice
        assert len(notice.encode()) < 20_000
