"""Two uploads of one second to a paused fleet; and an execution that a person stops."""

from __future__ import annotations

import json
import time

from tests.sandbox.deployed.rollout import Rollout, eventually
from tests.sandbox.deployed.stack import Stack, release

PAUSED = "/ovenbird/fleets/web/paused"


def test_of_two_uploads_of_one_second_to_a_paused_fleet_the_later_one_is_rolled(
    stack: Stack,
) -> None:
    before = stack.rollouts()
    stack.aws("ssm", "put-parameter", "--type=String", f"--name={PAUSED}", "--value=move")
    try:
        stack.upload(release("tie"), "web/tie-1.tar.gz")
        stack.upload(release("tie"), "web/tie-2.tar.gz")
        new = eventually(lambda: found if len(found := stack.rollouts() - before) == 2 else None)
        time.sleep(5)  # minutes of the cloud, in which nothing may happen
        assert all(len(each.transitions()) < 20 for each in map(stack.rollout, new))
    finally:
        stack.shell("aws", "ssm", "delete-parameter", f"--name={PAUSED}")
    both = [stack.rollout(each) for each in new]
    assert {each.ended()["status"] for each in both} == {"SUCCEEDED"}
    assert all(len(each.transitions()) < 60 for each in both)
    told = {stack.remembered(f"rollout#{each.name}")["result"]["S"]: each.name for each in both}
    assert told.keys() == {"released", "superseded"}
    (rolled,) = [each for each in both if each.name == told["released"]]
    assert json.loads(rolled.ended()["input"])["release"]["key"] == "web/tie-2.tar.gz"


def test_an_execution_that_is_stopped_in_the_middle_of_a_roll_is_undone_and_told(
    stack: Stack,
) -> None:
    if not stack.remembered("fleet#web"):
        assert stack.release("before")["status"] == "SUCCEEDED"
    version = stack.version
    rollout = stack.started_by(lambda: stack.upload(release("stopped"), "web/stopped.tar.gz"))
    eventually(lambda: [each for each in stack.refreshes if each["Status"] == "InProgress"], 60)
    before = stack.rollouts()
    rollout.stop()
    undo: Rollout = stack.rollout(eventually(lambda: stack.rollouts() - before, 10).pop())
    assert undo.name == f"{rollout.name}_undo"
    assert "was cut short and is undone" in stack.notice_of(rollout.name)
    undo.ended()
    assert stack.version == version
    assert "Stopped" in stack.notice_of(rollout.name)
    assert "holder" not in stack.remembered("lane#web")
